"""Shipped models: found by name, small, with a full card, and able to run."""

from pathlib import Path

import pytest

from rppg_ros import weights
from rppg_ros.inference.card import ModelCard, ModelCardError
from rppg_ros.inference.engine import EngineError
from rppg_ros.inference.factory import make_engine
from rppg_ros.types import Kind

LARGEST_BYTES = 2_000_000
WANTED = {
    "phasenet-causal": ({Kind.BVP}, ("rgb",)),
    "mmrphys-rgb": ({Kind.BVP, Kind.RSP}, ("rgb",)),
    "mmrphys-rgbt": ({Kind.BVP, Kind.RSP}, ("rgb", "thermal")),
}


@pytest.mark.parametrize("name", WANTED)
def test_each_is_there_small_and_says_what_it_is(name):
    path = weights.resolve(name)
    assert path.stat().st_size < LARGEST_BYTES
    card = ModelCard.read(name)
    assert card.name == name and (set(card.tasks), card.channels) == WANTED[name]
    assert "synthetic" in card.training_data and card.licence == "Apache-2.0" and "seed" in card.source
    assert card.scores and card.limits
    assert make_engine("auto", name).name == name


def test_nothing_else_is_shipped():
    assert set(weights.names()) == set(WANTED)


def test_a_file_goes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "phasenet-causal").write_bytes(b"mine")
    assert weights.resolve("phasenet-causal") == Path("phasenet-causal")
    assert weights.resolve("elsewhere.onnx") == Path("elsewhere.onnx")


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(EngineError, match="model 'phasenet': no such file; shipped models are: mmrphys-rgb, "):
        make_engine("auto", "phasenet")
    with pytest.raises(ModelCardError, match="phasenet: no such file; shipped models are"):
        ModelCard.read("phasenet")

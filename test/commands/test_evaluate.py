"""rppg-ros evaluate: which engine and model it asks for, before any recording is opened."""

import pytest

from rppg_ros.commands.main import main
from support.distributions import install

PROBE = "def probe(options):\n    raise LookupError(f'model <{options.model}>, hop {options.hop_s}')\n"


@pytest.mark.parametrize(
    ("words", "model"), [([], ""), (["--model", "none"], ""), (["--model", "mine.onnx"], "mine.onnx")]
)
def test_a_plugin_gets_a_model_only_where_one_is_named(words, model, plugin_folder, capsys):
    install(plugin_folder, "acme", {"rppg_ros.engines": {"probe": "probe_engine:probe"}}, {"probe_engine": PROBE})
    assert main(["evaluate", "nowhere", "--engine", "probe", "--hop", "0.25", *words]) == 2
    assert f"LookupError: model <{model}>, hop 0.25" in capsys.readouterr().err


def test_an_unknown_engine_is_one_line(capsys):
    assert main(["evaluate", "nowhere", "--engine", "poss"]) == 2
    said = capsys.readouterr().err
    assert (
        said.startswith("rppg-ros evaluate: no engine 'poss'; there are: auto, network, pos, chrom")
        and "'pos'?" in said
    )

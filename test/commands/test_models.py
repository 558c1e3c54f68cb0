"""`rppg-ros models` end to end in process: what is printed, what is written, exit codes."""

import argparse
import sys

import pytest

from rppg_ros.commands.models import add_parser
from rppg_ros.commands.models_common import EXIT_BAD_INPUT, EXIT_OK, UsageError
from rppg_ros.inference.card import ModelCard
from support.official import write_mmrphys


def run(*words) -> int:
    parser = argparse.ArgumentParser(prog="rppg-ros")
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["models", *map(str, words)])
    return args.run(args)


@pytest.fixture
def checkpoint(tmp_path):
    pytest.importorskip("torch")
    return write_mmrphys(tmp_path)


def test_import_then_info(checkpoint, tmp_path, capsys):
    model = tmp_path / "sef.onnx"
    assert run("import", checkpoint, "--family", "mmrphys", "-o", model, "--name", "mine") == EXIT_OK
    assert "ONNX Runtime agrees with torch" in capsys.readouterr().out
    card = ModelCard.read(model)
    assert (card.name, card.size, card.frames, card.rate_hz) == ("mine", 9, 180, 30.0)
    assert run("info", model) == EXIT_OK
    printed = capsys.readouterr().out
    for text in ("mine", "SEF_RGB_Base", "30 Hz", "180 frames, 6.0 s", "bvp (output 'bvp')", "SCAMPS"):
        assert text in printed


def test_options_reach_the_card(checkpoint, tmp_path):
    model = tmp_path / "m.onnx"
    words = ("import", checkpoint, "--family", "mmrphys", "-o", model, "--frames", "60", "--rate", "20")
    assert run(*words) == EXIT_OK
    card = ModelCard.read(model)
    assert (card.frames, card.rate_hz) == (60, 20.0)


def test_output_defaults_to_the_name(checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("import", checkpoint, "--family", "mmrphys") == EXIT_OK
    assert (tmp_path / "mmrphys-sef-rgb-base-scamps.onnx").is_file()


def test_list_without_torch_has_what_is_in_the_box(capsys, monkeypatch):
    def lacking(name):
        raise UsageError("torch is not installed: pip install 'rppg_ros[models]'")

    monkeypatch.setattr("rppg_ros.commands.models.models_module", lacking)
    assert run("list") == EXIT_OK
    told = capsys.readouterr().out
    assert "mmrphys-rgbt" in told and "pip install 'rppg_ros[models]'" in " ".join(told.split())


def test_list(capsys):
    pytest.importorskip("torch")
    assert run("list") == EXIT_OK
    assert "mmrphys" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("info", "absent.onnx"), "rppg-ros models info: absent.onnx: no such file"),
        (("import", "absent.pth", "--family", "mmrphys"), "rppg-ros models import: absent.pth: no such file"),
        (("import", "absent.pth", "--family", "physnet"), "no model family 'physnet'"),
    ],
)
def test_errors_are_one_line_and_exit_2(words, message, capsys):
    pytest.importorskip("torch")
    assert run(*words) == EXIT_BAD_INPUT
    errors = capsys.readouterr().err
    assert message in errors and errors.count("\n") == 1


def test_output_must_be_onnx(checkpoint, tmp_path, capsys):
    words = ("import", checkpoint, "--family", "mmrphys", "-o", tmp_path / "m.pth")
    assert run(*words) == EXIT_BAD_INPUT
    assert "must be a file ending in .onnx" in capsys.readouterr().err


def test_without_torch(monkeypatch, capsys):
    for module in [name for name in sys.modules if name.startswith("rppg_ros.models.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run("import", "x.pth", "--family", "mmrphys") == EXIT_BAD_INPUT
    assert capsys.readouterr().err == (
        "rppg-ros models import: torch is not installed: pip install 'rppg_ros[models]'\n"
    )


def test_export_of_untrained_layers_then_info(tmp_path, capsys):
    pytest.importorskip("torch")
    model = tmp_path / "p.onnx"
    assert run("export", "phasenet", "--set", "causal=true", "--set", "pixels=16", "-o", model) == EXIT_OK
    printed = capsys.readouterr().out
    for text in ("RGB_Causal_16", "untrained", "random weights, seed 0", "streams, in chunks of 5 frames"):
        assert text in printed
    card = ModelCard.read(model)
    assert card.state and card.name == "phasenet-rgb-causal-16-untrained"


def test_export_of_a_checkpoint(tmp_path, capsys):
    pytest.importorskip("torch")
    from rppg_ros.models.registry import build
    from rppg_ros.models.saved import Provenance, save

    checkpoint, model = tmp_path / "best.pt", tmp_path / "m.onnx"
    save(build("phasenet", causal=True, pixels=16), "phasenet", Provenance(frames=90, rate_hz=25.0), checkpoint)
    assert run("export", checkpoint, "--windowed", "--name", "mine", "-o", model) == EXIT_OK
    card = ModelCard.read(model)
    assert (card.name, card.frames, card.rate_hz, card.state) == ("mine", 90, 25.0, ())
    assert (dict(card.scores), card.limits) == ({}, "")
    filled = ("--score", "HR MAE=1.5", "--limits", "still people")
    assert run("export", checkpoint, *filled, "-o", model) == EXIT_OK
    card = ModelCard.read(model)
    assert (dict(card.scores), card.limits) == ({"HR MAE": 1.5}, "still people")
    for wrong, message in ((("--score", "MAE"), "write NAME=VALUE"), (("--score", "MAE=low"), "'low' is not a number")):
        assert run("export", checkpoint, *wrong) == EXIT_BAD_INPUT
        assert message in capsys.readouterr().err
    assert run("export", checkpoint, "--set", "pixels=36") == EXIT_BAD_INPUT
    assert "--set goes with a family's name" in capsys.readouterr().err
    assert run("export", tmp_path / "absent.pt") == EXIT_BAD_INPUT
    assert "absent.pt: no such file" in capsys.readouterr().err


def test_info_of_a_family_is_measured(capsys):
    pytest.importorskip("torch")
    assert run("info", "mmrphys", "--set", "size=S", "--set", "attention=none") == EXIT_OK
    printed = capsys.readouterr().out
    for text in ("87,600", "G for 180 frames", "looks back, frames", "size=S"):
        assert text in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("info", "phasenet", "--set", "depth=3"), "phasenet has no option 'depth'; there are: causal"),
        (("info", "phasenet", "--set", "causal=maybe"), "phasenet option 'causal': must be true or false, not 'maybe'"),
        (("info", "phasenet", "--set", "causal"), "--set causal: write NAME=VALUE"),
        (("info", "phasenet", "--set", "pixels=many"), "phasenet option 'pixels'"),
        (("info", "physnet"), "no model family 'physnet'"),
    ],
)
def test_options_that_do_not_exist(words, message, capsys):
    pytest.importorskip("torch")
    assert run(*words) == EXIT_BAD_INPUT
    errors = capsys.readouterr().err
    assert message in errors and errors.count("\n") == 1


def test_import_with_another_reading_of_the_weights(checkpoint, tmp_path):
    model = tmp_path / "m.onnx"
    assert run("import", checkpoint, "--family", "mmrphys", "--set", "axis=time", "-o", model) == EXIT_OK
    assert ModelCard.read(model).variant == "SEF_RGB_Base"

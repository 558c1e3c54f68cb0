"""`rppg-ros models pull` end to end, from a web server of its own to a model with its card."""

import argparse
import errno
import os
import sys

import pytest

pytest.importorskip("pooch", reason="pooch is in the extra 'models'")

from rppg_ros.commands import models_pull  # noqa: E402
from rppg_ros.commands.models import add_parser  # noqa: E402
from rppg_ros.commands.models_common import EXIT_BAD_INPUT, EXIT_INTERRUPTED, EXIT_OK  # noqa: E402
from rppg_ros.inference.card import ModelCard  # noqa: E402
from rppg_ros.models import download, official_files  # noqa: E402
from rppg_ros.vision import yunet  # noqa: E402
from support.file_server import serving  # noqa: E402
from support.official import SEF, entry, write_mmrphys  # noqa: E402


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    pytest.importorskip("torch")
    return write_mmrphys(tmp_path_factory.mktemp("official")).read_bytes()


@pytest.fixture
def server(content):
    with serving(content) as running:
        yield running


@pytest.fixture
def files(server, content, monkeypatch):
    """The table's lines of the day; a test may add some."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    free = entry(content, f"{server.address}/{SEF}")
    bound = entry(content, f"{server.address}/{SEF}", name="bound", licence="RAIL-X", research_only=True)
    table = {file.name: file for file in (free, bound)}
    for module in (official_files, models_pull):
        monkeypatch.setattr(module, "official_files", lambda: table)
    return table


def pull(*words) -> int:
    parser = argparse.ArgumentParser(prog="rppg-ros")
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["models", "pull", *map(str, words)])
    return args.run(args)


def one_error(capsys) -> str:
    errors = capsys.readouterr().err
    assert errors.startswith("rppg-ros models pull: ") and errors.count("\n") == 1
    return errors


def test_from_the_network_to_a_model(server, files, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert pull("tiny") == EXIT_OK
    folder = tmp_path / "rppg_ros/models"
    printed = capsys.readouterr()
    assert f"Use it: ros2 launch rppg_ros mobile_robot.launch.py model:={folder}/tiny.onnx\n" in printed.out
    assert printed.err == ""
    card = ModelCard.read(folder / "tiny.onnx")
    assert (card.name, card.variant, card.size) == ("tiny", "SEF_RGB_Base", 9)
    assert (card.source, card.sha256) == (files["tiny"].url, files["tiny"].sha256)
    assert card.licence == "MIT, https://example.org/LICENSE"
    assert set(os.listdir(folder)) == {SEF, "tiny.onnx"}

    assert pull("tiny") == EXIT_OK
    assert f"Already there: {folder}/tiny.onnx" in capsys.readouterr().out
    (folder / "tiny.onnx").write_text("broken")
    assert pull("tiny") == EXIT_OK
    assert f"Already downloaded: {folder}/{SEF}" in capsys.readouterr().out
    assert ModelCard.read(folder / "tiny.onnx") == card and len(server.asked) == 1


def test_from_a_file_of_another_name(server, files, content, tmp_path, capsys):
    stick, folder = tmp_path / "stick.bin", tmp_path / "my models"
    stick.write_bytes(content)
    assert pull("tiny", "--from", stick, "-o", folder) == EXIT_OK
    assert f"'model:={folder}/tiny.onnx'\n" in capsys.readouterr().out
    assert ModelCard.read(folder / "tiny.onnx").training_data == "SCAMPS" and not server.asked


def test_a_research_licence_is_accepted_first(server, files, tmp_path, capsys):
    assert pull("bound", "-o", tmp_path) == pull("bound", "-o", tmp_path, "--from", "x") == EXIT_BAD_INPUT
    assert capsys.readouterr().err.splitlines()[0] == (
        "rppg-ros models pull: bound is for research only (RAIL-X): read https://example.org/LICENSE "
        "and add --accept-license if you accept it; nothing was downloaded"
    )
    assert not server.asked and not os.listdir(tmp_path)
    assert pull("bound", "-o", tmp_path, "--accept-license") == EXIT_OK
    assert ModelCard.read(tmp_path / "bound.onnx").licence == "RAIL-X, research only, https://example.org/LICENSE"


def test_another_content_is_not_parsed(server, files, tmp_path, monkeypatch, capsys):
    from rppg_ros.models import importer

    monkeypatch.setattr(importer, "import_checkpoint", lambda *args, **kwargs: pytest.fail("parsed"))
    server.body = server.body[::-1]
    assert pull("tiny", "-o", tmp_path) == EXIT_BAD_INPUT
    assert "wrong checksum" in one_error(capsys) and not os.listdir(tmp_path)


def test_server_error_is_one_line(server, files, tmp_path, capsys):
    server.status = 404
    assert pull("tiny", "-o", tmp_path) == EXIT_BAD_INPUT
    assert "HTTP error 404" in one_error(capsys)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("tiney",), "no official checkpoint 'tiney': did you mean tiny?"),
        ((), "give a NAME; --list shows them"),
        (("tiny", "-o", "mine.onnx"), "mine.onnx: give a folder; the model in it is called tiny.onnx"),
        (("tiny", "--from", "absent.pth", "-o", "models"), "--from absent.pth: No such file"),
    ],
)
def test_wrong_words(words, message, server, files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert pull(*words) == EXIT_BAD_INPUT
    assert message in one_error(capsys) and not server.asked


def test_progress_on_a_terminal(server, files, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes anything for a terminal then
    server.body = server.body[:-1]
    assert pull("tiny", "-o", tmp_path) == EXIT_BAD_INPUT
    errors = capsys.readouterr().err
    assert "tiny" in errors and "kB" in errors and "ended after" in errors


def test_disk_full_at_the_export(files, tmp_path, monkeypatch, capsys):
    from rppg_ros.models import export

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(export, "export", full)
    assert pull("tiny", "-o", tmp_path) == EXIT_BAD_INPUT
    assert "tiny.onnx: not written: [Errno 28] No space left" in one_error(capsys)


def test_interrupted(files, tmp_path, monkeypatch, capsys):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "obtain", interrupted)
    assert pull("tiny", "-o", tmp_path) == EXIT_INTERRUPTED
    assert one_error(capsys) == "rppg-ros models pull: stopped\n"


def test_without_pooch(server, files, tmp_path, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "rppg_ros.models.download")
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert pull("tiny", "-o", tmp_path) == EXIT_BAD_INPUT
    assert one_error(capsys) == "rppg-ros models pull: pooch is not installed: pip install 'rppg_ros[models]'\n"


def test_without_torch(server, files, tmp_path, monkeypatch, capsys):
    for module in ("importer", "export", "checkpoint", "registry"):
        monkeypatch.delitem(sys.modules, f"rppg_ros.models.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert pull("tiny", "-o", tmp_path) == EXIT_BAD_INPUT
    assert one_error(capsys) == "rppg-ros models pull: torch is not installed: pip install 'rppg_ros[models]'\n"
    assert not server.asked


def test_list_wants_no_extra(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "rppg_ros.models.download")
    for package in ("torch", "pooch"):
        monkeypatch.setitem(sys.modules, package, None)
    assert pull("--list") == EXIT_OK
    printed = capsys.readouterr().out
    for text in ("mmrphys-scamps-72", "MIT", "372", "factorizephys-ubfc", "RAIL-MS *", "--accept-license"):
        assert text in printed


def test_a_face_detector_is_kept_as_it_is_and_found(server, files, content, tmp_path, monkeypatch, capsys):
    """Without torch; wrong content stays away from the nodes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(models_pull, "models_module", lambda name: {"download": download}[name])
    files["eyes"] = entry(content, f"{server.address}/{yunet.PULLED}", name="eyes", family=official_files.DETECTOR)
    assert yunet.pulled() is None
    assert pull("eyes") == EXIT_OK
    kept = tmp_path / "rppg_ros/models" / yunet.PULLED
    assert kept.read_bytes() == content and f"{kept}: face_tracker" in capsys.readouterr().out
    assert yunet.pulled() is None, "not the content that is expected"
    monkeypatch.setattr(yunet, "PULLED_SHA256", files["eyes"].sha256)
    assert yunet.pulled() == kept
    assert pull("eyes", "-o", tmp_path / "other") == EXIT_OK
    assert f"detector.model:={tmp_path / 'other' / yunet.PULLED}" in capsys.readouterr().out

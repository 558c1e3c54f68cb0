"""The message definitions are found beside the sources and where they are installed."""

import sys

import pytest

from rppg_ros.datasets import messages


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """As if the package were installed in tmp_path / "own"; nothing else is."""
    module = tmp_path / "own" / "lib" / "python3.12" / "site-packages" / "rppg_ros" / "datasets" / "messages.py"
    monkeypatch.setattr(messages, "__file__", str(module))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "python"))
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)

    def put(prefix):
        folder = tmp_path / prefix / "share" / "rppg_ros" / "msg"
        folder.mkdir(parents=True)
        (folder / "Bvp.msg").touch()
        return folder

    return put


def test_beside_the_sources():
    assert (messages._folder() / "Rsp.msg").is_file()
    assert "rppg_ros/msg/RespirationRate" in messages.typestore().types


@pytest.mark.parametrize("prefix", ["own", "python"])
def test_installed(prefix, installed):
    folder = installed(prefix)
    assert messages._folder() == folder


def test_installed_by_colcon_elsewhere(installed, monkeypatch, tmp_path):
    folder = installed("workspace")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path / 'other'}:{tmp_path / 'workspace'}")
    assert messages._folder() == folder


def test_nowhere(installed):
    with pytest.raises(FileNotFoundError, match="message definitions of rppg_ros .* are not installed"):
        messages._folder()

"""A checkpoint comes whole and right or not at all, and what went wrong is said in one line."""

import errno
import os
import socket
import threading
from pathlib import Path

import pytest

pooch = pytest.importorskip("pooch", reason="pooch is in the extra 'models'")

from rppg_ros.models import download  # noqa: E402
from rppg_ros.models.download import DownloadError, default_folder, obtain  # noqa: E402
from support.file_server import serving  # noqa: E402
from support.official import entry  # noqa: E402

CONTENT = bytes(range(256)) * 200
NAME = "X_MMRPhysSEF_RGBx180x9.pth"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def server():
    with serving(CONTENT) as running:
        yield running


@pytest.fixture
def file(server):
    return entry(CONTENT, f"{server.address}/{NAME}")


def message_of(*args) -> str:
    with pytest.raises(DownloadError) as raised:
        obtain(*args)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_fetched_once(server, file, tmp_path):
    folder, seen = tmp_path / "new" / "folder", []
    assert obtain(file, folder, on_progress=seen.append) == folder / NAME
    assert (folder / NAME).read_bytes() == CONTENT
    assert seen == sorted(seen) and len(seen) > 1 and seen[-1] == len(CONTENT)
    obtain(file, folder)
    assert server.asked == [f"/{NAME}"] and os.listdir(folder) == [NAME]


def test_another_content_under_its_name_is_replaced(file, tmp_path):
    (tmp_path / NAME).write_bytes(CONTENT[::-1])
    assert obtain(file, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 404}, "HTTP error 404, Not Found"),
        ({"status": 503}, "HTTP error 503"),
        ({"body": CONTENT[::-1]}, "wrong checksum: its sha256 is "),
        ({"body": CONTENT[:999]}, "ended after 999 of 51,200 bytes"),
        ({"body": CONTENT[:999], "announced": len(CONTENT)}, "999"),
        ({"body": CONTENT * 20}, "longer than the 51,200 bytes it must have"),
        ({"body": CONTENT + b"!"}, "longer than the 51,200 bytes it must have"),
        ({"body": b""}, "ended after 0 of 51,200 bytes"),
    ],
)
def test_bad_downloads(fault, said, server, file, tmp_path):
    for name, value in fault.items():
        setattr(server, name, value)
    said_by_us = message_of(file, tmp_path)
    assert said in said_by_us
    for help_offline in (file.url, file.sha256, "give it with --from FILE"):
        assert help_offline in said_by_us
    assert not os.listdir(tmp_path)


def test_an_endless_file_is_left_early(server, file, tmp_path):
    server.body, seen = CONTENT * 40, []
    assert "longer than" in message_of(file, tmp_path, None, seen.append)
    assert len(seen) * download.CHUNK_BYTES < 2 * len(CONTENT) and max(seen) == len(CONTENT)


def test_nobody_answers(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # taken, but nobody listens
        file = entry(CONTENT, f"http://127.0.0.1:{closed.getsockname()[1]}/{NAME}")
        said = message_of(file, tmp_path)
    assert "no download: " in said and "refused" in said and "--from FILE" in said


def test_proxy_of_the_environment(server, tmp_path, monkeypatch):
    file = entry(CONTENT, f"http://nowhere.invalid/{NAME}")
    monkeypatch.setenv("http_proxy", server.address)
    assert obtain(file, tmp_path).is_file() and server.asked == [file.url]


def test_proxy_that_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:door")
    assert "no download: " in message_of(entry(CONTENT, f"http://nowhere.invalid/{NAME}"), tmp_path)


def test_given_file_is_verified_too(server, file, tmp_path):
    given, folder = tmp_path / "from_a_stick.bin", tmp_path / "models"
    given.write_bytes(CONTENT[::-1])
    assert message_of(file, folder, given).startswith(f"{given}: wrong checksum: its sha256 is ")
    given.write_bytes(CONTENT)
    assert obtain(file, folder, given) == folder / NAME
    assert given.read_bytes() == (folder / NAME).read_bytes() == CONTENT and not server.asked


def test_given_file_that_cannot_be_read(file, tmp_path):
    absent = tmp_path / "absent.pth"
    assert message_of(file, tmp_path / "models", absent) == f"--from {absent}: No such file or directory"
    assert message_of(file, tmp_path / "models", tmp_path) == f"--from {tmp_path}: Is a directory"


def test_full_disk(file, tmp_path, monkeypatch):
    def full(path, mode="r"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pooch.downloaders, "open", full, raising=False)
    assert message_of(file, tmp_path) == (
        f"{tmp_path}: cannot write 51,200 bytes there: No space left on device; "
        "make room, or choose another folder with -o DIR"
    )
    assert not os.listdir(tmp_path)


def test_others_may_read_it(file, tmp_path):
    usual = tmp_path / "usual"
    usual.touch()
    assert obtain(file, tmp_path).stat().st_mode == usual.stat().st_mode


def test_folder_that_cannot_be(file, tmp_path):
    (tmp_path / "taken").touch()
    assert "cannot write 51,200 bytes there" in message_of(file, tmp_path / "taken")
    assert "Not a directory" in message_of(file, tmp_path / "taken" / "models")


def test_an_interrupt_leaves_nothing(file, tmp_path):
    def interrupt(received):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        obtain(file, tmp_path, None, interrupt)
    assert not os.listdir(tmp_path)


def test_a_server_that_falls_silent(server, file, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT_S", 0.2)
    given_up = threading.Event()
    server.before_body = given_up.wait
    try:
        assert "timed out" in message_of(file, tmp_path)
    finally:
        given_up.set()
    assert not os.listdir(tmp_path)


def test_two_at_once(server, file, tmp_path):
    server.before_body = threading.Barrier(2).wait
    both = [threading.Thread(target=obtain, args=(file, tmp_path)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(server.asked) == 2 and os.listdir(tmp_path) == [NAME]
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_default_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/rppg_ros/models")
    for ignored in ("", "relative/cache"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert default_folder() == tmp_path / ".cache/rppg_ros/models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_folder() == tmp_path / ".cache/rppg_ros/models"


def test_user_without_a_home(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(DownloadError, match="say where to with -o DIR"):
        default_folder()

"""video_source (24): files and bags that are missing, cut or damaged never end in silence; the error says how much was read."""

import os
import random
import re
import threading
import time

import av
import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from rppg_ros.datasets.bags import open_recording
from rppg_ros.nodes.video_player import Player
from rppg_ros.sources import gif
from rppg_ros.sources.base import SourceError
from rppg_ros.sources.factory import open_source
from rppg_ros.sources.folder import ImageFolder

S = 1_000_000_000
BASE_NS = 1_392_643_993_642_815_000
FRAMES, SIZE = 60, (96, 128)  # height, width
STORE = get_typestore(Stores.ROS2_JAZZY)
IMAGE = "sensor_msgs/msg/Image"
CONTAINERS = {
    "mp4": ("mp4", "libx264", "yuv420p", {"movflags": "faststart"}),
    "fragmented mp4": ("mp4", "libx264", "yuv420p", {"movflags": "frag_keyframe+empty_moov"}),
    "mkv": ("mkv", "libx264", "yuv420p", {}),
    "lossless mkv": ("mkv", "ffv1", "bgr0", {}),
    "avi": ("avi", "mjpeg", "yuvj420p", {}),
    "webm": ("webm", "libvpx", "yuv420p", {}),
    "gif": ("gif", "gif", "rgb8", {}),
}


def write(path, codec, pix_fmt, options, frames=FRAMES):
    noise = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    with av.open(str(path), "w", options=options) as out:
        stream = out.add_stream(codec, rate=25)
        (stream.height, stream.width), stream.pix_fmt = SIZE, pix_fmt
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(soft, 3 * index, axis=1), "bgr24").reformat(format=pix_fmt)
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def read(path, **topics):
    """How many frames there were, and what the error says; "" for a file that ends well."""
    count = 0
    try:
        for _ in open_source(str(path), **topics):
            count += 1
    except SourceError as error:
        return count, str(error)
    return count, ""


@pytest.mark.parametrize("share", [0.25, 0.6, 0.9])
@pytest.mark.parametrize(("suffix", "codec", "pix_fmt", "options"), CONTAINERS.values(), ids=CONTAINERS)
def test_a_cut_file_gives_what_it_has_and_says_how_much(suffix, codec, pix_fmt, options, share, tmp_path):
    path = write(tmp_path / f"a.{suffix}", codec, pix_fmt, options)
    assert read(path) == (FRAMES, "")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    count, error = read(path)
    assert count < FRAMES
    assert error.startswith(f"{path}: cannot be read on after ")
    assert int(re.search(r"(\d+) frames were read", error)[1]) in (count, count + (suffix == "mp4"))
    if suffix not in ("gif",) and "frag" not in str(options):  # who says how long they are
        assert re.search(r"the file promises (60 frames, )?\d\.\d+ s", error)


@pytest.mark.parametrize(("suffix", "codec", "pix_fmt", "options"), CONTAINERS.values(), ids=CONTAINERS)
def test_a_file_with_a_hole_never_ends_in_silence(suffix, codec, pix_fmt, options, tmp_path):
    """The zeros of a disk's lost block: an error, or all of the frames but those (and then the stamps show the gap)."""
    path = write(tmp_path / f"a.{suffix}", codec, pix_fmt, options)
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    content[half : half + 2000] = bytes(2000)
    path.write_bytes(content)
    last_ns = -1
    try:
        for frame in open_source(str(path)):
            last_ns = frame.stamp_ns
    except SourceError as error:
        assert str(path) in str(error) and "frames were read" in str(error)
        return
    assert last_ns >= (FRAMES - 3) * S // 25, "it ended early and said nothing"


@pytest.mark.parametrize(("suffix", "codec", "pix_fmt", "options"), CONTAINERS.values(), ids=CONTAINERS)
def test_random_damage_raises_nothing_but_source_errors(suffix, codec, pix_fmt, options, tmp_path):
    path = write(tmp_path / f"a.{suffix}", codec, pix_fmt, options, 25)
    whole, rng = path.read_bytes(), random.Random(1)
    for _ in range(6):
        content = bytearray(whole)
        for _ in range(20):
            at = rng.randrange(len(content))
            content[at : at + 8] = rng.randbytes(min(8, len(content) - at))
        path.write_bytes(content)
        count, error = read(path)
        assert count <= 26 and (not error or str(path) in error)


def test_a_gif_is_whole_or_not(tmp_path):
    path = write(tmp_path / "a.gif", "gif", "rgb8", {}, 5)
    whole = path.read_bytes()
    assert gif.is_whole(path)
    path.write_bytes(whole + bytes(100))
    assert gif.is_whole(path), "what follows the trailer is nobody's"
    for end in (0, 5, 12, 13, 400, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert not gif.is_whole(path)
    path.write_bytes(whole[: len(whole) // 2] + bytes(50) + whole[len(whole) // 2 + 50 :])
    assert not gif.is_whole(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.mp4", b""), ("text.mp4", b"hello" * 1000), ("random.avi", random.Random(0).randbytes(50_000)),
     ("table.csv", b"a,b\n1,2\n"), ("half.mp4", None)],
)  # fmt: skip
def test_what_is_no_video_is_named(name, content, tmp_path):
    path = tmp_path / name
    if content is None:  # the index is at the end: a camera that lost its power
        content = write(path, "libx264", "yuv420p", {}).read_bytes()
        content = content[: len(content) // 2]
    path.write_bytes(content)
    assert read(path) == (0, f"{path}: not a readable video: Invalid data found when processing input")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "no source given"),
        ("1" * 30, "there is none of that number"),
        ("999", "camera '999' cannot be opened"),
        ("/dev/video987", "camera '/dev/video987' cannot be opened"),
        ("/dev/null", "camera '/dev/null' cannot be opened"),
        ("x" * 5000, "cannot be opened: File name too long"),
        ("nul\0byte.mp4", "no such file"),
        ("http://127.0.0.1:9/a.mp4", "no such file"),
        ("demo:seconds=nan", "seconds"),
    ],
    ids=lambda value: value[:20],
)
def test_sources_that_are_not_there_are_named_in_short(name, says):
    count, error = read(name)
    assert count == 0 and says in error and len(error) < 400


def bag(folder, messages=9, plugin=StoragePlugin.MCAP, raw=None):
    types = STORE.types
    header, stamp = types["std_msgs/msg/Header"], types["builtin_interfaces/msg/Time"]
    with Writer(folder, version=9, storage_plugin=plugin) as writer:
        topic = writer.add_connection("/camera/image_raw", IMAGE, typestore=STORE)
        for i in range(messages):
            at_ns = BASE_NS + i * 33_000_000
            pixels = np.random.default_rng(i).integers(0, 255, 48 * 64 * 3).astype(np.uint8)
            message = types[IMAGE](header(stamp(at_ns // S, at_ns % S), "c"), 48, 64, "rgb8", 0, 192, pixels)
            data = bytes(STORE.serialize_cdr(message, IMAGE))
            writer.write(topic, at_ns, raw(i, data) if raw else data)
    return folder


@pytest.mark.parametrize("plugin", [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_cut_bag_is_named(plugin, share, tmp_path):
    folder = bag(tmp_path / "bag", plugin=plugin)
    storage = next(file for file in folder.iterdir() if file.suffix in (".db3", ".mcap"))
    storage.write_bytes(storage.read_bytes()[: int(share * storage.stat().st_size)])
    count, error = read(folder)
    whole = count == 9 and share == 0.99  # older writers leave room at the end
    assert whole or (count < 9 and error.startswith(f"{folder}: "))


def test_a_bag_that_lost_messages_says_how_many(tmp_path):
    folder = bag(tmp_path / "bag")
    (storage,) = folder.glob("*.mcap")
    content = bytearray(storage.read_bytes())
    for share in range(20, 90, 2):
        damaged = bytearray(content)
        at = len(content) * share // 100
        damaged[at : at + 300] = bytes(300)
        storage.write_bytes(damaged)
        count, error = read(folder)
        assert count == 9 or (f"{folder}: " in error and re.search(r"\d of 9 images were read", error)), share


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (lambda i, data: data if i < 4 else b"\0\1\0\0" + b"\xff" * 300, "cannot be read on"),
        (lambda i, data: data if i < 4 else data[:40], "cannot be read on"),
        (lambda i, data: data if i < 4 else b"", "cannot be read on"),
        (lambda i, data: data if i < 4 else data[:4] + bytes(8) + data[12:], "no acquisition time"),
    ],
    ids=["garbage", "cut", "empty", "no stamp"],
)
def test_bad_messages_in_a_bag_end_it_with_the_reason_and_a_count(raw, says, tmp_path):
    folder = bag(tmp_path / "bag", raw=raw)
    _, error = read(folder)
    assert error.startswith(f"{folder}: ") and says in error and "4 of 9 images were read" in error


def test_bags_without_the_topics_list_what_there_is(tmp_path):
    assert "image topics are: none" in read(bag(tmp_path / "a", 0))[1] or "has no images" in read(tmp_path / "a")[1]
    folder = bag(tmp_path / "b")
    assert "no image topic '/nose'; image topics are: /camera/image_raw" in read(folder, rgb_topic="/nose")[1]
    assert "no image topic '/heat'" in read(folder, thermal_topic="/heat")[1]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: " + b"[" * 3000 + b"]" * 3000, "metadata.yaml: line 1: nested more than 32 deep"),
        (b"\xff\xfe", "metadata.yaml: not a text"),
        (b"5", "not a readable rosbag2"),
        (b'!!python/object/apply:os.mkdir ["pwned"]', "not a readable rosbag2"),
    ],
    ids=["nested", "binary", "a number", "code"],
)
def test_hostile_metadata_is_refused(content, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = bag(tmp_path / "bag")
    (folder / "metadata.yaml").write_bytes(content)
    started = time.thread_time()
    assert says in read(folder)[1]
    with pytest.raises(SourceError, match=re.escape(says)):
        open_recording(str(folder)).truth()
    assert time.thread_time() - started < 5 and not os.path.exists("pwned")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (b"\xff\xfe\0", "cannot be read"),
        (b"0.png," + b"9" * 30 + b"\n", "is not 'file,stamp_ns'"),
        (b"0.png,9999999999999999999\n", "no ROS message can have its stamp"),
        ("0.png,²\n".encode(), "is not 'file,stamp_ns'"),
        (b"x" * 200_000 + b",1\n", "cannot be read: field larger"),
        (b"gone.png,1\n", "names 'gone.png', which is not there"),
        (b"", "no entries"),
    ],
)
def test_tables_of_stamps_that_are_none(table, says, tmp_path):
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "timestamps.csv").write_bytes(table)
    with pytest.raises(SourceError, match=re.escape(says)) as caught:
        ImageFolder(tmp_path)
    assert str(tmp_path) in str(caught.value) and len(str(caught.value)) < 400


class Open:
    """A gate that holds nothing back."""

    def wait(self, stamp_ns: int, stopping: threading.Event) -> None: ...

    def drain(self, stopping: threading.Event) -> None: ...


def test_the_player_sends_what_there_is_and_then_says_why_it_ended(tmp_path):
    path = write(tmp_path / "a.avi", "mjpeg", "yuvj420p", {})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    sent = []
    player = Player(lambda: open_source(str(path)), lambda *frame: sent.append(frame), lambda: S, 0.0, Open())
    player.start()
    assert player.finished.wait(60)
    assert 20 < len(sent) < 40 and f"{len(sent)} frames were read, the file promises 60 frames, 2.400 s" in player.error

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from rppg_ros.sources.base import SourceError
from rppg_ros.sources.factory import open_source

S = 1_000_000_000
BASE_NS = 1_392_643_993_642_815_000
STORE = get_typestore(Stores.ROS2_JAZZY)


def grey(level):
    return np.full((48, 64, 3), level, np.uint8)


def write_video(path, levels, fps):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (64, 48))
    for level in levels:
        writer.write(grey(level))
    writer.release()


def write_bag(folder, plugin, compressed, swap=False):
    """Six RGB frames and three thermal ones; two RGB frames were recorded in the wrong order."""
    types = STORE.types
    header = types["std_msgs/msg/Header"]
    time = types["builtin_interfaces/msg/Time"]

    def message(t_ns, pixels, encoding):
        stamp = header(time(t_ns // S, t_ns % S), "camera")
        if compressed:
            _, data = cv2.imencode(".png", pixels)
            return types["sensor_msgs/msg/CompressedImage"](stamp, "png", data.ravel())
        flat = np.ascontiguousarray(pixels).view(np.uint8).ravel()
        step = flat.size // pixels.shape[0]
        return types["sensor_msgs/msg/Image"](stamp, *pixels.shape[:2], encoding, 0, step, flat)

    kind = "sensor_msgs/msg/CompressedImage" if compressed else "sensor_msgs/msg/Image"
    with Writer(folder, version=9, storage_plugin=plugin) as writer:
        rgb = writer.add_connection("/camera/image_raw", kind, typestore=STORE)
        heat = writer.add_connection("/thermal/image", kind, typestore=STORE)
        order = [0, 1, 3, 2, 4, 5] if swap else range(6)
        for place, i in enumerate(order):
            t = BASE_NS + i * 33_000_000
            data = STORE.serialize_cdr(message(t, grey(10 * i), "bgr8"), kind)
            writer.write(rgb, BASE_NS + place * 33_000_000, data)
            if i % 2 == 0:
                counts = np.full((6, 8), 30000 + i, np.uint16)
                writer.write(heat, BASE_NS + place, STORE.serialize_cdr(message(t + 5, counts, "16UC1"), kind))


def test_video_stamps_are_the_containers(tmp_path):
    write_video(tmp_path / "v.mp4", [0, 50, 100, 150], 12.5)
    frames = list(open_source(str(tmp_path / "v.mp4")))
    assert [frame.stamp_ns for frame in frames] == [0, 80_000_000, 160_000_000, 240_000_000]
    assert [round(float(frame.image.mean()) / 50) for frame in frames] == [0, 1, 2, 3]
    assert frames[0].encoding == "bgr8" and frames[0].stream == "rgb"


def test_folder_with_stamps_in_the_names(tmp_path):
    """PURE names its images so; the steps are what the camera made them."""
    stamps = [BASE_NS, BASE_NS + 32_000_000, BASE_NS + 71_000_000]
    for i, stamp in enumerate(stamps):
        cv2.imwrite(str(tmp_path / f"Image{stamp}.png"), grey(i))
    source = open_source(str(tmp_path))
    assert source.absolute and [frame.stamp_ns for frame in source] == stamps


def test_folder_with_a_table_and_with_a_rate(tmp_path):
    for i in (9, 10, 11):
        cv2.imwrite(str(tmp_path / f"frame{i}.png"), grey(i))
    with pytest.raises(SourceError, match="no stamps.*timestamps.csv"):
        open_source(str(tmp_path))
    frames = list(open_source(str(tmp_path), fps=10.0))
    assert [frame.stamp_ns for frame in frames] == [0, 100_000_000, 200_000_000]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [9, 10, 11], "10 comes after 9"
    (tmp_path / "timestamps.csv").write_text("file,stamp_ns\nframe11.png,5\nframe9.png,77\n")
    assert [(f.stamp_ns, int(f.image[0, 0, 0])) for f in open_source(str(tmp_path))] == [(5, 11), (77, 9)]
    (tmp_path / "timestamps.csv").write_text("frame11.png,5\nnowhere.png,77\n")
    with pytest.raises(SourceError, match="nowhere.png"):
        open_source(str(tmp_path))


def test_thermal_folder_beside_a_video(tmp_path):
    write_video(tmp_path / "v.mp4", [0, 50, 100], 10.0)
    (tmp_path / "t").mkdir()
    for i in range(2):
        cv2.imwrite(str(tmp_path / "t" / f"{i}.png"), np.full((6, 8), 30000 + i, np.uint16))
    frames = list(open_source(str(tmp_path / "v.mp4"), str(tmp_path / "t"), fps=8.0))
    assert [(f.stream, f.stamp_ns // 1_000_000) for f in frames] == [
        ("rgb", 0), ("thermal", 0), ("rgb", 100), ("thermal", 125), ("rgb", 200)
    ]  # fmt: skip
    assert frames[1].encoding == "16UC1" and frames[1].image[0, 0] == 30000


@pytest.mark.parametrize("plugin", [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
@pytest.mark.parametrize("compressed", [False, True])
def test_bags(tmp_path, plugin, compressed):
    write_bag(tmp_path / "bag", plugin, compressed, swap=True)
    source = open_source(str(tmp_path / "bag"))
    frames = list(source)
    rgb = [frame for frame in frames if frame.stream == "rgb"]
    assert [frame.stamp_ns for frame in rgb] == [BASE_NS + i * 33_000_000 for i in range(6)]
    assert [frame.stamp_ns for frame in frames] == sorted(frame.stamp_ns for frame in frames)
    thermal = [frame for frame in frames if frame.stream == "thermal"]
    assert len(thermal) == 3 and thermal[0].encoding == "16UC1"
    if compressed:
        assert thermal[1].image[0, 0] == 30002 and rgb[3].image[0, 0, 0] == 30
    else:
        assert bytes(rgb[3].image.data[:3]) == bytes([30, 30, 30])
    source.close()


def test_bag_topics_are_asked_for_when_it_is_not_clear(tmp_path):
    write_bag(tmp_path / "bag", StoragePlugin.MCAP, False)
    with pytest.raises(SourceError, match="/camera/image_raw, /thermal/image"):
        open_source(str(tmp_path / "bag"), rgb_topic="/nothing")
    source = open_source(str(tmp_path / "bag"), rgb_topic="/camera/image_raw")
    assert source.topics == {"rgb": "/camera/image_raw", "thermal": "/thermal/image"}


@pytest.mark.parametrize("name", ["nowhere.mp4", "nowhere.mcap", "", "demo:colour=3", "demo:seconds=long"])
def test_what_is_not_there_is_named(name):
    with pytest.raises(SourceError, match="no source" if not name else name.split("=")[0].split(":")[-1]):
        open_source(name)


def test_files_that_are_something_else(tmp_path):
    (tmp_path / "text.mp4").write_text("hello")
    with pytest.raises(SourceError, match="text.mp4"):
        open_source(str(tmp_path / "text.mp4"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="no images"):
        open_source(str(tmp_path / "empty"))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.png").write_text("hello")
    with pytest.raises(SourceError, match=r"1\.png"):
        list(open_source(str(tmp_path / "bad"), fps=5.0))
    (tmp_path / "bag").mkdir()
    (tmp_path / "bag" / "metadata.yaml").write_text("hello")
    with pytest.raises(SourceError, match="not a readable rosbag2"):
        open_source(str(tmp_path / "bag"))

import contextlib

import cv2
import numpy as np
import pytest
from PIL import Image
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from rppg_ros.sources.base import SourceError
from rppg_ros.sources.factory import open_source
from support.opencv import OPENCV

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


@contextlib.contextmanager
def bag_writer(folder):
    """Writes images of any topics, sizes and encodings."""
    kind = "sensor_msgs/msg/Image"
    header, time = STORE.types["std_msgs/msg/Header"], STORE.types["builtin_interfaces/msg/Time"]
    connections = {}
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:

        def write(topic, t_ns, data, size, encoding, step, bigendian=0):
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            stamp = header(time(t_ns // S, t_ns % S), "camera")
            message = STORE.types[kind](stamp, *size, encoding, bigendian, step, data)
            writer.write(connections[topic], t_ns or 1, STORE.serialize_cdr(message, kind))

        yield write


def test_video_stamps_are_the_containers(tmp_path):
    write_video(tmp_path / "v.mp4", [0, 50, 100, 150], 12.5)
    source = open_source(str(tmp_path / "v.mp4"))
    assert source.duration_s == pytest.approx(0.32) and not source.has_thermal and not source.absolute
    assert len(list(source)) == 4
    frames = list(source)
    assert [frame.stamp_ns for frame in frames] == [0, 80_000_000, 160_000_000, 240_000_000]
    assert [round(float(frame.image.mean()) / 50) for frame in frames] == [0, 1, 2, 3]
    assert frames[0].encoding == "bgr8" and frames[0].stream == "rgb"


def test_variable_frame_rates_stay_variable(tmp_path):
    images = [Image.fromarray(grey(level)) for level in (0, 60, 120, 180)]
    images[0].save(tmp_path / "v.gif", save_all=True, append_images=images[1:], duration=[40, 100, 70, 50])
    frames = list(open_source(str(tmp_path / "v.gif")))
    assert [frame.stamp_ns // 1_000_000 for frame in frames] == [0, 40, 140, 210]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [0, 60, 120, 180]


def test_a_stream_without_times_is_not_given_any(tmp_path):
    _, picture = cv2.imencode(".jpg", grey(50))
    (tmp_path / "raw.mjpeg").write_bytes(3 * picture.tobytes())
    with pytest.raises(SourceError, match="raw.mjpeg: a bare .mjpeg stream has no times"):
        open_source(str(tmp_path / "raw.mjpeg"))


@pytest.mark.skipif(OPENCV < (4, 7), reason="OpenCV has 16 bits in video from 4.7 on")
def test_thermal_videos_keep_16_bits(tmp_path):
    deep = [cv2.VIDEOWRITER_PROP_DEPTH, cv2.CV_16U, cv2.VIDEOWRITER_PROP_IS_COLOR, 0]
    writer = cv2.VideoWriter(
        str(tmp_path / "t.mkv"), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"FFV1"), 10.0, (64, 48), deep
    )
    for i in range(3):
        writer.write(np.full((48, 64), 30000 + i, np.uint16))
    writer.release()
    write_video(tmp_path / "v.mp4", [0, 50, 100], 10.0)
    frames = [f for f in open_source(str(tmp_path / "v.mp4"), str(tmp_path / "t.mkv")) if f.stream == "thermal"]
    assert [(f.encoding, int(f.image.min()), int(f.image.max())) for f in frames] == [
        ("16UC1", 30000 + i, 30000 + i) for i in range(3)
    ]
    shallow = [f for f in open_source(str(tmp_path / "v.mp4"), str(tmp_path / "v.mp4")) if f.stream == "thermal"]
    assert shallow[1].encoding == "mono8" and abs(int(shallow[1].image[0, 0]) - 50) < 5


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
    assert thermal[1].image.dtype == np.uint16 and np.all(thermal[1].image == 30002)
    assert rgb[3].encoding == "bgr8" and rgb[3].image.shape == (48, 64, 3) and np.all(rgb[3].image == 30)
    assert source.has_thermal and source.duration_s == pytest.approx(0.165, abs=1e-6)
    assert len(list(source)) == 9, "the second time as the first"
    source.close()


@pytest.mark.parametrize(("plugin", "suffix"), [(StoragePlugin.SQLITE3, ".db3"), (StoragePlugin.MCAP, ".mcap")])
def test_a_storage_file_alone(tmp_path, plugin, suffix):
    write_bag(tmp_path / "bag", plugin, False)
    (tmp_path / "bag" / "metadata.yaml").unlink()
    for name in (f"bag/bag{suffix}", "bag"):
        assert len(list(open_source(str(tmp_path / name)))) == 9
    (tmp_path / "bag" / f"second{suffix}").write_bytes(b"")
    with pytest.raises(SourceError, match="2 storage files and no metadata.yaml"):
        open_source(str(tmp_path / "bag"))


def test_bag_images_with_padded_rows_and_swapped_bytes(tmp_path):
    """What drivers do: rows padded to 64 bytes, the other byte order, colour filters left to the reader."""
    counts = np.arange(48, dtype=np.uint16).reshape(6, 8)
    padded = np.zeros((6, 32), np.uint8)
    padded[:, :16] = counts.astype(">u2").view(np.uint8)
    mosaic = np.arange(24, dtype=np.uint8).reshape(4, 6)
    with bag_writer(tmp_path / "bag") as write:
        write("/camera", BASE_NS, mosaic.ravel(), (4, 6), "bayer_rggb8", 6)
        write("/thermal", BASE_NS + 1, padded.ravel(), (6, 8), "mono16", 32, bigendian=1)
        write("/thermal", BASE_NS + 2, padded.ravel()[:-16], (6, 8), "mono16", 32, bigendian=1)
    colour, *thermal = open_source(str(tmp_path / "bag"))
    assert colour.encoding == "bayer_rggb8" and np.array_equal(colour.image, mosaic)
    for frame in thermal:  # the last row need not be padded
        assert frame.encoding == "mono16" and frame.image.dtype == np.uint16 and np.array_equal(frame.image, counts)


@pytest.mark.parametrize(
    ("stamp_ns", "size", "encoding", "says"),
    [
        (0, 144, "rgb8", "no acquisition time"),
        (BASE_NS, 143, "rgb8", "8x6 rgb8 with step 24 does not fit 143 bytes"),
        (BASE_NS, 144, "theora", "'theora' is not known"),
    ],
)
def test_bag_images_that_cannot_be_used(tmp_path, stamp_ns, size, encoding, says):
    with bag_writer(tmp_path / "bag") as write:
        write("/camera", stamp_ns, np.zeros(size, np.uint8), (6, 8), encoding, 24)
    with pytest.raises(SourceError, match=f"bag: /camera: .*{says}"):
        list(open_source(str(tmp_path / "bag")))


def test_bag_that_is_broken_in_the_middle(tmp_path):
    write_bag(tmp_path / "bag", StoragePlugin.SQLITE3, False)
    storage = next((tmp_path / "bag").glob("*.db3"))
    data = bytearray(storage.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 3000] = b"x" * 3000
    storage.write_bytes(bytes(data))
    with pytest.raises(SourceError, match="bag: cannot be read on"):
        list(open_source(str(tmp_path / "bag")))


def test_bag_of_a_thermal_camera_beside_one_of_an_rgb_camera(tmp_path):
    with bag_writer(tmp_path / "colour") as write:
        write("/camera", BASE_NS, np.zeros(144, np.uint8), (6, 8), "rgb8", 24)
    with bag_writer(tmp_path / "heat") as write:
        write("/image_raw", BASE_NS + 7, np.zeros(96, np.uint8), (6, 8), "mono16", 16)
    source = open_source(str(tmp_path / "colour"), str(tmp_path / "heat"))
    assert [(f.stream, f.stamp_ns - BASE_NS) for f in source] == [("rgb", 0), ("thermal", 7)]


@pytest.mark.parametrize(
    ("encoding", "kind", "channels"),
    [("mono8", "u1", 1), ("mono16", "u2", 1), ("rgba8", "u1", 4), ("bgr16", "u2", 3), ("bayer_gbrg16", "u2", 1),
     ("yuv422", "u1", 2), ("yuv422_yuy2", "u1", 2), ("16UC1", "u2", 1), ("32FC1", "f4", 1), ("8UC3", "u1", 3)],
)  # fmt: skip
def test_bag_images_of_every_encoding(tmp_path, encoding, kind, channels):
    pixels = np.arange(4 * 6 * channels).astype(kind).reshape((4, 6, channels)[: 2 + (channels > 1)])
    with bag_writer(tmp_path / "bag") as write:
        write("/camera", BASE_NS, pixels.view(np.uint8).ravel(), (4, 6), encoding, pixels.nbytes // 4)
    (frame,) = open_source(str(tmp_path / "bag"))
    assert frame.encoding == encoding and frame.image.dtype == pixels.dtype and np.array_equal(frame.image, pixels)


def test_what_cannot_be_put_together(tmp_path):
    write_video(tmp_path / "v.mp4", [0, 50], 10.0)
    write_bag(tmp_path / "bag", StoragePlugin.MCAP, False)
    for rgb, thermal, says in (
        ("demo:seconds=1", "v.mp4", "demo has thermal frames of its own"),
        ("bag", "v.mp4", "bag has thermal frames of its own"),
        ("v.mp4", "bag", "one has stamps of the clock"),
    ):
        with pytest.raises(SourceError, match=says):
            open_source(rgb if rgb.startswith("demo") else str(tmp_path / rgb), str(tmp_path / thermal))


def test_bag_topics_are_asked_for_when_it_is_not_clear(tmp_path):
    write_bag(tmp_path / "bag", StoragePlugin.MCAP, False)
    with pytest.raises(SourceError, match="/camera/image_raw, /thermal/image"):
        open_source(str(tmp_path / "bag"), rgb_topic="/nothing")
    source = open_source(str(tmp_path / "bag"), rgb_topic="/camera/image_raw")
    assert source.topics == {"rgb": "/camera/image_raw", "thermal": "/thermal/image"}


@pytest.mark.parametrize(
    "name",
    ["nowhere.mp4", "nowhere.mcap", "", "demo:colour=3", "demo:seconds=long", "demo:fps=0", "demo:heart_rate=nan"],
)
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

"""Opens a source by what its name is."""

from __future__ import annotations

from pathlib import Path

from rppg_ros.sources.bag import Bag, is_bag
from rppg_ros.sources.base import RGB, THERMAL, FrameSource, Merged, SourceError
from rppg_ros.sources.folder import ImageFolder
from rppg_ros.sources.video import Camera, VideoFile

DEMO = "demo:"
MAX_SHOWN = 200  # characters of a name


def open_source(
    uri: str, thermal_uri: str = "", fps: float = 0.0, rgb_topic: str = "", thermal_topic: str = ""
) -> FrameSource:
    """A source of frames.

    Parameters
    ----------
    uri : camera index or /dev/video*, video file, folder of images, rosbag2 folder or file, or "demo:" with options as
        "demo:heart_rate=80,respiration_rate=12,seconds=60,seed=3".
    thermal_uri : a second video, folder or bag with the thermal camera's frames.
    fps : for image folders without stamps.
    rgb_topic, thermal_topic : of a bag; empty: found by type and name.

    Raises
    ------
    SourceError : empty name, a name that no file can have, or whatever the source says of its file.
    """
    try:
        return _opened(uri, thermal_uri, fps, rgb_topic, thermal_topic)
    except OSError as error:
        raise SourceError(f"{_shown(uri)}: cannot be opened: {error.strerror or error}") from None


def _opened(uri: str, thermal_uri: str, fps: float, rgb_topic: str, thermal_topic: str) -> FrameSource:
    if not uri:
        raise SourceError("no source given: a camera's number, a video, an image folder, a bag, or demo:")
    if uri.startswith(DEMO):
        from rppg_ros.sources.demo import DemoSource

        rgb: FrameSource = DemoSource.from_text(uri[len(DEMO) :])
    else:
        rgb = _open(uri, RGB, fps, rgb_topic, thermal_topic)
    if not thermal_uri:
        return rgb
    try:
        thermal = _open(thermal_uri, THERMAL, fps, "", thermal_topic)
        return Merged(rgb, thermal)
    except SourceError:
        rgb.close()
        raise


def _open(uri: str, stream: str, fps: float, rgb_topic: str, thermal_topic: str) -> FrameSource:
    path = Path(uri)
    if uri.isdigit() or uri.startswith("/dev/"):
        return Camera(uri, stream)
    if is_bag(path):
        return Bag(path, {RGB: rgb_topic, THERMAL: thermal_topic} if stream == RGB else {THERMAL: thermal_topic})
    if path.is_dir():
        return ImageFolder(path, stream, fps)
    return VideoFile(path, stream)


def _shown(name: str) -> str:
    return name if len(name) <= MAX_SHOWN else f"{name[:MAX_SHOWN]}..."

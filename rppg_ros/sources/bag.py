"""rosbag2 recordings (sqlite3 or mcap), through `rosbags`: no ROS needed. Header stamps, never arrival times."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.typesys import Stores, get_typestore

from rppg_ros.sources.base import RGB, THERMAL, SourceError, StreamFrame
from rppg_ros.types import NS_PER_S

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
# Drivers' images reach the recorder a little out of order; two cameras' more so.
REORDER_FRAMES = 16


class Bag:
    """Image topics of a bag.

    Parameters
    ----------
    path : a bag's folder, or one .mcap or .db3 file.
    rgb_topic, thermal_topic : empty: the only image topic without, and with, "thermal" (or "ir") in its name.

    Raises
    ------
    SourceError : not a bag, or its topics do not say which is which; lists them.
    """

    absolute = True
    live = False

    def __init__(self, path: str | Path, rgb_topic: str = "", thermal_topic: str = "") -> None:
        self._path = Path(path)
        self.name = self._path.name
        if not self._path.exists():
            raise SourceError(f"{path}: no such bag")
        self._reader = AnyReader([self._folder()], default_typestore=get_typestore(Stores.ROS2_JAZZY))
        try:
            self._reader.open()
        except (AnyReaderError, OSError) as error:
            raise SourceError(f"{path}: not a readable rosbag2: {error}") from None
        topics = sorted({c.topic for c in self._reader.connections if c.msgtype in IMAGE_TYPES})
        rgb = rgb_topic or _only([t for t in topics if not _is_thermal(t)], "RGB", path, topics)
        thermal = thermal_topic or _only([t for t in topics if _is_thermal(t)], "thermal", path, topics, needed=False)
        for topic in filter(None, (rgb, thermal)):
            if topic not in topics:
                raise SourceError(f"{path}: no image topic '{topic}'; it has {', '.join(topics) or 'none'}")
        self.topics = {RGB: rgb, THERMAL: thermal}

    def __iter__(self) -> Iterator[StreamFrame]:
        streams = {topic: stream for stream, topic in self.topics.items() if topic}
        connections = [c for c in self._reader.connections if c.topic in streams and c.msgtype in IMAGE_TYPES]
        waiting: list[tuple[int, int, StreamFrame]] = []
        for count, (connection, _, raw) in enumerate(self._reader.messages(connections=connections)):
            message = self._reader.deserialize(raw, connection.msgtype)
            stamp_ns = message.header.stamp.sec * NS_PER_S + message.header.stamp.nanosec
            frame = self._frame(streams[connection.topic], stamp_ns, message, connection.topic)
            heapq.heappush(waiting, (stamp_ns, count, frame))
            if len(waiting) > REORDER_FRAMES:
                yield heapq.heappop(waiting)[2]
        while waiting:
            yield heapq.heappop(waiting)[2]

    def close(self) -> None:
        """Close the bag."""
        self._reader.close()

    def _folder(self) -> Path:
        """rosbags reads folders with a metadata.yaml; a bare storage file is read with its folder's."""
        if self._path.is_file() and (self._path.parent / "metadata.yaml").is_file():
            return self._path.parent
        return self._path

    def _frame(self, stream: str, stamp_ns: int, message: Any, topic: str) -> StreamFrame:
        if hasattr(message, "format"):
            flags = cv2.IMREAD_UNCHANGED if stream == THERMAL else cv2.IMREAD_COLOR
            image = cv2.imdecode(np.frombuffer(message.data, np.uint8), flags)
            if image is None:
                raise SourceError(f"{self._path}: {topic}: an image of {stamp_ns} ns cannot be decoded")
            deep = {np.dtype("uint16"): "16UC1", np.dtype("float32"): "32FC1"}.get(image.dtype, "mono8")
            return StreamFrame(stream, stamp_ns, image, "bgr8" if stream == RGB else deep)
        # As it was recorded: the node that gets it knows encodings, steps and byte orders.
        return StreamFrame(stream, stamp_ns, message, message.encoding)


def _is_thermal(topic: str) -> bool:
    return any(part in topic.lower() for part in ("thermal", "lepton", "boson", "optris", "seek", "/ir/", "infrared"))


def _only(topics: list[str], what: str, path: str | Path, known: list[str], needed: bool = True) -> str:
    if len(topics) == 1 or (not topics and not needed):
        return topics[0] if topics else ""
    listed = ", ".join(known) or "none"
    raise SourceError(f"{path}: {len(topics)} {what} image topics, say which to play; image topics are: {listed}")

"""rosbag2 recordings (sqlite3 or mcap), through `rosbags`: no ROS needed. Header stamps, never arrival times."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from rppg_ros.sources.base import RGB, THERMAL, SourceError, StreamFrame
from rppg_ros.sources.recorded import decoded_array, image_array
from rppg_ros.types import NS_PER_S
from rppg_ros.yaml_files import YamlError, check_yaml

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
SUFFIXES = (".mcap", ".db3")
METADATA = "metadata.yaml"
# Drivers' images reach the recorder a little out of order; two cameras' more so.
REORDER_FRAMES = 16


class Bag:
    """Image topics of a bag.

    Parameters
    ----------
    path : a bag's folder, or one .mcap or .db3 file.
    topics : stream to its topic. Empty RGB: the only image topic without "thermal" (or the like) in its name; empty
        thermal: the one with, or the bag's only one where no RGB is asked for. Thermal beside RGB may be absent.

    Raises
    ------
    SourceError : not a bag, or its topics do not say which is which; lists them.
    """

    absolute = True
    live = False

    def __init__(self, path: str | Path, topics: Mapping[str, str]) -> None:
        self._path = Path(path)
        self.name = self._path.name
        if not self._path.exists():
            raise SourceError(f"{path}: no such bag")
        check_metadata(self._path)
        try:
            self._reader = AnyReader([readable(self._path)], default_typestore=get_typestore(Stores.ROS2_JAZZY))
            self._reader.open()
        except SourceError:
            raise
        except Exception as error:  # rosbags, sqlite3, lz4, zstandard and yaml have classes of their own for this
            raise SourceError(f"{path}: not a readable rosbag2: {error}") from None
        known = sorted({c.topic for c in self._reader.connections if c.msgtype in IMAGE_TYPES})
        try:
            self.topics = {stream: self._topic(stream, topics, known) for stream in topics}
            self._check_filled()
        except SourceError:
            self.close()
            raise
        self.has_thermal = bool(self.topics.get(THERMAL))
        self.duration_s: float | None = self._reader.duration / NS_PER_S

    def __iter__(self) -> Iterator[StreamFrame]:
        waiting: list[tuple[int, int, StreamFrame]] = []
        for count, frame in enumerate(self._recorded()):
            heapq.heappush(waiting, (frame.stamp_ns, count, frame))
            if len(waiting) > REORDER_FRAMES:
                yield heapq.heappop(waiting)[2]
        while waiting:
            yield heapq.heappop(waiting)[2]

    def close(self) -> None:
        """Close the bag."""
        self._reader.close()

    def _topic(self, stream: str, asked: Mapping[str, str], known: list[str]) -> str:
        listed = ", ".join(known) or "none"
        if asked[stream]:
            if asked[stream] not in known:
                raise SourceError(f"{self._path}: no image topic '{asked[stream]}'; image topics are: {listed}")
            return asked[stream]
        left = [topic for topic in known if topic not in asked.values()]
        fitting = [topic for topic in left if _is_thermal(topic) == (stream == THERMAL)]
        if not fitting and stream == THERMAL and RGB not in asked:
            fitting = left
        if len(fitting) == 1:
            return fitting[0]
        if not fitting and stream == THERMAL and RGB in asked:
            return ""
        raise SourceError(
            f"{self._path}: {len(fitting)} {stream} image topics, say which to play; image topics are: {listed}"
        )

    def _check_filled(self) -> None:
        for topic in filter(None, self.topics.values()):
            if not sum(c.msgcount for c in self._reader.connections if c.topic == topic):
                raise SourceError(f"{self._path}: {topic} has no images")

    def _recorded(self) -> Iterator[StreamFrame]:
        """Frames in the order of their recording."""
        streams = {topic: stream for stream, topic in self.topics.items() if topic}
        connections = [c for c in self._reader.connections if c.topic in streams and c.msgtype in IMAGE_TYPES]
        count, promised = 0, sum(c.msgcount for c in connections)
        try:
            for connection, _, raw in self._reader.messages(connections=connections):
                yield self._frame(connection.topic, streams, self._reader.deserialize(raw, connection.msgtype))
                count += 1
            if count < promised:
                raise SourceError("some messages are missing")
        except SourceError as error:
            raise SourceError(f"{self._path}: {error}; {count} of {promised} images were read") from None
        except Exception as error:  # see above
            raise SourceError(
                f"{self._path}: cannot be read on: {error}; {count} of {promised} images were read"
            ) from error

    def _frame(self, topic: str, streams: Mapping[str, str], message: Any) -> StreamFrame:
        stamp_ns = message.header.stamp.sec * NS_PER_S + message.header.stamp.nanosec
        stream = streams[topic]
        try:
            if not stamp_ns:
                raise SourceError("no acquisition time (header.stamp is zero)")
            image, encoding = decoded_array(message, stream) if hasattr(message, "format") else image_array(message)
        except SourceError as error:
            raise SourceError(f"{topic}: image of {stamp_ns} ns: {error}") from None
        return StreamFrame(stream, stamp_ns, image, encoding)


def check_metadata(path: Path) -> None:
    """SourceError: metadata.yaml is not YAML, or would take a reader without limits forever."""
    metadata = path / METADATA
    if metadata.is_file():
        try:
            check_yaml(metadata)
        except YamlError as error:
            raise SourceError(f"{path}: not a readable rosbag2: {METADATA}: {error}") from None


def is_bag(path: Path) -> bool:
    """Whether it looks like a rosbag2: a storage file, or a folder with one or with a metadata.yaml."""
    if path.suffix in SUFFIXES or (path / METADATA).is_file():
        return True
    return path.is_dir() and any(file.suffix in SUFFIXES for file in path.iterdir())


def readable(path: Path) -> Path:
    """What rosbags reads: a folder with metadata.yaml, or a storage file, which is then all that is played.

    Raises
    ------
    SourceError : a folder of several storage files without metadata.yaml: their order is not known.
    """
    if path.is_file() or (path / METADATA).is_file():
        return path
    files = [file for file in path.iterdir() if file.suffix in SUFFIXES]
    if len(files) != 1:
        raise SourceError(f"{path}: {len(files)} storage files and no metadata.yaml; 'ros2 bag reindex' makes one")
    return files[0]


def _is_thermal(topic: str) -> bool:
    return any(part in topic.lower() for part in ("thermal", "lepton", "boson", "optris", "seek", "/ir/", "infrared"))

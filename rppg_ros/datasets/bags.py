"""A bag or a video with ground truth, as a recording: truth on topics of the bag, or in a CSV beside it."""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rosbags.highlevel import AnyReader

from rppg_ros.datasets.base import DatasetError, Recording, Truth
from rppg_ros.datasets.convert import CONDITION
from rppg_ros.datasets.messages import RATE_TYPES, WAVE_TYPES, typestore
from rppg_ros.datasets.traces import merged, read_csv
from rppg_ros.sources.bag import IMAGE_TYPES, is_bag, readable
from rppg_ros.sources.base import RGB, FrameSource, SourceError
from rppg_ros.sources.factory import open_source
from rppg_ros.types import NS_PER_S, Kind

OURS = {name: (kind, False) for kind, name in WAVE_TYPES.items()} | {
    name: (kind, True) for kind, name in RATE_TYPES.items()
}
PLAIN = ("std_msgs/msg/Float32", "std_msgs/msg/Float64")
HINTS = ("truth", "reference", "contact", "label", "/gt")
RATE_NAMES = {
    Kind.RSP: re.compile(r"(resp|rsp|breath)\w*_?rate|(^|[/_])rr($|[/_])"),
    Kind.BVP: re.compile(r"(heart|pulse)_?rate|(^|[/_])hr($|[/_])|bpm"),
}
WAVE_NAMES = {Kind.RSP: re.compile(r"rsp|resp|breath"), Kind.BVP: re.compile(r"bvp|ppg|pleth|pulse")}
TRUTH_MODELS = ("", "truth")
OTHER_CLOCK_S = 5.0
IMAGES_LOOKED_AT = 20
META = "metadata.yaml"
CUSTOM = ("dataset", "name", "subject")


def open_recording(path: str, truth: str = "", rgb_topic: str = "", thermal_topic: str = "") -> Recording:
    """A bag, or a video or folder of images, with its truth.

    Parameters
    ----------
    truth : CSV (see `read_csv`); empty: the one of the same name beside it, else topics of the bag: ours (Bvp, Rsp,
        HeartRate, RespirationRate), or Float32 and Float64 named heart_rate, respiration_rate, bvp or rsp. Where there are
        several for one thing, the one with "truth" or "reference" in its name.
    rgb_topic, thermal_topic : of a bag; empty: found by type and name.
    """
    place = Path(path)
    custom = _custom(place)
    return Recording(
        dataset=custom.get("dataset", ""),
        name=custom.get("name", "") or place.as_posix(),
        subject=custom.get("subject", ""),
        conditions={key.removeprefix(CONDITION): v for key, v in custom.items() if key.startswith(CONDITION)},
        open=lambda: open_source(path, rgb_topic=rgb_topic, thermal_topic=thermal_topic),
        truth=lambda: _truth(place, truth, rgb_topic, thermal_topic),
    )


def _truth(path: Path, csv: str, rgb_topic: str, thermal_topic: str) -> Truth:
    table = Path(csv) if csv else path.with_suffix(".csv") if path.suffix else path.parent / f"{path.name}.csv"
    if csv or table.is_file():
        source = open_source(str(path), rgb_topic=rgb_topic, thermal_topic=thermal_topic)
        return read_csv(table, _first_ns(source))
    if not is_bag(path):
        raise DatasetError(f"{path}: no ground truth: there is no {table.name} beside it")
    return bag_truth(path)


def _first_ns(source: FrameSource) -> int:
    with contextlib.closing(source):
        for frame in source:
            if frame.stream == RGB:
                return frame.stamp_ns
    raise SourceError(f"{source.name}: no RGB frames")


def bag_truth(path: Path) -> Truth:
    """Ground truth on a bag's topics.

    Raises
    ------
    DatasetError : none there, or several that could be it; lists them.
    SourceError : not a readable bag.
    """
    try:
        with AnyReader([readable(path)], default_typestore=typestore()) as reader:
            return _read(path, reader)
    except (DatasetError, SourceError):
        raise
    except Exception as error:  # rosbags, sqlite3, lz4, zstandard and yaml have classes of their own for this
        raise SourceError(f"{path}: not a readable rosbag2: {error}") from None


def _read(path: Path, reader: AnyReader) -> Truth:
    offered: dict[tuple[Kind, bool], list[Any]] = defaultdict(list)
    for connection in reader.connections:
        what = _what(connection)
        if what is not None and connection.msgcount and not _is_output(reader, connection):
            offered[what].append(connection)
    points: dict[bool, dict[Kind, list[tuple[int, float]]]] = {False: defaultdict(list), True: defaultdict(list)}
    for (kind, is_rate), connections in offered.items():
        chosen = _choose(path, kind, is_rate, connections)
        shift_ns = _clock_shift_ns(reader) if chosen[0].msgtype in PLAIN else 0
        for _, at_ns, raw in reader.messages(connections=chosen):
            message = reader.deserialize(raw, chosen[0].msgtype)
            points[is_rate][kind] += _points(message, at_ns - shift_ns, chosen[0].msgtype, is_rate)
    if not offered:
        known = ", ".join(sorted({f"{c.topic} ({c.msgtype})" for c in reader.connections})) or "none"
        raise DatasetError(f"{path}: no ground truth: no CSV beside it and none of its topics is one: {known}")
    return Truth(merged(points[False]), merged(points[True]))


def _what(connection: Any) -> tuple[Kind, bool] | None:
    """Kind of a truth topic, and whether it is a rate."""
    if connection.msgtype in OURS:
        return OURS[connection.msgtype]
    if connection.msgtype not in PLAIN:
        return None
    name = connection.topic.lower()
    for is_rate, names in ((True, RATE_NAMES), (False, WAVE_NAMES)):
        for kind, pattern in names.items():
            if pattern.search(name):
                return kind, is_rate
    return None


def _is_output(reader: AnyReader, connection: Any) -> bool:
    """Whether a topic holds what our nodes measured, recorded along."""
    if connection.msgtype in PLAIN:
        return False
    _, _, raw = next(reader.messages(connections=[connection]))
    return reader.deserialize(raw, connection.msgtype).model not in TRUTH_MODELS


def _choose(path: Path, kind: Kind, is_rate: bool, connections: list[Any]) -> list[Any]:
    """Connections of the one topic that is meant."""
    topics = sorted({c.topic for c in connections})
    hinted = [topic for topic in topics if any(hint in topic.lower() for hint in HINTS)]
    chosen = hinted or topics
    if len(chosen) > 1:
        thing = "rate" if is_rate else "waveform"
        raise DatasetError(f"{path}: several topics could be the true {kind} {thing}: {', '.join(chosen)}; give a CSV")
    return [c for c in connections if c.topic == chosen[0]]


def _points(message: Any, at_ns: int, kind: str, is_rate: bool) -> list[tuple[int, float]]:
    if kind in PLAIN:
        return [(at_ns, float(message.data))]
    stamp_ns = message.header.stamp.sec * NS_PER_S + message.header.stamp.nanosec
    if is_rate:
        return [(stamp_ns, float(message.value))]
    times = stamp_ns + np.round(np.arange(len(message.samples)) * (NS_PER_S / message.rate_hz)).astype(np.int64)
    return list(zip(times.tolist(), np.asarray(message.samples, dtype=np.float64).tolist(), strict=True))


def _clock_shift_ns(reader: AnyReader) -> int:
    """Recording time less image stamps, where that is so long that they are different clocks: plain numbers have no stamp."""
    shifts = []
    images = [c for c in reader.connections if c.msgtype in IMAGE_TYPES]
    for connection, at_ns, raw in reader.messages(connections=images):
        stamp = reader.deserialize(raw, connection.msgtype).header.stamp
        shifts.append(at_ns - stamp.sec * NS_PER_S - stamp.nanosec)
        if len(shifts) == IMAGES_LOOKED_AT:
            break
    shift_ns = int(np.median(shifts)) if shifts else 0
    return shift_ns if abs(shift_ns) > OTHER_CLOCK_S * NS_PER_S else 0


def _custom(path: Path) -> dict[str, str]:
    """What `write_bag` noted of a recording; nothing for other bags."""
    try:
        raw = yaml.safe_load((path / META).read_text())["rosbag2_bagfile_information"]["custom_data"]
        return {str(key): str(value) for key, value in raw.items()}
    except (OSError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        return {}

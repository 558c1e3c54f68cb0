"""Ground truth on topics of a bag: our messages, or plain numbers whose topics' names say what they are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader

from rppg_ros.datasets.base import DatasetError, NoTruthError, Truth
from rppg_ros.datasets.messages import RATE_TYPES, WAVE_TYPES, typestore
from rppg_ros.datasets.traces import merged
from rppg_ros.sources.bag import IMAGE_TYPES, check_metadata, readable
from rppg_ros.sources.base import SourceError
from rppg_ros.types import NS_PER_S, Vital

# What a topic can hold: a kind, and whether it is its rate.
Thing = tuple[Vital, bool]
NAMES: dict[str, Thing] = {
    "bvp": (Vital.BVP, False),
    "rsp": (Vital.RSP, False),
    "heart_rate": (Vital.BVP, True),
    "respiration_rate": (Vital.RSP, True),
}
OURS: dict[str, Thing] = {name: (vital, False) for vital, name in WAVE_TYPES.items()} | {
    name: (vital, True) for vital, name in RATE_TYPES.items()
}
PLAIN = ("std_msgs/msg/Float32", "std_msgs/msg/Float64")
HINTS = ("truth", "reference", "contact", "label", "/gt")
RATE_NAMES = {
    Vital.RSP: re.compile(r"(resp|rsp|breath)\w*_?rate|(^|[/_])rr($|[/_])"),
    Vital.BVP: re.compile(r"(heart|pulse)_?rate|(^|[/_])hr($|[/_])|bpm"),
}
WAVE_NAMES = {Vital.RSP: re.compile(r"rsp|resp|breath"), Vital.BVP: re.compile(r"bvp|ppg|pleth|pulse")}
TRUTH_MODELS = ("", "truth")
OTHER_CLOCK_S = 5.0
IMAGES_LOOKED_AT = 20


def check_names(topics: Mapping[str, str]) -> Mapping[str, str]:
    """Topics by what they hold; DatasetError: a name that is none of NAMES."""
    for name in topics:
        if name not in NAMES:
            raise DatasetError(f"'{name}' is no ground truth; there are: {', '.join(NAMES)}")
    return topics


def bag_truth(path: Path, topics: Mapping[str, str]) -> Truth:
    """Ground truth on a bag's topics.

    Parameters
    ----------
    topics : for any of NAMES, its topic; empty: all are found by type and name.

    Raises
    ------
    DatasetError : none there, or several that could be it; lists them.
    SourceError : not a readable bag.
    """
    check_metadata(path)
    try:
        with AnyReader([readable(path)], default_typestore=typestore()) as reader:
            chosen = _given(path, reader, topics) if topics else _found(path, reader)
            return _read(reader, chosen)
    except (DatasetError, SourceError):
        raise
    except Exception as error:  # rosbags, sqlite3, lz4, zstandard and yaml have classes of their own for this
        raise SourceError(f"{path}: not a readable rosbag2: {error}") from None


def _read(reader: AnyReader, chosen: Mapping[Thing, list[Any]]) -> Truth:
    points: dict[bool, dict[Vital, list[tuple[int, float]]]] = {False: defaultdict(list), True: defaultdict(list)}
    for (vital, is_rate), connections in chosen.items():
        name = connections[0].msgtype
        shift_ns = _clock_shift_ns(reader) if name in PLAIN else 0
        for _, at_ns, raw in reader.messages(connections=connections):
            points[is_rate][vital] += _points(reader.deserialize(raw, name), at_ns - shift_ns, name, is_rate)
    return Truth(merged(points[False]), merged(points[True]))


def _given(path: Path, reader: AnyReader, topics: Mapping[str, str]) -> dict[Thing, list[Any]]:
    """Connections of the topics that were asked for."""
    chosen = {}
    for name, topic in topics.items():
        fitting = [c for c in reader.connections if c.topic == topic and c.msgcount and _fits(c.msgtype, NAMES[name])]
        if not fitting:
            raise DatasetError(f"{path}: no topic {topic} with {name} on it; topics are: {_listing(reader)}")
        chosen[NAMES[name]] = fitting
    return chosen


def _fits(msgtype: str, thing: Thing) -> bool:
    return msgtype in PLAIN or OURS.get(msgtype) == thing


def _found(path: Path, reader: AnyReader) -> dict[Thing, list[Any]]:
    """Connections that hold truth by their type and name, of one topic for each thing."""
    offered: dict[Thing, list[Any]] = defaultdict(list)
    for connection in reader.connections:
        thing = _what(connection)
        if thing is not None and connection.msgcount and not _is_output(reader, connection):
            offered[thing].append(connection)
    if not offered:
        raise NoTruthError(
            f"{path}: no ground truth: no CSV beside it and none of its topics is one: {_listing(reader)}"
        )
    return {thing: _choose(path, *thing, connections) for thing, connections in offered.items()}


def _listing(reader: AnyReader) -> str:
    return ", ".join(sorted({f"{c.topic} ({c.msgtype})" for c in reader.connections})) or "none"


def _what(connection: Any) -> Thing | None:
    """Vital of a truth topic, and whether it is a rate."""
    if connection.msgtype in OURS:
        return OURS[connection.msgtype]
    if connection.msgtype not in PLAIN:
        return None
    name = connection.topic.lower()
    for is_rate, names in ((True, RATE_NAMES), (False, WAVE_NAMES)):
        for vital, pattern in names.items():
            if pattern.search(name):
                return vital, is_rate
    return None


def _is_output(reader: AnyReader, connection: Any) -> bool:
    """Whether a topic holds what our nodes measured, recorded along."""
    if connection.msgtype in PLAIN:
        return False
    _, _, raw = next(reader.messages(connections=[connection]))
    message: Any = reader.deserialize(raw, connection.msgtype)
    return message.model not in TRUTH_MODELS


def _choose(path: Path, vital: Vital, is_rate: bool, connections: list[Any]) -> list[Any]:
    """Connections of the one topic that is meant."""
    topics = sorted({c.topic for c in connections})
    hinted = [topic for topic in topics if any(hint in topic.lower() for hint in HINTS)]
    chosen = hinted or topics
    if len(chosen) > 1:
        thing = "rate" if is_rate else "waveform"
        listed = ", ".join(chosen)
        raise DatasetError(
            f"{path}: several topics could be the true {vital} {thing}: {listed}; say which, or give a CSV"
        )
    return [c for c in connections if c.topic == chosen[0]]


def _points(message: Any, at_ns: int, type_name: str, is_rate: bool) -> list[tuple[int, float]]:
    if type_name in PLAIN:
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
        message: Any = reader.deserialize(raw, connection.msgtype)
        stamp = message.header.stamp
        shifts.append(at_ns - stamp.sec * NS_PER_S - stamp.nanosec)
        if len(shifts) == IMAGES_LOOKED_AT:
            break
    shift_ns = int(np.median(shifts)) if shifts else 0
    return shift_ns if abs(shift_ns) > OTHER_CLOCK_S * NS_PER_S else 0

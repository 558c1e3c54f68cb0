"""Recordings as rosbag2: images, and the truth in our own messages, with the stamps that they came with."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer

from rppg_ros.datasets.base import DatasetError, Recording, Trace, Truth
from rppg_ros.datasets.messages import RATE_TYPES, WAVE_TYPES, typestore
from rppg_ros.sources.base import RGB, StreamFrame
from rppg_ros.types import NS_PER_S, Kind

FORMATS = ("png", "raw", "jpeg")
JPEG_QUALITY = 95
TOPICS = {RGB: "/camera/rgb/image_raw", "thermal": "/camera/thermal/image_raw"}
RATE_TOPICS = {Kind.BVP: "/ground_truth/heart_rate", Kind.RSP: "/ground_truth/respiration_rate"}
WAVE_TOPIC = "/ground_truth/{}"
FRAME_IDS = {RGB: "camera_rgb_optical_frame", "thermal": "camera_thermal_optical_frame"}
EPOCH_NS = 1_600_000_000 * NS_PER_S
"""Where recordings begin that only count from their first frame: a stamp of 0 is no stamp in ROS."""
CHUNK_S = 1.0
EVEN = 0.02  # a trace whose steps vary by less than this share keeps its samples
MAX_GAP_S = 1.0
MODEL = "truth"
BAG_VERSION = 9


def bag_name(recording: Recording) -> str:
    """Folder of a recording's bag."""
    return f"{recording.dataset}_{recording.name}".replace("/", "_").replace(" ", "_")


def write_bag(
    recording: Recording, folder: str | Path, image_format: str = "png", overwrite: bool = False
) -> Path | None:
    """Write a recording as a bag (mcap) in a folder of its own below `folder`; whole, or not at all.

    Parameters
    ----------
    image_format : "png": lossless, CompressedImage; "raw": Image; "jpeg": smaller, and weakens the pulse. Thermal images in
        degrees are always raw.
    overwrite : write it again if it is there.

    Returns
    -------
    The bag; None when it was there already.

    Raises
    ------
    DatasetError, SourceError : see Recording; nothing is left behind.
    """
    if image_format not in FORMATS:
        raise DatasetError(f"image format '{image_format}' is not known; there are: {', '.join(FORMATS)}")
    target = Path(folder) / bag_name(recording)
    if target.exists() and not overwrite:
        return None
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(recording, partial, image_format)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
        _rename_storage(target, partial.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _rename_storage(bag: Path, before: str) -> None:
    """The storage file and its mention in the metadata carry the folder's name."""
    for path in bag.glob(f"{before}*"):
        path.rename(bag / path.name.replace(before, bag.name))
    about = bag / "metadata.yaml"
    about.write_text(about.read_text().replace(before, bag.name))


def _write(recording: Recording, folder: Path, image_format: str) -> None:
    truth = recording.truth()
    with (
        contextlib.closing(recording.open()) as source,
        Writer(folder, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP) as writer,
    ):
        custom = {"dataset": recording.dataset, "name": recording.name, "subject": recording.subject}
        custom |= {f"condition.{name}": value for name, value in recording.conditions.items()}
        for key, value in custom.items():
            writer.set_custom_data(key, str(value))
        output = _Output(writer, 0 if source.absolute else EPOCH_NS)
        frames = 0
        for frame in source:
            output.image(frame, image_format)
            frames += frame.stream == RGB
        if not frames:
            raise DatasetError(f"{recording.name}: no RGB frames")
        output.truth(truth)


class _Output:
    """Messages into a bag."""

    def __init__(self, writer: Writer, shift_ns: int) -> None:
        self._writer, self._shift_ns = writer, shift_ns
        self._store = typestore()
        self._connections: dict[tuple[str, str], Any] = {}

    def image(self, frame: StreamFrame, image_format: str) -> None:
        stamp_ns, topic = frame.stamp_ns + self._shift_ns, TOPICS[frame.stream]
        header = self._header(stamp_ns, FRAME_IDS[frame.stream])
        if image_format == "raw" or frame.image.dtype.kind == "f":
            message = self._make("sensor_msgs/msg/Image", header=header, **_raw(frame))
            self._send(topic, stamp_ns, message)
            return
        jpeg = image_format == "jpeg" and frame.stream == RGB
        done, data = cv2.imencode(*_encoding(frame, jpeg))
        if not done:
            raise DatasetError(f"image of {frame.stamp_ns} ns cannot be written as {image_format}")
        kind = "jpeg" if jpeg else "png"
        message = self._make("sensor_msgs/msg/CompressedImage", header=header, format=kind, data=data.ravel())
        self._send(f"{topic}/compressed", stamp_ns, message)

    def truth(self, truth: Truth) -> None:
        for kind, trace in truth.waves.items():
            for start_ns, rate_hz, samples in chunks(trace):
                stamp_ns = start_ns + self._shift_ns
                message = self._make(
                    WAVE_TYPES[kind],
                    header=self._header(stamp_ns, ""),
                    face_id="",
                    rate_hz=rate_hz,
                    samples=samples.astype(np.float32),
                    quality=1.0,
                    model=MODEL,
                )
                self._send(WAVE_TOPIC.format(kind.value), stamp_ns, message)
        for kind, trace in truth.rates.items():
            for stamp_ns, value in zip(trace.stamps_ns + self._shift_ns, trace.values, strict=True):
                if np.isfinite(value):
                    self._send(RATE_TOPICS[kind], int(stamp_ns), self._rate(kind, int(stamp_ns), float(value)))

    def _rate(self, kind: Kind, stamp_ns: int, value: float) -> Any:
        return self._make(
            RATE_TYPES[kind],
            header=self._header(stamp_ns, ""),
            face_id="",
            value=value,
            std=0.0,
            snr_db=float("nan"),
            quality=1.0,
            status=0,
            window=0.0,
            model=MODEL,
        )

    def _send(self, topic: str, stamp_ns: int, message: Any) -> None:
        name = message.__msgtype__
        if (topic, name) not in self._connections:
            self._connections[topic, name] = self._writer.add_connection(topic, name, typestore=self._store)
        self._writer.write(self._connections[topic, name], stamp_ns, self._store.serialize_cdr(message, name))

    def _make(self, name: str, **fields: Any) -> Any:
        return self._store.types[name](**fields)

    def _header(self, stamp_ns: int, frame_id: str) -> Any:
        stamp = self._make("builtin_interfaces/msg/Time", sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S)
        return self._make("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)


def _raw(frame: StreamFrame) -> dict[str, Any]:
    image = np.ascontiguousarray(frame.image)
    height, width = image.shape[:2]
    data = image.view(np.uint8).ravel()
    return dict(
        height=height, width=width, encoding=frame.encoding, is_bigendian=0, step=data.size // height, data=data
    )


def _encoding(frame: StreamFrame, jpeg: bool) -> tuple[str, np.ndarray, list[int]]:
    """For cv2.imencode, which takes BGR."""
    image = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR) if frame.encoding == "rgb8" else frame.image
    if jpeg:
        return ".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    return ".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1]


def chunks(trace: Trace) -> list[tuple[int, float, np.ndarray]]:
    """A trace in even pieces of about a second: (first stamp, samples per second, samples).

    An evenly sampled trace keeps its samples; another is put on an even clock as fast as its usual step. Gaps stay gaps.
    """
    out = []
    for stamps_ns, values in _stretches(trace):
        steps, span_ns = np.diff(stamps_ns), int(stamps_ns[-1] - stamps_ns[0])
        if np.ptp(steps) <= EVEN * np.median(steps):
            rate_hz = len(steps) * NS_PER_S / span_ns
            even_ns, samples = _even(stamps_ns[0], rate_hz, len(values)), values
        else:
            rate_hz = NS_PER_S / float(np.median(steps))
            even_ns = _even(stamps_ns[0], rate_hz, int(span_ns * rate_hz / NS_PER_S) + 1)
            samples = np.interp(even_ns - stamps_ns[0], stamps_ns - stamps_ns[0], values)
        size = max(1, round(CHUNK_S * rate_hz))
        out += [(int(even_ns[i]), rate_hz, samples[i : i + size]) for i in range(0, len(samples), size)]
    return out


def _even(start_ns: int, rate_hz: float, count: int) -> np.ndarray:
    return start_ns + np.round(np.arange(count) * (NS_PER_S / rate_hz)).astype(np.int64)


def _stretches(trace: Trace) -> list[tuple[np.ndarray, np.ndarray]]:
    """Parts without gaps, of two values or more."""
    known = np.isfinite(trace.values)
    stamps_ns, values = trace.stamps_ns[known], trace.values[known]
    cuts = np.flatnonzero(np.diff(stamps_ns) > MAX_GAP_S * NS_PER_S) + 1
    parts = zip(np.split(stamps_ns, cuts), np.split(values, cuts), strict=True)
    return [(at_ns, numbers) for at_ns, numbers in parts if len(at_ns) > 1]

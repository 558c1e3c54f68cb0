"""Frames and truth as messages of a bag."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import Writer

from rppg_ros.datasets.base import DatasetError, Truth
from rppg_ros.datasets.chunks import chunks
from rppg_ros.datasets.messages import RATE_TYPES, WAVE_TYPES, typestore
from rppg_ros.sources.base import RGB, THERMAL, StreamFrame
from rppg_ros.types import NS_PER_S, Vital

FORMATS = ("png", "raw", "jpeg")
JPEG_QUALITY = 95
IMAGE_TOPICS = {RGB: "/camera/rgb/image_raw", THERMAL: "/camera/thermal/image_raw"}
RATE_TOPICS = {Vital.BVP: "/ground_truth/heart_rate", Vital.RSP: "/ground_truth/respiration_rate"}
WAVE_TOPICS = {Vital.BVP: "/ground_truth/bvp", Vital.RSP: "/ground_truth/rsp"}
FRAME_IDS = {RGB: "camera_rgb_optical_frame", THERMAL: "camera_thermal_optical_frame"}
MODEL = "truth"

Stamped = tuple[int, str, Any]
"""Stamp, topic and message."""


class BagWriter:
    """Puts the messages of one recording into an open bag, in order of stamps.

    Parameters
    ----------
    image_format : one of FORMATS.
    shift_ns : added to all stamps.
    """

    def __init__(self, writer: Writer, image_format: str, shift_ns: int) -> None:
        self._writer, self._format, self._shift_ns = writer, image_format, shift_ns
        self._store = typestore()
        self._connections: dict[str, Any] = {}

    def write(self, frames: Iterable[StreamFrame], truth: Truth) -> int:
        """Write all; the number of RGB frames. DatasetError: an image that cannot be written so."""
        rgb = 0
        known = sorted(self._truth(truth), key=lambda item: item[0])
        for stamp_ns, topic, message in heapq.merge(self._images(frames), known, key=lambda item: item[0]):
            rgb += topic.startswith(IMAGE_TOPICS[RGB])
            name = message.__msgtype__
            if topic not in self._connections:
                self._connections[topic] = self._writer.add_connection(topic, name, typestore=self._store)
            self._writer.write(self._connections[topic], stamp_ns, self._store.serialize_cdr(message, name))
        return rgb

    def _images(self, frames: Iterable[StreamFrame]) -> Iterator[Stamped]:
        for frame in frames:
            stamp_ns, topic = frame.stamp_ns + self._shift_ns, IMAGE_TOPICS[frame.stream]
            header = self._header(stamp_ns, FRAME_IDS[frame.stream])
            if self._format == "raw" or frame.image.dtype.kind == "f":
                yield stamp_ns, topic, self._make("sensor_msgs/msg/Image", header=header, **_raw(frame))
                continue
            extension = "jpeg" if self._format == "jpeg" and frame.stream == RGB else "png"
            done, data = cv2.imencode(*_encoding(frame, extension))
            if not done:
                raise DatasetError(f"image of {frame.stamp_ns} ns cannot be written as {extension}")
            fields = dict(header=header, format=extension, data=data.ravel())
            yield stamp_ns, f"{topic}/compressed", self._make("sensor_msgs/msg/CompressedImage", **fields)

    def _truth(self, truth: Truth) -> Iterator[Stamped]:
        for vital, trace in truth.waves.items():
            for start_ns, rate_hz, samples in chunks(trace):
                fields = dict(rate_hz=rate_hz, samples=samples.astype(np.float32), quality=1.0)
                yield self._known(WAVE_TOPICS[vital], WAVE_TYPES[vital], start_ns, **fields)
        for vital, trace in truth.rates.items():
            for stamp_ns, value in zip(trace.stamps_ns.tolist(), trace.values.tolist(), strict=True):
                if np.isfinite(value):
                    fields = dict(
                        value=value, std=0.0, low=value, high=value, snr_db=float("nan"), quality=1.0, status=0
                    )
                    fields |= dict(window=0.0, reasons=np.zeros(0, np.uint8), reason_shares=np.zeros(0, np.float32))
                    yield self._known(RATE_TOPICS[vital], RATE_TYPES[vital], stamp_ns, **fields)

    def _known(self, topic: str, name: str, stamp_ns: int, **fields: Any) -> Stamped:
        stamp_ns += self._shift_ns
        return stamp_ns, topic, self._make(name, header=self._header(stamp_ns, ""), face_id="", model=MODEL, **fields)

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


def _encoding(frame: StreamFrame, extension: str) -> tuple[str, np.ndarray, list[int]]:
    """For cv2.imencode, which takes BGR."""
    image = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR) if frame.encoding == "rgb8" else frame.image
    if extension == "jpeg":
        return ".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    return ".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1]

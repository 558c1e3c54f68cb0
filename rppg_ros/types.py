"""The types that travel between rooms: frames, crops, waveforms and rates. Nodes map them one to one to messages."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

NS_PER_S = 1_000_000_000


class Vital(str, enum.Enum):
    """A vital sign's waveform."""

    BVP = "bvp"
    RSP = "rsp"

    def __str__(self) -> str:
        return self.value


class Status(enum.IntEnum):
    """Technical state of a rate; the numbers are those of HeartRate.msg."""

    OK = 0
    WARMING_UP = 1
    LOW_QUALITY = 2
    NO_FACE = 3
    STALE = 4
    UNSUPPORTED = 5


class Box(NamedTuple):
    """Axis-aligned face box in image pixels, sub-pixel; (x, y) is the left top corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class CropRequest:
    """Which crops an engine wants.

    Attributes
    ----------
    size : side of the crop, pixels.
    scale : side of the crop over the longer side of the face box.
    """

    size: int = 72
    scale: float = 1.5


@dataclass(frozen=True, slots=True)
class Frame:
    """One camera frame.

    Attributes
    ----------
    stamp_ns : acquisition time, nanoseconds.
    image : RGB uint8 (H, W, 3); or thermal float32 (H, W) in degrees Celsius, raw counts if not `radiometric`.
    radiometric : thermal only: whether `image` is in degrees Celsius.
    """

    stamp_ns: int
    image: np.ndarray
    radiometric: bool = False


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """One face cut from one frame.

    Attributes
    ----------
    rgb : uint8 (S, S, 3), RGB.
    thermal : float32 (S, S) or None; degrees Celsius, raw counts unless `thermal_radiometric`.
    box : face box in the full RGB image, pixels.
    crop_scale : side of the crop over the longer side of `box`.
    confidence : of the detector's last sight of this face, 0..1.
    motion : speed of the box centre, box widths per second.
    """

    stamp_ns: int
    face_id: str
    rgb: np.ndarray
    thermal: np.ndarray | None
    box: Box
    crop_scale: float
    confidence: float
    motion: float
    thermal_stamp_ns: int = 0
    thermal_radiometric: bool = False


@dataclass(frozen=True, slots=True)
class Waveform:
    """Evenly sampled piece of a waveform: sample i was acquired at start_ns + i * 1e9 / rate_hz."""

    vital: Vital
    face_id: str
    start_ns: int
    rate_hz: float
    samples: np.ndarray
    quality: float
    model: str = ""

    @property
    def end_ns(self) -> int:
        """Acquisition time of the sample after the last one."""
        return self.start_ns + round(len(self.samples) * NS_PER_S / self.rate_hz)


@dataclass(frozen=True, slots=True)
class Rate:
    """A heart or respiration rate with its quality.

    Attributes
    ----------
    vital : waveform it was read from; BVP gives beats, RSP breaths per minute.
    per_minute, std : NaN unless status is OK.
    snr_db : NaN where there was no signal.
    quality : 0..1.
    window_s : waveform used, seconds.
    """

    vital: Vital
    face_id: str
    stamp_ns: int
    per_minute: float
    std: float
    snr_db: float
    quality: float
    status: Status
    window_s: float
    model: str = ""

    @classmethod
    def unknown(
        cls, vital: Vital, face_id: str, stamp_ns: int, status: Status, model: str = "", window_s: float = 0.0
    ) -> Rate:
        """A rate that says why there is no number."""
        nan = math.nan
        return cls(vital, face_id, stamp_ns, nan, nan, nan, 0.0, status, window_s, model)

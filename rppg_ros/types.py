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


class Reason(enum.IntEnum):
    """Why a rate has no number, beside its status; the numbers are those of HeartRate.msg."""

    CAMERA_TOO_SLOW = 1
    THERMAL_MISSING = 2
    THERMAL_UNPAIRED = 3
    THERMAL_DEAD = 4
    THERMAL_UNREGISTERED = 5
    THERMAL_NOT_SKIN = 6
    WARMING_UP = 7
    NO_FACE = 8
    FACE_SMALL = 9
    TOO_DARK = 10
    TOO_BRIGHT = 11
    MOVEMENT = 12
    TALKING = 13
    LIGHT_RHYTHM = 14
    MOTION_RHYTHM = 15
    PICTURE_DEAD = 16
    NO_SKIN = 17
    NO_SIGN_OF_LIFE = 18
    OUT_OF_RANGE = 19
    WEAK_SIGNAL = 20
    COMPRESSION = 21


class ThermalState(enum.IntEnum):
    """What became of the thermal image that belongs to a crop; the numbers are those of FaceCrop.msg."""

    USED = 0
    MISSING = 1  # no thermal camera, or none in use, or it sends nothing
    UNPAIRED = 2  # images come, but none near this one in time
    DEAD = 3  # the image repeats, is saturated, is noise, or cannot be read
    UNREGISTERED = 4  # nobody knows where the face lies in it
    NOT_SKIN = 5  # its degrees cannot be those of a face

    @property
    def reason(self) -> Reason | None:
        """Why nothing can be read off such a crop's thermal image; None if something can."""
        return None if self is ThermalState.USED else Reason[f"THERMAL_{self.name}"]


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
    thermal_state : why there is no `thermal`, if there is none.
    evidence : float32 (vision.evidence.WIDTH,), what the picture says beside the crop; None: not measured.
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
    thermal_state: ThermalState = ThermalState.MISSING
    evidence: np.ndarray | None = None


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
    reasons : why there is no number, where more is known than the status says. shares : how much of it each explains, 0..1.
    low, high : the rate lies between them with a probability of 95 %, as far as can be told; NaN unless status is OK.
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
    reasons: tuple[Reason, ...] = ()
    shares: tuple[float, ...] = ()
    low: float = math.nan
    high: float = math.nan

    @classmethod
    def unknown(
        cls,
        vital: Vital,
        face_id: str,
        stamp_ns: int,
        status: Status,
        model: str = "",
        window_s: float = 0.0,
        reasons: tuple[Reason, ...] = (),
        shares: tuple[float, ...] = (),
    ) -> Rate:
        """A rate that says why there is no number; a status that is a reason need not be given one.

        Shares that are not given are 1, and 0 of WARMING_UP: nothing of the waveform is there.
        """
        if not reasons and status in _REASON_OF_STATUS:
            reasons = (_REASON_OF_STATUS[status],)
        nan, shares = math.nan, shares or tuple(0.0 if one is Reason.WARMING_UP else 1.0 for one in reasons)
        return cls(vital, face_id, stamp_ns, nan, nan, nan, 0.0, status, window_s, model, reasons, shares)


_REASON_OF_STATUS = {Status.WARMING_UP: Reason.WARMING_UP, Status.NO_FACE: Reason.NO_FACE}

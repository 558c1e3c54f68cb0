"""Thermal images: counts to degrees, which degrees can be skin, and images whose degrees were normalised away."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from rppg_ros.settings.halves import THERMAL_UNITS

KELVIN_OFFSET = 273.15
SKIN_C = (15.0, 45.0)  # of a face: outdoors in winter, and in a sauna
LIKELY_C = (28.0, 40.0)  # what a guess at the scale must lead to
SKIN_PERCENTILE = 75.0  # of the middle of a face: hair, glasses and a cold nose lie below
USUAL_SCALES = (
    (0.01, "kelvin"),
    (0.1, "kelvin"),
    (0.04, "kelvin"),
    (0.01, "celsius"),
    (0.1, "celsius"),
    (1.0, "celsius"),
)
WATCH_FRAMES = 15
WATCH_EVERY = 5  # frames; minima of full images cost time
MAX_IDENTICAL_RANGE_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Radiometry:
    """What a thermal camera's numbers mean.

    Attributes
    ----------
    scale, offset : `unit` per count and at count 0, of 16-bit images; scale 0: the counts mean no temperature.
    unit : "celsius" or "kelvin", of 32-bit float images and of 16-bit ones after scale and offset.

    Raises
    ------
    ValueError : unknown unit.
    """

    scale: float = 0.0
    offset: float = 0.0
    unit: str = "celsius"

    def __post_init__(self) -> None:
        if self.unit not in THERMAL_UNITS:
            raise ValueError(f"thermal unit '{self.unit}' is not known, choose from {', '.join(THERMAL_UNITS)}")

    def apply(self, raw: np.ndarray) -> tuple[np.ndarray, bool]:
        """Degrees Celsius, float32 (H, W), and True; or the counts as they are, and False. 8-bit images are never degrees.

        Dead pixels (NaN, infinite) become the median of the rest.
        """
        if raw.dtype == np.uint8 or (raw.dtype != np.float32 and self.scale == 0):
            return raw.astype(np.float32), False
        values = raw if raw.dtype == np.float32 else raw.astype(np.float32) * np.float32(self.scale) + self.offset
        if self.unit == "kelvin":
            values = values - np.float32(KELVIN_OFFSET)
        return _without_dead_pixels(np.asarray(values, dtype=np.float32)), True


def face_level(crop: np.ndarray) -> float:
    """Warmth of the face in a crop (S, S), in the crop's unit: a high percentile of the middle ninth."""
    third = max(len(crop) // 3, 1)
    middle = crop[third : len(crop) - third, third : len(crop) - third] if len(crop) > 2 else crop
    return float(np.percentile(middle, SKIN_PERCENTILE))


def can_be_skin(celsius: float) -> bool:
    """Whether a face can be that warm; false for NaN."""
    return SKIN_C[0] <= celsius <= SKIN_C[1]


def guessed_scale(celsius: float, meant: Radiometry, is_float: bool) -> str:
    """Which usual scale makes a face of that many degrees one of skin, as settings to be made; empty if none does.

    Parameters
    ----------
    meant : how counts were made these degrees. is_float : whether the camera sends 32-bit floats, which have a unit only.
    """
    value = celsius + (KELVIN_OFFSET if meant.unit == "kelvin" else 0.0)
    if is_float:
        other = "celsius" if meant.unit == "kelvin" else "kelvin"
        right = value if other == "celsius" else value - KELVIN_OFFSET
        return f"thermal.unit {other}" if LIKELY_C[0] <= right <= LIKELY_C[1] else ""
    counts = (value - meant.offset) / meant.scale
    for scale, unit in USUAL_SCALES:
        right = counts * scale - (KELVIN_OFFSET if unit == "kelvin" else 0.0)
        if LIKELY_C[0] <= right <= LIKELY_C[1]:
            return f"thermal.scale {scale:g}, thermal.offset 0 and thermal.unit {unit}"
    return ""


def _without_dead_pixels(values: np.ndarray) -> np.ndarray:
    alive = np.isfinite(values)
    if alive.all():
        return values
    return np.where(alive, values, np.median(values[alive]) if alive.any() else 0.0).astype(np.float32)


class NormalisationWatch:
    """Tells a camera that stretches every frame to the full range: its values mean nothing over time."""

    def __init__(self) -> None:
        self._ranges: deque[tuple[float, float]] = deque(maxlen=WATCH_FRAMES)
        self._full = 0.0
        self._count = 0

    def push(self, raw: np.ndarray) -> None:
        """Look at the next raw image."""
        self._count += 1
        if self._count % WATCH_EVERY == 1:
            self._full = float(np.iinfo(raw.dtype).max) if raw.dtype.kind == "u" else 1.0
            self._ranges.append((float(raw.min()), float(raw.max())))

    @property
    def normalised(self) -> bool:
        """Whether nearly all recent images span exactly the same full range."""
        if len(self._ranges) < WATCH_FRAMES:
            return False
        pinned = sum(low == 0.0 and high == self._full for low, high in self._ranges)
        return pinned >= MAX_IDENTICAL_RANGE_SHARE * WATCH_FRAMES

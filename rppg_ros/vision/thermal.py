"""Thermal images: counts to degrees, spotting images that were normalised away, and where an RGB pixel lies in them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from rppg_ros.settings.halves import THERMAL_UNITS

KELVIN_OFFSET = 273.15
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


class Registration:
    """Where an RGB pixel lies in the thermal image (pixel i covers i to i + 1 in both).

    Without a matrix both cameras are taken to have the same field of view.
    """

    def __init__(self, matrix: np.ndarray | None = None) -> None:
        self._matrix = matrix

    @classmethod
    def from_homography(cls, matrix: np.ndarray) -> Registration:
        """From a (3, 3) homography between the two cameras' pixels, measured on a target at the persons' distance."""
        return cls(np.asarray(matrix, dtype=np.float64).reshape(3, 3))

    @classmethod
    def from_intrinsics(
        cls, k_rgb: np.ndarray, k_thermal: np.ndarray, rotation: np.ndarray | None = None
    ) -> Registration:
        """Infinite homography K_t R K_rgb^-1: exact for far scenes, off by focal length * baseline / distance for near ones.

        Parameters
        ----------
        k_rgb, k_thermal : (3, 3) camera matrices, pixels.
        rotation : (3, 3) from the RGB to the thermal camera's axes; identity if None.
        """
        rotation = np.eye(3) if rotation is None else np.asarray(rotation, dtype=np.float64)
        return cls(np.asarray(k_thermal) @ rotation @ np.linalg.inv(np.asarray(k_rgb)))

    def matrix(self, rgb_shape: tuple[int, ...], thermal_shape: tuple[int, ...]) -> np.ndarray:
        """(3, 3) RGB to thermal pixels for images of these shapes (H, W, ...)."""
        if self._matrix is not None:
            return self._matrix
        return np.diag([thermal_shape[1] / rgb_shape[1], thermal_shape[0] / rgb_shape[0], 1.0])

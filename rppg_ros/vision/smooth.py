"""One-Euro filter (Casiez, Roussel, Vogel, CHI 2012) on stamps: still at rest, without lag in motion."""

from __future__ import annotations

import math

import numpy as np


class OneEuro:
    """Low-pass whose cut-off rises with speed.

    Parameters
    ----------
    rest_hz : cut-off at rest.
    gain : cut-off per unit of speed, Hz per (unit per second).
    speed_hz : cut-off of the speed itself.
    """

    def __init__(self, rest_hz: float, gain: float, speed_hz: float = 1.0) -> None:
        self._rest_hz, self._gain, self._speed_hz = rest_hz, gain, speed_hz
        self._value: np.ndarray | None = None
        self._speed: np.ndarray = np.zeros(1)

    def push(self, value: np.ndarray, step_s: float) -> np.ndarray:
        """Filter the next (n,) value, `step_s` seconds after the last; one cut-off for all components."""
        value = np.asarray(value, dtype=np.float64)
        if self._value is None or step_s <= 0:
            self._value, self._speed = value.copy(), np.zeros_like(value)
            return value
        speed = (value - self._value) / step_s
        self._speed = self._speed + _share(self._speed_hz, step_s) * (speed - self._speed)
        cutoff = self._rest_hz + self._gain * float(np.linalg.norm(self._speed))
        self._value = self._value + _share(cutoff, step_s) * (value - self._value)
        return self._value

    def rescale(self, factor: float) -> None:
        """Go on in another unit: all that is remembered is multiplied."""
        self._speed = self._speed * factor
        if self._value is not None:
            self._value = self._value * factor


def _share(cutoff_hz: float, step_s: float) -> float:
    return 1 - math.exp(-2 * math.pi * cutoff_hz * step_s)

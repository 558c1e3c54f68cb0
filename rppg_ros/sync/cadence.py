"""How often the frames of a stream really come: what they can carry follows from it."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from rppg_ros.types import NS_PER_S

SPAN_S = 15.0  # of the newest frames: a heart rate's window
SHARE = 90.0  # per cent of the steps that are at most the period: a stream is as slow as its slower moments
MIN_STEPS = 4


class Cadence:
    """Stamps in, the period of the frames out."""

    def __init__(self) -> None:
        self._stamps: deque[int] = deque()

    def push(self, stamp_ns: int) -> None:
        """Take the next stamp; stamps must rise."""
        self._stamps.append(stamp_ns)
        while self._stamps[-1] - self._stamps[0] > SPAN_S * NS_PER_S:
            self._stamps.popleft()

    @property
    def period_s(self) -> float:
        """Time from frame to frame that 90 % of the newest steps do not exceed, seconds; NaN for too few frames."""
        if len(self._stamps) <= MIN_STEPS:
            return math.nan
        steps = np.diff(np.fromiter(self._stamps, np.int64, len(self._stamps)))
        return float(np.percentile(steps, SHARE)) / NS_PER_S


def least_rate_hz(top_hz: float) -> float:
    """Frames per second below which a rhythm of up to `top_hz` shows as a slower one, and no rate can be told (Nyquist)."""
    return 2 * top_hz

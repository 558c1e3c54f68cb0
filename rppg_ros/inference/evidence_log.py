"""The evidence of one clip, as long as the belief looks back, on whatever clock it is asked for."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

import numpy as np

from rppg_ros.sync.resample import grid_ns, resample
from rppg_ros.types import NS_PER_S
from rppg_ros.vitals.witnesses import bridged

KEEP_S = 60.0  # the longest look of any vital sign, and the engine's delay
COVERED = 0.9  # of the span that is asked for: with less there is no evidence


class EvidenceLog:
    """Rows of evidence with their stamps."""

    def __init__(self) -> None:
        self._rows: deque[tuple[int, np.ndarray]] = deque()

    def add(self, rows: Iterable[tuple[int, np.ndarray]]) -> None:
        """Take those that are newer than the newest."""
        for stamp_ns, row in rows:
            if not self._rows or stamp_ns > self._rows[-1][0]:
                self._rows.append((stamp_ns, row))
        while self._rows and self._rows[-1][0] - self._rows[0][0] > KEEP_S * NS_PER_S:
            self._rows.popleft()

    def on_clock(self, start_ns: int, rate_hz: float, count: int) -> np.ndarray | None:
        """(count, WIDTH) float32 from start_ns on; None where the evidence does not cover it."""
        at_ns = grid_ns(start_ns, rate_hz, 0, count)
        begin, end = int(at_ns[0]) - NS_PER_S, int(at_ns[-1]) + NS_PER_S
        near = [(stamp_ns, row) for stamp_ns, row in self._rows if begin <= stamp_ns <= end]
        if len(near) < 2:
            return None
        covered = min(near[-1][0], int(at_ns[-1])) - max(near[0][0], int(at_ns[0]))
        if covered < COVERED * (int(at_ns[-1]) - int(at_ns[0])):
            return None
        stamps_ns = np.array([stamp_ns for stamp_ns, _ in near], np.int64)
        return resample(stamps_ns, bridged(stamps_ns, np.stack([row for _, row in near])), at_ns)

    @property
    def frame_s(self) -> float:
        """Usual time from frame to frame lately, seconds; NaN while there are too few."""
        newest = [stamp_ns for stamp_ns, _ in self._rows][-400:]
        return math.nan if len(newest) < 5 else float(np.median(np.diff(newest))) / NS_PER_S

"""Joins the waveforms of overlapping windows into one endless waveform."""

from __future__ import annotations

import numpy as np

FLIP_BELOW = -0.5  # correlation with what is there at which a window is taken to be upside down
MIN_OVERLAP = 16  # samples; a correlation of fewer says nothing


class OverlapAdd:
    """Weighted mean of windows along one clip's clock; samples leave once, in order, when they are final.

    Nothing is shifted: every window lies on the clock.

    Parameters
    ----------
    history : samples remembered after they left, for the comparison with new windows.
    align_sign : turn a window over that runs against the waveform so far (correlation below FLIP_BELOW where they overlap).
    """

    def __init__(self, history: int, align_sign: bool = False) -> None:
        self._history = max(history, MIN_OVERLAP)
        self._align_sign = align_sign
        self._start = 0  # clock index of the first sample kept
        self._final = 0  # clock index of the first sample that has not left
        self._sum: np.ndarray = np.zeros(0)
        self._weight: np.ndarray = np.zeros(0)
        self.flipped = 0

    def add(self, first: int, samples: np.ndarray, weights: np.ndarray) -> None:
        """Average a window's (n,) samples in, the first at clock index `first`; what already left is not changed."""
        samples = np.asarray(samples, dtype=np.float64)
        weights = np.asarray(weights, dtype=np.float64)
        if samples.shape != weights.shape or samples.ndim != 1:
            raise ValueError(f"samples and weights must be (n,), got {samples.shape} and {weights.shape}")
        skip = max(0, self._start - first)
        samples, weights, first = samples[skip:], weights[skip:], first + skip
        if not len(samples):
            return
        self._grow(first + len(samples))
        part = slice(first - self._start, first - self._start + len(samples))
        if self._align_sign and self._opposes(samples, weights, part):
            samples = -samples
            self.flipped += 1
        open_from = max(self._final - first, 0)  # samples that left keep their published value
        part = slice(part.start + open_from, part.stop)
        self._sum[part] += (samples * weights)[open_from:]
        self._weight[part] += weights[open_from:]

    def take(self, upto: int) -> list[tuple[int, np.ndarray]]:
        """Samples before clock index `upto` that have not left yet, as (first index, (n,) float32) without holes inside."""
        upto = min(upto, self._start + len(self._sum))
        if upto <= self._final:
            return []
        part = slice(self._final - self._start, upto - self._start)
        covered = self._weight[part] > 0
        mean = np.divide(self._sum[part], self._weight[part], out=np.zeros(upto - self._final), where=covered)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], covered.astype(np.int8), [0]])))
        pieces = [
            (self._final + int(a), mean[a:b].astype(np.float32)) for a, b in zip(edges[::2], edges[1::2], strict=True)
        ]
        self._final = upto
        self._forget()
        return pieces

    @property
    def end(self) -> int:
        """Clock index after the last sample that was added."""
        return self._start + len(self._sum)

    def _grow(self, end: int) -> None:
        more = end - self._start - len(self._sum)
        if more > 0:
            self._sum = np.concatenate([self._sum, np.zeros(more)])
            self._weight = np.concatenate([self._weight, np.zeros(more)])

    def _forget(self) -> None:
        drop = self._final - self._history - self._start
        if drop > 0:
            self._sum, self._weight = self._sum[drop:], self._weight[drop:]
            self._start += drop

    def _opposes(self, samples: np.ndarray, weights: np.ndarray, part: slice) -> bool:
        both = (self._weight[part] > 0) & (weights > 0)
        if both.sum() < MIN_OVERLAP:
            return False
        old, new = (self._sum[part] / np.maximum(self._weight[part], 1e-12))[both], samples[both]
        old, new = old - old.mean(), new - new.mean()
        scale = np.sqrt((old @ old) * (new @ new))
        return bool(scale > 0 and (old @ new) / scale < FLIP_BELOW)


def edge_taper(n: int, edge: int) -> np.ndarray:
    """(n,) weights that rise over `edge` samples at both ends (raised cosine) and are 1 between; never 0."""
    edge = min(edge, n // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 1) / (edge + 1))
    taper = np.ones(n)
    taper[:edge] = ramp
    taper[n - edge :] = ramp[::-1]
    return taper

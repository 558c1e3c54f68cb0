"""Brings a waveform to about unit variance as it grows, without a step from chunk to chunk."""

from __future__ import annotations

import math

import numpy as np

TIME_CONSTANTS = 4  # of the slowest period: long enough that a beat or breath does not pump the gain


class RunningGain:
    """Divides by the exponentially weighted root mean square of all samples so far; the waves have no mean to speak of.

    Parameters
    ----------
    rate_hz : samples per second.
    slowest_s : longest period of the wave.
    """

    def __init__(self, rate_hz: float, slowest_s: float) -> None:
        self._samples = TIME_CONSTANTS * slowest_s * rate_hz
        self._seen = 0
        self._square = 0.0
        self._scale = 0.0

    def apply(self, samples: np.ndarray) -> np.ndarray:
        """Scaled copy of the next (n,) samples, float32; the gain moves linearly over the chunk."""
        samples = np.asarray(samples, dtype=np.float64)
        before = self._scale
        self._learn(samples)
        ramp = np.linspace(before or self._scale, self._scale, len(samples))
        scaled: np.ndarray = (samples * ramp).astype(np.float32)
        return scaled

    def _learn(self, samples: np.ndarray) -> None:
        n = len(samples)
        self._seen += n
        # Until one memory length has passed this is the plain mean over all samples.
        share = max(n / self._seen, 1 - math.exp(-n / self._samples))
        self._square += share * (np.mean(samples**2) - self._square)
        self._scale = 1 / math.sqrt(self._square) if self._square > 0 else 0.0

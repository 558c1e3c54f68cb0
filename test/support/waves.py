"""Waveforms whose cycles are known."""

import numpy as np


def tops_at(times_s, seconds: float, rate_hz: float) -> np.ndarray:
    """A cosine with its maxima at given times; its phase is straight between them and goes on at both ends."""
    times_s = np.asarray(times_s, float)
    before = times_s[0] - (times_s[1] - times_s[0]) * np.arange(5, 0, -1)
    after = times_s[-1] + (times_s[-1] - times_s[-2]) * np.arange(1, 6)
    knots = np.concatenate([before, times_s, after])
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.cos(2 * np.pi * np.interp(t, knots, np.arange(len(knots))))

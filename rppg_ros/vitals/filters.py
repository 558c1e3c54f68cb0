"""Zero-phase filters for short waveforms."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import signal


@lru_cache(maxsize=64)
def _band_sections(rate_hz: float, low_hz: float, high_hz: float, order: int) -> np.ndarray:
    nyquist = rate_hz / 2
    if not 0 < low_hz < high_hz:
        raise ValueError(f"a band needs 0 < low < high, got {low_hz} to {high_hz} Hz")
    if low_hz >= nyquist:
        raise ValueError(f"a band from {low_hz} Hz cannot be seen at {rate_hz} samples per second")
    band = (low_hz, "highpass") if high_hz >= nyquist else ((low_hz, high_hz), "bandpass")
    sections: np.ndarray = signal.butter(order, *band, fs=rate_hz, output="sos")
    return sections


def bandpass(samples: np.ndarray, rate_hz: float, low_hz: float, high_hz: float, order: int = 2) -> np.ndarray:
    """Butterworth band-pass, forwards and backwards, so that nothing shifts in time.

    Parameters
    ----------
    samples : (n, ...) along the first axis.
    rate_hz : samples per second; an upper edge at or above half of it is left open.
    low_hz, high_hz : band edges, Hz.
    order : of the one-way filter.

    Returns
    -------
    (n, ...) float64. The ends are padded with their odd reflection over up to one period of the lower edge.
    """
    samples = np.asarray(samples, dtype=np.float64)
    sections = _band_sections(float(rate_hz), float(low_hz), float(high_hz), int(order))
    pad = min(len(samples) - 1, int(rate_hz / low_hz))
    if pad < 1:
        return np.zeros_like(samples)
    filtered: np.ndarray = signal.sosfiltfilt(sections, samples, axis=0, padtype="odd", padlen=pad)
    return filtered


def standardise(samples: np.ndarray) -> np.ndarray:
    """Zero mean and unit variance; all zeros for a flat input."""
    samples = np.asarray(samples, dtype=np.float64)
    spread = samples.std()
    centred = samples - samples.mean()
    return centred / spread if spread > 1e-12 * (1.0 + np.abs(samples).max(initial=0.0)) else np.zeros_like(samples)

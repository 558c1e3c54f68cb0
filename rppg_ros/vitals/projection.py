"""Training-free pulse from the mean colour of the skin: POS and CHROM."""

from __future__ import annotations

import numpy as np

from rppg_ros.vitals.filters import bandpass

WINDOW_S = 1.6  # both papers: long enough for one beat at 40 per minute
CHROM_BAND_HZ = (0.66, 4.0)  # de Haan and Jeanne filter to 40-240 beats per minute
_POS_PLANE = np.array([[0.0, 1.0, -1.0], [-2.0, 1.0, 1.0]])
_TINY = 1e-9


def window_length(rate_hz: float) -> int:
    """Samples of one projection window."""
    return max(2, round(WINDOW_S * rate_hz))


def pos(rgb: np.ndarray, rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Plane orthogonal to skin (Wang, den Brinker, Stuijk, de Haan, TBME 2017, algorithm 1).

    Parameters
    ----------
    rgb : (n, 3) mean colour of the skin, any linear scale.
    rate_hz : samples per second.

    Returns
    -------
    pulse : (n,) mean of the overlapping windows' projections, relative colour change.
    count : (n,) how many windows each sample had; joins block to block without a seam when used as the weight.
    """
    rgb = _checked(rgb)
    length = window_length(rate_hz)
    if len(rgb) < length:
        return np.zeros(len(rgb)), np.zeros(len(rgb))
    windows = np.lib.stride_tricks.sliding_window_view(rgb, length, axis=0)  # (w, 3, length)
    normal = windows / np.maximum(windows.mean(axis=2, keepdims=True), _TINY)
    plane = _POS_PLANE @ normal  # (w, 2, length)
    alpha = plane[:, 0].std(axis=1) / np.maximum(plane[:, 1].std(axis=1), _TINY)
    # The paper's h follows the reflected light; blood absorbs, so bvp (positive with more blood) is its negative.
    pulse = -(plane[:, 0] + alpha[:, None] * plane[:, 1])
    pulse -= pulse.mean(axis=1, keepdims=True)
    places = (np.arange(len(pulse))[:, None] + np.arange(length)).ravel()
    total: np.ndarray = np.bincount(places, weights=pulse.ravel(), minlength=len(rgb))
    count: np.ndarray = np.bincount(places, weights=np.ones(len(places)), minlength=len(rgb))
    return total / np.maximum(count, 1), count


def chrom(rgb: np.ndarray, rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Chrominance method (de Haan and Jeanne, TBME 2013), Hann windows of 1.6 s with half overlap.

    Parameters and returns as `pos`; count holds the sum of the windows' weights.
    """
    rgb = _checked(rgb)
    length = window_length(rate_hz) // 2 * 2
    total, count = np.zeros(len(rgb)), np.zeros(len(rgb))
    taper = np.hanning(length + 1)[:-1]
    for start in range(0, len(rgb) - length + 1, length // 2):
        part = slice(start, start + length)
        normal = rgb[part] / np.maximum(rgb[part].mean(axis=0), _TINY)
        x = 3 * normal[:, 0] - 2 * normal[:, 1]
        y = 1.5 * normal[:, 0] + normal[:, 1] - 1.5 * normal[:, 2]
        x, y = bandpass(np.stack([x, y], axis=1), rate_hz, *CHROM_BAND_HZ).T
        piece = x - x.std() / max(y.std(), _TINY) * y
        total[part] += taper * (piece - piece.mean())
        count[part] += taper
    return np.divide(total, count, out=np.zeros_like(total), where=count > _TINY), count


def _checked(rgb: np.ndarray) -> np.ndarray:
    rgb = np.asarray(rgb, dtype=np.float64)
    if rgb.ndim != 2 or rgb.shape[1] != 3:
        raise ValueError(f"skin colour must be (n, 3), got {rgb.shape}")
    return rgb

"""Puts unevenly stamped values on an even clock."""

from __future__ import annotations

import numpy as np

from rppg_ros.types import NS_PER_S


def grid_ns(start_ns: int, rate_hz: float, first: int, count: int) -> np.ndarray:
    """Stamps, int64 ns, of the points first..first+count-1 of the clock that starts at start_ns; no drift at any index."""
    since_ns: np.ndarray = np.round(np.arange(first, first + count) * (NS_PER_S / rate_hz)).astype(np.int64)
    return start_ns + since_ns


def resample(stamps_ns: np.ndarray, values: np.ndarray, at_ns: np.ndarray) -> np.ndarray:
    """Values at other times, by linear interpolation, or by the mean over a clock cell where the source is faster.

    A source with two frames or more in a cell (half a period each side of a clock point) is averaged over the cell, as the
    exact mean of its linear interpolant: a 60 Hz camera's extra frames lower the noise instead of being thrown away.

    Parameters
    ----------
    stamps_ns : (n,) int64, strictly rising.
    values : (n, ...) any real dtype.
    at_ns : (m,) int64, evenly spaced, rising.

    Returns
    -------
    (m, ...) float32. Outside the stamps the nearest value is held.

    Raises
    ------
    ValueError : no values, lengths that differ, or stamps that do not rise.
    """
    stamps_ns = np.asarray(stamps_ns, dtype=np.int64)
    at_ns = np.asarray(at_ns, dtype=np.int64)
    if len(stamps_ns) == 0 or len(stamps_ns) != len(values):
        raise ValueError(f"resample needs one stamp for each value, got {len(stamps_ns)} and {len(values)}")
    if np.any(np.diff(stamps_ns) <= 0):
        raise ValueError("resample needs stamps that rise")
    if _faster_than_clock(stamps_ns, at_ns):
        return _cell_means(stamps_ns, values, at_ns)
    return _interpolate(stamps_ns, values, at_ns)


def _faster_than_clock(stamps_ns: np.ndarray, at_ns: np.ndarray) -> bool:
    if len(at_ns) < 2 or len(stamps_ns) < 3:
        return False
    clock = float(at_ns[-1] - at_ns[0]) / (len(at_ns) - 1)
    return float(np.median(np.diff(stamps_ns))) < clock / 1.5


def _interpolate(stamps_ns: np.ndarray, values: np.ndarray, at_ns: np.ndarray) -> np.ndarray:
    left, weight = _bracket(stamps_ns, at_ns)
    right = np.minimum(left + 1, len(stamps_ns) - 1)
    weight = weight.astype(np.float32).reshape((-1,) + (1,) * (np.ndim(values) - 1))
    low = np.asarray(values[left], dtype=np.float32)
    between: np.ndarray = low + weight * (np.asarray(values[right], dtype=np.float32) - low)
    return between


def _bracket(stamps_ns: np.ndarray, at_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the stamp at or before each time, and how far (0..1) each lies towards the next."""
    left = np.clip(np.searchsorted(stamps_ns, at_ns, side="right") - 1, 0, max(len(stamps_ns) - 2, 0))
    if len(stamps_ns) == 1:
        return left, np.zeros(len(at_ns))
    span = stamps_ns[left + 1] - stamps_ns[left]
    return left, np.clip((at_ns - stamps_ns[left]) / span, 0.0, 1.0)


def _cell_means(stamps_ns: np.ndarray, values: np.ndarray, at_ns: np.ndarray) -> np.ndarray:
    half = (at_ns[-1] - at_ns[0]) // (2 * (len(at_ns) - 1))
    edges = np.stack([at_ns - half, at_ns + half])
    edges = np.clip(edges, stamps_ns[0], stamps_ns[-1])
    integral = _integral(stamps_ns, values, edges.ravel()).reshape((2, len(at_ns)) + np.shape(values)[1:])
    width = (edges[1] - edges[0]) / NS_PER_S
    empty = width <= 0
    means = (integral[1] - integral[0]) / np.where(empty, 1.0, width).reshape((-1,) + (1,) * (np.ndim(values) - 1))
    if empty.any():
        means[empty] = _interpolate(stamps_ns, values, at_ns[empty])
    reduced: np.ndarray = means.astype(np.float32)
    return reduced


def _integral(stamps_ns: np.ndarray, values: np.ndarray, at_ns: np.ndarray) -> np.ndarray:
    """Integral of the linear interpolant from the first stamp to each time, in value seconds, float64."""
    values = np.asarray(values, dtype=np.float64)
    steps = (np.diff(stamps_ns) / NS_PER_S).reshape((-1,) + (1,) * (values.ndim - 1))
    knots = np.concatenate([np.zeros_like(values[:1]), np.cumsum(steps * (values[1:] + values[:-1]) / 2, axis=0)])
    left, weight = _bracket(stamps_ns, at_ns)
    weight = weight.reshape((-1,) + (1,) * (values.ndim - 1))
    slope = values[left + 1] - values[left]
    at: np.ndarray = knots[left] + steps[left] * weight * (values[left] + weight * slope / 2)
    return at

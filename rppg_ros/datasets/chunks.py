"""Waveforms of contact sensors in even pieces, as our messages carry them."""

from __future__ import annotations

import numpy as np

from rppg_ros.datasets.base import Trace
from rppg_ros.types import NS_PER_S

CHUNK_S = 1.0
EVEN = 0.02  # a trace whose steps vary by less than this share keeps its samples
# A straight line over more than this is no pulse any more; slow sensors may miss two samples.
MAX_GAP_S = 0.25
MAX_GAP_STEPS = 3.0


def chunks(trace: Trace) -> list[tuple[int, float, np.ndarray]]:
    """A trace in even pieces of about a second: (first stamp, samples per second, samples).

    An evenly sampled trace keeps its samples; another is put on an even clock as fast as its usual step. Gaps stay gaps.
    """
    out = []
    for stamps_ns, values in _stretches(trace):
        rate_hz, samples = _evened(stamps_ns, values)
        even_ns = _even(stamps_ns[0], rate_hz, len(samples))
        size = max(1, round(CHUNK_S * rate_hz))
        out += [(int(even_ns[i]), rate_hz, samples[i : i + size]) for i in range(0, len(samples), size)]
    return out


def _stretches(trace: Trace) -> list[tuple[np.ndarray, np.ndarray]]:
    """Parts without gaps, of two values or more."""
    known = np.isfinite(trace.values)
    stamps_ns, values = trace.stamps_ns[known], trace.values[known]
    if len(stamps_ns) < 2:
        return []
    steps = np.diff(stamps_ns)
    cuts = np.flatnonzero(steps > max(MAX_GAP_S * NS_PER_S, MAX_GAP_STEPS * np.median(steps))) + 1
    parts = zip(np.split(stamps_ns, cuts), np.split(values, cuts), strict=True)
    return [(at_ns, numbers) for at_ns, numbers in parts if len(at_ns) > 1]


def _evened(stamps_ns: np.ndarray, values: np.ndarray) -> tuple[float, np.ndarray]:
    """Samples per second, and samples."""
    steps, span_ns = np.diff(stamps_ns), int(stamps_ns[-1] - stamps_ns[0])
    if np.ptp(steps) <= max(1.0, EVEN * np.median(steps)):
        return len(steps) * NS_PER_S / span_ns, values
    rate_hz = NS_PER_S / float(np.median(steps))
    even_ns = _even(0, rate_hz, int(span_ns * rate_hz / NS_PER_S) + 1)
    return rate_hz, np.interp(even_ns, stamps_ns - stamps_ns[0], values)


def _even(start_ns: int, rate_hz: float, count: int) -> np.ndarray:
    since_ns: np.ndarray = np.round(np.arange(count) * (NS_PER_S / rate_hz)).astype(np.int64)
    return start_ns + since_ns

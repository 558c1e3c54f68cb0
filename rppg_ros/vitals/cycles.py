"""Counts the cycles of a waveform: its mean rate however that wanders, and how even they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rppg_ros.vitals.filters import bandpass, standardise
from rppg_ros.vitals.registry import RateSpec

THRESHOLD = 0.2  # of the upper quartile of the maxima: a smaller one is no cycle
MIN_INTERVALS = 2


@dataclass(frozen=True, slots=True)
class Cycles:
    """What was counted.

    Attributes
    ----------
    per_minute : from the first cycle's top to the last one's. intervals : so many cycles lie between.
    longest : interval, as a share of the median: from 1.7 or so on a cycle was missed, or held.
    irregularity : standard deviation of the intervals, as a share of their mean. Breaths have 0.05 to 0.25; noise in the band of
        breathing, whatever its spectrum's peak says, 0.3 and more.
    """

    per_minute: float
    intervals: int
    longest: float
    irregularity: float


def count_cycles(samples: np.ndarray, rate_hz: float, spec: RateSpec) -> Cycles | None:
    """Count in the band of a rate, after Schäfer and Kratky (2008, "Estimation of breathing rate from respiratory sinus
    arrhythmia"): a cycle lies between neighbouring maxima above a threshold with a minimum below zero between them.

    Parameters
    ----------
    samples : (n,) evenly sampled waveform.

    Returns
    -------
    None where there are fewer than MIN_INTERVALS whole cycles.
    """
    wave = bandpass(standardise(samples), rate_hz, spec.low_hz, spec.high_hz)  # flat stays flat, whatever rounding does
    rising = np.diff(wave) > 0
    tops = np.flatnonzero(rising[:-1] & ~rising[1:]) + 1
    if len(tops) <= MIN_INTERVALS:
        return None
    tops = tops[wave[tops] > THRESHOLD * np.quantile(wave[tops], 0.75)]
    kept: list[int] = []
    for top in tops:
        if not kept or wave[kept[-1] : top].min() < 0:
            kept.append(int(top))
        elif wave[top] > wave[kept[-1]]:
            kept[-1] = int(top)
    if len(kept) <= MIN_INTERVALS:
        return None
    intervals = np.diff(kept) / rate_hz
    longest = float(intervals.max() / np.median(intervals))
    return Cycles(60 / float(intervals.mean()), len(intervals), longest, float(intervals.std() / intervals.mean()))

"""Whether a video's keyframes have a rhythm that could be taken for a pulse.

An encoder that holds its bit rate makes keyframes coarser than what follows and mends them frame by frame, so a face changes its
brightness by some tenths of a percent from keyframe to keyframe: as much as a pulse does. Keyframes once a second look like a
heart rate of 60 to any method.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rppg_ros.sources import film

MIN_KEYFRAMES = 5
EVEN = 0.05  # standard deviation of the intervals, as a share of their mean
PULSES_PER_MINUTE = (20.0, 200.0)  # from half a heart's slowest rate: a rhythm has a second harmonic


def keyframe_times(path: str | Path) -> np.ndarray:
    """Times of a lossy video's keyframes (n,), seconds, without decoding it; empty where its container does not say."""
    return np.array([] if film.facts(path).lossless else list(film.keyframes(path)))


def rhythm_per_minute(times_s: np.ndarray) -> float | None:
    """How often keyframes come, if they come evenly and about as often as hearts beat; None otherwise.

    Parameters
    ----------
    times_s : (n,) of the keyframes.
    """
    if len(times_s) < MIN_KEYFRAMES:
        return None
    intervals = np.diff(times_s)
    mean = float(intervals.mean())
    low, high = PULSES_PER_MINUTE
    even = mean > 0 and intervals.std() < EVEN * mean
    return 60 / mean if even and low <= 60 / mean <= high else None


def caution(path: str | Path) -> str:
    """What to say to a reader of this video's vitals; empty: nothing."""
    rate = rhythm_per_minute(keyframe_times(path))
    if rate is None:
        return ""
    return (
        f"{Path(path).name}: its keyframes come {rate:.1f} times a minute and change a face about as much as a pulse does:"
        f" a heart rate near {rate:.0f} or a multiple may be the compression's"
    )

"""A whole recording at once: the belief of each second by what came before and after it, and one result for all of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rppg_ros.types import Vital
from rppg_ros.vitals.belief import WITHIN, Believed, believed, smoothed
from rppg_ros.vitals.observation import ObservationModel, shipped_model
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.spectral_evidence import GRIDS, features
from rppg_ros.vitals.witnesses import witnesses


@dataclass(frozen=True, slots=True)
class Session:
    """What is believed of a recording.

    Attributes
    ----------
    at_s : (T,) ends of the looks, seconds from the first sample. seconds : T readings, each by the whole recording.
    overall : of the rate at any time of the recording: its interval holds what the rate did, and what is not known of it.
    """

    at_s: np.ndarray
    seconds: tuple[Believed, ...]
    overall: Believed


def session(
    vital: Vital,
    samples: np.ndarray,
    rate_hz: float,
    evidence: np.ndarray | None = None,
    frame_s: float = math.nan,
    model: ObservationModel | None = None,
) -> Session | None:
    """Read a whole waveform.

    Parameters
    ----------
    samples : (n,) evenly sampled waveform. evidence : (n, WIDTH) on the same clock, see vitals.witnesses; None: there is none.
    frame_s : time from frame to frame of the camera; NaN: not known.

    Returns
    -------
    None for less than the shortest look (8 s for the heart, 30 s for breath), or a flat or non-finite waveform.
    """
    grid, band, model = GRIDS[vital], RATES[vital].per_minute, model or shipped_model(vital)
    samples = np.asarray(samples, np.float64)
    ends = np.arange(math.ceil(grid.min_s), int(len(samples) / rate_hz + 1e-9) + 1)
    if not len(ends) or not np.isfinite(samples).all() or not np.ptp(samples):
        return None
    looks = [model.scores(_look(vital, samples, rate_hz, evidence, frame_s, int(end))) for end in ends]
    beliefs = smoothed(looks, model, vital)
    seconds = tuple(believed(one, grid, band, WITHIN[vital]) for one in beliefs)
    return Session(ends.astype(float), seconds, believed(beliefs.mean(axis=0), grid, band, WITHIN[vital]))


def _look(
    vital: Vital, samples: np.ndarray, rate_hz: float, evidence: np.ndarray | None, frame_s: float, end_s: int
) -> np.ndarray:
    grid, last = GRIDS[vital], round(end_s * rate_hz)
    begin, near = (max(0, last - round(span * rate_hz)) for span in (grid.long_s, grid.window_s))
    heard = witnesses(vital, samples[begin:last], None if evidence is None else evidence[near:last], rate_hz)
    return features(vital, heard, rate_hz, frame_s)

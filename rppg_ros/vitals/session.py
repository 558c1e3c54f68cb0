"""A whole recording at once: the belief of each second by what came before and after it, and one result for all of it."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from rppg_ros.types import NS_PER_S, Rate, Status, Vital
from rppg_ros.vitals.belief import WITHIN, Believed, believed, smoothed
from rppg_ros.vitals.observation import ObservationModel, shipped_model
from rppg_ros.vitals.reasons import explain
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.spectral_evidence import GRIDS, features
from rppg_ros.vitals.witnesses import witnesses

LONGEST_S = 1800  # of looks that are kept, seconds


@dataclass(frozen=True, slots=True)
class Session:
    """What is believed of a recording.

    Attributes
    ----------
    at_s : (T,) ends of the looks, seconds: from the first sample, or of their stamps.
    seconds : T readings, each by the whole recording.
    overall : of the rate at any time of the recording: its interval holds what the rate did, and what is not known of it.
    """

    at_s: np.ndarray
    seconds: tuple[Believed, ...]
    overall: Believed


def overall_rate(vital: Vital, found: Session | None, least_quality: float, model: str = "") -> Rate:
    """One rate for all of a recording, or why there is none.

    Parameters
    ----------
    found : None: there was not enough of a waveform. least_quality : less belief gives no number.
    """
    if found is None:
        return Rate.unknown(vital, "", 0, Status.WARMING_UP, model)
    whole, (low, high) = found.overall, RATES[vital].per_minute
    end_ns = round(float(found.at_s[-1]) * NS_PER_S)
    window_s = float(found.at_s[-1] - found.at_s[0]) + GRIDS[vital].look_s
    # So written that NaN fails.
    if whole.quality >= least_quality and low <= whole.per_minute <= high:
        numbers = (whole.per_minute, whole.std, math.nan, whole.quality)
        return Rate(vital, "", end_ns, *numbers, Status.OK, window_s, model, low=whole.low, high=whole.high)
    why = explain(whole, None, math.nan)
    reasons, shares = tuple(reason for reason, _ in why), tuple(share for _, share in why)
    rate = Rate.unknown(vital, "", end_ns, Status.LOW_QUALITY, model, window_s, reasons, shares)
    return replace(rate, quality=whole.quality if math.isfinite(whole.quality) else 0.0)


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
    None for less than a rate needs (8 s for the heart, 30 s for breath), or a flat or non-finite waveform.
    """
    grid, model = GRIDS[vital], model or shipped_model(vital)
    samples = np.asarray(samples, np.float64)
    ends = np.arange(math.ceil(grid.look_s), int(len(samples) / rate_hz + 1e-9) + 1)
    if not len(ends) or ends[-1] < grid.min_s or not np.isfinite(samples).all() or not np.ptp(samples):
        return None
    looks: list[np.ndarray | None] = [
        model.scores(_look(vital, samples, rate_hz, evidence, frame_s, int(end))) for end in ends
    ]
    return _judged(vital, ends.astype(float), looks, model)


class LookLog:
    """The looks at every face while they are taken, and one result of them: what a session, or a whole recording, comes to.

    The newest half an hour of each face is kept, about 3 kB a look. One thread may add while another reads.
    """

    def __init__(self) -> None:
        self._looks: dict[tuple[Vital, str], deque[tuple[int, np.ndarray]]] = {}
        self._lock = threading.Lock()

    def add(self, vital: Vital, face_id: str, stamp_ns: int, scores: np.ndarray) -> None:
        """Take one look."""
        with self._lock:
            kept = self._looks.setdefault((vital, face_id), deque(maxlen=LONGEST_S))
            if kept and stamp_ns <= kept[-1][0]:
                kept.clear()  # time runs anew
            kept.append((stamp_ns, scores.astype(np.float32)))

    def faces(self, vital: Vital) -> list[str]:
        """Faces that were looked at, the longest first."""
        with self._lock:
            found = [(len(looks), face) for (of, face), looks in self._looks.items() if of is vital]
        return [face for _, face in sorted(found, key=lambda one: -one[0])]

    def session(
        self,
        vital: Vital,
        face_id: str,
        since_ns: int | None = None,
        model: ObservationModel | None = None,
    ) -> Session | None:
        """What all looks at a face come to, from a stamp on; None: there were too few for a rate."""
        with self._lock:
            kept = [look for look in self._looks.get((vital, face_id), ()) if since_ns is None or look[0] >= since_ns]
        if len(kept) <= GRIDS[vital].min_s - GRIDS[vital].look_s:
            return None
        at_s, looks = _second_by_second(kept)
        return _judged(vital, at_s, looks, model or shipped_model(vital))


def _second_by_second(kept: Iterable[tuple[int, np.ndarray]]) -> tuple[np.ndarray, list[np.ndarray | None]]:
    """Looks with the seconds between them that had none."""
    at_s: list[float] = []
    looks: list[np.ndarray | None] = []
    for stamp_ns, scores in kept:
        stamp_s = stamp_ns / NS_PER_S
        while at_s and stamp_s - at_s[-1] > 1.5:  # noqa: PLR2004 - nearer to the next second than to this
            at_s.append(at_s[-1] + 1.0)
            looks.append(None)
        at_s.append(stamp_s)
        looks.append(scores.astype(np.float64))
    return np.array(at_s), looks


def _judged(vital: Vital, at_s: np.ndarray, looks: list[np.ndarray | None], model: ObservationModel) -> Session:
    grid, band = GRIDS[vital], RATES[vital].per_minute
    beliefs = smoothed(looks, model, vital)
    seconds = tuple(believed(one, grid, band, WITHIN[vital]) for one in beliefs)
    return Session(at_s, seconds, believed(beliefs.mean(axis=0), grid, band, WITHIN[vital]))


def _look(
    vital: Vital, samples: np.ndarray, rate_hz: float, evidence: np.ndarray | None, frame_s: float, end_s: int
) -> np.ndarray:
    grid, last = GRIDS[vital], round(end_s * rate_hz)
    begin, near = (max(0, last - round(span * rate_hz)) for span in (grid.long_s, grid.window_s))
    heard = witnesses(vital, samples[begin:last], None if evidence is None else evidence[near:last], rate_hz)
    return features(vital, heard, rate_hz, frame_s)

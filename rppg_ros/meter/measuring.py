"""One measurement on request: watches what the vitals half gives; says how far it is, what would help, and what it came to."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from rppg_ros.inference.waves import Output
from rppg_ros.types import NS_PER_S, Rate, Reason, Status, Vital, Waveform
from rppg_ros.vitals.session import LONGEST_S, Session, overall_rate
from rppg_ros.vitals.spectral_evidence import GRIDS

SECONDS = {Vital.BVP: 30.0, Vital.RSP: 60.0}  # of a measurement that says nothing of its length
CERTAIN = 0.95
SETTLED_S = 5.0  # after what a rate needs at least: before, a belief is young, and may still turn
PRESENT_S = 3.0  # what keeps the measurement from going on now, and not what did a while ago
HOPELESS_S = 5.0  # nothing was ever said of a vital sign but that this engine cannot measure it
LEAST_SHARE = 0.1
MAX_PAUSE_S = 0.5  # between pieces of a waveform that belong together
JUMP_S = 10.0  # outputs lie behind one another by less; a stamp that is so much older is of a clock that jumped back
SessionOf = Callable[[Vital, str, int], Session | None]
"""What all since a stamp comes to, of a vital sign of a face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuringPlan:
    """What was asked for.

    Attributes
    ----------
    vitals : which, at least one. seconds : the longest that it may take; 0: SECONDS of the slowest of them.
    face_id : whom; empty: who is measured longest while it lasts.
    certainty : of each rate, 0..1, at which it ends early; 0: CERTAIN.
    """

    vitals: tuple[Vital, ...]
    seconds: float = 0.0
    face_id: str = ""
    certainty: float = 0.0

    def __post_init__(self) -> None:
        if not self.vitals:
            raise ValueError("a measurement is of the heart rate, the respiration rate, or both: none was asked for")
        if not 0 <= self.seconds <= LONGEST_S:
            raise ValueError(f"seconds must be 0 or more, and {LONGEST_S:g} at most, not {self.seconds:g}")
        if not 0 <= self.certainty <= 1:
            raise ValueError(f"certainty must be from 0 to 1, not {self.certainty:g}")

    @property
    def longest_s(self) -> float:
        """How long it may take."""
        return self.seconds or max(SECONDS[vital] for vital in self.vitals)

    @property
    def enough(self) -> float:
        """Quality at which it ends early."""
        return self.certainty or CERTAIN


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measurement came to, or has come to so far.

    Attributes
    ----------
    rates : one of each vital sign that was asked for: one estimate of all that was seen, or why there is none.
    waveforms : of each, the longest piece without a gap.
    """

    face_id: str
    start_ns: int
    end_ns: int
    rates: Mapping[Vital, Rate]
    waveforms: Mapping[Vital, Waveform] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether each vital sign has a number."""
        return all(rate.status is Status.OK for rate in self.rates.values())


class Measuring:
    """A measurement that goes on. All times are those of the camera.

    Parameters
    ----------
    session : see SessionOf. least_quality : of a rate that is given as a number. model : name of the engine.
    start_ns : only what was seen after it counts; None: it begins with what comes first.

    Attributes
    ----------
    restarts : how often it began anew because the clock jumped back.
    """

    def __init__(
        self,
        plan: MeasuringPlan,
        session: SessionOf,
        least_quality: Mapping[Vital, float],
        model: str,
        start_ns: int | None = None,
    ) -> None:
        self.plan = plan
        self._session, self._least, self._model = session, least_quality, model
        self.restarts = 0
        self._begin(start_ns)

    def _begin(self, start_ns: int | None) -> None:
        self.start_ns, self.end_ns = start_ns, start_ns
        self._heard: dict[tuple[Vital, str], list[Rate]] = {}
        self._recent: deque[Rate] = deque()
        self._pieces: dict[tuple[Vital, str], list[list[Waveform]]] = {}
        self._measured: Counter[str] = Counter()
        self._present: dict[Vital, Rate] = {}

    def take(self, output: Output, now_ns: int | None = None) -> None:
        """Take a waveform or a rate that the vitals half gives.

        Parameters
        ----------
        now_ns : stamp of the newest image; what is far from it was held back from before a pause, or a clock that jumped.
        """
        if output.vital not in self.plan.vitals:
            return
        if isinstance(output, Rate) and output.status is Status.STALE:  # its stamp is that of the last image
            self._heard.setdefault((output.vital, output.face_id), []).append(output)
            self._present.clear()
            return
        first_ns, last_ns = _span_ns(output)
        if now_ns is not None and abs(last_ns - now_ns) > JUMP_S * NS_PER_S:
            return
        if self.end_ns is not None and last_ns < self.end_ns - JUMP_S * NS_PER_S:
            self.restarts += 1
            self._begin(None)  # the clock jumped back: what was seen before is of another time
        if self.start_ns is None:
            self.start_ns = self.end_ns = first_ns
        if last_ns < self.start_ns:
            return
        self.end_ns = max(self.end_ns or last_ns, last_ns)
        if self.plan.face_id and output.face_id not in ("", self.plan.face_id):
            self._present.clear()
            return
        if isinstance(output, Waveform):
            self._measured[output.face_id] += len(output.samples)
            self._keep(output)
            return
        self._heard.setdefault((output.vital, output.face_id), []).append(output)
        self._recent.append(output)
        while self._recent and self._recent[0].stamp_ns < output.stamp_ns - PRESENT_S * NS_PER_S:
            self._recent.popleft()
        self._present.clear()

    @property
    def elapsed_s(self) -> float:
        """Camera time since the beginning."""
        return 0.0 if self.start_ns is None or self.end_ns is None else (self.end_ns - self.start_ns) / NS_PER_S

    @property
    def progress(self) -> float:
        """0..1: of the time that it may take."""
        return min(self.elapsed_s / self.plan.longest_s, 1.0)

    @property
    def face_id(self) -> str:
        """Whom it measures at present; empty: nobody yet."""
        if self.plan.face_id:
            return self.plan.face_id
        return self._measured.most_common(1)[0][0] if self._measured else ""

    @property
    def over(self) -> bool:
        """Whether it is: its time has passed, all is certain enough, or it cannot come to anything."""
        if self.elapsed_s >= self.plan.longest_s:
            return True
        if self.elapsed_s >= HOPELESS_S and all(self._unsupported(vital) for vital in self.plan.vitals):
            return True
        open_to = [vital for vital in self.plan.vitals if not self._unsupported(vital)]
        if not open_to or self.elapsed_s < max(GRIDS[vital].min_s for vital in open_to) + SETTLED_S:
            return False
        return all(self._sure(rate) for vital, rate in self.rates().items() if vital in open_to)

    def rates(self) -> dict[Vital, Rate]:
        """What is believed at present, by all that was seen so far."""
        for vital in self.plan.vitals:
            if vital not in self._present:
                self._present[vital] = self._rate(vital)
        return dict(self._present)

    def hindrances(self) -> list[Reason]:
        """What keeps it from being sure, of the last seconds, the weightiest first."""
        heard = [rate for rate in self._recent if rate.face_id in ("", self.face_id) and rate.status is not Status.OK]
        found = _weighed(heard)
        found.pop(Reason.WARMING_UP, None)
        return sorted(found, key=lambda reason: -found[reason])

    def result(self) -> Measured:
        """What it came to."""
        waves = {vital: wave for vital in self.plan.vitals if (wave := self._wave(vital)) is not None}
        return Measured(self.face_id, self.start_ns or 0, self.end_ns or 0, self.rates(), waves)

    def _sure(self, rate: Rate) -> bool:
        return rate.status is Status.OK and rate.quality >= self.plan.enough

    def _unsupported(self, vital: Vital) -> bool:
        heard = [rate for (of, _), rates in self._heard.items() if of is vital for rate in rates]
        return (
            bool(heard)
            and all(rate.status in (Status.UNSUPPORTED, Status.NO_FACE) for rate in heard)
            and any(rate.status is Status.UNSUPPORTED for rate in heard)
        )

    def _rate(self, vital: Vital) -> Rate:
        found = self._session(vital, self.face_id, self.start_ns or 0) if self.face_id else None
        heard = self._heard.get((vital, self.face_id), []) + (self._heard.get((vital, ""), []) if self.face_id else [])
        if not self.face_id:
            heard = [rate for (of, _), rates in self._heard.items() if of is vital for rate in rates]
        if found is None and not heard and self.plan.face_id and self.elapsed_s:
            return Rate.unknown(vital, self.plan.face_id, self.end_ns or 0, Status.NO_FACE, self._model)
        whole = overall_rate(vital, found, self._least[vital], self._model)
        whole = replace(whole, face_id=self.face_id, stamp_ns=self.end_ns or 0)
        if whole.status is Status.OK or not heard:
            return whole
        return self._explained(whole, heard, found is None)

    def _explained(self, whole: Rate, heard: list[Rate], unread: bool) -> Rate:
        """Why there is no number, by all that was said while it lasted."""
        silent = [rate for rate in heard if rate.status is not Status.OK]
        status = Counter(rate.status for rate in silent).most_common(1)[0][0] if silent and unread else whole.status
        reasons = _weighed(silent)
        if not unread:  # the belief's own reasons are of all of it; what the picture showed is added
            reasons.pop(Reason.WARMING_UP, None)
            reasons |= dict(zip(whole.reasons, whole.shares, strict=True))
        weighty = sorted(reasons.items(), key=lambda pair: -pair[1])
        told = [(reason, round(share, 3)) for reason, share in weighty if share >= LEAST_SHARE]
        told = told or list(zip(whole.reasons, whole.shares, strict=True))
        return replace(
            whole,
            status=status,
            reasons=tuple(reason for reason, _ in told),
            shares=tuple(share for _, share in told),
        )

    def _keep(self, wave: Waveform) -> None:
        runs = self._pieces.setdefault((wave.vital, wave.face_id), [])
        pause_ns = abs(wave.start_ns - runs[-1][-1].end_ns) if runs else 0
        if runs and pause_ns <= MAX_PAUSE_S * NS_PER_S and runs[-1][-1].rate_hz == wave.rate_hz:
            runs[-1].append(wave)
        else:
            runs.append([wave])

    def _wave(self, vital: Vital) -> Waveform | None:
        runs = self._pieces.get((vital, self.face_id))
        if not runs:
            return None
        longest = max(runs, key=lambda run: sum(len(wave.samples) for wave in run))
        samples = np.concatenate([wave.samples for wave in longest])
        known = [wave.quality for wave in longest if math.isfinite(wave.quality)]
        return replace(longest[0], samples=samples, quality=float(np.mean(known)) if known else math.nan)


def _weighed(rates: list[Rate]) -> dict[Reason, float]:
    """Mean share of each reason over some rates."""
    out: dict[Reason, float] = {}
    for rate in rates:
        for reason, share in zip(rate.reasons, rate.shares or (1.0,) * len(rate.reasons), strict=True):
            out[reason] = out.get(reason, 0.0) + share / len(rates)
    return out


def _span_ns(output: Output) -> tuple[int, int]:
    return (output.start_ns, output.end_ns) if isinstance(output, Waveform) else (output.stamp_ns, output.stamp_ns)

"""Worker half of the vitals: runs the engine on windows, grows each face's waveforms and reads the rates off them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from rppg_ros.inference.clips import MAX_THERMAL_GAP_S, ClipEnd, Window
from rppg_ros.inference.engine import Engine, Memory
from rppg_ros.inference.evidence_log import EvidenceLog
from rppg_ros.inference.intake import Job
from rppg_ros.inference.overlap_add import OverlapAdd
from rppg_ros.sync.cadence import least_rate_hz
from rppg_ros.types import NS_PER_S, Rate, Reason, Status, Vital, Waveform
from rppg_ros.vitals.belief import LONGEST_S
from rppg_ros.vitals.gain import RunningGain
from rppg_ros.vitals.reader import PERIOD_S, RateReader
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.session import LookLog
from rppg_ros.vitals.spectral_evidence import GRIDS

Output = Waveform | Rate


@dataclass(slots=True)
class _GrowingWave:
    """One vital of waveform of one clip."""

    joined: OverlapAdd
    gain: RunningGain
    reader: RateReader


@dataclass(slots=True)
class _Clip:
    start_ns: int
    waves: dict[Vital, _GrowingWave] = field(default_factory=dict)
    unmeasured_due_ns: dict[Vital, int] = field(default_factory=dict)
    memory: Memory = field(default_factory=dict)
    evidence: EvidenceLog = field(default_factory=EvidenceLog)
    period_s: dict[Vital, float] = field(default_factory=dict)
    seen: int = 0  # clock index after the last window


class WaveMaker:
    """Jobs in the order the intake gave them; waveform chunks and rates out. Not for several threads at once.

    Attributes
    ----------
    min_quality : least quality of a rate that is given as a number; may be changed.
    looks : where the looks at all faces are kept, for a result over a whole session; None: nowhere.
    too_slow : why the newest rates of a vital sign cannot be told, for frames come too seldom; empty if they can.

    A window that was dropped on the way (a slow machine) leaves its samples to its neighbours, or a hole in the waveform.
    """

    def __init__(self, engine: Engine, min_quality: dict[Vital, float]) -> None:
        self._engine = engine
        self.min_quality = min_quality
        self.too_slow: dict[Vital, str] = {}
        self.looks: LookLog | None = None
        self._clips: dict[str, _Clip] = {}
        self._readers: dict[tuple[str, Vital], RateReader] = {}

    def run(self, job: Job) -> list[Output]:
        """Do one job."""
        return self._end(job) if isinstance(job, ClipEnd) else self._window(job)

    def _window(self, window: Window) -> list[Output]:
        clip = self._clips.get(window.face_id)
        if clip is None or clip.start_ns != window.clip_start_ns:
            clip = self._clips[window.face_id] = _Clip(window.clip_start_ns)
        if self._engine.plan.consecutive and window.first != clip.seen:
            clip.memory.clear()  # what was remembered does not end where this window begins
        clip.seen = window.end
        clip.evidence.add(window.evidence)
        thermal_s = window.thermal_period_s
        clip.period_s = {
            Vital.BVP: window.rgb_period_s,
            Vital.RSP: window.rgb_period_s if math.isnan(thermal_s) else max(thermal_s, window.rgb_period_s),
        }
        out: list[Output] = []
        measured = set()
        for part in self._engine.infer(window.rgb(), window.thermal(), clip.memory):
            growing = clip.waves.get(part.vital) or self._new_wave(clip, window.face_id, part.vital)
            growing.joined.add(window.first + part.offset, part.samples, part.weights)
            upto = window.end - self._engine.plan.hold_back[part.vital]
            out += self._grow(clip, window.face_id, part.vital, upto)
            measured.add(part.vital)
        for vital in set(clip.waves) - measured:  # thermal died: what was held back will not get better
            out += self._grow(clip, window.face_id, vital, clip.waves[vital].joined.end)
            del clip.waves[vital]
        out += self._say_unmeasured(clip, window, set(Vital) - measured)
        return out

    def _end(self, job: ClipEnd) -> list[Output]:
        out: list[Output] = []
        clip = self._clips.get(job.face_id)
        if clip is not None and clip.start_ns == job.clip_start_ns:
            del self._clips[job.face_id]
            for vital, growing in clip.waves.items():
                out += self._grow(clip, job.face_id, vital, growing.joined.end)
        for vital in Vital if job.gone else ():
            gone = Rate.unknown(
                vital, job.face_id, job.stamp_ns, Status.NO_FACE, self._engine.name, reasons=(job.absence,)
            )
            out.append(gone)
        return out

    def _new_wave(self, clip: _Clip, face_id: str, vital: Vital) -> _GrowingWave:
        plan = self._engine.plan
        growing = _GrowingWave(
            OverlapAdd(plan.longest, plan.align_sign),
            RunningGain(plan.rate_hz, 1 / RATES[vital].low_hz),
            self._reader(face_id, vital, clip.start_ns),
        )
        clip.waves[vital] = growing
        return growing

    def _reader(self, face_id: str, vital: Vital, now_ns: int) -> RateReader:
        """That of the face: what is believed of it outlasts a clip, so that a glance aside does not make it unknown."""
        for key, held in list(self._readers.items()):
            if held.end_ns is not None and abs(now_ns - held.end_ns) > LONGEST_S * NS_PER_S:
                del self._readers[key]
        if (face_id, vital) not in self._readers:
            self._readers[face_id, vital] = RateReader(
                RATES[vital], self.min_quality[vital], on_look=partial(self._looked, vital, face_id)
            )
        return self._readers[face_id, vital]

    def _looked(self, vital: Vital, face_id: str, stamp_ns: int, scores: np.ndarray) -> None:
        if self.looks is not None:
            self.looks.add(vital, face_id, stamp_ns, scores)

    def _grow(self, clip: _Clip, face_id: str, vital: Vital, upto: int) -> list[Output]:
        """Samples that became final, as chunks, and the rates that are due."""
        growing = clip.waves[vital]
        growing.reader.min_quality = self.min_quality[vital]
        out: list[Output] = []
        for first, samples in growing.joined.take(upto):
            wave = self._chunk(clip, face_id, vital, first, growing.gain.apply(samples))
            rate = growing.reader.push(wave, clip.evidence)
            told = samples.astype(np.float32) if self._engine.plan.levelled else wave.samples
            out.append(replace(wave, samples=told, quality=growing.reader.quality))
            if rate is not None:
                out.append(self._carried(clip, rate))
        return out

    def _carried(self, clip: _Clip, rate: Rate) -> Rate:
        """The rate; without its number where the frames come too seldom to carry it: it might be another one's alias."""
        period_s = clip.period_s.get(rate.vital, math.nan)
        least_hz = least_rate_hz(RATES[rate.vital].high_hz)
        too_slow = not period_s * least_hz <= 1  # true for NaN: too few frames to tell are too few for a rate
        self.too_slow[rate.vital] = (
            f"frames come every {period_s:.2f} s: {RATES[rate.vital].name} needs {least_hz:.1f} a second"
            if too_slow and not math.isnan(period_s)
            else ""
        )
        if rate.status is not Status.OK:
            return rate
        # A rate that exists, though it is not given, would be seen at the frame rate less itself.
        alias = 60 / period_s - rate.per_minute if period_s > 0 else math.nan
        if not too_slow:
            if not rate.per_minute <= alias <= GRIDS[rate.vital].high:
                return rate
            told = f"frames come every {period_s:.2f} s: a faster {RATES[rate.vital].name} may look like this one"
            self.too_slow[rate.vital] = told
        reasons = (Reason.CAMERA_TOO_SLOW,)
        return Rate.unknown(
            rate.vital, rate.face_id, rate.stamp_ns, Status.LOW_QUALITY, rate.model, rate.window_s, reasons
        )

    def _chunk(self, clip: _Clip, face_id: str, vital: Vital, first: int, samples: np.ndarray) -> Waveform:
        rate_hz = self._engine.plan.rate_hz
        start_ns = clip.start_ns + round(first * NS_PER_S / rate_hz)
        return Waveform(vital, face_id, start_ns, rate_hz, samples, float("nan"), self._engine.name)

    def _say_unmeasured(self, clip: _Clip, window: Window, vitals: set[Vital]) -> list[Output]:
        """Once a second: why there is no waveform of some vitals."""
        stamp_ns = int(window.at_ns[-1])
        out: list[Output] = []
        for vital in sorted(vitals):
            if stamp_ns < clip.unmeasured_due_ns.get(vital, 0):
                continue
            clip.unmeasured_due_ns[vital] = stamp_ns + round(PERIOD_S * NS_PER_S)
            status = self._unmeasured_status(window, vital)
            reason = window.thermal_state.reason if vital in self._engine.vitals else None
            reasons = () if reason is None or status is Status.WARMING_UP else (reason,)
            out.append(Rate.unknown(vital, window.face_id, stamp_ns, status, self._engine.name, reasons=reasons))
        return out

    def _unmeasured_status(self, window: Window, vital: Vital) -> Status:
        """An engine that has what it needs and says nothing yet wants a longer window, or one that thermal fills again."""
        if vital not in self._engine.vitals or not window.thermal_frames:
            return Status.UNSUPPORTED
        # A thermal camera that is back fills the window from its end.
        growing = len(window.at_ns) < self._engine.plan.longest
        since_s = (int(window.at_ns[-1]) - window.thermal_frames[-1][0]) / NS_PER_S
        return Status.WARMING_UP if growing or since_s <= MAX_THERMAL_GAP_S else Status.UNSUPPORTED

"""Worker half of the vitals: runs the engine on windows, grows each face's waveforms and reads the rates off them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from rppg_ros.inference.clips import ClipEnd, Window
from rppg_ros.inference.engine import Engine, Memory
from rppg_ros.inference.intake import Job
from rppg_ros.inference.overlap_add import OverlapAdd
from rppg_ros.types import NS_PER_S, Kind, Rate, Status, Waveform
from rppg_ros.vitals.gain import RunningGain
from rppg_ros.vitals.reader import PERIOD_S, RateReader
from rppg_ros.vitals.registry import RATES

Output = Waveform | Rate


@dataclass(slots=True)
class _Voice:
    """One kind of waveform of one clip."""

    joined: OverlapAdd
    gain: RunningGain
    reader: RateReader
    spoke_ns: int = 0


@dataclass(slots=True)
class _Clip:
    start_ns: int
    voices: dict[Kind, _Voice] = field(default_factory=dict)
    silent_due_ns: dict[Kind, int] = field(default_factory=dict)
    memory: Memory = field(default_factory=dict)
    seen: int = 0  # clock index after the last window


class WaveMaker:
    """Jobs in the order the intake gave them; waveform chunks and rates out. Not for several threads at once.

    A window that was dropped on the way (a slow machine) leaves its samples to its neighbours, or a hole in the waveform.
    """

    def __init__(self, engine: Engine, min_quality: dict[Kind, float]) -> None:
        self._engine = engine
        self._min_quality = min_quality
        self._clips: dict[str, _Clip] = {}

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
        out: list[Output] = []
        spoke = set()
        for part in self._engine.infer(window.rgb(), window.thermal(), clip.memory):
            voice = clip.voices.get(part.kind) or self._new_voice(clip, window.face_id, part.kind)
            voice.joined.add(window.first + part.offset, part.samples, part.weights)
            upto = window.end - self._engine.plan.hold_back[part.kind]
            out += self._grow(clip, window.face_id, part.kind, upto)
            spoke.add(part.kind)
        for kind in set(clip.voices) - spoke:  # thermal died: what was held back will not get better
            out += self._grow(clip, window.face_id, kind, clip.voices[kind].joined.end)
            del clip.voices[kind]
        out += self._say_silent(clip, window, set(Kind) - spoke)
        return out

    def _end(self, job: ClipEnd) -> list[Output]:
        out: list[Output] = []
        clip = self._clips.get(job.face_id)
        if clip is not None and clip.start_ns == job.clip_start_ns:
            del self._clips[job.face_id]
            for kind, voice in clip.voices.items():
                out += self._grow(clip, job.face_id, kind, voice.joined.end)
        for kind in Kind:
            out.append(Rate.unknown(kind, job.face_id, job.stamp_ns, Status.NO_FACE, self._engine.name))
        return out

    def _new_voice(self, clip: _Clip, face_id: str, kind: Kind) -> _Voice:
        plan = self._engine.plan
        voice = _Voice(
            OverlapAdd(plan.longest, plan.align_sign),
            RunningGain(plan.rate_hz, 1 / RATES[kind].low_hz),
            RateReader(RATES[kind], self._min_quality[kind], calibration=self._engine.calibration.get(kind)),
        )
        clip.voices[kind] = voice
        return voice

    def _grow(self, clip: _Clip, face_id: str, kind: Kind, upto: int) -> list[Output]:
        """Samples that became final, as chunks, and the rates that are due."""
        voice = clip.voices[kind]
        out: list[Output] = []
        for first, samples in voice.joined.take(upto):
            wave = self._chunk(clip, face_id, kind, first, voice.gain.apply(samples))
            rate = voice.reader.push(wave)
            out.append(replace(wave, quality=voice.reader.quality))
            if rate is not None:
                out.append(rate)
        return out

    def _chunk(self, clip: _Clip, face_id: str, kind: Kind, first: int, samples: np.ndarray) -> Waveform:
        rate_hz = self._engine.plan.rate_hz
        start_ns = clip.start_ns + round(first * NS_PER_S / rate_hz)
        return Waveform(kind, face_id, start_ns, rate_hz, samples, float("nan"), self._engine.name)

    def _say_silent(self, clip: _Clip, window: Window, kinds: set[Kind]) -> list[Output]:
        """Once a second: why there is no waveform of some kinds."""
        stamp_ns = int(window.at_ns[-1])
        out: list[Output] = []
        for kind in sorted(kinds):
            if stamp_ns < clip.silent_due_ns.get(kind, 0):
                continue
            clip.silent_due_ns[kind] = stamp_ns + round(PERIOD_S * NS_PER_S)
            out.append(Rate.unknown(kind, window.face_id, stamp_ns, self._silence(window, kind), self._engine.name))
        return out

    def _silence(self, window: Window, kind: Kind) -> Status:
        """An engine that has what it needs and says nothing yet wants a longer window."""
        growing = len(window.at_ns) < self._engine.plan.longest
        able = kind in self._engine.kinds and bool(window.thermal_frames)
        return Status.WARMING_UP if growing and able else Status.UNSUPPORTED

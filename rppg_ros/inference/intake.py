"""Callback half of the vitals: sorts crops into clips, hands out jobs, and says at once what is not known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from rppg_ros.inference.clips import ClipBuilder, ClipEnd, Window
from rppg_ros.inference.engine import Engine
from rppg_ros.sync.stamps import DROPS, MAX_GAP_S, StampGuard, Verdict
from rppg_ros.types import NS_PER_S, FaceCrop, Rate, Reason, Status, Vital
from rppg_ros.vitals.reader import PERIOD_S
from rppg_ros.vitals.spectral_evidence import GRIDS

Job = Window | ClipEnd

ALMOST = 0.99  # of a warming up whose first window is late


@dataclass(slots=True)
class Intake:
    """What one message of crops leads to: jobs for the worker, in order, and rates to publish now."""

    jobs: list[Job] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)


class CropIntake:
    """Crops of all faces in, frame by frame.

    A clip of a face ends when the face is missing for more than `max_gap_s`, when the stream has such a gap, or when its
    stamps jump back. Frames that come late or twice are dropped and counted in `guard`.
    """

    def __init__(self, engine: Engine, max_gap_s: float = MAX_GAP_S, zero_is_unset: bool = True) -> None:
        self._engine = engine
        self._max_gap_ns = round(max_gap_s * NS_PER_S)
        self.guard = StampGuard(max_gap_s, zero_is_unset=zero_is_unset)
        self._clips: dict[str, ClipBuilder] = {}
        self._due_ns: int | None = None
        self._absence = Reason.NO_FACE

    @property
    def faces(self) -> list[str]:
        """Faces with a running clip."""
        return list(self._clips)

    def push(self, stamp_ns: int, crops: Sequence[FaceCrop], picture_dead: bool = False) -> Intake:
        """Take the crops of one frame; none is a frame without a face, or of a picture that is dead."""
        out = Intake()
        self._absence = Reason.PICTURE_DEAD if picture_dead else Reason.NO_FACE
        verdict = self.guard.check(stamp_ns)
        if verdict in DROPS:
            return out
        if verdict is not Verdict.OK:
            self._end_clips(list(self._clips), out, {crop.face_id for crop in crops})
            self._due_ns = None
        for crop in crops:
            self._take(crop, out)
        # Only where no newer frame of it came: a clip that has just begun has this frame's stamp.
        gone = [face for face, clip in self._clips.items() if stamp_ns - clip.last_ns > self._max_gap_ns]
        self._end_clips(gone, out)
        self._say_unknown(stamp_ns, out)
        return out

    def flush(self) -> Intake:
        """End all clips; at the end of a recording."""
        out = Intake()
        self._end_clips(list(self._clips), out, set(self._clips))  # the faces are not gone, the recording is over
        return out

    def _take(self, crop: FaceCrop, out: Intake) -> None:
        clip = self._clips.get(crop.face_id)
        if clip is not None and crop.stamp_ns - clip.last_ns > self._max_gap_ns:
            self._end_clips([crop.face_id], out, {crop.face_id})
            clip = None
        if clip is None:
            clip = self._clips[crop.face_id] = ClipBuilder(self._engine, crop)
        out.jobs.extend(clip.push(crop))

    def _end_clips(self, faces: list[str], out: Intake, in_view: Collection[str] = ()) -> None:
        for face in faces:
            clip = self._clips.pop(face)
            out.jobs.extend(clip.finish())
            out.jobs.append(ClipEnd(face, clip.start_ns, clip.last_ns, face not in in_view, self._absence))

    def _say_unknown(self, stamp_ns: int, out: Intake) -> None:
        """Once a second: no face, or a clip too young for a window. From its first window on the worker speaks for a clip."""
        if self._due_ns is not None and stamp_ns < self._due_ns:
            return
        self._due_ns = stamp_ns + round(PERIOD_S * NS_PER_S)
        if not self._clips:
            out.rates.extend(self._unknown(vital, "", stamp_ns, Status.NO_FACE) for vital in Vital)
        plan = self._engine.plan
        final = plan.first - max(plan.hold_back.values(), default=0)  # points of the first window that are told
        first_ns = round((final / plan.rate_hz - PERIOD_S / 4) * NS_PER_S)
        for face, clip in self._clips.items():
            about_to_speak = 0 < first_ns <= stamp_ns - clip.start_ns < first_ns + NS_PER_S
            if clip.windows or about_to_speak:
                continue
            for vital in Vital:
                status = Status.WARMING_UP if vital in self._engine.vitals else Status.UNSUPPORTED
                out.rates.append(self._unknown(vital, face, stamp_ns, status, clip.start_ns))

    def _unknown(self, vital: Vital, face_id: str, stamp_ns: int, status: Status, since_ns: int = 0) -> Rate:
        reasons: tuple[Reason, ...] = (self._absence,) if status is Status.NO_FACE else ()
        shares: tuple[float, ...] = ()
        if status is Status.WARMING_UP:
            reasons = (Reason.WARMING_UP,)
            shares = (min((stamp_ns - since_ns) / NS_PER_S / GRIDS[vital].min_s, ALMOST),)
        return Rate.unknown(vital, face_id, stamp_ns, status, self._engine.name, reasons=reasons, shares=shares)

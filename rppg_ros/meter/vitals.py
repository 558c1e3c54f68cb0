"""The vitals half: face crops in, waveforms and rates out."""

from __future__ import annotations

from collections.abc import Sequence

from rppg_ros.inference.engine import Engine
from rppg_ros.inference.factory import make_engine
from rppg_ros.inference.intake import CropIntake, Intake, Job
from rppg_ros.inference.waves import Output, WaveMaker
from rppg_ros.settings.halves import VitalsSettings
from rppg_ros.sync.stamps import StampGuard
from rppg_ros.types import CropRequest, FaceCrop, Vital
from rppg_ros.vitals.session import LookLog, Session

SCALE_TOLERANCE = 0.01
NO_MODEL = "none"


def engine_of(settings: VitalsSettings) -> Engine:
    """The engine that the settings name; EngineError: it cannot be had."""
    model = "" if settings.model == NO_MODEL else settings.model
    return make_engine(settings.engine, model, settings.hop, settings.threads, settings.provider)


class VitalsHalf:
    """Crops are sorted into clips, and windows of them measured.

    `push` does all of it at once. A node calls `take` where the crops arrive, which is cheap, and `work` on a thread of its
    own with each of the jobs, in order: the same lines, and the same results.

    Parameters
    ----------
    engine : method; None: as the settings say.
    zero_is_unset : see StampGuard.
    keep_looks : so that `session` can tell what the newest half an hour comes to.

    Raises
    ------
    EngineError : the engine that the settings name cannot be had.

    Attributes
    ----------
    refused : crops that this engine cannot use, so far. complaint : why, of the newest message; empty if all could be used.
    """

    def __init__(
        self,
        engine: Engine | None = None,
        settings: VitalsSettings | None = None,
        zero_is_unset: bool = True,
        keep_looks: bool = False,
    ) -> None:
        self.settings = settings or VitalsSettings()
        self._looks = LookLog() if keep_looks else None
        self.engine = engine or engine_of(self.settings)
        self._zero_is_unset = zero_is_unset
        self.restart()

    def restart(self) -> None:
        """Forget all clips, and count anew."""
        self.refused, self.complaint = 0, ""
        self._intake = CropIntake(self.engine, self.settings.max_gap, self._zero_is_unset)
        self._maker = WaveMaker(self.engine, min_quality_of(self.settings))
        if self._looks is not None:
            self.keep_looks(True)

    def keep_looks(self, keep: bool) -> None:
        """From now on, or no longer; what was kept is forgotten where it is not kept any more, or time runs anew."""
        if keep and self._looks is not None and self._maker.looks is self._looks:
            return
        self._looks = self._maker.looks = LookLog() if keep else None

    @property
    def request(self) -> CropRequest:
        """Which crops the engine wants."""
        return CropRequest(self.engine.crop_size, self.engine.crop_scale)

    @property
    def guard(self) -> StampGuard:
        """Judges and counts the stamps of the crops."""
        return self._intake.guard

    @property
    def faces(self) -> list[str]:
        """Faces with a running clip."""
        return self._intake.faces

    @property
    def too_slow(self) -> list[str]:
        """Which vital signs the frames come too seldom for, with the figures."""
        return [why for why in self._maker.too_slow.values() if why]

    def session(self, vital: Vital, face_id: str | None = None, since_ns: int | None = None) -> Session | None:
        """One result of all that was seen of a face, each second by what came before and after it.

        Parameters
        ----------
        face_id : None: the face that was measured longest. since_ns : stamp of the first look that counts; None: all.

        Returns
        -------
        None where nothing was seen, or looks are not kept.
        """
        looks = self._maker.looks
        if looks is None:
            return None
        if face_id is None:
            face_id = next(iter(looks.faces(vital)), "")
        return looks.session(vital, face_id, since_ns)

    def tune(self, settings: VitalsSettings) -> None:
        """Take other values of the live settings while crops flow."""
        self.settings = settings
        self._maker.min_quality = min_quality_of(settings)

    def push(self, stamp_ns: int, crops: Sequence[FaceCrop], picture_dead: bool = False) -> list[Output]:
        """Take the crops of one frame, see TrackedFrame; returns what became known."""
        return self._run(self.take(stamp_ns, crops, picture_dead))

    def flush(self) -> list[Output]:
        """End all clips; at the end of a recording."""
        return self._run(self.end())

    def take(self, stamp_ns: int, crops: Sequence[FaceCrop], picture_dead: bool = False) -> Intake:
        """Take the crops of one frame; returns what is known at once, and the jobs that are due."""
        self.complaint = ""
        return self._intake.push(stamp_ns, [crop for crop in crops if self._usable(crop)], picture_dead)

    def end(self) -> Intake:
        """End all clips; returns the jobs that are due."""
        return self._intake.flush()

    def work(self, job: Job) -> list[Output]:
        """Do one job; all jobs in order, on one thread."""
        return self._maker.run(job)

    def _usable(self, crop: FaceCrop) -> bool:
        wanted, size = self.request, min(crop.rgb.shape[:2])
        if size >= self.engine.least_crop and abs(crop.crop_scale / wanted.scale - 1) <= SCALE_TOLERANCE:
            return True
        self.refused += 1
        self.complaint = (
            f"engine '{self.engine.name}' wants crops of {wanted.size}x{wanted.size} pixels, {wanted.scale:g} times the face"
            f" box, got {size}x{size}, {crop.crop_scale:g} times: leave the tracker's crop.size and crop.scale at 0"
        )
        return False

    def _run(self, taken: Intake) -> list[Output]:
        out: list[Output] = list(taken.rates)
        for job in taken.jobs:
            out += self._maker.run(job)
        return out


def min_quality_of(settings: VitalsSettings) -> dict[Vital, float]:
    """Least quality of a rate that is given as a number, 0..1."""
    return {Vital.BVP: settings.heart_rate_min_quality, Vital.RSP: settings.respiration_rate_min_quality}

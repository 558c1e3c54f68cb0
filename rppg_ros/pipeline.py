"""The two halves put together without ROS: frames in, crops; crops in, vitals out. The nodes run the same lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rppg_ros.inference.engine import Engine
from rppg_ros.inference.intake import CropIntake, Intake
from rppg_ros.inference.waves import Output, WaveMaker
from rppg_ros.sync.pairing import LeadPairing, Pair
from rppg_ros.sync.stamps import DROPS, MAX_GAP_S, StampGuard, Verdict
from rppg_ros.types import FaceCrop, Frame, Vital

if TYPE_CHECKING:
    from rppg_ros.vision.tracker import FaceTracker

MIN_QUALITY = {Vital.BVP: 0.7, Vital.RSP: 0.7}


@dataclass(frozen=True, slots=True)
class VitalsConfig:
    """Settings of the vitals half.

    Attributes
    ----------
    max_gap_s : longest time without a crop that a clip survives.
    min_quality : least quality of a rate that is given as a number, 0..1, for each waveform.
    """

    max_gap_s: float = MAX_GAP_S
    min_quality: dict[Vital, float] = field(default_factory=lambda: dict(MIN_QUALITY))


class CameraHalf:
    """RGB and thermal frames in; the crops of each RGB frame out, in order of stamps.

    Parameters
    ----------
    tracker : finds and cuts faces.
    pairing : which thermal frame goes with which RGB frame.
    """

    def __init__(self, tracker: FaceTracker, pairing: LeadPairing[Frame, Frame] | None = None) -> None:
        self.tracker = tracker
        self._pairing = pairing or LeadPairing()
        self.rgb_guard = StampGuard()
        self.thermal_guard = StampGuard()

    def push_rgb(self, frame: Frame) -> list[tuple[int, list[FaceCrop]]]:
        """Take the next RGB frame; returns (stamp, crops) of the frames that are decided."""
        verdict = self.rgb_guard.check(frame.stamp_ns)
        if verdict in DROPS:
            return []
        if verdict is Verdict.RESET:
            self._pairing.reset()
            self.tracker.reset()
        return self._process(self._pairing.push_lead(frame.stamp_ns, frame))

    def push_thermal(self, frame: Frame) -> list[tuple[int, list[FaceCrop]]]:
        """Take the next thermal frame; returns (stamp, crops) of the RGB frames that are now decided."""
        verdict = self.thermal_guard.check(frame.stamp_ns)
        if verdict in DROPS:
            return []
        if verdict is Verdict.RESET:
            self._pairing.reset_followers()
        return self._process(self._pairing.push_follower(frame.stamp_ns, frame))

    def flush(self) -> list[tuple[int, list[FaceCrop]]]:
        """Process what still waits for thermal; at the end of a recording."""
        return self._process(self._pairing.flush())

    def _process(self, pairs: list[Pair[Frame, Frame]]) -> list[tuple[int, list[FaceCrop]]]:
        return [(pair.stamp_ns, self.tracker.process(pair.lead, pair.follower)) for pair in pairs]


class VitalsHalf:
    """Crops in, waveforms and rates out, all in the calling thread."""

    def __init__(self, engine: Engine, config: VitalsConfig | None = None) -> None:
        config = config or VitalsConfig()
        self.intake = CropIntake(engine, config.max_gap_s)
        self._maker = WaveMaker(engine, config.min_quality)

    def push(self, stamp_ns: int, crops: list[FaceCrop]) -> list[Output]:
        """Take the crops of one frame; returns what became known."""
        return self._run(self.intake.push(stamp_ns, crops))

    def flush(self) -> list[Output]:
        """End all clips; at the end of a recording."""
        return self._run(self.intake.flush())

    def _run(self, taken: Intake) -> list[Output]:
        out: list[Output] = list(taken.rates)
        for job in taken.jobs:
            out += self._maker.run(job)
        return out


class Pipeline:
    """Frames in, vitals out."""

    def __init__(self, camera: CameraHalf, vitals: VitalsHalf) -> None:
        self.camera = camera
        self.vitals = vitals

    def run(self, frames: Iterable[tuple[str, Frame]]) -> Iterator[Output]:
        """Waveforms and rates of ("rgb" | "thermal", frame) in order of stamps, to the last held-back sample."""
        for stream, frame in frames:
            push = self.camera.push_rgb if stream == "rgb" else self.camera.push_thermal
            yield from self._vitals(push(frame))
        yield from self._vitals(self.camera.flush())
        yield from self.vitals.flush()

    def _vitals(self, processed: list[tuple[int, list[FaceCrop]]]) -> Iterator[Output]:
        for stamp_ns, crops in processed:
            yield from self.vitals.push(stamp_ns, crops)

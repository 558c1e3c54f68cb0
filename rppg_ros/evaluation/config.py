"""What an evaluation is asked for, as plain values: they travel to other processes and machines, and name the run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from rppg_ros import __version__, weights
from rppg_ros.inference.engine import Engine
from rppg_ros.inference.factory import AUTO, METHODS, make_engine
from rppg_ros.inference.network import HOP_S
from rppg_ros.pipeline import CameraHalf, Pipeline, VitalsConfig, VitalsHalf
from rppg_ros.sync.pairing import LeadPairing
from rppg_ros.types import Vital
from rppg_ros.vision.thermal import Radiometry
from rppg_ros.vision.tracker import FaceTracker, TrackerConfig

ONE_PERSON = 1
DIGEST_CHARS = 16
SHIPPED = "shipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalConfig:
    """Settings of a run; the defaults are the nodes'.

    Attributes
    ----------
    engine, model, hop_s : see make_engine; `model` is a path or the name of a shipped model. "shipped": as mobile_robot.launch.py
        does, one shipped model for recordings with thermal frames, another for those without.
    window_s : of the toolbox's protocol, seconds; 0: each recording as a whole.
    min_quality_bvp, min_quality_rsp : least quality of a rate that is given as a number.
    detector_model : path of a YuNet file; empty: Haar.
    use_thermal : False leaves thermal frames out.
    thermal_scale, thermal_offset, thermal_unit : see Radiometry.
    """

    engine: str = AUTO
    model: str = ""
    hop_s: float = HOP_S
    window_s: float = 0.0
    min_quality_bvp: float = VitalsConfig().min_quality[Vital.BVP]
    min_quality_rsp: float = VitalsConfig().min_quality[Vital.RSP]
    detector_model: str = ""
    use_thermal: bool = True
    thermal_scale: float = 0.0
    thermal_offset: float = 0.0
    thermal_unit: str = "celsius"

    def __post_init__(self) -> None:
        if self.window_s < 0 or self.hop_s <= 0:
            raise ValueError(f"window_s {self.window_s} and hop_s {self.hop_s} must not be negative, the hop not 0")

    def settings(self) -> dict[str, Any]:
        """The run in plain values; files by their SHA-256, so that a changed model is another run."""
        plain = asdict(self)
        for name in ("model", "detector_model"):
            if plain[name]:
                plain[name] = ", ".join(map(_digest, self.models() if name == "model" else [plain[name]]))
        return plain | {"rppg_ros": __version__}

    def models(self) -> tuple[str, ...]:
        """The models that recordings of this run can meet; none: training-free."""
        if self.engine in METHODS or not self.model:
            return ()
        both = (weights.WITH_THERMAL, weights.WITHOUT_THERMAL) if self.use_thermal else (weights.WITHOUT_THERMAL,)
        return both if self.model == SHIPPED else (self.model,)

    def make_engine(self, has_thermal: bool = True) -> Engine:
        """The engine for a recording with, or without, thermal frames; EngineError as make_engine says."""
        models = self.models()
        model = models[0 if has_thermal else -1] if models else ""
        return make_engine(self.engine, model, self.hop_s)

    def make_pipeline(self, engine: Engine) -> Pipeline:
        """The nodes' pipeline, for one person: the largest face is the subject."""
        tracker = FaceTracker(
            TrackerConfig(
                max_faces=ONE_PERSON,
                crop_size=engine.crop_size,
                crop_scale=engine.crop_scale,
                detector_model=self.detector_model,
            ),
            seed=0,
        )
        quality = {Vital.BVP: self.min_quality_bvp, Vital.RSP: self.min_quality_rsp}
        return Pipeline(CameraHalf(tracker, LeadPairing()), VitalsHalf(engine, VitalsConfig(min_quality=quality)))

    def radiometry(self) -> Radiometry:
        """What thermal counts mean."""
        return Radiometry(self.thermal_scale, self.thermal_offset, self.thermal_unit)


def _digest(model: str) -> str:
    path = weights.resolve(model)
    return f"{path.name} (sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_CHARS]})"


def settings_id(settings: dict[str, Any]) -> str:
    """Short name of a run's settings; equal settings, equal name."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:DIGEST_CHARS]

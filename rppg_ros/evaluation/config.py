"""What an evaluation's settings lead to: the engine for each recording, the meter, and the run's identity."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from rppg_ros import __version__, weights
from rppg_ros.inference.classical import METHODS
from rppg_ros.inference.engine import Engine
from rppg_ros.inference.factory import ENGINES, GROUP, make_engine
from rppg_ros.meter.meter import VitalsMeter
from rppg_ros.meter.vitals import NO_MODEL
from rppg_ros.settings.evaluation import SHIPPED, EvaluationSettings
from rppg_ros.vision.detect import model_of

DIGEST_CHARS = 16
FILES = ("model", "detector_model")


def models_of(settings: EvaluationSettings) -> tuple[str, ...]:
    """The models that recordings of a run can meet; none: training-free."""
    if settings.engine in METHODS or settings.model in ("", NO_MODEL):
        return ()
    if settings.model != SHIPPED:
        return (settings.model,)
    if settings.engine not in ENGINES:  # the shipped models are for our engines: a plug-in gets one that is named
        return ()
    return (weights.WITH_THERMAL, weights.WITHOUT_THERMAL) if settings.thermal_enabled else (weights.WITHOUT_THERMAL,)


def engine_for(settings: EvaluationSettings, has_thermal: bool = True) -> Engine:
    """The engine for a recording with, or without, thermal frames; EngineError as make_engine says."""
    models = models_of(settings)
    model = models[0 if has_thermal else -1] if models else ""
    return make_engine(settings.engine, model, settings.hop, settings.threads, settings.provider)


def meter_for(settings: EvaluationSettings, engine: Engine) -> VitalsMeter:
    """What the nodes run, over an engine. Ids of faces are the same in each run."""
    return VitalsMeter(settings, engine_object=engine, seed=0, keep_looks=True)


def plain(settings: EvaluationSettings) -> dict[str, Any]:
    """The settings in plain values; files by their SHA-256, so that a changed model is another run."""
    values = asdict(settings)
    for name in FILES:
        files = (
            models_of(settings)
            if name == "model"
            else [*filter(None, [model_of(settings.detector_name, values[name])])]
        )
        values[name] = ", ".join(map(_digest, files))
    plug_in = GROUP.others().get(settings.engine, "")
    return values | {"rppg_ros": __version__} | ({"plug_in": plug_in} if plug_in else {})


def _digest(model: str) -> str:
    path = weights.resolve(model)
    return f"{path.name} (sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_CHARS]})"


def settings_id(settings: dict[str, Any]) -> str:
    """Short name of a run's settings; equal settings, equal name."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:DIGEST_CHARS]

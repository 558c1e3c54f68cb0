"""`rppg-ros evaluate --inside N`: pictures of what the network saw, for the report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from rppg_ros import weights
from rppg_ros.commands.models_common import UsageError, models_module
from rppg_ros.datasets.base import Recording
from rppg_ros.evaluation.config import models_of
from rppg_ros.evaluation.work import RecordingRef
from rppg_ros.settings.evaluation import EvaluationSettings

FOLDER = "inside"


def checkpoints(settings: EvaluationSettings) -> list[Any]:
    """Networks of the models that recordings of a run can meet, as models.saved.Saved.

    Raises
    ------
    ValueError : the engine is no network of ours whose checkpoint (.pt) is there, or torch is not installed.
    """
    models = models_of(settings)
    if not models:
        raise ValueError("--inside: the engine is no network")
    try:
        saved = models_module("saved")
    except UsageError as error:
        raise ValueError(f"--inside: {error}") from None
    return [saved.load(weights.checkpoint(_beside(model))) for model in models]


def inside(refs: Sequence[RecordingRef], saved: Sequence[Any], folder: Path, console: Console) -> list[Path]:
    """A PNG of each recording; one that cannot be made is named, and the run goes on. `saved`: see checkpoints."""
    drawing = models_module("inside", "training")
    made = []
    for number, ref in enumerate(refs, 1):  # names of files in several folders can be the same
        path = folder / FOLDER / f"{number}-{re.sub(r'[^A-Za-z0-9._-]+', '_', ref.name or Path(ref.path).name)}.png"
        try:
            recording = ref.recording()
            has_thermal = len(saved) > 1 and _has_thermal(recording)
            drawing.picture(saved[0 if has_thermal else -1], recording, path)
            made.append(path)
        except (ValueError, OSError) as error:
            console.print(f"--inside: {ref.key}: {error}", style="yellow", highlight=False, markup=False)
    return made


def _beside(model: str) -> str:
    """The checkpoint of a model's file: of the same name, or as `rppg-ros train` calls it."""
    path = Path(model)
    for one in (path.with_suffix(weights.CHECKPOINT), path.with_name("best.pt")):
        if path.is_file() and one.is_file():
            return str(one)
    if path.is_file():
        raise ValueError(
            f"--inside: {model}: its checkpoint is not beside it: {path.stem}{weights.CHECKPOINT} or best.pt"
        )
    return model


def _has_thermal(recording: Recording) -> bool:
    source = recording.open()
    try:
        return bool(source.has_thermal)
    finally:
        source.close()

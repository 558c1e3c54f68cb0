"""Trains and evaluates a paper's experiments on the data sets that are there: each fold a run, a model and an evaluation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rppg_ros.evaluation.config import plain
from rppg_ros.evaluation.results import RecordingResult, Results
from rppg_ros.evaluation.spread import run_here
from rppg_ros.evaluation.work import RecordingRef, RunFolder
from rppg_ros.models.export import export
from rppg_ros.models.saved import card_of, load
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.training.config import TrainConfig
from rppg_ros.training.paper import Experiment, Paper, Part
from rppg_ros.training.recording_set import RecordingSet, TrainingError, natural
from rppg_ros.training.run import train

MODEL = "model.onnx"
Roots = Mapping[str, str]
"""Data set to its root folder."""
Said = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Done:
    """An experiment: its test recordings, of all folds, and the models."""

    experiment: Experiment
    results: Results
    models: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Fold:
    """One run: which recordings for what."""

    name: str
    train: tuple[Part, ...]
    val: tuple[Part, ...]
    test: tuple[Part, ...]


def reproduce(
    paper: Paper,
    experiment: Experiment,
    roots: Roots,
    folder: Path,
    over: Mapping[str, Any] | None = None,
    jobs: int = 1,
    say: Said = print,
) -> Done:
    """Train what is not trained yet, evaluate what is not evaluated yet, and gather.

    Parameters
    ----------
    folder : of the experiment: a folder for each fold, each as `rppg-ros train` and `rppg-ros evaluate` leave it.
    over : settings that come before the paper's, as {"epochs": 1}.
    jobs : recordings that are evaluated at once.

    Raises
    ------
    TrainingError : a data set has no root, or nothing of it can be used; names it.
    """
    missing = [name for name in experiment.datasets if name not in roots]
    if missing:
        raise TrainingError(f"{experiment.name}: needs --data {missing[0]}=FOLDER")
    found: list[RecordingResult] = []
    models, about = [], {}
    folds = _folds(experiment, roots)
    tested = [_apart(experiment.name, fold, roots) for fold in folds]  # before hours of training
    for fold, refs in zip(folds, tested, strict=True):
        place, name = folder / fold.name, ", ".join(filter(None, [experiment.name, fold.name]))
        cache = {"cache": str((folder.parent / "crops").resolve())}
        config = paper.config(experiment, _recordings(fold, roots), cache | dict(over or {}))
        say(f"{name}: training")
        models.append(_model(config, place, experiment.name))
        settings = EvaluationSettings(
            model=str(models[-1]), protocol=paper.protocol, thermal_enabled="thermal" in config.network().cameras
        )
        say(f"{name}: evaluating {len(refs)} recordings")
        about = plain(settings)
        done = _evaluated(refs, settings, place, jobs)
        for one in done:
            if one.error:
                say(f"{name}: {one.key}: {one.error}")
        found += done
    results = Results(f"{paper.title}, {experiment.name}", about, tuple(found))
    results.save(folder / "results.json")
    return Done(experiment, results, tuple(models))


def _folds(experiment: Experiment, roots: Roots) -> list[_Fold]:
    if not (experiment.folds or experiment.leave_one_out):
        return [_Fold("", experiment.train, experiment.val, experiment.test)]
    names = sorted({name for part in experiment.test for name in subjects_of(_chosen(part, roots).refs())}, key=natural)
    count = len(names) if experiment.leave_one_out else experiment.folds
    if len(names) < max(count, 2):
        raise TrainingError(f"{experiment.name}: needs {max(count, 2)} subjects, there are {len(names)}")
    folds = []
    for index in range(count):
        later = names[round(index * len(names) / count) : round((index + 1) * len(names) / count)]
        train_on = tuple(replace(part, but=[*part.but, *later]) for part in experiment.train)
        test_on = tuple(replace(part, subjects=later) for part in experiment.test)
        choose_on = tuple(replace(part, but=[*part.but, *later]) for part in experiment.val)
        folds.append(_Fold(f"fold-{index + 1}", train_on, choose_on, test_on))
    return folds


def _apart(name: str, fold: _Fold, roots: Roots) -> list[RecordingRef]:
    """The fold's test recordings; TrainingError where one of them, or one that chooses the epoch, is also trained on."""
    parts = {"train": fold.train, "val": fold.val, "test": fold.test}
    refs = {kind: [ref for part in these for ref in _chosen(part, roots).refs()] for kind, these in parts.items()}
    for kind, others in (("test", ("train", "val")), ("val", ("train",))):
        for other in others:
            both = {(ref.path, ref.key) for ref in refs[kind]} & {(ref.path, ref.key) for ref in refs[other]}
            if both:
                raise TrainingError(
                    f"{name}: {min(both)[1]} is in {other} and in {kind}: figures of it would say nothing"
                )
    return refs["test"]


def subjects_of(refs: Sequence[RecordingRef]) -> list[str]:
    """Their subjects, in the order of their names."""
    return sorted({ref.recording().subject or ref.key for ref in refs}, key=natural)


def _chosen(part: Part, roots: Roots, share: float = 1.0, val: bool = False) -> RecordingSet:
    return RecordingSet(**asdict(part), folder=roots[part.dataset], share=share, val=val)


def _recordings(fold: _Fold, roots: Roots) -> list[dict[str, Any]]:
    sets = [_chosen(part, roots, 1 / len(fold.train)) for part in fold.train]
    sets += [_chosen(part, roots, 0.0, True) for part in fold.val]
    return [asdict(one) | {"part": list(one.part)} for one in sets]


def _model(config: TrainConfig, folder: Path, name: str) -> Path:
    """The exported network of a run; its own checkpoint says when it is finished."""
    best, model = train(config, folder), folder / MODEL
    if not model.is_file() or model.stat().st_mtime < best.stat().st_mtime:
        saved = load(best)
        export(saved.network, card_of(saved, name=re.sub(r"[^A-Za-z0-9._-]+", "-", f"{config.family} {name}")), model)
    return model


def _evaluated(
    refs: Sequence[RecordingRef], settings: EvaluationSettings, folder: Path, jobs: int
) -> list[RecordingResult]:
    run_folder = RunFolder(folder / "evaluation", plain(settings))
    kept = {ref.key: result for ref in refs if (result := run_folder.get(ref)) is not None}
    for ref, found in run_here([ref for ref in refs if ref.key not in kept], settings, jobs):
        kept[ref.key] = run_folder.put(ref, found)
    return [kept[ref.key] for ref in refs]

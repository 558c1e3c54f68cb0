"""Recordings by name, so that other processes and machines can open them, and where finished ones are kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from rppg_ros.datasets.bags import open_recording
from rppg_ros.datasets.base import DatasetError, Recording
from rppg_ros.datasets.registry import read
from rppg_ros.evaluation.config import settings_id
from rppg_ros.evaluation.fingerprint import fingerprint
from rppg_ros.evaluation.results import RecordingResult, recording_from_json, recording_to_json
from rppg_ros.evaluation.runner import evaluate, told
from rppg_ros.evaluation.whole_files import write_whole
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.sources.bag import is_bag

VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".gif")


class EvaluationError(ValueError):
    """An evaluation that cannot be begun; names the path or setting."""


@dataclass(frozen=True, slots=True)
class RecordingRef:
    """Where a recording is found.

    Attributes
    ----------
    path : a bag or video; of a dataset its root.
    dataset : name in the registry; empty for a bag or video.
    name : of the recording in its dataset.
    options : for `open_recording`: truth, rgb_topic, thermal_topic, truth_topics.
    """

    path: str
    dataset: str = ""
    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def recording(self) -> Recording:
        """The recording; DatasetError or SourceError where it is gone."""
        if not self.dataset:
            return open_recording(self.path, **self.options)
        for recording in _listed(self.dataset, self.path):
            if recording.name == self.name:
                return recording
        raise DatasetError(f"{self.path}: {self.dataset} has no recording '{self.name}'")

    @property
    def key(self) -> str:
        """Unique in a run."""
        return f"{self.dataset}/{self.name}" if self.dataset else self.path


def find_recordings(
    paths: Iterable[str], dataset: str = "", options: Mapping[str, Any] | None = None
) -> list[RecordingRef]:
    """Recordings under some paths, in order.

    Parameters
    ----------
    paths : bags and videos, or folders that are searched for them; with `dataset`, roots of that dataset.

    Raises
    ------
    EvaluationError : a path is not there, or holds nothing.
    DatasetError : see the dataset's reader.
    """
    found: list[RecordingRef] = []
    for text in paths:
        path = Path(text)
        if not path.exists():
            raise EvaluationError(f"{path}: no such file or folder")
        if dataset:
            found += [RecordingRef(str(path), dataset, recording.name) for recording in read(dataset, path)]
            continue
        files = [path] if path.is_file() or is_bag(path) else list(_search(path))
        if not files:
            raise EvaluationError(f"{path}: no bags or videos in it")
        found += [RecordingRef(str(file), options=dict(options or {})) for file in files]
    return found


def _search(folder: Path) -> Iterable[Path]:
    for path in sorted(folder.iterdir()):
        if is_bag(path) or path.suffix.lower() in VIDEOS:
            yield path
        elif path.is_dir():
            yield from _search(path)


@lru_cache(maxsize=4)
def _listed(dataset: str, root: str) -> tuple[Recording, ...]:
    return tuple(read(dataset, Path(root)))


def work(ref: RecordingRef, settings: EvaluationSettings) -> dict[str, Any]:
    """Evaluate one recording; its result as plain values. Runs wherever the recording and the model can be read."""
    try:
        recording = ref.recording()
    except Exception as error:  # of files of others, read by packages of others: one never ends a run
        name = ref.name or Path(ref.path).name
        return recording_to_json(RecordingResult(ref.dataset, name, "", {}, error=told(error)))
    return recording_to_json(evaluate(recording, settings))


class RunFolder:
    """Finished recordings of a run in a folder, one file each: a run that was stopped goes on where it was.

    Parameters
    ----------
    folder : of the run; made on demand.
    settings : of the run.

    Raises
    ------
    EvaluationError : the folder holds a run with other settings; says which differ.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder / "recordings"
        self._id = settings_id(dict(settings))
        self._folder.mkdir(parents=True, exist_ok=True)
        about = folder / "settings.json"
        if about.is_file():
            _check_same(about, settings)
        write_whole(about, json.dumps(dict(settings)))

    def get(self, ref: RecordingRef) -> RecordingResult | None:
        """A finished recording's result; None where it is not finished, failed, or the file is not whole, and where its frames
        or its truth are others by now."""
        try:
            kept = json.loads(self._path(ref).read_text())
            result = recording_from_json(kept["result"])
            same = (kept["settings"], kept["key"]) == (self._id, ref.key) and kept["files"] == fingerprint(ref)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return result if same and not result.error else None

    def put(self, ref: RecordingRef, plain: dict[str, Any]) -> RecordingResult:
        """Keep a result."""
        kept = {"settings": self._id, "key": ref.key, "files": fingerprint(ref), "result": plain}
        write_whole(self._path(ref), json.dumps(kept))
        return recording_from_json(plain)

    def _path(self, ref: RecordingRef) -> Path:
        readable = re.sub(r"[^A-Za-z0-9._-]+", "_", ref.key)[-80:]
        return self._folder / f"{readable}.{settings_id({'key': ref.key})[:8]}.json"


def _check_same(about: Path, settings: Mapping[str, Any]) -> None:
    try:
        before = json.loads(about.read_text())
    except (ValueError, RecursionError):
        before = None
    if not isinstance(before, dict):
        raise EvaluationError(f"{about}: damaged; give another output folder")
    differ = [name for name in sorted({*before, *settings}) if before.get(name) != settings.get(name)]
    if differ:
        shown = ", ".join(f"{name} was {before.get(name)!r}, is {settings.get(name)!r}" for name in differ[:3])
        raise EvaluationError(f"{about.parent}: holds a run with other settings ({shown}); give another output folder")

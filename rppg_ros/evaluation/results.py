"""What an evaluation found: estimates beside truth, recording by recording, and their file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from rppg_ros.evaluation.whole_files import write_whole
from rppg_ros.types import Vital

FORMAT, VERSION = "rppg_ros.evaluation", 1
NAN = math.nan


class ResultsError(ValueError):
    """A file that holds no results of an evaluation, or newer ones; names it."""


@dataclass(frozen=True, slots=True)
class Windows:
    """rPPG-Toolbox's protocol: one rate for each window of the waveform. Lists of one length.

    Attributes
    ----------
    start_s, length_s : of the window, from the recording's first frame.
    measured, truth : per minute; NaN where there is none.
    snr_db : power at the true rate and its harmonic against the rest of the band, of the measured waveform.
    macc : maximum of the absolute cross-correlation of measured and true waveform, 0..1.
    """

    start_s: list[float] = field(default_factory=list)
    length_s: list[float] = field(default_factory=list)
    measured: list[float] = field(default_factory=list)
    truth: list[float] = field(default_factory=list)
    snr_db: list[float] = field(default_factory=list)
    macc: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Running:
    """The pipeline's own estimates, as a subscriber would have got them. Lists of one length.

    Attributes
    ----------
    at_s : stamp, from the recording's first frame.
    measured : per minute; NaN where none was given.
    quality : 0..1, NaN where unknown.
    status : name of the Status, e.g. "OK", "LOW_QUALITY".
    truth : per minute, over the same span as the estimate; NaN where the truth is not known.
    reasons : names of the Reasons why there is no number, the weightiest first, joined by "+"; "" with one.
    low, high : the rate lies between them with a probability of 95 %; NaN where none was given.
    """

    at_s: list[float] = field(default_factory=list)
    measured: list[float] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    truth: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Results of 0.5 and before have neither reasons nor intervals."""
        missing = len(self.at_s) - len(self.reasons)
        self.reasons.extend([""] * missing)
        self.low.extend([NAN] * missing)
        self.high.extend([NAN] * missing)


@dataclass(frozen=True, slots=True)
class Wave:
    """Waveform measured and true on one clock, both standardised; empty lists where there is none.

    Attributes
    ----------
    start_s : of the first sample, from the recording's first frame.
    measured, truth : NaN in gaps. Of one length, or `truth` empty.
    """

    rate_hz: float = 30.0
    start_s: float = 0.0
    measured: list[float] = field(default_factory=list)
    truth: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Whole:
    """What all of a recording comes to by the belief, each second judged by what came before and after it.

    Attributes
    ----------
    measured : per minute; NaN where it is not sure enough to be given. believed : the same, sure or not; NaN: nothing was seen.
    low, high : the rate of any time of the recording lies between them with a probability of 95 %.
    quality : 0..1. truth : per minute, over the same span.
    """

    measured: float = NAN
    believed: float = NAN
    low: float = NAN
    high: float = NAN
    quality: float = NAN
    truth: float = NAN


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One recording's pulse, or its breathing."""

    windows: Windows = field(default_factory=Windows)
    running: Running = field(default_factory=Running)
    wave: Wave = field(default_factory=Wave)
    whole: Whole = field(default_factory=Whole)


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """One recording.

    Attributes
    ----------
    error : why it could not be evaluated, in one line; empty when it was.
    caution : what may mislead about its vitals, in one line; empty: nothing is known.
    """

    dataset: str
    name: str
    subject: str
    conditions: Mapping[str, str]
    duration_s: float = NAN
    frames: int = 0
    error: str = ""
    tasks: Mapping[Vital, TaskResult] = field(default_factory=dict)
    caution: str = ""

    @property
    def key(self) -> str:
        """Unique in a run, e.g. "pure/01-01"."""
        return f"{self.dataset}/{self.name}" if self.dataset else self.name


@dataclass(frozen=True, slots=True)
class Results:
    """A run: what was evaluated with which settings.

    Attributes
    ----------
    engine : name of the method or network, as published in messages.
    settings : what the run was asked for, as plain values; two runs with equal settings are the same run.
    """

    engine: str
    settings: Mapping[str, Any]
    recordings: tuple[RecordingResult, ...]

    def save(self, path: str | Path) -> None:
        """Write as JSON; an old file stays until the new one is whole."""
        about = {FORMAT: VERSION, "engine": self.engine, "settings": dict(self.settings)}
        text = json.dumps(about | {"recordings": [recording_to_json(r) for r in self.recordings]}, indent=1)
        write_whole(Path(path), text)

    @classmethod
    def load(cls, path: str | Path) -> Results:
        """Read what `save` wrote.

        Raises
        ------
        ResultsError : naming the file.
        """
        try:
            raw = json.loads(Path(path).read_text())
        except FileNotFoundError:
            raise ResultsError(f"{path}: no such file") from None
        except (OSError, ValueError, RecursionError) as error:
            raise ResultsError(f"{path}: not readable: {error}") from None
        if not isinstance(raw, dict) or not isinstance(raw.get(FORMAT), int):
            raise ResultsError(f"{path}: holds no results of rppg-ros evaluate")
        if raw[FORMAT] > VERSION:
            raise ResultsError(f"{path}: of version {raw[FORMAT]}, newer than this rppg_ros reads ({VERSION})")
        try:
            found = tuple(recording_from_json(item) for item in raw["recordings"])
            return cls(raw["engine"], raw["settings"], found)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ResultsError(f"{path}: damaged: {error}") from None


def recording_to_json(result: RecordingResult) -> dict[str, Any]:
    """Plain values; NaN, which JSON has not, as null."""
    plain = {f.name: getattr(result, f.name) for f in fields(result) if f.name != "tasks"}
    plain["conditions"] = dict(result.conditions)
    plain["tasks"] = {vital.value: asdict(task) for vital, task in result.tasks.items()}
    return {name: _nulls(value) for name, value in plain.items()}


def recording_from_json(plain: Mapping[str, Any]) -> RecordingResult:
    """What `recording_to_json` was given."""
    tasks = {
        Vital(vital): TaskResult(
            Windows(**_nans(task["windows"])),
            Running(**_nans(task["running"])),
            Wave(**_nans(task["wave"])),
            Whole(**{name: NAN if value is None else value for name, value in task.get("whole", {}).items()}),
        )
        for vital, task in plain["tasks"].items()
    }
    rest: dict[str, Any] = {name: NAN if value is None else value for name, value in plain.items() if name != "tasks"}
    return RecordingResult(**rest, tasks=tasks)


def _nulls(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _nulls(item) for name, item in value.items()}
    return [_nulls(item) for item in value] if isinstance(value, list) else value


def _nans(lists: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [NAN if item is None else item for item in value] if isinstance(value, list) else value
        for name, value in lists.items()
    }

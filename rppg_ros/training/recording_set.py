"""Which recordings of a dataset, a bag or a folder a run uses: by name, subject, condition, or as a share of the subjects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from rppg_ros.datasets.base import DatasetError
from rppg_ros.datasets.registry import dataset
from rppg_ros.evaluation.work import RecordingRef, find_recordings
from rppg_ros.limits import Limits

SHARE = Limits(0.0, 1.0)


class TrainingError(ValueError):
    """A run that cannot be begun; names the file and the setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSet:
    """Recordings to train on beside made-up people, or to hold out.

    Attributes
    ----------
    dataset : name in the datasets' registry; "": `folder` is a bag, a video, or a folder of them.
    folder : the dataset's root, absolute or from where the command runs.
    share : of the training windows, 0 to 1.
    only : recordings whose name holds or fits this, as '01-*'; "": all.
    part : of the subjects in the order of their names (subject2 before subject10), from and to, as shares of 0 to 1:
        [0, 0.6] are the first six of ten.
    subjects, but : only these subjects; all but these.
    conditions : only recordings whose condition of that name is one of these, as {light: [LED-low, LED-high]}.
    val : whether held-out windows come from it too. Its windows for training are then of other subjects: a fifth of them (one at
        least) is held out; all of them with `share: 0`.
    """

    dataset: str = ""
    folder: str = ""
    share: Annotated[float, SHARE] = 0.0
    only: str = ""
    part: tuple[Annotated[float, SHARE], Annotated[float, SHARE]] = (0.0, 1.0)
    subjects: list[str] = field(default_factory=list)
    but: list[str] = field(default_factory=list)
    conditions: dict[str, list[str]] = field(default_factory=dict)
    val: bool = False

    def __post_init__(self) -> None:
        if self.dataset:
            _check_dataset(self.dataset)
        if not self.folder:
            raise TrainingError("folder: is missing")
        if not self.share and not self.val:
            raise TrainingError("share: is 0 and val is not set: nothing would use it")
        if self.part[0] >= self.part[1]:
            raise TrainingError(f"part: must rise, not {list(self.part)}")

    def refs(self) -> list[RecordingRef]:
        """Its recordings.

        Raises
        ------
        TrainingError : none is left of them; names the setting. EvaluationError, DatasetError : as find_recordings says.
        """
        found = find_recordings([self.folder], self.dataset)
        kept = [ref for ref in found if self.only in ref.key or fnmatchcase(Path(ref.key).name, self.only)]
        if not kept:
            raise TrainingError(f"only: no recording's name in {self.folder} holds or fits '{self.only}'")
        return self._of_subjects(kept) if self._chooses else kept

    @property
    def _chooses(self) -> bool:
        return self.part != (0.0, 1.0) or bool(self.subjects or self.but or self.conditions)

    def _of_subjects(self, refs: Sequence[RecordingRef]) -> list[RecordingRef]:
        about = {ref.key: ref.recording() for ref in refs}
        subject_of = {ref.key: about[ref.key].subject or ref.key for ref in refs}
        names = sorted(set(subject_of.values()), key=natural)
        for setting, asked in (("subjects", self.subjects), ("but", self.but)):
            unknown = [name for name in asked if name not in names]
            if unknown:
                raise TrainingError(f"{setting}: {self.folder} has no subject '{unknown[0]}'; there are: {_few(names)}")
        low, high = (round(share * len(names)) for share in self.part)
        wanted = set(names[low:high]) & set(self.subjects or names) - set(self.but)
        kept = [ref for ref in refs if subject_of[ref.key] in wanted]
        kept = [ref for ref in kept if self._fits(about[ref.key].conditions)]
        if not kept:
            raise TrainingError(
                f"part, subjects, but, conditions: leave none of {len(refs)} recordings in {self.folder}"
            )
        return kept

    def _fits(self, conditions: Mapping[str, str]) -> bool:
        for name, allowed in self.conditions.items():
            if name not in conditions:
                known = _few(sorted(conditions)) or "none"
                raise TrainingError(f"conditions: recordings of {self.folder} have no '{name}'; they have: {known}")
            if conditions[name] not in allowed:
                return False
        return True


def natural(name: str) -> list[tuple[bool, int, str]]:
    """Key of an order in which subject2 comes before subject10."""
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name) if part]


def _few(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _check_dataset(name: str) -> None:
    try:
        dataset(name)
    except DatasetError as error:
        raise TrainingError(f"dataset: {error}") from None

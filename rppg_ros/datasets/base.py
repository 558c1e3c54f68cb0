"""What a labelled recording is: frames with their stamps, and what contact sensors said meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from rppg_ros.sources.base import FrameSource
from rppg_ros.types import Vital


class DatasetError(ValueError):
    """A folder or file of a dataset that is missing or not as published; names it."""


class NoTruthError(DatasetError):
    """A recording that says nothing of the person; names what was looked for."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A series of a contact sensor with the times of its values, on the clock of the recording's frames.

    Attributes
    ----------
    stamps_ns : (n,) int64, strictly rising.
    values : (n,) float64; NaN where the sensor said nothing.

    Raises
    ------
    ValueError : lengths differ, or stamps do not rise.
    """

    stamps_ns: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "stamps_ns", np.asarray(self.stamps_ns, dtype=np.int64))
        object.__setattr__(self, "values", np.asarray(self.values, dtype=np.float64))
        if self.stamps_ns.ndim != 1 or self.stamps_ns.shape != self.values.shape:
            raise ValueError(
                f"a trace has one stamp for each value, not {self.stamps_ns.shape} and {self.values.shape}"
            )
        if np.any(np.diff(self.stamps_ns) <= 0):
            raise ValueError("a trace has stamps that rise")


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of the person.

    Attributes
    ----------
    waves : pulse or breath waveform of a contact sensor, in its own units.
    rates : beats or breaths per minute as the device itself gave them; where absent they are read off `waves`.
    """

    waves: Mapping[Vital, Trace] = field(default_factory=dict)
    rates: Mapping[Vital, Trace] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recording:
    """One labelled recording; opening its frames and reading its truth wait until they are asked for.

    Attributes
    ----------
    name : unique in its dataset, without spaces, e.g. "subject1" or "p001_still".
    conditions : what differs between recordings of the dataset, e.g. {"motion": "rotation", "skin": "5"}.
    open : frames, RGB and where the dataset has it thermal, in order of stamps; the caller closes them.
    truth : see Truth. Both raise DatasetError (or SourceError) naming the file.
    """

    dataset: str
    name: str
    subject: str
    conditions: Mapping[str, str]
    open: Callable[[], FrameSource]
    truth: Callable[[], Truth]


class DatasetReader(Protocol):
    """Finds the recordings of a dataset in its folder."""

    def __call__(self, root: Path) -> list[Recording]:
        """Recordings in the order of their names.

        Raises
        ------
        DatasetError : nothing there is in the dataset's layout; says what was looked for.
        """

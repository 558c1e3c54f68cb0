"""What an engine is: it turns a window of crops on an even clock into stretches of waveform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rppg_ros.types import FaceCrop, Vital


class EngineError(RuntimeError):
    """An engine cannot be built or run as asked; names the model file or parameter."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What whoever asks for an engine may choose; an engine takes from it what it has a use for.

    Attributes
    ----------
    model : path of an .onnx file with a model card, or the name of a shipped model; "": none.
    hop_s : seconds between windows.
    threads : for one inference.
    provider : what computes it, see inference.providers.
    """

    model: str
    hop_s: float
    threads: int
    provider: str = "cpu"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one window says about one waveform.

    Attributes
    ----------
    offset : first sample, counted from the window's first clock point.
    samples, weights : (n,); overlapping windows are averaged by weight.
    """

    vital: Vital
    offset: int
    samples: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """Which windows an engine wants, counted in points of its clock.

    Attributes
    ----------
    rate_hz : of the clock.
    first, longest : points of the first window, and of the longest; windows grow from one to the other.
    hop : new points between windows.
    hold_back : newest points of a window that are not final yet: window edges are worse, and later windows improve them.
    align_sign : whether a window that runs against the waveform so far is turned over.
    consecutive : windows follow each other without overlap, each of `hop` points but the clip's last, which may be
        shorter; the engine carries a memory from one to the next.
    levelled : whether the size of its samples says how likely they are right, 1 to 0; otherwise they may have any size.
    """

    rate_hz: float
    first: int
    longest: int
    hop: int
    hold_back: Mapping[Vital, int]
    align_sign: bool = False
    consecutive: bool = False
    levelled: bool = False


Memory = dict[str, np.ndarray]
"""What an engine carries from one window of a clip to the next; empty at the clip's first window."""


class Engine(Protocol):
    """A method that gives waveforms.

    `rgb` and `thermal` reduce a crop to what the method looks at (in the frame's callback: cheap); `infer` does the work
    (in a worker thread). An engine holds no state of a face; what it must remember of a clip its caller keeps in `memory`.
    All its properties are read only to its callers: plain attributes will do, of the class or of the object.
    """

    @property
    def name(self) -> str:
        """Of the method or model, for messages."""

    @property
    def vitals(self) -> Sequence[Vital]:
        """Waveforms it can give."""

    @property
    def plan(self) -> WindowPlan:
        """Which windows it wants; the same for its whole life."""

    @property
    def crop_size(self) -> int:
        """Side of the crops it asks for, pixels."""

    @property
    def crop_scale(self) -> float:
        """Side of the crops it asks for over the longer side of the face box."""

    @property
    def least_crop(self) -> int:
        """Side of the smallest crops that it can use, pixels."""

    def rgb(self, crop: FaceCrop) -> np.ndarray:
        """What is kept of the crop's RGB."""

    def thermal(self, crop: FaceCrop) -> np.ndarray | None:
        """What is kept of the crop's thermal image; None without one, or where the engine has no use for it."""

    def infer(self, rgb: np.ndarray, thermal: np.ndarray | None, memory: Memory) -> list[Contribution]:
        """Waveforms of one window: rgb (n, ...), thermal (n, ...) or None, both float32 on the clock."""

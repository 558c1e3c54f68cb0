"""A training run as a YAML file: a network, its loss, its data, its schedule, one seed."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from rppg_ros.datasets.base import DatasetError
from rppg_ros.datasets.registry import dataset
from rppg_ros.models import registry
from rppg_ros.models.blocks import NetworkConfig
from rppg_ros.synthesis.factors import FACTORS

LOSSES = ("pearson", "multitask", "hybrid")
SHARE_TOLERANCE = 1e-6  # of shares written as decimal numbers


class TrainingError(ValueError):
    """A run that cannot be begun; names the file and the setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSet:
    """Recordings to train on beside made-up people.

    Attributes
    ----------
    dataset : name in the datasets' registry; "": `folder` is a bag, a video, or a folder of them.
    folder : the dataset's root, absolute or from where the command runs.
    share : of the training windows, 0 to 1.
    only : recordings whose name holds or fits this, as '01-*'; "": all.
    val : whether held-out windows come from it too. Its windows for training are then of other subjects: a fifth of them (one at
        least) is held out; all of them with `share: 0`.
    """

    dataset: str = ""
    folder: str = ""
    share: float = 0.0
    only: str = ""
    val: bool = False

    def __post_init__(self) -> None:
        if self.dataset:
            _check_dataset(self.dataset)
        if not self.folder:
            raise TrainingError("folder: is missing")
        if not 0 <= self.share <= 1:
            raise TrainingError(f"share must be from 0 to 1, not {self.share:g}")
        if not self.share and not self.val:
            raise TrainingError("share: is 0 and val is not set: nothing would use it")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One run.

    Attributes
    ----------
    family, options : of the network, see registry.build.
    start : a shipped model's name, or a checkpoint of ours (a path, absolute or from where the command runs), whose weights it
        starts from; "": from random ones. Of another variant of the family, those tensors are taken that have the same name
        and shape.
    loss : "pearson": -r of each task; "multitask": MMRPhys's smooth L1; "hybrid": physFSUNet's.
    frames, rate_hz : window and clock.
    skip_frames : first samples that count for nothing: a causal network knows nothing there yet.
    hardness, val_hardness : of training and held-out scenes, from and to.
    without : factors that training scenes are made without, see synthesis.factors; held-out scenes have them all.
    epochs, steps, batch : steps of `batch` windows make an epoch; no window comes twice.
    val_windows : held-out windows, the same after each epoch.
    learning_rate : highest of a one-cycle schedule. weight_decay. clip_norm : of gradients. ema_decay : of the weights that are
        kept.
    patience : epochs without a better held-out loss after which it stops.
    workers : processes that make clips; threads : of the training itself; 0: torch's choice.
    precision, accelerator, devices, strategy : see lightning's Trainer. Each device gets its own windows, `steps` times `batch`.
    recordings : datasets, bags and videos whose windows are mixed with made-up ones: what their shares leave of 1.
    cache : folder for the recordings' crops; "": `crops` in the run's folder.
    """

    family: str
    options: dict[str, Any] = field(default_factory=dict)
    start: str = ""
    loss: str = "pearson"
    frames: int = 180
    rate_hz: float = 30.0
    skip_frames: int = 0
    hardness: tuple[float, float] = (0.0, 1.0)
    val_hardness: tuple[float, float] = (0.7, 1.0)
    without: list[str] = field(default_factory=list)
    epochs: int = 30
    steps: int = 200
    batch: int = 8
    val_windows: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    clip_norm: float = 1.0
    ema_decay: float = 0.99
    patience: int = 8
    workers: int = 1
    threads: int = 0
    precision: str = "32-true"
    accelerator: str = "auto"
    devices: int = 1
    strategy: str = "auto"
    recordings: tuple[RecordingSet, ...] = ()
    cache: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise TrainingError(f"loss '{self.loss}' is not known; there are: {', '.join(LOSSES)}")
        for name in ("frames", "epochs", "steps", "batch", "val_windows", "patience", "devices"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.skip_frames < self.frames:
            raise TrainingError(f"skip_frames must be from 0 to below frames, not {self.skip_frames}")
        total = sum(recordings.share for recordings in self.recordings)
        if total > 1 + SHARE_TOLERANCE:
            raise TrainingError(f"recordings: their shares must be 1 at most together, not {total:g}")
        for name in self.without:
            if name not in FACTORS:
                raise TrainingError(f"without: no factor '{name}'; there are: {', '.join(FACTORS)}")
        network = self.network()
        if self.frames % network.frames_multiple or self.frames < network.min_frames:
            raise TrainingError(
                f"frames: {network.variant} takes multiples of {network.frames_multiple} from {network.min_frames}"
            )

    def network(self) -> NetworkConfig:
        """Config of the network; ValueError as registry.configure says."""
        return registry.configure(self.family, **self.options)

    def plain(self) -> dict[str, Any]:
        """As YAML and JSON can hold it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def read(cls, path: str | Path) -> TrainConfig:
        """Read a YAML file.

        Raises
        ------
        TrainingError : no such file, not YAML, or a setting that is unknown or of the wrong kind; names it.
        """
        try:
            raw = yaml.safe_load(Path(path).read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise TrainingError(f"{path}: not readable: {' '.join(str(error).split())}") from None
        if not isinstance(raw, Mapping):
            raise TrainingError(f"{path}: holds no settings")
        try:
            return cls(**_typed(cls, raw))
        except (TypeError, ValueError) as error:
            raise TrainingError(f"{path}: {error}") from None


def _check_dataset(name: str) -> None:
    try:
        dataset(name)
    except DatasetError as error:
        raise TrainingError(f"dataset: {error}") from None


def _typed(cls: type, raw: Mapping[str, Any]) -> dict[str, Any]:
    kinds = typing.get_type_hints(cls)
    known = [f.name for f in fields(cls)]
    for name in raw:
        if name not in known:
            raise TrainingError(f"no setting '{name}'; there are: {', '.join(known)}")
    return {name: _as(name, kinds[name], value) for name, value in raw.items()}


def _as(name: str, kind: Any, value: Any) -> Any:
    if kind == tuple[RecordingSet, ...]:
        return _recording_sets(name, value)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list) or len(value) != 2:
            raise TrainingError(f"{name} must be two numbers, not {value!r}")
        return tuple(float(item) for item in value)
    if kind is float and isinstance(value, str):  # YAML takes 1e-3 for a text
        value = _number(name, value)
    plain = typing.get_origin(kind) or kind
    wrong = isinstance(value, bool) != (kind is bool)
    if wrong or not isinstance(value, (int, float) if kind is float else plain):
        raise TrainingError(f"{name} must be {plain.__name__}, not {value!r}")
    return float(value) if kind is float else value


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise TrainingError(f"{name} must be float, not {text!r}") from None


def _recording_sets(name: str, value: Any) -> tuple[RecordingSet, ...]:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise TrainingError(f"{name} must be a list of mappings with dataset, folder and share, not {value!r}")
    found = []
    for index, item in enumerate(value):
        try:
            found.append(RecordingSet(**_typed(RecordingSet, item)))
        except ValueError as error:
            raise TrainingError(f"{name}[{index}]: {error}") from None
    return tuple(found)

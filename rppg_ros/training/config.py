"""A training run as a YAML file: a network, its loss, its data, its schedule, one seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from rppg_ros.checked import FieldError, checked, hold
from rppg_ros.datasets.base import DatasetError
from rppg_ros.datasets.registry import dataset
from rppg_ros.limits import Limits
from rppg_ros.models import registry
from rppg_ros.models.blocks import NetworkConfig
from rppg_ros.synthesis.factors import FACTORS
from rppg_ros.yaml_files import YamlError, read_yaml

FRAMES = Limits(1, 20_000)  # 11 minutes at 30 Hz
RATE_HZ = Limits(1.0, 240.0)
SHARE = Limits(0.0, 1.0)
COUNT = Limits(1, 1_000_000)
FEW = Limits(1, 4096)  # of what a machine holds at once
PROCESSES = Limits(0, 1024)
LEARNING_RATE = Limits(1e-12, 10.0)
CLIP_NORM = Limits(0.0, 1e6)  # of gradients
SEED = Limits(0, 199)  # each has ten million windows of its own; from 200 on they would be the held-out ones
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
    share: Annotated[float, SHARE] = 0.0
    only: str = ""
    val: bool = False

    def __post_init__(self) -> None:
        if self.dataset:
            _check_dataset(self.dataset)
        if not self.folder:
            raise TrainingError("folder: is missing")
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
    loss : "pearson": -r of each task; "multitask": MMRPhys's smooth L1; "hybrid": physFSUNet's, as printed; "hybrid_logits":
        the same as the toolbox reads the spectrum, see DynamicHybridLoss.
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
    loss: Literal["pearson", "multitask", "hybrid", "hybrid_logits"] = "pearson"
    frames: Annotated[int, FRAMES] = 180
    rate_hz: Annotated[float, RATE_HZ] = 30.0
    skip_frames: Annotated[int, Limits(0, FRAMES.most)] = 0
    hardness: tuple[Annotated[float, SHARE], Annotated[float, SHARE]] = (0.0, 1.0)
    val_hardness: tuple[Annotated[float, SHARE], Annotated[float, SHARE]] = (0.7, 1.0)
    without: list[str] = field(default_factory=list)
    epochs: Annotated[int, COUNT] = 30
    steps: Annotated[int, COUNT] = 200
    batch: Annotated[int, FEW] = 8
    val_windows: Annotated[int, COUNT] = 64
    learning_rate: Annotated[float, LEARNING_RATE] = 2e-3
    weight_decay: Annotated[float, SHARE] = 1e-4
    clip_norm: Annotated[float, CLIP_NORM] = 1.0
    ema_decay: Annotated[float, SHARE] = 0.99
    patience: Annotated[int, COUNT] = 8
    workers: Annotated[int, PROCESSES] = 1
    threads: Annotated[int, PROCESSES] = 0
    precision: str = "32-true"
    accelerator: str = "auto"
    devices: Annotated[int, FEW] = 1
    strategy: str = "auto"
    recordings: tuple[RecordingSet, ...] = ()
    cache: str = ""
    seed: Annotated[int, SEED] = 0

    def __post_init__(self) -> None:
        try:
            hold(self)
        except FieldError as error:
            raise TrainingError(str(error)) from None
        if self.skip_frames >= self.frames:
            raise TrainingError(f"skip_frames must be below frames, not {self.skip_frames}")
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
            raw = read_yaml(path)
        except YamlError as error:
            raise TrainingError(f"{path}: not readable: {error}") from None
        if not isinstance(raw, Mapping):
            raise TrainingError(f"{path}: holds no settings")
        try:
            return cls(**checked(cls, raw))
        except (TypeError, ValueError) as error:
            raise TrainingError(f"{path}: {error}") from None


def _check_dataset(name: str) -> None:
    try:
        dataset(name)
    except DatasetError as error:
        raise TrainingError(f"dataset: {error}") from None

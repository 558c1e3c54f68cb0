"""A training run as a YAML file: a network, its loss, its data, its schedule, one seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from rppg_ros.checked import FieldError, checked, hold
from rppg_ros.limits import Limits
from rppg_ros.models import registry
from rppg_ros.models.blocks import NetworkConfig
from rppg_ros.synthesis.factors import FACTORS
from rppg_ros.training.recording_set import SHARE, RecordingSet, TrainingError
from rppg_ros.yaml_files import YamlError, read_yaml

FRAMES = Limits(1, 20_000)  # 11 minutes at 30 Hz
RATE_HZ = Limits(1.0, 240.0)
COUNT = Limits(1, 1_000_000)
FEW = Limits(1, 4096)  # of what a machine holds at once
PROCESSES = Limits(0, 1024)
FACTOR = Limits(0.0, 1000.0)
LEARNING_RATE = Limits(1e-12, 10.0)
CLIP_NORM = Limits(0.0, 1e6)  # of gradients
SEED = Limits(0, 199)  # each has ten million windows of its own; from 200 on they would be the held-out ones
LEAST_LEFT_S = 1.0
SHARE_TOLERANCE = 1e-6  # of shares written as decimal numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One run.

    Attributes
    ----------
    family, options : of the network, see registry.build.
    start : a shipped model's name, or a checkpoint of ours (a path, absolute or from where the command runs), whose weights it
        starts from; "": from random ones. Of another variant of the family, those tensors are taken that have the same name
        and shape.
    only : parts of the names of what learns, such as "level"; the rest stays as it starts, as at inference. Empty: all learns.
    loss : "none": level_weight alone says what is wanted; "pearson": -r of each task; "mse": mean square of standardised waves;
        "multitask": MMRPhys's smooth L1; "hybrid": physFSUNet's, as printed; "hybrid_logits": the same as the toolbox reads the
        spectrum, see DynamicHybridLoss.
    alpha, lam, theta, sigma : constants of the hybrid losses, see DynamicHybridLoss.
    labels : "wave": networks learn the contact sensor's wave; "difference": its steps from frame to frame, which the exported
        network adds up again.
    frames, rate_hz : window and clock.
    skip_frames : first samples that count for nothing: a causal network knows nothing there yet.
    hardness, val_hardness : of training and held-out scenes, from and to.
    lifeless, rhythm : shares of made-up windows in which nobody lives (a face of wax: the true waves are flat), and of those with
        a rhythm of the world in light, movement or keyframes; see synthesis.lifeless.
    level_weight : of the mean square of what the output leaves of the standardised truth, 0 for the lifeless: see level_loss.
        It teaches a network with `level` how large its wave is to be.
    without : factors that training scenes are made without, see synthesis.factors; held-out scenes have them all.
    epochs, steps, batch : steps of `batch` windows make an epoch; no window comes twice.
    passes : an epoch is one pass over all the recordings in windows that follow one another, in another order each time; `steps`
        is then what the recordings give. For runs without made-up people.
    flip : whether half of the recorded windows are turned left to right.
    val_windows : held-out windows, the same after each epoch.
    optimiser, schedule : "adamw" or "adam"; "one_cycle", or "constant".
    learning_rate : the schedule's highest. weight_decay. clip_norm : of gradients, 0: they are not clipped. ema_decay : of the
        weights that are kept; 0: those of the last step, no average.
    keep : "best": the epoch with the best held-out loss; "last": the last, and nothing is held out.
    patience : epochs without a better held-out loss after which it stops.
    workers : processes that make clips; threads : of the training itself; 0: torch's choice.
    precision, accelerator, devices, strategy : see lightning's Trainer. Each device gets its own windows, `steps` times `batch`.
    recordings : datasets, bags and videos whose windows are mixed with made-up ones: what their shares leave of 1.
    cache : folder for the recordings' crops; "": `crops` in the run's folder.
    """

    family: str
    options: dict[str, Any] = field(default_factory=dict)
    start: str = ""
    only: list[str] = field(default_factory=list)
    loss: Literal["none", "pearson", "mse", "multitask", "hybrid", "hybrid_logits"] = "pearson"
    alpha: Annotated[float, FACTOR] = 1.0
    lam: Annotated[float, FACTOR] = 1.0
    theta: Annotated[float, FACTOR] = 1.5
    sigma: Annotated[float, Limits(1e-3, 100.0)] = 3.0
    labels: Literal["wave", "difference"] = "wave"
    frames: Annotated[int, FRAMES] = 180
    rate_hz: Annotated[float, RATE_HZ] = 30.0
    skip_frames: Annotated[int, Limits(0, FRAMES.most)] = 0
    hardness: tuple[Annotated[float, SHARE], Annotated[float, SHARE]] = (0.0, 1.0)
    val_hardness: tuple[Annotated[float, SHARE], Annotated[float, SHARE]] = (0.7, 1.0)
    lifeless: Annotated[float, SHARE] = 0.0
    rhythm: Annotated[float, SHARE] = 0.0
    level_weight: Annotated[float, FACTOR] = 0.0
    without: list[str] = field(default_factory=list)
    epochs: Annotated[int, COUNT] = 30
    steps: Annotated[int, COUNT] = 200
    batch: Annotated[int, FEW] = 8
    passes: bool = False
    flip: bool = True
    val_windows: Annotated[int, COUNT] = 64
    optimiser: Literal["adamw", "adam"] = "adamw"
    schedule: Literal["one_cycle", "constant"] = "one_cycle"
    learning_rate: Annotated[float, LEARNING_RATE] = 2e-3
    weight_decay: Annotated[float, SHARE] = 1e-4
    clip_norm: Annotated[float, CLIP_NORM] = 1.0
    ema_decay: Annotated[float, SHARE] = 0.99
    keep: Literal["best", "last"] = "best"
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
        for name in ("hardness", "val_hardness"):
            if getattr(self, name)[0] > getattr(self, name)[1]:
                raise TrainingError(f"{name}: must rise, not {list(getattr(self, name))}")
        if self.loss == "none" and not self.level_weight:
            raise TrainingError("loss: 'none' leaves nothing to learn by without level_weight")
        if self.lifeless == 1:
            raise TrainingError("lifeless: must be below 1: there is nothing to learn where nobody lives")
        if self.passes and (self.lifeless or self.rhythm):
            raise TrainingError("lifeless, rhythm: are of made-up windows, which a run by passes has not")
        if self.ema_decay == 1:
            raise TrainingError("ema_decay: must be below 1: such an average never moves")
        if self.skip_frames >= self.frames:
            raise TrainingError(f"skip_frames must be below frames, not {self.skip_frames}")
        if self.skip_frames and (self.frames - self.skip_frames) < LEAST_LEFT_S * self.rate_hz:
            raise TrainingError(
                f"skip_frames: {self.skip_frames} of {self.frames} frames leave less than {LEAST_LEFT_S:g} s to learn from"
            )
        total = sum(recordings.share for recordings in self.recordings)
        if total > 1 + SHARE_TOLERANCE:
            raise TrainingError(f"recordings: their shares must be 1 at most together, not {total:g}")
        if self.passes and total < 1 - SHARE_TOLERANCE:
            raise TrainingError(f"passes: are over recordings alone, whose shares must be 1 together, not {total:g}")
        if self.keep == "last" and any(recordings.val for recordings in self.recordings):
            raise TrainingError("keep: 'last' holds nothing out, yet a set of recordings has val")
        for name in self.without:
            if name not in FACTORS:
                raise TrainingError(f"without: no factor '{name}'; there are: {', '.join(FACTORS)}")
        network = self.network()
        if self.labels == "difference" and getattr(network, "causal", False):
            raise TrainingError(
                "labels: 'difference' is for networks of whole windows: a stream's sums would have to be carried"
            )
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

"""A paper's protocol as a YAML file: what is trained on what, how, and the figures that were published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from rppg_ros.checked import FieldError, checked
from rppg_ros.limits import Limits
from rppg_ros.settings.evaluation import PROTOCOLS
from rppg_ros.training.config import TrainConfig
from rppg_ros.training.recording_set import SHARE, RecordingSet, TrainingError
from rppg_ros.types import Vital
from rppg_ros.vitals.registry import RATES
from rppg_ros.yaml_files import YamlError, read_yaml

FOLDER = Path(__file__).with_name("papers")
RATE_NAMES = {RATES[vital].name: vital for vital in Vital}
FIGURES = ("mae", "rmse", "mape", "pearson", "snr_db", "macc")
PEER = ("mae", "latency_ms", "parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Recordings of a data set; see RecordingSet for the fields."""

    dataset: str
    only: str = ""
    part: tuple[Annotated[float, SHARE], Annotated[float, SHARE]] = (0.0, 1.0)
    subjects: list[str] = field(default_factory=list)
    but: list[str] = field(default_factory=list)
    conditions: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        RecordingSet(**asdict(self), folder=".", share=1.0)  # whose checks hold here too


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A line of a paper's table.

    Attributes
    ----------
    train, val, test : recordings; val chooses the epoch, where there is any.
    settings : of the run, over the paper's.
    folds : so many parts of the subjects, in the order of their names, each tested once by a network that was trained on the
        others; 0: one run. leave_one_out : as many as there are subjects.
    paper : rate ("heart_rate", "respiration_rate") to published figures, of FIGURES.
    """

    name: str
    train: tuple[Part, ...]
    test: tuple[Part, ...]
    val: tuple[Part, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    folds: Annotated[int, Limits(0, 1000)] = 0
    leave_one_out: bool = False
    paper: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.slug.strip("-") or set(self.name) & set("|\n\r"):
            raise TrainingError(f"experiments: '{self.name}' is no name: letters or digits, and no line breaks or |")
        if self.folds == 1:
            raise TrainingError(f"{self.name}: folds: must be 0, or 2 and more")
        if "recordings" in self.settings or "cache" in self.settings:
            raise TrainingError(f"{self.name}: settings: recordings and cache follow from train, val and -o")
        if not self.train or not self.test:
            raise TrainingError(f"{self.name}: train and test must name recordings")
        if (self.folds or self.leave_one_out) and [p.dataset for p in self.train] != [p.dataset for p in self.test]:
            raise TrainingError(f"{self.name}: folds are within one data set: train and test must name the same")
        for rate, figures in self.paper.items():
            unknown = set(figures) - set(FIGURES)
            if rate not in RATE_NAMES or unknown:
                raise TrainingError(f"{self.name}: paper: no rate '{rate}', or no figure of {sorted(unknown)}")

    @property
    def slug(self) -> str:
        """Of its folder."""
        return "".join(c if c.isalnum() else "-" for c in self.name)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets it needs."""
        return tuple(dict.fromkeys(part.dataset for part in (*self.train, *self.val, *self.test)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper's protocol.

    Attributes
    ----------
    protocol : how rates are read off waveforms, a name of evaluation.protocols.
    settings : of the runs, see TrainConfig.
    peers : other networks of the paper: error, milliseconds, millions of parameters, as printed.
    """

    title: str
    protocol: str
    settings: dict[str, Any]
    experiments: tuple[Experiment, ...]
    peers: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise TrainingError(f"protocol: no '{self.protocol}'; there are: {', '.join(PROTOCOLS)}")
        names = [experiment.slug.lower() for experiment in self.experiments]
        if len(set(names)) < len(names) or not names:
            raise TrainingError("experiments: need names, each its own, in letters and digits")
        for name, figures in self.peers.items():
            if set(figures) != set(PEER):
                raise TrainingError(f"peers: {name} must have {', '.join(PEER)}")
        for experiment in self.experiments:
            self.config(experiment)

    def config(
        self,
        experiment: Experiment,
        recordings: Sequence[Mapping[str, Any]] = (),
        over: Mapping[str, Any] | None = None,
    ) -> TrainConfig:
        """Settings of an experiment's run.

        Parameters
        ----------
        recordings : see RecordingSet; none: only the other settings are checked.
        over : settings that come before the paper's.

        Raises
        ------
        TrainingError : names the experiment and the setting.
        """
        layers = [self.settings, experiment.settings, dict(over or {})]
        options = [layer.get("options", {}) for layer in layers]
        if not all(isinstance(one, Mapping) for one in options):
            raise TrainingError(f"{experiment.name}: options: must be a mapping of names to values")
        values = {name: value for layer in layers for name, value in layer.items()}
        values["options"] = {name: value for one in options for name, value in one.items()}
        values["recordings"] = [dict(one) for one in recordings]
        if not recordings:
            values.pop("passes", None)  # they are over recordings
        try:
            return TrainConfig(**checked(TrainConfig, values))
        except (TypeError, ValueError) as error:
            raise TrainingError(f"{experiment.name}: {error}") from None

    @classmethod
    def read(cls, path: str | Path) -> Paper:
        """Read a YAML file.

        Raises
        ------
        TrainingError : no such file, not YAML, or a field that is unknown or wrong; names it.
        """
        try:
            raw = read_yaml(path)
            if not isinstance(raw, Mapping):
                raise TrainingError("holds no protocol")
            return cls(**checked(cls, raw))
        except (YamlError, FieldError, TrainingError, TypeError) as error:
            raise TrainingError(f"{path}: {error}") from None


def papers() -> dict[str, Path]:
    """Protocols that come with this package, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}

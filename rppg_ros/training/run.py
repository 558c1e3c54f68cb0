"""Runs a training: from a config to a checkpoint of ours in a folder; stopped, it goes on where it was."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.data import DataLoader

from rppg_ros import weights
from rppg_ros.models.saved import load, save
from rppg_ros.models.summed import Summed
from rppg_ros.training.config import TrainConfig
from rppg_ros.training.data import Example, SyntheticWindows, WindowSpec
from rppg_ros.training.module import Learner
from rppg_ros.training.progress import EpochLines
from rppg_ros.training.provenance import provenance_of, remember_start
from rppg_ros.training.recording_set import TrainingError
from rppg_ros.training.recordings import Recorded, open_recorded, window_spec
from rppg_ros.training.windows import MixedWindows, PassWindows, RecordedWindows

HELD_OUT = 2_000_000_000  # seeds from here on are held out; no run comes that far
SEEDS_OF_A_RUN = 10_000_000
BEST, CROPS = "best.pt", "crops"
MAX_SAID = 300  # characters

_Shares = tuple[Sequence[RecordedWindows], Sequence[float]]  # see MixedWindows


def train(config: TrainConfig, folder: str | Path) -> Path:
    """Train, and write best.pt; returns its path.

    The folder gets the run's settings, curves (TensorBoard) and `last.ckpt`, from which the same settings go on; and face crops
    of the recordings that it is asked to train on, unless they have a `cache` of their own.

    Raises
    ------
    TrainingError : the folder holds a run with other settings, or recordings cannot be used.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, config)
    if (folder / BEST).is_file():  # written when all else is done
        return folder / BEST
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    if config.threads:
        torch.set_num_threads(config.threads)
    learner = Learner(config)
    last = folder / "last.ckpt"
    if config.start and not last.is_file():
        _start_from(learner, weights.checkpoint(config.start), folder)
    windows = Windows(config, folder)
    windows.film()
    kept = ModelCheckpoint(folder, "last", enable_version_counter=False)
    best = ModelCheckpoint(folder, "best", monitor="val/loss", enable_version_counter=False)
    _quiet()
    checkpoints = [best, kept] if config.keep == "best" else [kept]  # `kept` last: it keeps what `best` knows
    trainer = _trainer(config, folder, checkpoints)
    torch.set_flush_denormal(True)  # dying gradients would cost many times a number's time
    try:
        trainer.fit(learner, datamodule=windows, ckpt_path=str(last) if last.is_file() else None, weights_only=False)
    finally:
        torch.set_flush_denormal(False)  # it is the thread's, whose other work may count on the smallest numbers
    if trainer.is_global_zero:
        _keep(config, folder, checkpoints[0])
    return folder / BEST


def _claim(folder: Path, config: TrainConfig) -> None:
    """Take a folder for a run, or refuse one of another run. Where crops are kept makes no other run."""
    about, settings = folder / "settings.json", json.loads(json.dumps(config.plain()))
    if not about.is_file():
        about.write_text(json.dumps(settings, indent=1))
        return
    before = json.loads(about.read_text())
    differ = [name for name in sorted({*before, *settings} - {"cache"}) if before.get(name) != settings.get(name)]
    if differ:
        said = ", ".join(f"{name} was {before.get(name)!r}, is {settings.get(name)!r}" for name in differ[:3])
        raise TrainingError(f"{folder}: holds a run with other settings ({said[:MAX_SAID]}); give another folder")


def _start_from(learner: Learner, path: Path, folder: Path) -> None:
    """Take a checkpoint's weights where they fit, and note in the run's folder where they come from.

    Raises
    ------
    TrainingError : not a checkpoint of ours, or nothing fits.
    """
    try:
        loaded = load(path)
    except (ValueError, OSError) as error:
        raise TrainingError(f"start: {error}") from None
    own, theirs = learner.network.state_dict(), loaded.network
    fitting = {
        name: value
        for name, value in (theirs.network if isinstance(theirs, Summed) else theirs).state_dict().items()
        if own.get(name, value[:0]).shape == value.shape
    }
    if not fitting:
        raise TrainingError(f"start: {path}: no tensor of it fits {learner.network.config.variant}")
    learner.network.load_state_dict(fitting, strict=False)
    remember_start(folder, loaded.provenance)


def _quiet() -> None:
    """Keep from the user what lightning says of every run that is as it should be."""
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
    for text in ("Checkpoint directory", "The number of training batches", ".*isinstance\\(treespec", "You defined a"):
        warnings.filterwarnings("ignore", text)


def _trainer(config: TrainConfig, folder: Path, checkpoints: Sequence[ModelCheckpoint]) -> lightning.Trainer:
    precision: Any = config.precision  # one of a long list, which lightning checks
    averaged = [EMAWeightAveraging(decay=config.ema_decay)] if config.ema_decay else []
    held_out = config.keep == "best"
    return lightning.Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        strategy=config.strategy,
        precision=precision,
        max_epochs=config.epochs,
        reload_dataloaders_every_n_epochs=1,
        limit_train_batches=1.0 if config.passes else config.steps,
        limit_val_batches=1.0 if held_out else 0,
        gradient_clip_val=config.clip_norm or None,
        logger=TensorBoardLogger(folder, name="", version="curves"),
        callbacks=[
            *averaged,
            *([EarlyStopping("val/loss", patience=config.patience)] if held_out else []),
            *checkpoints,
            RichProgressBar() if sys.stderr.isatty() else EpochLines(),
        ],
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        log_every_n_steps=10,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )


class Windows(lightning.LightningDataModule):
    """Training windows of each epoch, no one twice, and the held-out ones; a resumed run gets those that it has not seen.

    Parameters
    ----------
    folder : of the run.
    """

    def __init__(self, config: TrainConfig, folder: Path) -> None:
        super().__init__()
        self._config = config
        self._cache = Path(config.cache) if config.cache else folder / CROPS
        self._recorded: Recorded | None = None

    @rank_zero_only
    def film(self) -> None:
        """Make the face crops that are not there yet; TrainingError as open_recorded says."""
        if self._config.recordings:
            open_recorded(self._config, self._cache, film=True)

    def setup(self, stage: str) -> None:
        if self._config.recordings and self._recorded is None:
            self._recorded = open_recorded(self._config, self._cache, film=False)

    def train_dataloader(self) -> DataLoader[Example]:
        c, found = self._config, self._recorded
        assert self.trainer is not None  # which asks
        if c.passes:
            assert found is not None  # the config says so
            windows = PassWindows(found.train, c.seed, self.trainer.current_epoch)
            return DataLoader(windows, batch_size=c.batch, num_workers=c.workers)
        count = c.steps * c.batch * self.trainer.world_size
        first = c.seed * SEEDS_OF_A_RUN + self.trainer.current_epoch * count
        spec = window_spec(c, c.hardness, tuple(c.without))
        return self._loader(spec, first, count, (found.train, found.train_shares) if found else None)

    def val_dataloader(self) -> DataLoader[Example]:
        c, found = self._config, self._recorded
        recorded = (found.held_out, found.held_out_shares) if found else None
        return self._loader(window_spec(c, c.val_hardness), HELD_OUT, c.val_windows, recorded)

    def _loader(self, spec: WindowSpec, first: int, count: int, recorded: _Shares | None) -> DataLoader[Example]:
        c = self._config
        if recorded is None:
            windows = SyntheticWindows(spec, first, count, c.batch)
        else:
            windows = MixedWindows(spec, first, count, c.batch, *recorded)
        return DataLoader(windows, batch_size=c.batch, num_workers=c.workers)


def _keep(config: TrainConfig, folder: Path, best: ModelCheckpoint) -> None:
    """The best epoch's (or the last one's) weights, as a checkpoint of ours."""
    raw = torch.load(best.best_model_path, map_location="cpu", weights_only=False)  # our own file
    learner = Learner(config)
    learner.load_state_dict(raw["state_dict"])
    scores = {"held_out_loss": float(best.best_model_score)} if best.best_model_score is not None else {}
    provenance = provenance_of(config, folder, raw["global_step"], scores if config.keep == "best" else {})
    network = Summed(learner.network, config.rate_hz) if config.labels == "difference" else learner.network
    save(network, config.family, provenance, folder / BEST)

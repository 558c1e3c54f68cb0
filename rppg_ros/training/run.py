"""Runs a training: from a config to a checkpoint of ours in a folder; stopped, it goes on where it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from rppg_ros import __version__
from rppg_ros.models.saved import Provenance, load, save
from rppg_ros.training.config import TrainConfig, TrainingError
from rppg_ros.training.data import SyntheticWindows, WindowSpec
from rppg_ros.training.module import Learner
from rppg_ros.training.progress import EpochLines

HELD_OUT = 2_000_000_000  # seeds from here on are held out; no run comes that far
SEEDS_OF_A_RUN = 10_000_000
LICENCE = "Apache-2.0"


def train(config: TrainConfig, folder: str | Path) -> Path:
    """Train, and write best.pt; returns its path.

    The folder gets the run's settings, curves (TensorBoard) and `last.ckpt`, from which the same settings go on.

    Raises
    ------
    TrainingError : the folder holds a run with other settings.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, config)
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)  # dying gradients would cost many times a number's time
    learner = Learner(config)
    if config.start:
        _start_from(learner, Path(config.start))
    best = ModelCheckpoint(folder, "best", monitor="val/loss", save_last=True, enable_version_counter=False)
    trainer = _trainer(config, folder, best)
    last = folder / "last.ckpt"
    trainer.fit(
        learner, datamodule=Windows(config), ckpt_path=str(last) if last.is_file() else None, weights_only=False
    )
    return _keep_best(config, folder, best)


def _claim(folder: Path, config: TrainConfig) -> None:
    about, settings = folder / "settings.json", json.loads(json.dumps(config.plain()))
    if about.is_file() and json.loads(about.read_text()) != settings:
        raise TrainingError(f"{folder}: holds a run with other settings; give another folder")
    about.write_text(json.dumps(settings, indent=1))


def _start_from(learner: Learner, path: Path) -> None:
    """Take a checkpoint's weights where they fit.

    Raises
    ------
    TrainingError : not a checkpoint of ours, or nothing fits.
    """
    try:
        loaded = load(path)
    except (ValueError, OSError) as error:
        raise TrainingError(f"start: {error}") from None
    own = learner.network.state_dict()
    fitting = {
        name: value
        for name, value in loaded.network.state_dict().items()
        if own.get(name, value[:0]).shape == value.shape
    }
    if not fitting:
        raise TrainingError(f"start: {path}: no tensor of it fits {learner.network.config.variant}")
    learner.network.load_state_dict(fitting, strict=False)


def _trainer(config: TrainConfig, folder: Path, best: ModelCheckpoint) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        precision=config.precision,
        max_epochs=config.epochs,
        reload_dataloaders_every_n_epochs=1,
        limit_train_batches=config.steps,
        gradient_clip_val=config.clip_norm,
        logger=TensorBoardLogger(folder, name="", version="curves"),
        callbacks=[
            EMAWeightAveraging(decay=config.ema_decay),
            best,
            EarlyStopping("val/loss", patience=config.patience),
            RichProgressBar() if sys.stderr.isatty() else EpochLines(),
        ],
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        log_every_n_steps=10,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )


class Windows(lightning.LightningDataModule):
    """Training windows of each epoch, no one twice, and the held-out ones; a resumed run gets those that it has not seen."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self._config = config

    def train_dataloader(self) -> DataLoader:
        c = self._config
        first = c.seed * SEEDS_OF_A_RUN + self.trainer.current_epoch * c.steps * c.batch
        return self._loader(SyntheticWindows(self._spec(c.hardness, tuple(c.without)), first, c.steps * c.batch))

    def val_dataloader(self) -> DataLoader:
        return self._loader(SyntheticWindows(self._spec(self._config.val_hardness), HELD_OUT, self._config.val_windows))

    def _spec(self, hardness: tuple[float, float], without: tuple[str, ...] = ()) -> WindowSpec:
        c = self._config
        return WindowSpec.of(c.network(), frames=c.frames, rate_hz=c.rate_hz, hardness=hardness, without=without)

    def _loader(self, windows: SyntheticWindows) -> DataLoader:
        return DataLoader(windows, batch_size=self._config.batch, num_workers=self._config.workers)


def _keep_best(config: TrainConfig, folder: Path, best: ModelCheckpoint) -> Path:
    """The best epoch's averaged weights, as a checkpoint of ours."""
    raw = torch.load(best.best_model_path, map_location="cpu", weights_only=False)  # our own file
    learner = Learner(config)
    learner.load_state_dict(raw["state_dict"])
    provenance = Provenance(
        frames=config.frames,
        rate_hz=config.rate_hz,
        training_data=f"synthetic {__version__}",
        licence=LICENCE,
        source=f"rppg_ros {__version__}, seed {config.seed}, {raw['global_step']} steps of {config.batch}",
        scores={"held_out_loss": float(best.best_model_score)},
    )
    path = folder / "best.pt"
    save(learner.network, config.family, provenance, path)
    return path

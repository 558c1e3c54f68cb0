"""A network while it learns: its loss, its schedule, and how right its rates are on held-out windows."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import lightning
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor

from rppg_ros.models import registry
from rppg_ros.models.network import Network
from rppg_ros.models.summed import steps_of
from rppg_ros.training.config import TrainConfig
from rppg_ros.training.losses import (
    DynamicHybridLoss,
    flat_clips,
    known_clips,
    level_loss,
    mean_square,
    negative_pearson,
    power_db,
    smooth_l1_multitask,
    told_clips,
)
from rppg_ros.training.recording_set import TrainingError
from rppg_ros.types import Vital
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.spectrum import find_peak, spectrum

MIN_RATE_S = {Vital.BVP: 5.0, Vital.RSP: 20.0}  # shorter windows have no rate to be wrong about
SEED_STRIDE = 100_003
SCORES = ("r", "mae", "left", "live_db", "flat_db")
WARM_UP = 0.1  # share of the steps in which the learning rate rises

Waves = dict[Vital, Tensor]


class Learner(lightning.LightningModule):
    """Trains a network of the registry on batches of (clip, {task name: wave})."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        self.network = cast(Network, registry.build(config.family, **config.options))
        self.tasks = self.network.config.tasks
        self._loss = make_loss(config)
        if config.only:
            for name, parameter in self.network.named_parameters():  # type: ignore[attr-defined]
                parameter.requires_grad_(_is_of(name, config.only))
            if not any(parameter.requires_grad for parameter in self.network.parameters()):
                raise TrainingError(f"only: {self.network.config.variant} has no part called {', '.join(config.only)}")

    def train(self, mode: bool = True) -> Learner:
        """See torch; what does not learn goes on as at inference."""
        super().train(mode)
        if mode and self.config.only:
            for name, module in self.network.named_modules():  # type: ignore[attr-defined]
                module.training = _is_of(name, self.config.only)
        return self

    def training_step(self, batch: tuple[Tensor, dict[str, Tensor]], index: int) -> Tensor:
        # What is random in a step (dropout) follows from seed and step alone, so that a resumed run draws the same.
        torch.manual_seed((self.config.seed * SEED_STRIDE + self.global_step) * SEED_STRIDE + self.global_rank)
        clip, targets = self._split(batch)
        seen = {vital: wave.nan_to_num() for vital, wave in targets.items()}  # some attentions look at the target
        loss = self._loss(self._settled(self.network(clip, seen)), self._settled(targets), self.current_epoch + 1)
        self.log("train/loss", loss, on_step=True, on_epoch=False, prog_bar=True)
        return loss

    def on_validation_epoch_start(self) -> None:
        self._sums = {
            f"{vital}_{score}": torch.zeros(2, device=self.device) for vital in self.tasks for score in SCORES
        }

    def validation_step(self, batch: tuple[Tensor, dict[str, Tensor]], index: int) -> None:
        clip, targets = self._split(batch)
        waves, targets = self._settled(self.network(clip)), self._settled(targets)
        for vital in self.tasks:
            wave, target = known_clips(waves[vital], targets[vital])
            dead = waves[vital][flat_clips(targets[vital])]
            if len(told := waves[vital][told_clips(targets[vital])]):
                left = level_loss(told, targets[vital][told_clips(targets[vital])])
                self._count(f"{vital}_left", left, len(told))
            if len(dead):
                self._count(f"{vital}_flat_db", power_db(dead).mean(), len(dead))
            if len(wave):
                self._count(f"{vital}_live_db", power_db(wave).mean(), len(wave))
                self._count(f"{vital}_r", -negative_pearson(wave, target), len(wave))
                error = rate_error(wave, target, self.config.rate_hz, vital)
                if np.isfinite(error):
                    self._count(f"{vital}_mae", error, len(wave))

    def on_validation_epoch_end(self) -> None:
        """Means over all clips of all ranks; the loss is the sum of what is known of the tasks."""
        sums = {name: self.trainer.strategy.reduce(both, reduce_op="sum") for name, both in self._sums.items()}
        means = {name: float(total / count) for name, (total, count) in sums.items() if count}
        below = {
            vital: means[f"{vital}_flat_db"] - means[f"{vital}_live_db"]
            for vital in self.tasks
            if f"{vital}_flat_db" in means
        }
        for vital, decibels in below.items():
            self.log(f"val/{vital}_lifeless_db", decibels, sync_dist=True)
        for name, mean in means.items():
            if name.endswith("_db") or (name.endswith("_left") and not self.config.level_weight):
                continue
            self.log(f"val/{name}", mean, prog_bar=name.endswith("mae"), sync_dist=True)
        known = [mean for name, mean in means.items() if name.endswith("_r")]
        level = self.config.level_weight * sum(mean for name, mean in means.items() if name.endswith("_left"))
        self.log("val/loss", level - sum(known) if known else float("nan"), prog_bar=True, sync_dist=True)

    def _count(self, name: str, mean: Tensor | float, clips: int) -> None:
        self._sums[name] += torch.tensor([float(mean) * clips, clips], device=self.device)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        c = self.config
        kind = torch.optim.AdamW if c.optimiser == "adamw" else torch.optim.Adam
        learning = [parameter for parameter in self.parameters() if parameter.requires_grad]
        optimiser = kind(learning, c.learning_rate, weight_decay=c.weight_decay)
        if c.schedule == "constant":
            return optimiser
        total = int(self.trainer.estimated_stepping_batches) if c.passes else c.epochs * c.steps
        rising = WARM_UP if total * WARM_UP != 1 else WARM_UP * 1.5  # torch divides by the steps that rise, less one
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, c.learning_rate, total_steps=total, pct_start=rising)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _split(self, batch: tuple[Tensor, dict[str, Tensor]]) -> tuple[Tensor, Waves]:
        clip, waves = batch
        learnt = steps_of if self.config.labels == "difference" else lambda wave: wave
        return clip, {vital: learnt(waves[vital.value]) for vital in self.tasks}

    def _settled(self, waves: Waves) -> Waves:
        return {vital: wave.float()[:, self.config.skip_frames :] for vital, wave in waves.items()}


def make_loss(config: TrainConfig) -> Callable[[Waves, Waves, int], Tensor]:
    """The loss that a config names: of waves, true waves, and the epoch from 1. Clips whose truth has NaN do not count."""
    whole, used = _loss_of_known(config), (Vital.BVP,) if config.loss.startswith("hybrid") else tuple(Vital)

    def loss(waves: Waves, targets: Waves, epoch: int) -> Tensor:
        pairs = {vital: known_clips(wave, targets[vital]) for vital, wave in waves.items()}
        found = {vital: wave for vital, (wave, _) in pairs.items() if vital in used and len(wave)}
        level = [config.level_weight * part for part in _levels(waves, targets)] if config.level_weight else []
        # Ranks wait for the gradient of every parameter, be it 0.
        silent = [wave.sum() * 0.0 for vital, wave in waves.items() if vital not in found]
        return _total(
            ([whole(found, {vital: pairs[vital][1] for vital in found}, epoch)] if found else []) + level + silent
        )

    return loss


def _levels(waves: Waves, targets: Waves) -> list[Tensor]:
    told = {vital: told_clips(targets[vital]) for vital in waves}
    return [
        level_loss(wave[told[vital]], targets[vital][told[vital]]) for vital, wave in waves.items() if told[vital].any()
    ]


def _is_of(name: str, parts: Sequence[str]) -> bool:
    return any(part in name.split(".") for part in parts)


def _loss_of_known(config: TrainConfig) -> Callable[[Waves, Waves, int], Tensor]:
    if config.loss == "none":
        return lambda waves, targets, epoch: _total(wave.sum() * 0.0 for wave in waves.values())
    if config.loss == "multitask":
        return lambda waves, targets, epoch: smooth_l1_multitask(waves, targets)
    if config.loss.startswith("hybrid"):
        hybrid = DynamicHybridLoss(
            config.epochs, config.rate_hz, config.alpha, config.lam, config.theta, config.sigma,
            spectrum_as_logits=config.loss == "hybrid_logits",
        )  # fmt: skip
        return lambda waves, targets, epoch: hybrid(waves[Vital.BVP], targets[Vital.BVP], epoch)
    each = mean_square if config.loss == "mse" else negative_pearson
    return lambda waves, targets, epoch: _total(each(wave, targets[vital]) for vital, wave in waves.items())


def _total(terms: Iterable[Tensor]) -> Tensor:
    return functools.reduce(operator.add, terms)


def rate_error(waves: Tensor, targets: Tensor, rate_hz: float, vital: Vital) -> float:
    """Mean absolute error, per minute, of the rates of waves (B, T); NaN where T is too short for a rate."""
    if waves.shape[1] < MIN_RATE_S[vital] * rate_hz:
        return float("nan")
    errors = []
    for wave, target in zip(waves.detach().cpu().numpy(), targets.cpu().numpy(), strict=True):
        found, wanted = (find_peak(spectrum(curve, rate_hz), RATES[vital]) for curve in (wave, target))
        errors.append(abs(found.hz - wanted.hz) * 60 if found and wanted else np.nan)
    return float(np.nanmean(errors)) if np.isfinite(errors).any() else float("nan")

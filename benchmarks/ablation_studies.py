"""What the four papers claim, as studies: one base, and variants that differ from it in one thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ablation_windows as windows
import torch
from torch import nn

from rppg_ros.models import physfsunet
from rppg_ros.models.gtcn import GatedBlock
from rppg_ros.training.losses import DynamicHybridLoss
from rppg_ros.training.module import Learner
from rppg_ros.types import Vital

Change = Callable[[Learner], None]


@dataclass(frozen=True, slots=True)
class Variant:
    """One network of a study.

    Attributes
    ----------
    options : of the network, over the base's. settings : of the run, over the base's. truth : what is done to the true waves.
    change : what is done to the network or the loss.
    """

    options: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    truth: Callable | None = None
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """Variants of a run; all see the same windows in the same order."""

    base: dict[str, Any]
    steps: int
    variants: dict[str, Variant]
    seeds: int = 3


def _attention(kind: str, **more: Any) -> Variant:
    return Variant({"attention": kind, **more})


def _even_mask(learner: Learner) -> None:
    network: Any = learner.network

    def mask(x: torch.Tensor) -> torch.Tensor:
        places = x.shape[3] * x.shape[4]
        return x.new_full((x.shape[0], x.shape[2], places), 1 / places)

    network.filter.mask = mask


def _no_difference(learner: Learner) -> None:
    network: Any = learner.network
    features = network.filter.features

    def only_level(module: nn.Module, args: tuple, out: torch.Tensor) -> torch.Tensor:
        return torch.cat([out[:, :features], out[:, features:] * 0], dim=1)

    network.filter.register_forward_hook(only_level)


def _no_gate(learner: Learner) -> None:
    def forward(self: GatedBlock, x: torch.Tensor, stream: Any) -> torch.Tensor:
        value, _ = self.both(x, stream).chunk(2, dim=1)
        return torch.relu(self.dropout(torch.tanh(value)) + self.skip(x))

    for block in learner.network.modules():
        if isinstance(block, GatedBlock):
            block.forward = forward.__get__(block)  # type: ignore[method-assign]


def _no_mask(learner: Learner) -> None:
    for block in learner.network.modules():
        if isinstance(block, physfsunet.STASBlock):
            block.masks = nn.ModuleList(nn.Identity() for _ in block.masks)


def _no_shift(learner: Learner) -> None:
    def forward(self: physfsunet.STASBlock, x: torch.Tensor) -> torch.Tensor:
        for conv, mask, pool in zip(self.convs, self.masks, self.pools, strict=True):
            x = pool(mask(conv(x)))
        return self.dropout(x)

    for block in learner.network.modules():
        if isinstance(block, physfsunet.STASBlock):
            block.forward = forward.__get__(block)  # type: ignore[method-assign]


def _without_term(name: str) -> Change:
    def change(learner: Learner) -> None:
        config = learner.config
        hybrid = DynamicHybridLoss(config.epochs, config.rate_hz, spectrum_as_logits=config.loss == "hybrid_logits")
        setattr(hybrid, name, lambda *args: torch.zeros(()))
        learner._loss = lambda waves, targets, epoch: hybrid(waves[Vital.BVP], targets[Vital.BVP], epoch)

    return change


def _now_and_then(learner: Learner) -> None:
    """Attention in half of the steps, so that the layers behind it also learn to do without."""
    network: Any = learner.network
    whole, generator = network.forward, torch.Generator().manual_seed(0)

    def forward(x: torch.Tensor, targets: Any = None, attend: bool | None = None) -> Any:
        if attend is None and network.training:
            attend = bool(torch.rand(1, generator=generator) < 0.5)
        return whole(x, targets, attend)

    network.forward = forward


_TARGETS = {
    "as it is": None, "smoothed by radial basis functions": windows.smoothed, "with noise": windows.noisy,
    "shifted": windows.shifted, "with gaps": windows.gapped,
}  # fmt: skip

STUDIES: dict[str, Study] = {
    "mmrphys": Study(
        {
            "family": "mmrphys", "options": {"size": "S", "fusion": "NF", "cameras": ["rgb", "thermal"], "dropout": 0.05},
            "frames": 192, "rate_hz": 15.0, "batch": 8, "learning_rate": 3e-3, "precision": "bf16-mixed",
        },
        400,
        {"none": _attention("none"), "FSAM": _attention("fsam"), "TSFM": _attention("tsfm")}
        | {"TSFM, rows as released": _attention("tsfm", axis="code")}
        | {"TSFM, in half of the steps": Variant({"attention": "tsfm"}, change=_now_and_then)},
    ),
    "mmrphys-loss": Study(
        {
            "family": "mmrphys", "options": {"size": "S", "fusion": "NF", "cameras": ["rgb", "thermal"], "dropout": 0.05},
            "frames": 192, "rate_hz": 15.0, "batch": 8, "learning_rate": 3e-3, "precision": "bf16-mixed",
        },
        400,
        {"multitask (smooth L1)": Variant({"attention": "none"}, {"loss": "multitask"})}
        | {"multitask (smooth L1), TSFM": Variant({"attention": "tsfm"}, {"loss": "multitask"})},
    ),
    "mmrphys-target": Study(
        {
            "family": "mmrphys", "options": {"size": "S", "fusion": "NF", "cameras": ["rgb", "thermal"], "dropout": 0.05},
            "frames": 192, "rate_hz": 15.0, "batch": 8, "learning_rate": 3e-3, "precision": "bf16-mixed",
        },
        400,
        {
            f"{kind}, truth {name}": Variant(options, truth=change)
            for name, change in _TARGETS.items()
            if change
            for kind, options in (
                ("none", {"attention": "none"}),
                ("TSFM, rows as released", {"attention": "tsfm", "axis": "code"}),
            )
        },
    ),
    "lifeless": Study(
        {
            "family": "mmrphys",
            "options": {"size": "S", "fusion": "NF", "cameras": ["rgb", "thermal"], "dropout": 0.05, "attention": "none"},
            "frames": 192,
            "rate_hz": 15.0,
            "batch": 8,
            "learning_rate": 3e-3,
            "precision": "bf16-mixed",
            "lifeless": 0.2,
            "rhythm": 0.3,
        },
        250,
        {
            "no level": Variant(),
            "level": Variant(options={"level": True}, settings={"level_weight": 0.5}),
        },
        seeds=1,
    ),
    "mmrphys-36": Study(
        {
            "family": "mmrphys", "options": {"size": "M", "dropout": 0.05, "rsp_step": 2},
            "frames": 192, "rate_hz": 15.0, "batch": 4, "learning_rate": 2e-3, "precision": "bf16-mixed",
        },
        250,
        {"none": _attention("none"), "FSAM": _attention("fsam"), "TSFM": _attention("tsfm")},
    ),
    "factorizephys": Study(
        {
            "family": "factorizephys", "options": {"size": "standard", "dropout": 0.05}, "frames": 120, "rate_hz": 15.0,
            "batch": 4, "learning_rate": 2e-3, "precision": "bf16-mixed",
        },
        200,
        {
            "none": _attention("none", attend_at_inference=False),
            "FSAM": _attention("fsam"),
            "FSAM, while training only": _attention("fsam", attend_at_inference=False),
            "TSFM": _attention("tsfm", attend_at_inference=False),
        },
    ),
    "phasenet": Study(
        {
            "family": "phasenet",
            "options": {"causal": True, "pixels": 16, "hidden": 48, "layers": 5, "contrast": True},
            "frames": 144, "rate_hz": 15.0, "skip_frames": 24, "batch": 4, "learning_rate": 2e-3, "precision": "bf16-mixed",
        },
        300,
        {
            "as built": Variant(),
            "without ZAS": Variant({"swap_share": 0.0}),
            "ZAS, share 1/2": Variant({"swap_share": 0.5}),
            "ZAS, blocks of 4": Variant({"swap_block": 4}),
            "ZAS, the whole face": Variant({"swap_block": 0}),
            "mean for ASF": Variant(change=_even_mask),
            "without gate": Variant(change=_no_gate),
            "without difference": Variant(change=_no_difference),
            "3 layers (15 frames)": Variant({"layers": 3}),
            "4 layers (31 frames)": Variant({"layers": 4}),
            "6 layers (127 frames)": Variant({"layers": 6}),
            "without contrast": Variant({"contrast": False}),
        },
        seeds=1,
    ),
    "phasenet-input": Study(
        {
            "family": "phasenet",
            "options": {"causal": True, "pixels": 16, "hidden": 48, "layers": 5, "contrast": True},
            "frames": 144, "rate_hz": 15.0, "skip_frames": 24, "batch": 4, "learning_rate": 2e-3, "precision": "bf16-mixed",
            "lifeless": 0.15, "rhythm": 0.25,
        },
        300,
        {
            "contrast": Variant(),
            "contrast as chroma": Variant({"chroma": True}),
            "chroma, level": Variant({"chroma": True, "level": True}, {"level_weight": 0.5}),
        },
        seeds=1,
    ),
    "physfsunet": Study(
        {
            "family": "physfsunet", "options": {"pixels": 32}, "frames": 144, "rate_hz": 15.0, "batch": 4,
            "learning_rate": 2e-3, "loss": "hybrid", "precision": "bf16-mixed",
        },
        240,
        {
            "as built": Variant(),
            "raw stem only": Variant({"raw_share": 1.0, "fused_share": 0.0}),
            "difference stem only": Variant({"raw_share": 0.0, "fused_share": 1.0}),
            "without shift": Variant(change=_no_shift),
            "without mask": Variant(change=_no_mask),
            "loss without cross-entropy": Variant(change=_without_term("cross_entropy")),
            "loss without rate divergence": Variant(change=_without_term("rate_divergence")),
            "loss: correlation only": Variant(settings={"loss": "pearson"}),
            "loss: spectrum as logits": Variant(settings={"loss": "hybrid_logits"}),
        },
        seeds=1,
    ),
}  # fmt: skip

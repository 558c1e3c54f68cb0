"""Figures of a network: parameters, cost, and how far in time an output sample looks."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from rppg_ros.inference.card import CHANNEL_COUNTS
from rppg_ros.models.blocks import NetworkConfig
from rppg_ros.models.network import Network
from rppg_ros.models.norm import InstanceNorm
from rppg_ros.models.stream_state import ClipMean, ClipNorm, RunningMean, RunningNorm, StreamState
from rppg_ros.types import Vital

SAMPLES = (0, 3, 6, 9)  # strides and segments' borders show in one or the other
SLOW = range(5, 17)  # strides of branches that see means of frames: longer than SAMPLES, and far-sighted
GLOBAL_IN_TIME = (InstanceNorm, ClipNorm, ClipMean, RunningNorm, RunningMean)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a network is, in numbers.

    Attributes
    ----------
    parameters : trained numbers.
    macs : multiplications and additions of convolutions and matrix products for one clip of `frames` samples, attention
        of training left out.
    look_back, look_ahead : frames of the input before and after its own that a sample depends on, task by task, through
        convolutions, shifts and differences alone: norms and channel gates over the clip are taken for constants.
    """

    parameters: int
    macs: int
    frames: int
    look_back: dict[Vital, int]
    look_ahead: dict[Vital, int]


def describe(network: Network, frames: int) -> Figures:
    """Measure a network on clips of `frames` samples."""
    network = copy.deepcopy(network).eval()
    parameters = sum(p.numel() for p in network.parameters())
    clip = _clip(network.config, frames)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(clip)
    back, ahead = _reach(network, frames)
    return Figures(parameters, counter.get_total_flops() // 2, frames, back, ahead)


def _clip(config: NetworkConfig, frames: int) -> Tensor:
    channels = sum(CHANNEL_COUNTS[camera] for camera in config.cameras)
    generator = torch.Generator().manual_seed(1)
    return 255 * torch.rand(1, channels, frames + config.pad_frames, config.pixels, config.pixels, generator=generator)


def _reach(network: Network, frames: int) -> tuple[dict[Vital, int], dict[Vital, int]]:
    """By gradients; the furthest over a few samples, or every place within a long stride."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, GLOBAL_IN_TIME):
                setattr(module, name, _Through())
    stride = network.config.frames_multiple
    samples = range(stride) if stride in SLOW else SAMPLES
    frames *= 2 if stride in SLOW else 1
    back, ahead = {}, {}
    for task in network.config.tasks:
        reaches = [_reach_of(network, task, frames, frames // 2 + i) for i in samples]
        back[task] = max(before for before, _ in reaches)
        ahead[task] = max(after for _, after in reaches)
    return back, ahead


def _reach_of(network: Network, task: Vital, frames: int, at: int) -> tuple[int, int]:
    clip = _clip(network.config, frames).requires_grad_()
    attend = False if getattr(network, "attention", None) is not None else None
    (gradient,) = torch.autograd.grad(network(clip, attend=attend)[task][0, at], clip)
    seen = gradient.abs().sum(dim=(0, 1, 3, 4)).nonzero().flatten()
    return at - int(seen.min()), int(seen.max()) - at


class _Through(nn.Module):
    """Stands in for a layer that ties all frames to each other."""

    def forward(self, x: Tensor, stream: StreamState | None = None) -> Tensor:
        return x

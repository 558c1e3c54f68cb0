"""The wave from a network that learnt its steps: difference-normalised labels, as in DeepPhys and EfficientPhys."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from rppg_ros.models.blocks import NetworkConfig
from rppg_ros.models.network import Network
from rppg_ros.types import Vital

FADE_S = 2.0  # of what was summed, to 1/e: the sum of a small error would run away, and the slowest breath still fits
KEPT_FADES = 4.0


def steps_of(wave: Tensor) -> Tensor:
    """Steps (B, T) of a wave (B, T) from each sample to the next; the last is 0."""
    return torch.diff(wave, dim=-1, append=wave[..., -1:])


class Summed(nn.Module):
    """A network whose waveforms are steps, with them added up.

    w[t] = sum over k >= 1 of d^k steps[t - k], with d = exp(-1 / (FADE_S rate)).

    Parameters
    ----------
    network : gives steps; not a streaming one, since sums would have to be carried.
    rate_hz : of its waveforms.
    """

    def __init__(self, network: Network, rate_hz: float) -> None:
        super().__init__()
        self.network = network
        self.rate_hz = rate_hz
        count = round(KEPT_FADES * FADE_S * rate_hz)
        fading = torch.exp(-torch.arange(count, 0, -1, dtype=torch.float32) / (FADE_S * rate_hz))
        self.register_buffer("fading", fading[None, None], persistent=False)

    @property
    def config(self) -> NetworkConfig:
        """Of the network."""
        return self.network.config

    def forward(
        self, x: Tensor, targets: Mapping[Vital, Tensor] | None = None, attend: bool | None = None
    ) -> dict[Vital, Tensor]:
        """Waveforms (B, T); see Network.forward."""
        fading: Tensor = self.get_buffer("fading")
        padded = {
            k: functional.pad(w[:, None], (fading.shape[-1], 0)) for k, w in self.network(x, targets, attend).items()
        }
        return {vital: functional.conv1d(steps, fading)[:, 0, :-1] for vital, steps in padded.items()}

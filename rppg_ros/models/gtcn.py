"""Gated causal TCN of PHASE-Net: dilated convolutions that look back only (arXiv 2509.24850).

The paper derives it from the physics of the pulse: a damped oscillator sampled in time is a causal convolution of its
input, and a finite one comes as close to it as one likes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from rppg_ros.models.stream_state import CausalConv, StreamState

KERNEL = 3


class GatedBlock(nn.Module):
    """relu(tanh(conv_a x) * sigmoid(conv_g x) + x), convolutions causal and dilated.

    Parameters
    ----------
    dilation : frames between taps.
    """

    def __init__(self, in_channels: int, channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        both = nn.Conv1d(in_channels, 2 * channels, KERNEL, dilation=dilation)
        # One convolution of twice the width is both of the paper's: rows have a norm of their own.
        self.both = CausalConv(weight_norm(both), (KERNEL - 1) * dilation)
        self.dropout = nn.Dropout(dropout)
        self.skip = nn.Identity() if in_channels == channels else nn.Conv1d(in_channels, channels, 1)

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        """(B, C, T) to (B, C', T)."""
        value, gate = self.both(x, stream).chunk(2, dim=1)
        return torch.relu(self.dropout(torch.tanh(value) * torch.sigmoid(gate)) + self.skip(x))


def reach(layers: int) -> int:
    """Frames that a GatedTCN of so many layers sees, the newest included."""
    return 1 + (KERNEL - 1) * (2**layers - 1)


class GatedTCN(nn.Module):
    """Gated blocks of dilation 1, 2, 4, ...; sees `reach(layers)` frames, the newest included."""

    def __init__(self, in_channels: int, channels: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            GatedBlock(channels if i else in_channels, channels, 2**i, dropout) for i in range(layers)
        )

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        """(B, C, T) to (B, channels, T)."""
        for block in self.blocks:
            x = block(x, stream)
        return x

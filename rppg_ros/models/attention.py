"""Factorised self-attention of an embedding, by FSAM or TSFM: weighs what a low-rank view of it explains."""

from __future__ import annotations

import enum
import math

import torch
from torch import Tensor, nn

from rppg_ros.models import fsam, tsfm
from rppg_ros.models.norm import InstanceNorm


class Attention(str, enum.Enum):
    """How the embedding is factorised."""

    NONE = "none"
    FSAM = "fsam"
    TSFM = "tsfm"


class Axis(str, enum.Enum):
    """How an embedding of K channels, T steps and A x B places is unfolded into the factorised matrix.

    TIME is the papers' idea: a row is a time step, T x KAB. CODE is what the released code does under the
    name T-KAB: it views (K, T, A, B) as (T, KAB) without moving time first, so a row is eight frames of a
    channel. CHANNEL (K-TAB) and CHANNEL_TIME (TK-AB) are the paper's alternatives (arXiv 2411.01542, ablation).
    Attention trained by one is meaningless by another.
    """

    TIME = "time"
    CODE = "code"
    CHANNEL = "channel"
    CHANNEL_TIME = "channel_time"

    def unfold(self, x: Tensor) -> Tensor:
        """(B, K, T, A, B) to the matrix (B, M, N)."""
        batch, channels, frames, height, width = x.shape
        rows = {Axis.CHANNEL: channels, Axis.CHANNEL_TIME: channels * frames}.get(self, frames)
        ordered = x.transpose(1, 2) if self is Axis.TIME else x
        return ordered.reshape(batch, rows, channels * frames * height * width // rows)

    def fold(self, matrix: Tensor, shape: torch.Size) -> Tensor:
        """The matrix (B, M, N) back to an embedding of `shape`."""
        if self is not Axis.TIME:
            return matrix.reshape(shape)
        batch, channels, frames, height, width = shape
        return matrix.reshape(batch, frames, channels, height, width).transpose(1, 2)


class FactorisedAttention(nn.Module):
    """Embedding E to InstanceNorm((E - min E + 1) * (A - min A + 1)), plus E where `residual`.

    A is a 1x1x1 convolution of the factorised 1x1x1 convolution of E. The minima are of each clip; the
    released code takes them over the batch, which lets one clip change another's result.

    Parameters
    ----------
    channels : of the embedding.
    inner : channels of the matrix that is factorised.
    axis : TSFM needs rows that go along time: TIME or CODE.
    steps : multiplicative updates of FSAM.
    """

    def __init__(
        self,
        channels: int,
        inner: int,
        kind: Attention,
        axis: Axis = Axis.TIME,
        residual: bool = True,
        steps: int = fsam.STEPS,
    ) -> None:
        super().__init__()
        if kind is Attention.NONE:
            raise ValueError("attention 'none' has no layers")
        if kind is Attention.TSFM and axis not in (Axis.TIME, Axis.CODE):
            raise ValueError(f"axis '{axis.value}': TSFM constrains time, so rows must go along it: time or code")
        self.kind = kind
        self.axis = axis
        self.residual = residual
        self.steps = steps
        self.pre = nn.Conv3d(channels, inner, 1)
        within, back = nn.Conv3d(inner, inner, 1, bias=False), nn.Conv3d(inner, channels, 1, bias=False)
        self.post = nn.Sequential(within, nn.ReLU(), back)
        self.norm: nn.Module = InstanceNorm()
        for conv in (self.pre, within, back):
            nn.init.normal_(conv.weight, 0.0, math.sqrt(2.0 / conv.out_channels))

    def forward(self, embedding: Tensor, target: Tensor | None = None) -> Tensor:
        """(B, C, T, H, W) to the same shape; `target` is (B, T) and only TSFM needs it."""
        positive = embedding - _clip_minimum(embedding)
        matrix = torch.relu(self.pre(positive))
        weights = self.post(self._factorised(matrix, target))
        attended = self.norm((positive + 1) * (weights - _clip_minimum(weights) + 1))
        return embedding + attended if self.residual else attended

    def _factorised(self, x: Tensor, target: Tensor | None) -> Tensor:
        if self.kind is Attention.FSAM:
            return self.axis.fold(fsam.factorise(self.axis.unfold(x), self.steps), x.shape)
        batch, frames = x.shape[0], x.shape[2]
        if target is None:
            raise ValueError("TSFM needs the target signal; it is a training-time attention")
        if target.shape != (batch, frames):
            raise ValueError(f"TSFM target is {tuple(target.shape)}, embedding wants {(batch, frames)}")
        return self.axis.fold(tsfm.project(self.axis.unfold(x), tsfm.target_basis(target)), x.shape)


def _clip_minimum(x: Tensor) -> Tensor:
    return x.amin(dim=(1, 2, 3, 4), keepdim=True)

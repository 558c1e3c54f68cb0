"""Factorised self-attention of an embedding, by FSAM or TSFM: weighs what a low-rank view of it explains."""

from __future__ import annotations

import enum
import math

import torch
from torch import Tensor, nn

from rppg_ros.models import fsam, tsfm
from rppg_ros.models.blocks import INSTANCE_NORM_EPS


class Attention(str, enum.Enum):
    """How the embedding is factorised."""

    NONE = "none"
    FSAM = "fsam"
    TSFM = "tsfm"


class Axis(str, enum.Enum):
    """What the rows of the factorised matrix are.

    TIME is the papers' idea: a row is a time step. CODE is what the released code does: it views
    (C, T, H, W) as (T, C*H*W) without moving time first, so a row is eight frames of a channel. Attention
    trained by one is meaningless by the other.
    """

    TIME = "time"
    CODE = "code"


class FactorisedAttention(nn.Module):
    """Embedding E to InstanceNorm((E - min E + 1) * (A - min A + 1)), plus E where `residual`.

    A is a 1x1x1 convolution of the factorised 1x1x1 convolution of E. The minima are of each clip; the
    released code takes them over the batch, which lets one clip change another's result.

    Parameters
    ----------
    channels : of the embedding.
    inner : channels of the matrix that is factorised.
    """

    def __init__(
        self, channels: int, inner: int, kind: Attention, axis: Axis = Axis.TIME, residual: bool = True
    ) -> None:
        super().__init__()
        if kind is Attention.NONE:
            raise ValueError("attention 'none' has no layers")
        self.kind = kind
        self.axis = axis
        self.residual = residual
        self.pre = nn.Conv3d(channels, inner, 1)
        self.post = nn.Sequential(
            nn.Conv3d(inner, inner, 1, bias=False), nn.ReLU(), nn.Conv3d(inner, channels, 1, bias=False)
        )
        self.norm = nn.InstanceNorm3d(channels, eps=INSTANCE_NORM_EPS)
        for conv in (self.pre, self.post[0], self.post[2]):
            nn.init.normal_(conv.weight, 0.0, math.sqrt(2.0 / conv.out_channels))

    def forward(self, embedding: Tensor, target: Tensor | None = None) -> Tensor:
        """(B, C, T, H, W) to the same shape; `target` is (B, T) and only TSFM needs it."""
        positive = embedding - _clip_minimum(embedding)
        matrix = torch.relu(self.pre(positive))
        weights = self.post(self._factorised(matrix, target))
        attended = self.norm((positive + 1) * (weights - _clip_minimum(weights) + 1))
        return embedding + attended if self.residual else attended

    def _factorised(self, x: Tensor, target: Tensor | None) -> Tensor:
        batch, channels, frames, height, width = x.shape
        rows_first = x.transpose(1, 2) if self.axis is Axis.TIME else x
        matrix = rows_first.reshape(batch, frames, channels * height * width)
        if self.kind is Attention.FSAM:
            low_rank = fsam.factorise(matrix)
        else:
            if target is None:
                raise ValueError("TSFM needs the target signal; it is a training-time attention")
            if target.shape != (batch, frames):
                raise ValueError(f"TSFM target is {tuple(target.shape)}, embedding wants {(batch, frames)}")
            low_rank = tsfm.project(matrix, tsfm.target_basis(target))
        if self.axis is Axis.CODE:
            return low_rank.reshape(x.shape)
        return low_rank.reshape(batch, frames, channels, height, width).transpose(1, 2)


def _clip_minimum(x: Tensor) -> Tensor:
    return x.amin(dim=(1, 2, 3, 4), keepdim=True)

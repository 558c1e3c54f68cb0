"""Adaptive Spatial Filter (ASF) of PHASE-Net: where to look in each frame, and how that changes (arXiv 2509.24850)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rppg_ros.models.stream_state import StreamState

HIDDEN = 64


class AdaptiveSpatialFilter(nn.Module):
    """Softmax mask over the places of each frame; the weighed mean z_t and its first difference v_t = z_t - z_{t-1}.

    Parameters
    ----------
    channels : of the feature maps.
    features : length F of z_t.
    """

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.features = features
        self.score = nn.Sequential(
            nn.Conv2d(channels, HIDDEN, 3, padding=1), nn.ReLU(), nn.Conv2d(HIDDEN, 1, 3, padding=1)
        )
        self.encode = nn.Linear(channels, features)

    def mask(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) to weights (B, T, H W) that sum to one in each frame."""
        scores = self.score(x.transpose(1, 2).flatten(0, 1))
        return torch.softmax(scores.reshape(x.shape[0], x.shape[2], -1), dim=2)

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        """(B, C, T, H, W) to z and v one above the other, (B, 2 F, T); v is 0 in a stream's first frame."""
        seen = torch.einsum("btp,bctp->btc", self.mask(x), x.flatten(3))
        level = self.encode(seen)
        before = stream.take(x, self.features + 1)  # the last z, and whether there was one
        last, there = before[:, None, :-1], before[:, None, -1:]
        change = level - torch.cat([last + (1 - there) * level[:, :1], level[:, :-1]], dim=1)
        stream.keep(torch.cat([level[:, -1], before[:, -1:] * 0 + 1], dim=1))
        return torch.cat([level, change], dim=2).transpose(1, 2)

"""Soft attention mask over the face, as in TS-CAN and EfficientPhys: its weights average one half."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MEAN_WEIGHT = 0.5


class SoftMask(nn.Module):
    """Weighs places by H W g / (2 |g|_1), g = sigmoid(1x1 convolution), in each frame by itself.

    Parameters
    ----------
    channels : of the features that are weighed.
    dims : 2 for frames (B, C, H, W), 3 for clips (B, C, T, H, W).
    """

    def __init__(self, channels: int, dims: int = 2) -> None:
        super().__init__()
        self.conv = (nn.Conv2d if dims == 2 else nn.Conv3d)(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape, weighed; the weights of a frame have a mean of one half."""
        gate = torch.sigmoid(self.conv(x))
        return x * (MEAN_WEIGHT * gate / gate.mean(dim=(-2, -1), keepdim=True))

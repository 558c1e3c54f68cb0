"""Temporal shift (TSM): a third of the channels looks one frame ahead, a third one back, at no cost."""

from __future__ import annotations

import torch
from torch import Tensor

FOLDS = 3


def temporal_shift(x: Tensor, axis: int = 2) -> Tensor:
    """Shift channels in time, zeros where there is no frame to take (TSM as in EfficientPhys, arXiv 2110.04447).

    Parameters
    ----------
    x : (B, C, ...), time at `axis`. The first C // 3 channels take frame t+1, the next C // 3 frame t-1, the rest
        stay; with fewer than three channels nothing moves.

    Returns
    -------
    The same shape.
    """
    fold = x.shape[1] // FOLDS
    ahead, behind, same = torch.split(x, [fold, fold, x.shape[1] - 2 * fold], dim=1)
    frames = x.shape[axis]
    none = torch.zeros_like(ahead.narrow(axis, 0, 1))
    ahead = torch.cat([ahead.narrow(axis, 1, frames - 1), none], dim=axis)
    behind = torch.cat([none, behind.narrow(axis, 0, frames - 1)], dim=axis)
    return torch.cat([ahead, behind, same], dim=1)

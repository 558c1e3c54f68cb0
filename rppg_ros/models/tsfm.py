"""TSFM, target-signal-constrained factorisation: what of an embedding follows a given signal in time."""

from __future__ import annotations

import torch
from torch import Tensor

EPS = 1e-8


def target_basis(target: Tensor) -> Tensor:
    """Target signals (B, T) min-max scaled to [1, 2] each; the factorisation needs them positive."""
    low = target.amin(dim=1, keepdim=True)
    span = (target.amax(dim=1, keepdim=True) - low).clamp_min(EPS)
    return 1 + (target - low) / span


def project(v: Tensor, basis: Tensor) -> Tensor:
    """Rank-1 projection of V on to the target, y (y^T V) / (y^T y).

    The published multiplicative updates (arXiv 2505.07013) tie every column of the basis to y, so at any
    rank, number of steps and start they end in this projection, and so does their gradient.

    Parameters
    ----------
    v : (B, M, N), non-negative; rows go along the target.
    basis : (B, M), y.

    Returns
    -------
    (B, M, N).
    """
    y = basis.unsqueeze(2)
    coefficients = torch.bmm(y.transpose(1, 2), v) / (y * y).sum(dim=1, keepdim=True)
    return y @ coefficients

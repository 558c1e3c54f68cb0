"""FSAM's factorisation: non-negative matrix factorisation of rank 1 (FactorizePhys, arXiv 2411.01542)."""

from __future__ import annotations

import torch
from torch import Tensor

STEPS = 4
EPS = 1e-6


def factorise(v: Tensor, steps: int = STEPS) -> Tensor:
    """Rank-1 approximation w h^T of a non-negative V, by multiplicative updates from a constant w.

    Both factors start constant along their axis or equal in all columns, so the released ranks 1 and 4 give
    the same result, and a step is h = V^T w / w^T w, w = V h / h^T h. As released, only the last update of
    h carries a gradient.

    Parameters
    ----------
    v : (B, M, N).

    Returns
    -------
    (B, M, N).
    """
    with torch.no_grad():
        w = torch.ones_like(v[:, :, :1])
        w = w / w.norm(dim=1, keepdim=True)
        h = torch.ones_like(v[:, :1]).transpose(1, 2)
        for _ in range(steps):
            h = _update(h, v.transpose(1, 2), w)
            w = _update(w, v, h)
    h = _update(h, v.transpose(1, 2), w)
    return w @ h.transpose(1, 2)


def _update(factor: Tensor, matrix: Tensor, other: Tensor) -> Tensor:
    """Multiplicative update of one factor: factor * (matrix other) / (factor other^T other + eps)."""
    return factor * torch.bmm(matrix, other) / (factor * (other * other).sum(dim=1, keepdim=True) + EPS)

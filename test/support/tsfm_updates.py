"""TSFM as it was published: multiplicative updates, for comparison with the closed form."""

import torch

from rppg_ros.models import tsfm

CLAMP = 1e-6


def published_updates(v, target, rank: int, steps: int):
    """arXiv 2505.07013: W = y b; H and b by multiplicative updates, the last update of H differentiable."""
    y = tsfm.target_basis(target).unsqueeze(2)
    basis = torch.ones(v.shape[0], 1, rank, dtype=v.dtype)
    with torch.no_grad():
        h = torch.softmax(v.transpose(1, 2) @ (y @ basis), dim=2)
        for _ in range(steps):
            w = y @ basis
            h = h * (v.transpose(1, 2) @ w) / (h @ (w.transpose(1, 2) @ w)).clamp_min(CLAMP)
            basis = y.transpose(1, 2) @ (w * (v @ h) / (w @ (h.transpose(1, 2) @ h)).clamp_min(CLAMP))
    w = y @ basis
    h = h * (v.transpose(1, 2) @ w) / (h @ (w.transpose(1, 2) @ w)).clamp_min(CLAMP)
    return w @ h.transpose(1, 2)

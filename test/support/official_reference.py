"""MMRPhys and FactorizePhys again, in a few functions over the authors' tensor names: a second opinion on our networks.

Written from what is known of the released code, not from it, and with nothing of `rppg_ros`. It computes what the official code
computes (tested where the official outputs are at hand), so that random weights of ours can stand in for official ones.
"""

import torch
from torch.nn import functional

from support.official_layouts import Layout, Path3d, Step, paths

EPS = 1e-6
STEPS = 4


def waveforms(tensors, clip, layout: Layout, attend="", residual=True, targets=None) -> dict:
    """Name of a waveform to (1, T).

    Parameters
    ----------
    tensors : a file's, without prefix.
    clip : (1, C, T+1, S, S), 0-255.
    attend : "fsam" or "tsfm" to run the attention, empty to leave it out.
    targets : name of a waveform to its truth (1, T), for TSFM.
    """
    difference = _norm(clip[:, :, 1:] - clip[:, :, :-1])
    return {
        path.name: _along(path, tensors, _seen(difference, path), attend, residual, (targets or {}).get(path.name))
        for path in paths(layout)
    }


def _seen(x, path: Path3d):
    """Three channels are the first three, one is the last."""
    return x[:, -1:] if path.in_channels == 1 else x[:, : path.in_channels]


def _along(path: Path3d, tensors, x, attend: str, residual: bool, target):
    for step in path.before:
        x = _block(x, tensors, step)
    if attend:
        x = _attended(x, tensors, path, attend, residual, target)
    for step in path.after[:-1]:
        x = _block(x, tensors, step)
    x = x.repeat_interleave(path.time_stride, dim=2)
    return _convolved(x, tensors, path.after[-1]).flatten(1)


def _block(x, tensors, step: Step):
    return _norm(torch.tanh(_convolved(x, tensors, step)))


def _convolved(x, tensors, step: Step):
    stride, padding = ([int(digit) for digit in digits] for digits in (step.stride, step.padding))
    return functional.conv3d(x, tensors[step.tensor], stride=stride, padding=padding)


def _attended(e, tensors, path: Path3d, attend: str, residual: bool, target):
    weight = {name: tensors[f"{path.attention}.{name}"] for name in _NAMES}
    positive = e - e.min()
    x = torch.relu(functional.conv3d(positive, weight[_NAMES[0]], weight[_NAMES[1]]))
    rows = x.reshape(1, x.shape[2], -1)  # as released: without moving time to the front
    if attend == "fsam":
        low_rank = _fsam(rows)
    else:
        stride = path.time_stride
        low_rank = _tsfm(rows, functional.avg_pool1d(target, stride + 1, stride, stride // 2) if stride > 1 else target)
    hidden = torch.relu(functional.conv3d(low_rank.reshape(x.shape), weight[_NAMES[2]]))
    a = functional.conv3d(hidden, weight[_NAMES[3]])
    n = _norm((positive + 1) * (a - a.min() + 1))
    return e + n if residual else n


_NAMES = (
    "pre_conv_block.0.weight",
    "pre_conv_block.0.bias",
    "post_conv_block.0.conv.weight",
    "post_conv_block.1.weight",
)


def _fsam(v):
    """Non-negative factorisation by multiplicative updates, (1, M, N)."""
    w = torch.full((1, v.shape[1], 1), v.shape[1] ** -0.5)
    h = torch.softmax(v.mT @ w, dim=2)
    for _ in range(STEPS):
        h = h * (v.mT @ w) / (h @ (w.mT @ w) + EPS)
        w = w * (v @ h) / (w @ (h.mT @ h) + EPS)
    h = h * (v.mT @ w) / (h @ (w.mT @ w) + EPS)
    return w @ h.mT


def _tsfm(v, target):
    """What of each column follows the target, (1, M, N): the least-squares multiple of it."""
    y = 1 + (target - target.min()) / (target.max() - target.min())
    return torch.einsum("t,n->tn", y[0], torch.linalg.lstsq(y[0][:, None], v[0]).solution[0])[None]


def _norm(x):
    """Zero mean and unit variance of each channel of each clip."""
    return (x - x.mean((2, 3, 4), keepdim=True)) / torch.sqrt(x.var((2, 3, 4), keepdim=True, unbiased=False) + 1e-5)

"""Zero-FLOP Axial Swapper (ZAS) of PHASE-Net: places of the face mix by transposing little blocks (arXiv 2509.24850)."""

from __future__ import annotations

import torch
from torch import Tensor

SHARE = 0.25
BLOCK = 2


def axial_swap(x: Tensor, share: float = SHARE, block: int = BLOCK) -> Tensor:
    """Transpose every b x b block of places in the last channels: out[bi+r, bj+s] = in[bi+s, bj+r].

    It moves numbers and computes none: applied twice it is the identity, and it keeps every norm. Looks at one frame at
    a time. Where height or width are no multiple of the block, the ragged border at the bottom and right stays as it is,
    so that both properties hold for any size.

    Parameters
    ----------
    x : (B, C, T, H, W).
    share : of the channels, 0..1; the last floor(share C) are swapped.
    block : side b of a block, places.

    Returns
    -------
    The same shape.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be between 0 and 1, not {share}")
    if block < 1:
        raise ValueError(f"block must be at least 1, not {block}")
    kept = x.shape[1] - int(share * x.shape[1])
    rows, columns = x.shape[3] // block, x.shape[4] // block
    if kept == x.shape[1] or not rows or not columns:
        return x
    still, moving = x[:, :kept], x[:, kept:]
    height, width = rows * block, columns * block
    tiles = moving[..., :height, :width].unflatten(4, (columns, block)).unflatten(3, (rows, block))
    swapped = tiles.transpose(4, 6).flatten(5, 6).flatten(3, 4)
    return torch.cat([still, _with_border(swapped, moving)], dim=1)


def _with_border(inner: Tensor, whole: Tensor) -> Tensor:
    """`inner` with the rows and columns of `whole` beyond it."""
    height, width = inner.shape[3], inner.shape[4]
    if width < whole.shape[4]:
        inner = torch.cat([inner, whole[..., :height, width:]], dim=4)
    if height < whole.shape[3]:
        inner = torch.cat([inner, whole[..., height:, :]], dim=3)
    return inner

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
    block : side b of a block, places; 0: as large as fits, so that the whole face is transposed. A block of 2 moves a place to
        its neighbour, 1 to 4 % of the crop; only large ones let distant regions meet.

    Returns
    -------
    The same shape.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be between 0 and 1, not {share}")
    if block < 0:
        raise ValueError(f"block must be at least 0, not {block}")
    block = block or min(int(x.shape[3]), int(x.shape[4]))
    channels, rows, columns = int(x.shape[1]), int(x.shape[3]) // block, int(x.shape[4]) // block
    swapped = int(share * channels)
    if not (swapped and rows and columns):
        return x
    still, moving = x[:, : channels - swapped], x[:, channels - swapped :]
    height, width = rows * block, columns * block
    batch, frames = x.shape[0], x.shape[2]
    tiles = moving[..., :height, :width].reshape(batch, swapped, frames, rows, block, columns, block)
    inner = tiles.transpose(4, 6).reshape(batch, swapped, frames, height, width)
    return torch.cat([still, _with_border(inner, moving)], dim=1)


def _with_border(inner: Tensor, whole: Tensor) -> Tensor:
    """`inner` with the rows and columns of `whole` beyond it."""
    height, width = inner.shape[3], inner.shape[4]
    if width < whole.shape[4]:
        inner = torch.cat([inner, whole[..., :height, width:]], dim=4)
    if height < whole.shape[3]:
        inner = torch.cat([inner, whole[..., height:, :]], dim=3)
    return inner

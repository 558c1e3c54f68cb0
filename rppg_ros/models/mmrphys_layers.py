"""MMRPhys's layers, size by size: the same weights' shapes, other strides and paddings (arXiv 2505.07013).

And those of a slow breathing branch of ours.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from rppg_ros.models.blocks import DROP, Conv, LayerTable, Up

RSP_TIME_STRIDE = 4
"""The breathing branch works at a quarter of the rate of what it sees, so windows are multiples of this many frames."""


class Size(str, enum.Enum):
    """Resolution variants: same weights' shapes, other strides and paddings."""

    S = "S"
    M = "M"
    L = "L"

    @property
    def pixels(self) -> int:
        """Side of the input crop."""
        return {"S": 9, "M": 36, "L": 72}[self.value]


@dataclass(frozen=True, slots=True)
class BranchTable:
    """Layers of one branch at one size; `time_stride` is that of the embedding between head and final layers."""

    extractor: LayerTable
    head: LayerTable
    final: LayerTable
    last: Conv
    time_stride: int


_SAME = (1, 1, 1)
_HALF_SPACE = (1, 2, 2)
_HALF_TIME = (2, 1, 1)
_HALF_ALL = (2, 2, 2)


def bvp_table(size: Size, padded_entry: bool, late: bool) -> BranchTable:
    """Layers of the pulse."""
    small = size is Size.S
    body = _SAME if small else (1, 0, 0)
    entry_padding = _SAME if padded_entry or size is not Size.L else (1, 0, 0)
    entry = Conv(8, _HALF_SPACE if size is Size.L else _SAME, entry_padding)
    shrink = _SAME if small else _HALF_SPACE
    return BranchTable(
        extractor=(entry, Conv(12, padding=body), DROP, Conv(16, padding=body)),
        head=(Conv(16, shrink, body), Conv(16, padding=body), Conv(16), DROP),
        final=(Conv(16 if late else 12, shrink), Conv(8)),
        last=Conv(1),
        time_stride=1,
    )


def rsp_table(size: Size) -> BranchTable:
    """Layers of the breath."""
    small = size is Size.S
    body = _SAME if small else (1, 0, 0)
    entry = Conv(16) if size is Size.L else Conv(16, padding=_SAME)
    first_half = Conv(16, _HALF_ALL) if size is Size.L else Conv(16, _HALF_TIME, body)
    second_half = Conv(16, _HALF_TIME if small else _HALF_ALL, body)
    same = Conv(16, padding=body)
    return BranchTable(
        extractor=(entry, first_half, same, DROP),
        head=(same, second_half, same, DROP, same),
        final=(Conv(16, _HALF_SPACE), Up(RSP_TIME_STRIDE)),
        last=Conv(1, kernel=(3, 4, 4)),
        time_stride=RSP_TIME_STRIDE,
    )


def slow_rsp_table() -> BranchTable:
    """Size S, but some layers look 2 or 4 times as far in time: a slow breath lasts ten seconds."""
    plain = rsp_table(Size.S)
    twice, four = (Conv(16, padding=(reach, 1, 1), dilation=(reach, 1, 1)) for reach in (2, 4))
    entry, half, _, drop = plain.extractor
    _, second_half, _, _, _ = plain.head
    return replace(plain, extractor=(entry, half, twice, drop), head=(twice, second_half, twice, drop, four))


# Of three early SCAMPS files, see MMRPhysConfig.
STEPPED_RSP = BranchTable(
    extractor=(Conv(16, _HALF_ALL), Conv(16, _HALF_TIME), DROP, Conv(16)),
    head=(Conv(16, _HALF_SPACE), Conv(16), DROP, Up(2), Conv(16)),
    final=(Conv(16, _HALF_SPACE), Up(2), Conv(16)),
    last=Conv(1),
    time_stride=RSP_TIME_STRIDE // 2,
)

"""MMRPhys: pulse and breathing from RGB and thermal by two 3-D convolutional branches (arXiv 2505.07013)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from rppg_ros.inference.card import CHANNEL_COUNTS
from rppg_ros.models.attention import Attention, Axis, FactorisedAttention
from rppg_ros.models.blocks import DROP, Conv, InputStage, LayerTable, plain_conv, stack
from rppg_ros.types import Kind

RSP_TIME_STRIDE = 4
"""The breathing branch works at a quarter of the frame rate, so windows are multiples of this many frames."""

EMBEDDING_CHANNELS = 16
ATTENTION_CHANNELS = 8


class Size(str, enum.Enum):
    """Resolution variants: same weights' shapes, other strides and paddings."""

    S = "S"
    M = "M"
    L = "L"

    @property
    def pixels(self) -> int:
        """Side of the input crop."""
        return {"S": 9, "M": 36, "L": 72}[self.value]


class Fusion(str, enum.Enum):
    """EARLY: both branches see every channel. NONE: the pulse comes from RGB, the breath from thermal."""

    EARLY = "EF"
    NONE = "NF"


@dataclass(frozen=True, slots=True, kw_only=True)
class MMRPhysConfig:
    """Which MMRPhys to build.

    Attributes
    ----------
    cameras : along the channel axis: ("rgb",), ("thermal",) or ("rgb", "thermal").
    attention : present while training; at inference only when forward is asked for it.
    dropout : probability of dropping a channel.
    padded_entry : size L only: the pulse branch's first convolution is padded in space, as in the files the
        authors trained on PURE and iBVP alone before the layout settled.
    """

    size: Size = Size.L
    fusion: Fusion = Fusion.EARLY
    cameras: tuple[str, ...] = ("rgb",)
    tasks: tuple[Kind, ...] = (Kind.BVP, Kind.RSP)
    attention: Attention = Attention.TSFM
    axis: Axis = Axis.TIME
    dropout: float = 0.1
    padded_entry: bool = False

    def __post_init__(self) -> None:
        if self.cameras not in (("rgb",), ("thermal",), ("rgb", "thermal")):
            raise ValueError(f"cameras must be rgb, thermal, or rgb and thermal, not {self.cameras!r}")
        if self.fusion is Fusion.NONE and len(self.cameras) != 2:
            raise ValueError(f"fusion 'NF' needs cameras rgb and thermal, not {self.cameras!r}")
        if not self.tasks or not set(self.tasks) <= set(Kind) or len(set(self.tasks)) != len(self.tasks):
            raise ValueError(f"tasks must name bvp, rsp or both, not {self.tasks!r}")
        if self.padded_entry and self.size is not Size.L:
            raise ValueError("padded_entry exists at size L only")

    @property
    def variant(self) -> str:
        """Short name in the style of the released files: "LEF_RGB_TSFM"; one task: "LEF_RGB_BVP_TSFM"."""
        cameras = {("rgb",): "RGB", ("thermal",): "T", ("rgb", "thermal"): "RGBT"}[self.cameras]
        task = [] if len(self.tasks) == len(Kind) else [self.tasks[0].value.upper()]
        attention = "Base" if self.attention is Attention.NONE else self.attention.value.upper()
        return "_".join([self.size.value + self.fusion.value, cameras, *task, attention])

    @property
    def pixels(self) -> int:
        """Side of the input crop."""
        return self.size.pixels

    @property
    def frames_multiple(self) -> int:
        """Windows are multiples of this many frames."""
        return RSP_TIME_STRIDE if Kind.RSP in self.tasks else 1

    @property
    def min_frames(self) -> int:
        """Shortest window: instance norm needs more than one value in time."""
        return 2 * self.frames_multiple

    def branch_channels(self, task: Kind) -> slice:
        """Channels of the input that a branch sees."""
        if self.fusion is Fusion.EARLY:
            return slice(0, sum(CHANNEL_COUNTS[camera] for camera in self.cameras))
        rgb = CHANNEL_COUNTS["rgb"]
        return slice(0, rgb) if task is Kind.BVP else slice(rgb, rgb + CHANNEL_COUNTS["thermal"])


@dataclass(frozen=True, slots=True)
class BranchTable:
    """Layers of one branch at one size; `time_scale` is the final upsampling of time before `last`."""

    extractor: LayerTable
    head: LayerTable
    final: LayerTable
    last: Conv
    time_scale: int


_SAME = (1, 1, 1)
_HALF_SPACE = (1, 2, 2)
_HALF_TIME = (2, 1, 1)
_HALF_ALL = (2, 2, 2)


def _bvp_table(size: Size, padded_entry: bool) -> BranchTable:
    small = size is Size.S
    body = _SAME if small else (1, 0, 0)
    entry_padding = _SAME if padded_entry or size is not Size.L else (1, 0, 0)
    entry = Conv(8, _HALF_SPACE if size is Size.L else _SAME, entry_padding)
    shrink = _SAME if small else _HALF_SPACE
    return BranchTable(
        extractor=(entry, Conv(12, padding=body), DROP, Conv(16, padding=body)),
        head=(Conv(16, shrink, body), Conv(16, padding=body), Conv(16), DROP),
        final=(Conv(12, shrink), Conv(8)),
        last=Conv(1),
        time_scale=1,
    )


def _rsp_table(size: Size) -> BranchTable:
    small = size is Size.S
    body = _SAME if small else (1, 0, 0)
    entry = Conv(16) if size is Size.L else Conv(16, padding=_SAME)
    first_half = Conv(16, _HALF_ALL) if size is Size.L else Conv(16, _HALF_TIME, body)
    second_half = Conv(16, _HALF_TIME if small else _HALF_ALL, body)
    same = Conv(16, padding=body)
    return BranchTable(
        extractor=(entry, first_half, same, DROP),
        head=(same, second_half, same, DROP, same),
        final=(Conv(16, _HALF_SPACE),),
        last=Conv(1, kernel=(3, 4, 4)),
        time_scale=RSP_TIME_STRIDE,
    )


def branch_table(task: Kind, config: MMRPhysConfig) -> BranchTable:
    """Layers of a task's branch."""
    return _bvp_table(config.size, config.padded_entry) if task is Kind.BVP else _rsp_table(config.size)


class Branch(nn.Module):
    """One waveform's path: features, embedding (with attention while training), one value per frame."""

    def __init__(self, in_channels: int, table: BranchTable, config: MMRPhysConfig) -> None:
        super().__init__()
        self.extractor = stack(in_channels, table.extractor, config.dropout)
        self.head = stack(EMBEDDING_CHANNELS, table.head, config.dropout)
        self.attention = (
            None
            if config.attention is Attention.NONE
            else FactorisedAttention(EMBEDDING_CHANNELS, ATTENTION_CHANNELS, config.attention, config.axis)
        )
        self.final = stack(EMBEDDING_CHANNELS, table.final, config.dropout)
        self.last = plain_conv(table.final[-1].channels, table.last)
        self.time_scale = table.time_scale

    def forward(self, x: Tensor, attend: bool, target: Tensor | None) -> Tensor:
        """(B, C, T, S, S) to (B, T); `target` is (B, T)."""
        embedding = self.head(self.extractor(x))
        if attend:
            embedding = self.attention(embedding, self._at_embedding_rate(target))
        features = self.final(embedding)
        if self.time_scale > 1:
            features = functional.interpolate(features, scale_factor=(float(self.time_scale), 1.0, 1.0))
        return self.last(features).flatten(1)

    def _at_embedding_rate(self, target: Tensor | None) -> Tensor | None:
        if target is None or self.time_scale == 1:
            return target
        return functional.avg_pool1d(target.unsqueeze(1), 5, self.time_scale, padding=2).squeeze(1)


class MMRPhys(nn.Module):
    """The network; see `forward` for what it takes and gives.

    Parameters
    ----------
    config : which variant.
    """

    def __init__(self, config: MMRPhysConfig) -> None:
        super().__init__()
        self.config = config
        self.input = InputStage([CHANNEL_COUNTS[camera] for camera in config.cameras])
        self.branches = nn.ModuleDict()
        for task in config.tasks:
            channels = config.branch_channels(task)
            table = branch_table(task, config)
            self.branches[task.value] = Branch(channels.stop - channels.start, table, config)

    def forward(
        self, x: Tensor, targets: Mapping[Kind, Tensor] | None = None, attend: bool | None = None
    ) -> dict[Kind, Tensor]:
        """Waveforms of a clip.

        Parameters
        ----------
        x : (B, C, T+1, S, S), raw pixels 0-255; frames are differenced, so append a copy of the last one.
        targets : true waveforms (B, T) by task, zero-mean, which TSFM attention needs.
        attend : run the attention; by default only while training, as released: at inference it is left out.

        Returns
        -------
        Task to (B, T), arbitrary units.

        Raises
        ------
        ValueError : when channels, size or length do not fit the variant.
        """
        self._check(x)
        attend = self.training if attend is None else attend
        attend = attend and self.config.attention is not Attention.NONE
        normalised = self.input(x)
        waveforms = {}
        for task in self.config.tasks:
            seen = normalised
            if self.config.fusion is Fusion.NONE:
                seen = normalised[:, self.config.branch_channels(task)]
            target = targets.get(task) if targets else None
            waveforms[task] = self.branches[task.value](seen, attend, target)
        return waveforms

    def _check(self, x: Tensor) -> None:
        channels = sum(CHANNEL_COUNTS[camera] for camera in self.config.cameras)
        side = self.config.size.pixels
        if x.dim() != 5 or x.shape[1] != channels or tuple(x.shape[3:]) != (side, side):
            raise ValueError(f"{self.config.variant} takes (B, {channels}, T+1, {side}, {side}), not {tuple(x.shape)}")
        multiple = self.config.frames_multiple
        if not torch.compiler.is_exporting() and (x.shape[2] - 1) % multiple:
            raise ValueError(f"{self.config.variant} takes T a multiple of {multiple}, not {x.shape[2] - 1}")

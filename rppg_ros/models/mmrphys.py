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
from rppg_ros.models.blocks import Conv, InputStage, check_clip, plain_conv, stack
from rppg_ros.models.flow import FLOW_CHANNELS, SlowView
from rppg_ros.models.level import TONES, ClipLevel, Tones
from rppg_ros.models.mmrphys_layers import (
    RSP_TIME_STRIDE,
    STEPPED_RSP,
    BranchTable,
    Size,
    bvp_table,
    rsp_table,
    slow_rsp_table,
)
from rppg_ros.types import Vital

EMBEDDING_CHANNELS = 16
ATTENTION_CHANNELS = 8


class Fusion(str, enum.Enum):
    """How RGB and thermal meet.

    EARLY: both branches see every channel. NONE: the pulse comes from RGB, the breath from thermal. LATE: each
    branch has an extractor for each camera, and their embeddings are put side by side.
    """

    EARLY = "EF"
    NONE = "NF"
    LATE = "LF"


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
    rsp_step : not in the paper; for early fusion with RGB. The breathing branch sees, every so many frames, how 9 x 9 cells
        changed and moved (see SlowView), by the layers of size S spread wider in time; 0: frames' differences, as released.
    level : not in the paper. Each wave is as large as it is likely to be right (see models.level), instead of any size.
    stepped_rsp : size L only: the breathing branch upsamples time in two steps, as in three early SCAMPS files. No
        published code is quite theirs: the order of layers follows from their numbering, the strides from the
        commits nearest to them.
    """

    size: Size = Size.L
    fusion: Fusion = Fusion.EARLY
    cameras: tuple[str, ...] = ("rgb",)
    tasks: tuple[Vital, ...] = (Vital.BVP, Vital.RSP)
    attention: Attention = Attention.TSFM
    axis: Axis = Axis.TIME
    dropout: float = 0.1
    padded_entry: bool = False
    rsp_step: int = 0
    level: bool = False
    stepped_rsp: bool = False

    def __post_init__(self) -> None:
        if self.cameras not in (("rgb",), ("thermal",), ("rgb", "thermal")):
            raise ValueError(f"cameras must be rgb, thermal, or rgb and thermal, not {self.cameras!r}")
        if self.fusion is not Fusion.EARLY and len(self.cameras) != 2:
            raise ValueError(f"fusion '{self.fusion.value}' needs cameras rgb and thermal, not {self.cameras!r}")
        if not self.tasks or not set(self.tasks) <= set(Vital) or len(set(self.tasks)) != len(self.tasks):
            raise ValueError(f"tasks must name bvp, rsp or both, not {self.tasks!r}")
        if self.rsp_step < 0:
            raise ValueError(f"rsp_step must be 0 or more, not {self.rsp_step}")
        if self.rsp_step and (
            self.fusion is not Fusion.EARLY or "rgb" not in self.cameras or Vital.RSP not in self.tasks
        ):
            raise ValueError("rsp_step is for early fusion with RGB, and the task rsp")
        if self.rsp_step and self.stepped_rsp:
            raise ValueError("rsp_step and stepped_rsp exclude each other")
        if (self.padded_entry or self.stepped_rsp) and self.size is not Size.L:
            raise ValueError("padded_entry and stepped_rsp exist at size L only")

    @property
    def variant(self) -> str:
        """Short name in the style of the released files: "LEF_RGB_TSFM"; one task: "LEF_RGB_BVP_TSFM"."""
        cameras = {("rgb",): "RGB", ("thermal",): "T", ("rgb", "thermal"): "RGBT"}[self.cameras]
        task = [] if len(self.tasks) == len(Vital) else [self.tasks[0].value.upper()]
        attention = "Base" if self.attention is Attention.NONE else self.attention.value.upper()
        slow = [f"Slow{self.rsp_step}"] if self.rsp_step else []
        level = ["Level"] if self.level else []
        return "_".join([self.size.value + self.fusion.value, cameras, *task, *slow, attention, *level])

    @property
    def pixels(self) -> int:
        """Side of the input crop."""
        return self.size.pixels

    @property
    def frames_multiple(self) -> int:
        """Windows are multiples of this many frames."""
        return RSP_TIME_STRIDE * max(self.rsp_step, 1) if Vital.RSP in self.tasks else 1

    @property
    def min_frames(self) -> int:
        """Shortest window: instance norm needs more than one value in time."""
        return 2 * self.frames_multiple

    @property
    def pad_frames(self) -> int:
        """Copies of the last frame to append: frames are differenced."""
        return 1

    def branch_channels(self, task: Vital) -> tuple[slice, ...]:
        """Channels of the input that each extractor of a branch sees."""
        rgb = CHANNEL_COUNTS["rgb"]
        of_camera = {Vital.BVP: slice(0, rgb), Vital.RSP: slice(rgb, rgb + CHANNEL_COUNTS["thermal"])}
        if self.fusion is Fusion.EARLY:
            moving = FLOW_CHANNELS if self.rsp_step and task is Vital.RSP else 0
            return (slice(0, sum(CHANNEL_COUNTS[camera] for camera in self.cameras) + moving),)
        return tuple(of_camera.values()) if self.fusion is Fusion.LATE else (of_camera[task],)


def branch_table(task: Vital, config: MMRPhysConfig) -> BranchTable:
    """Layers of a task's branch."""
    if task is Vital.RSP:
        if config.rsp_step:
            return slow_rsp_table()
        return STEPPED_RSP if config.stepped_rsp else rsp_table(config.size)
    return bvp_table(config.size, config.padded_entry, config.fusion is Fusion.LATE)


class Stream(nn.Module):
    """From channels of the input to an embedding."""

    def __init__(self, in_channels: int, table: BranchTable, dropout: float) -> None:
        super().__init__()
        self.extractor = stack(in_channels, table.extractor, dropout)
        self.head = stack(EMBEDDING_CHANNELS, table.head, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, S, S) to (B, 16, T', S', S')."""
        return self.head(self.extractor(x))


class Branch(nn.Module):
    """One waveform's path: features, embedding (with attention while training), one value per frame.

    Parameters
    ----------
    seen : channels of the input for each stream; two streams' embeddings are put side by side.
    tones : where the wave's rate can lie.
    """

    def __init__(self, seen: tuple[slice, ...], table: BranchTable, config: MMRPhysConfig, tones: Tones) -> None:
        super().__init__()
        self.seen = seen
        self.streams = nn.ModuleList(Stream(part.stop - part.start, table, config.dropout) for part in seen)
        channels = EMBEDDING_CHANNELS * len(seen)
        self.attention = (
            None
            if config.attention is Attention.NONE
            else FactorisedAttention(channels, ATTENTION_CHANNELS, config.attention, config.axis)
        )
        self.final = stack(channels, table.final, config.dropout)
        self.last = plain_conv([spec for spec in table.final if isinstance(spec, Conv)][-1].channels, table.last)
        self.level = ClipLevel(tones, channels) if config.level else None
        self.time_stride = table.time_stride

    def forward(self, x: Tensor, attend: bool, target: Tensor | None) -> Tensor:
        """(B, C, T, S, S), all cameras, to (B, T); `target` is (B, T)."""
        embedding = torch.cat([s(x[:, part]) for s, part in zip(self.streams, self.seen, strict=True)], dim=1)
        if attend and self.attention is not None:
            embedding = self.attention(embedding, self._at_embedding_rate(target))
        wave = self.last(self.final(embedding)).flatten(1)
        return wave if self.level is None else self.level(wave, embedding)

    def _at_embedding_rate(self, target: Tensor | None) -> Tensor | None:
        stride = self.time_stride
        if target is None or stride == 1:
            return target
        return functional.avg_pool1d(target.unsqueeze(1), stride + 1, stride, padding=stride // 2).squeeze(1)


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
        self.slow = SlowView(config.pixels // Size.S.pixels, config.rsp_step) if config.rsp_step else None
        self.branches = nn.ModuleDict()
        for task in config.tasks:
            step = max(config.rsp_step, 1) if task is Vital.RSP else 1
            self.branches[task.value] = Branch(
                config.branch_channels(task), branch_table(task, config), config, TONES[task].every(step)
            )

    def forward(
        self, x: Tensor, targets: Mapping[Vital, Tensor] | None = None, attend: bool | None = None
    ) -> dict[Vital, Tensor]:
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
        check_clip(x, "MMRPhys", self.config)
        attend = self.training if attend is None else attend
        attend = attend and self.config.attention is not Attention.NONE
        normalised = self.input(x)
        waveforms: dict[Vital, Tensor] = {}
        for task in self.config.tasks:
            target = targets.get(task) if targets else None
            if task is Vital.RSP and self.slow is not None:
                waveforms[task] = self._slowly(self.slow, x, attend, target)
            else:
                waveforms[task] = self.branches[task.value](normalised, attend, target)
        return waveforms

    def _slowly(self, slow: SlowView, x: Tensor, attend: bool, target: Tensor | None) -> Tensor:
        target = None if target is None else slow.targets(target)
        return slow.at_frames(self.branches[Vital.RSP.value](slow(x), attend, target))

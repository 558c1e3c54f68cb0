"""EfficientPhys: pulse by a shifted 2-D network, with attention by soft masks (SASN) or by FSAM.

Liu et al., arXiv 2110.04447; with FSAM in Joshi et al., arXiv 2411.01542.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rppg_ros.inference.card import CHANNEL_COUNTS
from rppg_ros.models import fsam
from rppg_ros.models.attention import Attention, FactorisedAttention
from rppg_ros.models.blocks import check_clip
from rppg_ros.models.mask import SoftMask
from rppg_ros.models.norm import INSTANCE_NORM_EPS
from rppg_ros.models.shift import temporal_shift
from rppg_ros.types import Vital

FEW, MANY = 32, 64  # channels before and after the first pooling
CONVOLUTIONS = 4
HIDDEN = 128
ATTENTION_CHANNELS = 8
FSAM_STEPS = 6
DROPOUT = 0.25
DROPOUT_HIDDEN = 0.5


class Focus(str, enum.Enum):
    """How the network attends: SASN weighs places of each frame, FSAM what moves together over the frames."""

    SASN = "sasn"
    FSAM = "fsam"


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficientPhysConfig:
    """Which EfficientPhys to build.

    Attributes
    ----------
    cameras : along the channel axis: ("rgb",), ("thermal",) or ("rgb", "thermal").
    pixels : side of the crop; published for 36, 72 and 96 (with FSAM: 72).
    frame_depth : frames of a segment; nothing is shifted or factorised across segments.
    factorise : False is what the released FSAM weights were trained with: from its second call on their code factorises
        single rows, which is exact, so that of FSAM its two 1x1 convolutions are left.
    """

    cameras: tuple[str, ...] = ("rgb",)
    attention: Focus = Focus.SASN
    pixels: int = 72
    frame_depth: int = 20
    factorise: bool = True

    def __post_init__(self) -> None:
        if self.cameras not in (("rgb",), ("thermal",), ("rgb", "thermal")):
            raise ValueError(f"cameras must be rgb, thermal, or rgb and thermal, not {self.cameras!r}")
        if self.last_side < 1:
            raise ValueError(f"pixels: {self.pixels} are too few, nothing is left of them after the last pooling")
        if self.frame_depth < 2:
            raise ValueError(f"frame_depth must be at least 2, not {self.frame_depth}")

    @property
    def variant(self) -> str:
        """Short name, e.g. "RGB_SASN_72" or "RGB_FSAM_72"."""
        cameras = {("rgb",): "RGB", ("thermal",): "T", ("rgb", "thermal"): "RGBT"}[self.cameras]
        return f"{cameras}_{self.attention.value.upper()}_{self.pixels}"

    @property
    def tasks(self) -> tuple[Vital, ...]:
        """The pulse only."""
        return (Vital.BVP,)

    @property
    def frames_multiple(self) -> int:
        """Windows are whole segments."""
        return self.frame_depth

    @property
    def min_frames(self) -> int:
        """One segment."""
        return self.frame_depth

    @property
    def pooled_after(self) -> tuple[int, ...]:
        """Convolutions that a pooling follows; with FSAM one more comes after the attention."""
        return (1, 3) if self.attention is Focus.SASN else (1, 2, 3)

    @property
    def last_side(self) -> int:
        """Side of the feature maps that go into the hidden layer."""
        side = self.pixels
        for i in range(CONVOLUTIONS):
            side -= 2 * (i % 2)
            side = side // 2 if i in self.pooled_after else side
        return side if self.attention is Focus.SASN else side // 2

    @property
    def pad_frames(self) -> int:
        """Copies of the last frame to append: frames are differenced."""
        return 1


class SegmentAttention(FactorisedAttention):
    """FSAM on segments of frames, (D, C A B) each; its norm is of each frame, as in the 2-D network it sits in."""

    def __init__(self, channels: int, frame_depth: int, factorise: bool) -> None:
        super().__init__(channels, ATTENTION_CHANNELS, Attention.FSAM, steps=FSAM_STEPS)
        self.frame_depth = frame_depth
        self.factorise = factorise
        self.norm = _FrameNorm()

    def _factorised(self, x: Tensor, target: Tensor | None) -> Tensor:
        if not self.factorise:
            return x
        batch, channels, frames, height, width = x.shape
        rows = x.transpose(1, 2).reshape(-1, self.frame_depth, channels * height * width)
        low_rank = fsam.factorise(rows, self.steps)
        return low_rank.reshape(batch, frames, channels, height, width).transpose(1, 2)


class _FrameNorm(nn.Module):
    """Instance norm of each frame of (B, C, T, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        deviation = x - x.mean(dim=(3, 4), keepdim=True)
        return deviation * torch.rsqrt((deviation * deviation).mean(dim=(3, 4), keepdim=True) + INSTANCE_NORM_EPS)


class EfficientPhys(nn.Module):
    """The network; see `forward` for what it takes and gives.

    Parameters
    ----------
    config : which variant.
    """

    def __init__(self, config: EfficientPhysConfig) -> None:
        super().__init__()
        self.config = config
        self.camera_channels = [CHANNEL_COUNTS[camera] for camera in config.cameras]
        self.camera_norms = nn.ModuleList(nn.BatchNorm2d(n) for n in self.camera_channels)
        widths = (sum(self.camera_channels), FEW, FEW, MANY, MANY)
        self.convs = nn.ModuleList(
            nn.Conv2d(widths[i], widths[i + 1], 3, padding=(1 - i % 2)) for i in range(CONVOLUTIONS)
        )
        sasn = config.attention is Focus.SASN
        self.masks = nn.ModuleDict({"1": SoftMask(FEW), "3": SoftMask(MANY)} if sasn else {})
        self.attention = None if sasn else SegmentAttention(MANY, config.frame_depth, config.factorise)
        self.pool = nn.AvgPool2d(2)
        self.dropout = nn.Dropout(DROPOUT)
        self.hidden = nn.Linear(MANY * config.last_side**2, HIDDEN)
        self.dropout_hidden = nn.Dropout(DROPOUT_HIDDEN)
        self.last = nn.Linear(HIDDEN, 1)

    def forward(
        self, x: Tensor, targets: Mapping[Vital, Tensor] | None = None, attend: bool | None = None
    ) -> dict[Vital, Tensor]:
        """Waveform of a clip.

        Parameters
        ----------
        x : (B, C, T+1, S, S), raw pixels 0-255; T a multiple of `frame_depth`; append a copy of the last frame.
        targets : not used; there for one interface.
        attend : False leaves FSAM out; it runs at inference, too, as released. SASN's masks always run.

        Returns
        -------
        {Vital.BVP: (B, T)}, arbitrary units.

        Raises
        ------
        ValueError : when channels, size or length do not fit the variant.
        """
        check_clip(x, "EfficientPhys", self.config)
        batch = x.shape[0]
        features = self._normalised(_frames(x[:, :, 1:] - x[:, :, :-1]))
        for i, conv in enumerate(self.convs):
            features = torch.tanh(conv(self._shifted(features)))
            if str(i) in self.masks:
                features = self.masks[str(i)](features)
            if i in self.config.pooled_after:
                features = self.dropout(self.pool(features))
        if self.attention is not None:
            if attend is not False:
                features = _frames(self.attention(_clips(features, batch)))
            features = self.dropout(self.pool(features))
        hidden = self.dropout_hidden(torch.tanh(self.hidden(features.flatten(1))))
        return {Vital.BVP: self.last(hidden).reshape(batch, -1)}

    def _normalised(self, frames: Tensor) -> Tensor:
        cameras = torch.split(frames, self.camera_channels, dim=1)
        return torch.cat([norm(camera) for norm, camera in zip(self.camera_norms, cameras, strict=True)], dim=1)

    def _shifted(self, frames: Tensor) -> Tensor:
        """(N, C, H, W) with channels shifted in time within each segment."""
        _, channels, height, width = frames.shape
        segments = frames.reshape(-1, self.config.frame_depth, channels, height, width).transpose(1, 2)
        return temporal_shift(segments).transpose(1, 2).reshape(-1, channels, height, width)


def _frames(clips: Tensor) -> Tensor:
    """(B, C, T, H, W) to (B T, C, H, W)."""
    return clips.transpose(1, 2).flatten(0, 1)


def _clips(frames: Tensor, batch: int) -> Tensor:
    """(B T, C, H, W) to (B, C, T, H, W)."""
    _, channels, height, width = frames.shape
    return frames.reshape(batch, -1, channels, height, width).transpose(1, 2)

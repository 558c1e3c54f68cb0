"""Pieces the 3-D convolutional networks share: the input stage and the convolution block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from rppg_ros.inference.card import CHANNEL_COUNTS
from rppg_ros.models.norm import InstanceNorm
from rppg_ros.types import Vital

RGB_CHANNELS = CHANNEL_COUNTS["rgb"]


class NetworkConfig(Protocol):
    """What every network's config tells, whatever else it holds; a frozen dataclass, whose fields are its options."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def variant(self) -> str:
        """Short name, in the style of released files."""

    @property
    def cameras(self) -> tuple[str, ...]:
        """Along the channel axis; "rgb" is three channels, "thermal" one."""

    @property
    def tasks(self) -> tuple[Vital, ...]:
        """Waveforms the network gives."""

    @property
    def pixels(self) -> int:
        """Side of the crop."""

    @property
    def frames_multiple(self) -> int:
        """Windows are multiples of so many output samples ..."""

    @property
    def min_frames(self) -> int:
        """... and of at least so many."""

    @property
    def pad_frames(self) -> int:
        """Frames beyond the output samples: copies of the last one, where frames are differenced."""


def check_clip(x: Tensor, name: str, config: NetworkConfig) -> None:
    """ValueError when a clip does not fit a network, saying what would."""
    channels = sum(CHANNEL_COUNTS[camera] for camera in config.cameras)
    side, pad, multiple = config.pixels, config.pad_frames, config.frames_multiple
    time = f"T+{pad}" if pad else "T"
    if x.dim() != 5 or x.shape[1] != channels or tuple(x.shape[3:]) != (side, side):
        wanted = f"(B, {channels}, {time}, {side}, {side})"
        raise ValueError(f"{name} {config.variant} takes {wanted}, not {tuple(x.shape)}")
    tracing = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]  # documented, but unlisted
    if not tracing and (x.shape[2] - pad) % multiple:
        raise ValueError(f"{name} {config.variant} takes T a multiple of {multiple}, not {x.shape[2] - pad}")


class Conv(NamedTuple):
    """One convolution of a layer table; kernel, stride, padding and dilation are (time, height, width)."""

    channels: int
    stride: tuple[int, int, int] = (1, 1, 1)
    padding: tuple[int, int, int] = (1, 0, 0)
    kernel: tuple[int, int, int] = (3, 3, 3)
    dilation: tuple[int, int, int] = (1, 1, 1)


class Up(NamedTuple):
    """Repeats each time step, in a layer table."""

    factor: int


DROP = None
"""Stands in a layer table for channel dropout."""

LayerTable = Sequence[Conv | Up | None]


class ConvBlock(nn.Module):
    """Convolution without bias, tanh, instance norm without parameters, in this order as released."""

    def __init__(self, in_channels: int, spec: Conv) -> None:
        super().__init__()
        self.conv = nn.Conv3d(
            in_channels, spec.channels, spec.kernel, spec.stride, spec.padding, spec.dilation, bias=False
        )
        self.norm = InstanceNorm()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) to (B, spec.channels, T', H', W')."""
        return self.norm(torch.tanh(self.conv(x)))


class InputStage(nn.Module):
    """Frame difference, then instance norm of each camera by itself.

    The difference takes away the static face, and the norm makes raw 0-255 pixels scale-free: eps is far
    below their variance, which it would not be for pixels divided by 255.
    """

    def __init__(self, camera_channels: Sequence[int]) -> None:
        super().__init__()
        self.camera_channels = list(camera_channels)
        self.norms = nn.ModuleList(InstanceNorm() for _ in camera_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Raw pixels (B, C, T+1, H, W) to (B, C, T, H, W)."""
        difference = x[:, :, 1:] - x[:, :, :-1]
        if len(self.norms) == 1:
            return self.norms[0](difference)
        cameras = torch.split(difference, self.camera_channels, dim=1)
        return torch.cat([norm(camera) for norm, camera in zip(self.norms, cameras, strict=True)], dim=1)


def stack(in_channels: int, table: LayerTable, dropout: float) -> nn.Sequential:
    """Convolution blocks, dropouts and upsamplings of a layer table, in order; indices are those of the table."""
    layers: list[nn.Module] = []
    channels = in_channels
    for spec in table:
        if spec is DROP:
            layers.append(nn.Dropout3d(dropout))
        elif isinstance(spec, Up):
            layers.append(nn.Upsample(scale_factor=(float(spec.factor), 1.0, 1.0)))
        else:
            layers.append(ConvBlock(channels, spec))
            channels = spec.channels
    return nn.Sequential(*layers)


def plain_conv(in_channels: int, spec: Conv) -> nn.Conv3d:
    """The last convolution of a head: no bias, no activation, no norm."""
    return nn.Conv3d(in_channels, spec.channels, spec.kernel, spec.stride, spec.padding, spec.dilation, bias=False)

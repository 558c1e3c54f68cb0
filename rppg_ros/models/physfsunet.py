"""physFSUNet: pulse by frames fused with their differences, shifts, masks and upsampling (arXiv 2507.07795).

The paper prints neither widths nor sizes; this is the reading of its text, on a PhysNet backbone, whose parameters come
to the printed 831 K within 0.3 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rppg_ros.models.blocks import RGB_CHANNELS, check_clip
from rppg_ros.models.mask import SoftMask
from rppg_ros.models.shift import temporal_shift
from rppg_ros.types import Vital

STEM = 32
WIDE = 64
MLP_HIDDEN = 256
TAIL = 4  # convolutions after the last pooling, as a PhysNet has them
DIFFERENCES = 4
TIME_STRIDE = 4
SPACE_STRIDE = 16
STANDARD_EPS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysFSUNetConfig:
    """Which physFSUNet to build.

    Attributes
    ----------
    pixels : side of the crop, 16 or more; 128 reads the paper most closely, 72 trains cheaply.
    raw_share, fused_share : a and b of the stem, weights of the raw and of the fused path.
    """

    pixels: int = 128
    raw_share: float = 0.5
    fused_share: float = 0.5
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.pixels < SPACE_STRIDE:
            raise ValueError(f"pixels must be at least {SPACE_STRIDE}, not {self.pixels}")

    @property
    def variant(self) -> str:
        """Short name, e.g. "RGB_128"."""
        return f"RGB_{self.pixels}"

    @property
    def cameras(self) -> tuple[str, ...]:
        """RGB only."""
        return ("rgb",)

    @property
    def tasks(self) -> tuple[Vital, ...]:
        """The pulse only."""
        return (Vital.BVP,)

    @property
    def frames_multiple(self) -> int:
        """Time is halved twice and restored."""
        return TIME_STRIDE

    @property
    def min_frames(self) -> int:
        """Two steps are left in the middle."""
        return 2 * TIME_STRIDE

    @property
    def pad_frames(self) -> int:
        """Takes as many frames as it gives samples."""
        return 0


class FrameFusion(nn.Module):
    """Differential frame fusion: each frame beside the four differences around it.

    out = a S21(R) + b S22(a R + b D), R = S11(frames), D = S12(differences between frames t-2 .. t+2); beyond the clip's
    ends frames are repeated, so differences are 0 there.
    """

    def __init__(self, raw_share: float, fused_share: float) -> None:
        super().__init__()
        self.raw_share, self.fused_share = raw_share, fused_share
        self.raw = _block(RGB_CHANNELS, STEM, (1, 5, 5))
        self.differences = _block(DIFFERENCES * RGB_CHANNELS, STEM, (1, 5, 5))
        self.of_raw = _block(STEM, STEM, (1, 3, 3))
        self.of_fused = _block(STEM, STEM, (1, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, T, S, S) to (B, 32, T, S, S)."""
        raw = self.raw(x)
        fused = self.raw_share * raw + self.fused_share * self.differences(neighbour_differences(x))
        return self.raw_share * self.of_raw(raw) + self.fused_share * self.of_fused(fused)


def neighbour_differences(x: Tensor) -> Tensor:
    """(B, C, T, ...) to (B, 4 C, T, ...): x(t-1)-x(t-2), x(t)-x(t-1), x(t+1)-x(t), x(t+2)-x(t+1), ends repeated."""
    frames = x.shape[2]
    step = x[:, :, 1:] - x[:, :, :-1]
    none = torch.zeros_like(x[:, :, :1])
    padded = torch.cat([none, none, step, none, none], dim=2)  # padded[k] is x(k-1) - x(k-2)
    return torch.cat([padded.narrow(2, shift, frames) for shift in range(DIFFERENCES)], dim=1)


class STASBlock(nn.Module):
    """Two levels, as the text has it: shift, convolve, a soft mask over places, and a pooling that is spatial after the first
    level and spatio-temporal after the second."""

    def __init__(self, in_channels: int, middle: int, dropout: float) -> None:
        super().__init__()
        self.convs = nn.ModuleList([_block(in_channels, middle, (3, 3, 3)), _block(middle, WIDE, (3, 3, 3))])
        self.masks = nn.ModuleList([SoftMask(middle, dims=3), SoftMask(WIDE, dims=3)])
        self.pools = nn.ModuleList([nn.MaxPool3d((1, 2, 2)), nn.MaxPool3d((2, 2, 2))])
        self.dropout = nn.Dropout3d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) to (B, 64, T / 2, H / 4, W / 4)."""
        for conv, mask, pool in zip(self.convs, self.masks, self.pools, strict=True):
            x = pool(mask(conv(temporal_shift(x))))
        return self.dropout(x)


class PhysFSUNet(nn.Module):
    """The network; see `forward` for what it takes and gives.

    Parameters
    ----------
    config : which variant.
    """

    def __init__(self, config: PhysFSUNetConfig) -> None:
        super().__init__()
        self.config = config
        self.fusion = FrameFusion(config.raw_share, config.fused_share)
        self.encoder = nn.Sequential(
            STASBlock(STEM, STEM, config.dropout),
            STASBlock(WIDE, WIDE, config.dropout),
            *(_block(WIDE, WIDE, (3, 3, 3)) for _ in range(TAIL)),
        )
        self.decoder = nn.Sequential(_double_time(), _double_time())
        self.head = nn.Sequential(nn.Conv1d(WIDE, MLP_HIDDEN, 1), nn.ReLU(), nn.Conv1d(MLP_HIDDEN, 1, 1))

    def forward(
        self, x: Tensor, targets: Mapping[Vital, Tensor] | None = None, attend: bool | None = None
    ) -> dict[Vital, Tensor]:
        """Waveform of a clip.

        Parameters
        ----------
        x : (B, 3, T, S, S), raw pixels 0-255, T a multiple of 4; each clip is standardised as a whole.
        targets, attend : not used; there for one interface.

        Returns
        -------
        {Vital.BVP: (B, T)}, arbitrary units.

        Raises
        ------
        ValueError : when channels, size or length do not fit the variant.
        """
        check_clip(x, "physFSUNet", self.config)
        features = self.decoder(self.encoder(self.fusion(_standardised(x))))
        return {Vital.BVP: self.head(features.mean(dim=(3, 4))).squeeze(1)}


def _standardised(x: Tensor) -> Tensor:
    """Zero mean, unit variance of each whole clip: colours keep their relation."""
    deviation = x - x.mean(dim=(1, 2, 3, 4), keepdim=True)
    return deviation * torch.rsqrt((deviation * deviation).mean(dim=(1, 2, 3, 4), keepdim=True) + STANDARD_EPS)


def _block(in_channels: int, channels: int, kernel: tuple[int, int, int]) -> nn.Sequential:
    padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    return nn.Sequential(nn.Conv3d(in_channels, channels, kernel, padding=padding), nn.BatchNorm3d(channels), nn.ReLU())


def _double_time() -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose3d(WIDE, WIDE, (4, 1, 1), stride=(2, 1, 1), padding=(1, 0, 0)), nn.BatchNorm3d(WIDE), nn.ELU()
    )

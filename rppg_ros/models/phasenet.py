"""PHASE-Net: pulse by swapped places, a spatial filter and a gated causal TCN (arXiv 2509.24850).

Two of them. The paper's, whose TCN is causal but whose norms, gates and convolutions in time before it look at the whole
clip; and the causal one, of the same design and the same parameters, in which nothing looks ahead, so that it runs
frame by frame with exactly the waveform that it gives for the clip as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rppg_ros.models.asf import AdaptiveSpatialFilter
from rppg_ros.models.blocks import RGB_CHANNELS, check_clip
from rppg_ros.models.gtcn import GatedTCN
from rppg_ros.models.level import TONES, RunningLevel
from rppg_ros.models.planar import PlanarConv3d
from rppg_ros.models.stream_state import CausalConv, ClipMean, ClipNorm, RunningMean, RunningNorm, StreamState
from rppg_ros.models.zas import BLOCK, SHARE, axial_swap
from rppg_ros.types import Vital

STEM_CHANNELS = 16
BLOCK_CHANNELS = (32, 64, 128)
EXPANSION = 4
SQUEEZE = 4
MIN_PIXELS = 2 ** len(BLOCK_CHANNELS)
MIN_FRAMES = 8
PIXEL_CENTRE, PIXEL_SPAN = 127.5, 32.0
CONTRAST_FRAMES = 45
CONTRAST_GAIN, CONTRAST_LIMIT = 50.0, 3.0  # a pulse of 0.5 % becomes 0.25; what moves is cut off
# Brightness, and what of green and of blue is not brightness: each limited by itself, so that movement leaves the pulse's colour
# whole.
CHROMA = torch.tensor([[1 / 3, 1 / 3, 1 / 3], [-1.5, 2.0, -0.5], [-1.0, -0.5, 1.5]])
DARK = 8.0  # grey levels: no share of nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseNetConfig:
    """Which PHASE-Net to build. The widths give the paper's 0.29 M parameters; it does not print them.

    Attributes
    ----------
    causal : nothing looks ahead; see the module's text.
    pixels : side of the crop; 128 in the paper; 8 or more.
    contrast : not in the paper; for the causal network. Besides the frame, the first layer gets how far each place is from its
        own mean of late (the alternating over the constant part of a photoplethysmogram): in a frame as it is, the pulse is
        half a grey level among a hundred, and the running norms make it no larger; training hardly finds it.
    chroma : not in the paper; of `contrast`: brightness and two colours are limited, each by itself, not red, green and blue.
    level : not in the paper; for the causal network. The wave is as large as it is likely to be right (see models.level).
    features, hidden, layers : length of the filter's output, width and depth of the TCN. Five layers see 63 frames, as
        many as the paper's own Proposition 2 asks for at 30 Hz (synthesis.oscillator); the three of its ablation table see 15.
    swap_share, swap_block : of ZAS.
    """

    causal: bool = False
    pixels: int = 128
    contrast: bool = False
    chroma: bool = False
    level: bool = False
    features: int = 48
    hidden: int = 50
    layers: int = 5
    dropout: float = 0.2
    swap_share: float = SHARE
    swap_block: int = BLOCK

    def __post_init__(self) -> None:
        if self.pixels < MIN_PIXELS:
            raise ValueError(f"pixels must be at least {MIN_PIXELS}, not {self.pixels}")
        if self.contrast and not self.causal:
            raise ValueError("contrast is for the causal network: set causal")
        if self.chroma and not self.contrast:
            raise ValueError("chroma is of contrast: set contrast")
        if self.level and not self.causal:
            raise ValueError("level is for the causal network: set causal")
        for name in ("features", "hidden", "layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    @property
    def variant(self) -> str:
        """Short name, e.g. "RGB_128", "RGB_Causal_72" or "RGB_Causal_Contrast_16"."""
        extras = [name for name in ("Causal", "Contrast", "Chroma", "Level") if getattr(self, name.lower())]
        return "_".join(["RGB", *extras, str(self.pixels)])

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
        """Any window will do."""
        return 1

    @property
    def min_frames(self) -> int:
        """Shortest window: the norms of a clip need some values in time; the causal one takes single frames."""
        return 1 if self.causal else MIN_FRAMES

    @property
    def pad_frames(self) -> int:
        """Takes as many frames as it gives samples."""
        return 0


class SqueezeGate(nn.Module):
    """Squeeze and excitation: channels weighed by what they hold on average, over the clip or so far."""

    def __init__(self, channels: int, causal: bool) -> None:
        super().__init__()
        self.mean = RunningMean() if causal else ClipMean()
        self.gate = nn.Sequential(
            nn.Conv1d(channels, channels // SQUEEZE, 1, bias=False),
            nn.ReLU(),
            nn.Conv1d(channels // SQUEEZE, channels, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        """(B, C, T, H, W) to the same shape."""
        return x * self.gate(self.mean(x.mean(dim=(3, 4)), stream))[..., None, None]


class ESTBlock(nn.Module):
    """Expand, swap places (ZAS), convolve in space and then in time by channel, gate, project, halve the size."""

    def __init__(self, in_channels: int, out_channels: int, config: PhaseNetConfig) -> None:
        super().__init__()
        norm = RunningNorm if config.causal else ClipNorm
        wide = EXPANSION * in_channels
        self.swap_share, self.swap_block = config.swap_share, config.swap_block
        self.expand = PlanarConv3d(in_channels, wide, 1, bias=False)
        self.space = PlanarConv3d(wide, wide, (1, 3, 3), padding=(0, 1, 1), groups=wide, bias=False)
        self.time = _depthwise_in_time(wide, config.causal)
        self.project = PlanarConv3d(wide, out_channels, 1, bias=False)
        self.norms = nn.ModuleList([norm(wide), norm(wide), norm(wide), norm(out_channels)])
        self.gate = SqueezeGate(wide, config.causal)
        self.pool = nn.MaxPool3d((1, 2, 2))

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        """(B, C, T, H, W) to (B, C', T, H // 2, W // 2)."""
        x = torch.relu(self.norms[0](self.expand(x), stream))
        x = axial_swap(x, self.swap_share, self.swap_block)
        x = torch.relu(self.norms[1](self.space(x), stream))
        x = torch.relu(self.norms[2](self.time(x, stream), stream))
        return self.pool(self.norms[3](self.project(self.gate(x, stream)), stream))


class PhaseNet(nn.Module):
    """The network; see `forward` and `stream` for what it takes and gives.

    Parameters
    ----------
    config : which variant.
    """

    def __init__(self, config: PhaseNetConfig) -> None:
        super().__init__()
        self.config = config
        self.contrast = Contrast(config.chroma) if config.contrast else None
        entering = RGB_CHANNELS * (2 if config.contrast else 1)
        self.stem = PlanarConv3d(entering, STEM_CHANNELS, (1, 5, 5), padding=(0, 2, 2))
        self.stem_norm = RunningNorm(STEM_CHANNELS) if config.causal else ClipNorm(STEM_CHANNELS)
        widths = (STEM_CHANNELS, *BLOCK_CHANNELS)
        self.blocks = nn.ModuleList(ESTBlock(widths[i], widths[i + 1], config) for i in range(len(BLOCK_CHANNELS)))
        self.filter = AdaptiveSpatialFilter(BLOCK_CHANNELS[-1], config.features)
        self.tcn = GatedTCN(2 * config.features, config.hidden, config.layers, config.dropout)
        self.last = nn.Conv1d(config.hidden, 1, 1)
        self.level = RunningLevel(TONES[Vital.BVP], 2 * config.features) if config.level else None

    def forward(
        self, x: Tensor, targets: Mapping[Vital, Tensor] | None = None, attend: bool | None = None
    ) -> dict[Vital, Tensor]:
        """Waveform of a clip.

        Parameters
        ----------
        x : (B, 3, T, S, S), raw pixels 0-255.
        targets, attend : not used; there for one interface.

        Returns
        -------
        {Vital.BVP: (B, T)}, arbitrary units.

        Raises
        ------
        ValueError : when channels or size do not fit the variant.
        """
        return self._run(x, StreamState())

    def stream(self, x: Tensor, state: Sequence[Tensor] | None = None) -> tuple[dict[Vital, Tensor], list[Tensor]]:
        """Waveform of the next chunk of a stream; the causal network only.

        Parameters
        ----------
        x : (B, 3, T, S, S), raw pixels 0-255; T of 1 or more.
        state : what the chunk before returned; None at the beginning, which is the same as zeros.

        Returns
        -------
        {Vital.BVP: (B, T)}, equal to what `forward` gives for all chunks in one; and the state for the next chunk.

        Raises
        ------
        ValueError : when the network is not causal, or channels, size or state do not fit.
        """
        if not self.config.causal:
            raise ValueError(f"PHASE-Net {self.config.variant} looks ahead: build it with causal=True to stream")
        stream = StreamState(state)
        return self._run(x, stream), stream.kept

    def state_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the state, without the batch axis."""
        side = self.config.pixels
        device = next(self.parameters()).device
        with torch.no_grad():
            _, state = self.stream(torch.zeros(1, RGB_CHANNELS, 1, side, side, device=device))
        return [tuple(tensor.shape[1:]) for tensor in state]

    def _run(self, x: Tensor, stream: StreamState) -> dict[Vital, Tensor]:
        check_clip(x, "PHASE-Net", self.config)
        if self.config.causal:  # centred, so that running sums of squares keep their digits
            centred = (x - PIXEL_CENTRE) / PIXEL_SPAN
            x = torch.cat([centred, self.contrast(x, stream)], dim=1) if self.contrast else centred
        x = torch.relu(self.stem_norm(self.stem(x), stream))
        for block in self.blocks:
            x = block(x, stream)
        features = self.filter(x, stream)
        wave = self.last(self.tcn(features, stream)).squeeze(1)
        return {Vital.BVP: wave if self.level is None else self.level(wave, features, stream)}


class Contrast(nn.Module):
    """How far each place is from its own mean of late, as a share of that mean, enlarged until a pulse counts.

    Parameters
    ----------
    chroma : limits brightness and two colours (CHROMA) instead of red, green and blue.
    """

    def __init__(self, chroma: bool = False) -> None:
        super().__init__()
        self.mean, self.chroma = RunningMean(CONTRAST_FRAMES), chroma

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        """(B, C, T, H, W), 0-255, to the same shape, within CONTRAST_LIMIT."""
        channels, frames, height, width = x.shape[1:]
        places = x.permute(0, 1, 3, 4, 2).reshape(x.shape[0], channels * height * width, frames)
        mean = self.mean(places, stream)
        share = (places - mean) / (mean + DARK)
        seen = CONTRAST_GAIN * share
        if self.chroma:
            colours = _mixed(CHROMA, seen, channels)
            beyond = colours - colours.clamp(-CONTRAST_LIMIT, CONTRAST_LIMIT)  # exactly 0 where nothing is cut off
            out = seen - _mixed(torch.linalg.inv(CHROMA), beyond, channels)
        else:
            out = seen.clamp(-CONTRAST_LIMIT, CONTRAST_LIMIT)
        return out.reshape(x.shape[0], channels, height, width, frames).permute(0, 1, 4, 2, 3)


def _mixed(matrix: Tensor, places: Tensor, channels: int) -> Tensor:
    """Places (B, C P, T) with their C colours mixed by a matrix (C, C)."""
    colours = places.reshape(places.shape[0], channels, -1)
    return torch.matmul(matrix.to(places), colours).reshape(places.shape)


class _AnyTime(nn.Module):
    """Depthwise convolution in time that also looks a frame ahead."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        return self.conv(x)


def _depthwise_in_time(channels: int, causal: bool) -> nn.Module:
    if causal:
        return CausalConv(PlanarConv3d(channels, channels, (3, 1, 1), groups=channels, bias=False), 2)
    return _AnyTime(PlanarConv3d(channels, channels, (3, 1, 1), padding=(1, 0, 0), groups=channels, bias=False))

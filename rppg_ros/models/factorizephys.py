"""FactorizePhys: pulse by a 3-D convolutional network with factorised attention (arXiv 2411.01542)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from rppg_ros.inference.card import CHANNEL_COUNTS
from rppg_ros.models.attention import Attention, Axis, FactorisedAttention
from rppg_ros.models.blocks import DROP, Conv, InputStage, LayerTable, check_clip, plain_conv, stack
from rppg_ros.types import Vital

EMBEDDING_CHANNELS = 16
ATTENTION_CHANNELS = 8
MIN_FRAMES = 8


class Size(str, enum.Enum):
    """STANDARD takes 72 x 72 crops; BIG takes 128 x 128 and has its attention before the head."""

    STANDARD = "standard"
    BIG = "big"

    @property
    def pixels(self) -> int:
        """Side of the input crop."""
        return 72 if self is Size.STANDARD else 128


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorizePhysConfig:
    """Which FactorizePhys to build.

    Attributes
    ----------
    cameras : along the channel axis: ("rgb",), ("thermal",) or ("rgb", "thermal").
    residual : add the attended embedding to the embedding instead of replacing it ("FSAM_Res").
    attend_at_inference : the released FSAM models do, TSFM models cannot.
    dropout : probability of dropping a channel.
    """

    size: Size = Size.STANDARD
    cameras: tuple[str, ...] = ("rgb",)
    attention: Attention = Attention.FSAM
    axis: Axis = Axis.TIME
    residual: bool = True
    attend_at_inference: bool = True
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.cameras not in (("rgb",), ("thermal",), ("rgb", "thermal")):
            raise ValueError(f"cameras must be rgb, thermal, or rgb and thermal, not {self.cameras!r}")
        if self.attention is Attention.TSFM and self.attend_at_inference:
            raise ValueError("TSFM needs the true signal, so attend_at_inference must be off")

    @property
    def variant(self) -> str:
        """Short name in the style of the released files, e.g. "RGB_FSAM_Res" or "RGB_Base_128"."""
        cameras = {("rgb",): "RGB", ("thermal",): "T", ("rgb", "thermal"): "RGBT"}[self.cameras]
        attention = "Base" if self.attention is Attention.NONE else self.attention.value.upper()
        residual = ["Res"] if self.attention is Attention.FSAM and self.residual else []
        big = [str(self.pixels)] if self.size is Size.BIG else []
        return "_".join([cameras, attention, *residual, *big])

    @property
    def tasks(self) -> tuple[Vital, ...]:
        """The pulse only."""
        return (Vital.BVP,)

    @property
    def pixels(self) -> int:
        """Side of the input crop."""
        return self.size.pixels

    @property
    def frames_multiple(self) -> int:
        """Any window will do."""
        return 1

    @property
    def min_frames(self) -> int:
        """Shortest window: instance norm needs some values in time."""
        return MIN_FRAMES

    @property
    def pad_frames(self) -> int:
        """Copies of the last frame to append: frames are differenced."""
        return 1


_HALF_SPACE = (1, 2, 2)


def _extractor(size: Size) -> LayerTable:
    if size is Size.BIG:
        entry, fourth, fifth = Conv(8), Conv(12, _HALF_SPACE), Conv(16)
    else:
        entry, fourth, fifth = Conv(8, padding=(1, 1, 1)), Conv(12), Conv(16, _HALF_SPACE)
    return (entry, Conv(12, _HALF_SPACE), Conv(12), DROP, fourth, fifth, Conv(16), DROP)


def _head(size: Size) -> LayerTable:
    first = Conv(16, _HALF_SPACE) if size is Size.BIG else Conv(16)
    return (first, Conv(16), Conv(16), DROP)


def _final(size: Size) -> LayerTable:
    first = Conv(12, kernel=(3, 4, 4)) if size is Size.BIG else Conv(12)
    return (first, Conv(8))


class FactorizePhys(nn.Module):
    """The network; see `forward` for what it takes and gives.

    Parameters
    ----------
    config : which variant.
    """

    def __init__(self, config: FactorizePhysConfig) -> None:
        super().__init__()
        self.config = config
        channels = [CHANNEL_COUNTS[camera] for camera in config.cameras]
        self.input = InputStage(channels)
        self.extractor = stack(sum(channels), _extractor(config.size), config.dropout)
        self.head = stack(EMBEDDING_CHANNELS, _head(config.size), config.dropout)
        self.attention = None
        if config.attention is not Attention.NONE:
            self.attention = FactorisedAttention(
                EMBEDDING_CHANNELS, ATTENTION_CHANNELS, config.attention, config.axis, config.residual
            )
        self.final = stack(EMBEDDING_CHANNELS, _final(config.size), config.dropout)
        self.last = plain_conv(8, Conv(1))

    def forward(
        self, x: Tensor, targets: Mapping[Vital, Tensor] | None = None, attend: bool | None = None
    ) -> dict[Vital, Tensor]:
        """Waveform of a clip.

        Parameters
        ----------
        x : (B, C, T+1, S, S), raw pixels 0-255; frames are differenced, so append a copy of the last one.
        targets : the true pulse (B, T) under Vital.BVP, which TSFM attention needs.
        attend : run the attention; by default while training, and else as `config.attend_at_inference` says.

        Returns
        -------
        {Vital.BVP: (B, T)}, arbitrary units.

        Raises
        ------
        ValueError : when channels or size do not fit the variant.
        """
        check_clip(x, "FactorizePhys", self.config)
        if attend is None:
            attend = self.training or self.config.attend_at_inference
        target = targets.get(Vital.BVP) if targets else None
        embedding = self.extractor(self.input(x))
        if self.config.size is Size.BIG:
            embedding = self.head(self._attended(embedding, attend, target))
        else:
            embedding = self._attended(self.head(embedding), attend, target)
        return {Vital.BVP: self.last(self.final(embedding)).flatten(1)}

    def _attended(self, embedding: Tensor, attend: bool, target: Tensor | None) -> Tensor:
        if self.attention is None or not attend:
            return embedding
        return self.attention(embedding, target)

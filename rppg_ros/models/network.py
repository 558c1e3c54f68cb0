"""What a network of the registry is, whatever its layers: a torch module with a config, from clips to waveforms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from torch import Tensor, nn

from rppg_ros.models.blocks import NetworkConfig
from rppg_ros.types import Vital

AnyNetwork = TypeVar("AnyNetwork", bound="Network")


class Network(Protocol):
    """An `nn.Module` with a config; of a module, this names what is used of one here."""

    @property
    def config(self) -> NetworkConfig:
        """What it was built from."""

    def forward(
        self, x: Tensor, targets: Mapping[Vital, Tensor] | None = None, attend: bool | None = None
    ) -> dict[Vital, Tensor]:
        """Waveforms (B, T) of a clip (B, C, T + pad_frames, S, S) of raw pixels, 0-255.

        Parameters
        ----------
        targets : true waveforms (B, T) by task, for attentions that look at them.
        attend : run the attention; None: as the network thinks fit, while training and else.

        Raises
        ------
        ValueError : when channels, size or length do not fit.
        """

    def __call__(
        self, x: Tensor, targets: Mapping[Vital, Tensor] | None = None, attend: bool | None = None
    ) -> dict[Vital, Tensor]:
        """See `forward`."""

    def eval(self: AnyNetwork) -> AnyNetwork:
        """Itself, no longer training."""

    def modules(self) -> Iterator[nn.Module]:
        """Itself and all layers below."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """What is trained."""

    def state_dict(self) -> dict[str, Any]:
        """Its tensors by name."""

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> Any:
        """Take tensors by name."""


class StreamingNetwork(Network, Protocol):
    """A network that can also run on a stream, chunk by chunk, with the same waveform as for the clip as a whole."""

    def stream(self, x: Tensor, state: Sequence[Tensor] | None = None) -> tuple[dict[Vital, Tensor], list[Tensor]]:
        """Waveforms of the next chunk, and the state for the one after; `state` None: the beginning."""

    def state_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the state, without the batch axis."""

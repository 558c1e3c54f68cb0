"""From an official checkpoint to a network with its weights and its card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from rppg_ros.inference.card import ModelCard
from rppg_ros.models import checkpoint, registry
from rppg_ros.models.cards import make_card
from rppg_ros.models.network import Network


@dataclass(frozen=True, slots=True)
class Imported:
    """A network in eval mode and the card to export it with."""

    network: Network
    card: ModelCard


def import_checkpoint(
    path: str | Path,
    family: str,
    *,
    name: str | None = None,
    size: int | None = None,
    frames: int | None = None,
    rate_hz: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> Imported:
    """Read an official checkpoint.

    Parameters
    ----------
    family : name in the registry.
    name : for the card; made of family, variant and training data by default.
    size, frames, rate_hz : pixels, samples, Hz; override what tensors and file name tell.
    options : of the network's config, to run the weights otherwise than released, e.g. {"axis": "time"}.

    Raises
    ------
    CheckpointError, ValueError : in one line, naming the file.
    """
    path = Path(path)
    chosen = registry.family(family)
    if chosen.official is None:
        raise ValueError(f"{family} has no official checkpoints")
    tensors = checkpoint.load_tensors(path)
    layout = chosen.official(tensors, path, size=size, frames=frames, rate_hz=rate_hz)
    if options:
        config = registry.configure(family, **(registry.options_of(layout.config) | dict(options)))
        layout = replace(layout, config=config)
    network = cast(Network, chosen.network(layout.config)).eval()
    checkpoint.fit(network, tensors, layout, path)
    card = make_card(
        chosen.name,
        layout.config,
        frames=layout.frames,
        rate_hz=layout.rate_hz,
        name=name,
        training_data=layout.training_data,
        licence=layout.licence,
        source=f"{layout.source}, {path.name}",
        sha256=checkpoint.sha256(path),
    )
    return Imported(network, card)

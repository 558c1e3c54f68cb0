"""Our own checkpoints: a network's weights beside what it takes to build it and to fill in its card. Only text and tensors."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch

from rppg_ros.inference.card import ModelCard
from rppg_ros.models import registry
from rppg_ros.models.cards import CHUNK_FRAMES, make_card, streams
from rppg_ros.models.checkpoint import CheckpointError, read_file, sha256
from rppg_ros.models.network import Network
from rppg_ros.models.summed import Summed

FORMAT = "rppg_ros.checkpoint"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where weights come from; free text, shown in the card.

    Attributes
    ----------
    frames, rate_hz : window (samples) and clock they were trained with.
    scores : figure of merit to value.
    """

    frames: int
    rate_hz: float
    training_data: str = ""
    licence: str = ""
    source: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Saved:
    """A network in eval mode, its family, where its weights come from, and the SHA-256 of its file, if it has one."""

    network: Network
    family: str
    provenance: Provenance
    sha256: str = ""


def save(network: Network, family: str, provenance: Provenance, path: str | Path) -> None:
    """Write a checkpoint; an old file stays until the new one is whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    summed_hz = network.rate_hz if isinstance(network, Summed) else 0.0
    network = network.network if isinstance(network, Summed) else network
    about = {
        "summed_hz": summed_hz,
        "family": family,
        "config": registry.options_of(network.config),
        "provenance": {name: getattr(provenance, name) for name in Provenance.__dataclass_fields__},
    }
    partial = path.with_name(f".{path.name}.partial")
    torch.save({FORMAT: VERSION, "about": json.dumps(about), "weights": network.state_dict()}, partial)
    os.replace(partial, path)


def load(path: str | Path) -> Saved:
    """Read a checkpoint. Runs no code from the file.

    Raises
    ------
    CheckpointError : naming the file and what is wrong with it.
    """
    path = Path(path)
    raw = read_file(path)
    if not isinstance(raw, Mapping) or FORMAT not in raw:
        raise CheckpointError(f"{path}: not one of our checkpoints; `rppg-ros models import` reads official ones")
    if raw[FORMAT] > VERSION:
        raise CheckpointError(f"{path}: of version {raw[FORMAT]}, newer than this rppg_ros reads ({VERSION})")
    try:
        about = json.loads(raw["about"])
        network = cast(Network, registry.build(about["family"], **about["config"]))
        network.load_state_dict(raw["weights"])
        if about.get("summed_hz"):
            network = Summed(network, float(about["summed_hz"]))
        return Saved(network.eval(), about["family"], Provenance(**about["provenance"]), sha256(path))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: damaged: {str(error).splitlines()[0]}") from None


def untrained(family: str, seed: int, options: Mapping[str, Any]) -> Saved:
    """A network with random weights: for timing, and for tests of what surrounds it. Its card says so."""
    torch.manual_seed(seed)
    network = cast(Network, registry.build(family, **options)).eval()
    chosen = registry.family(family)
    provenance = Provenance(
        frames=chosen.window(network.config),
        rate_hz=chosen.rate_hz,
        training_data="untrained",
        source=f"random weights, seed {seed}",
    )
    return Saved(network, family, provenance)


def card_of(
    saved: Saved,
    name: str | None = None,
    frames: int | None = None,
    rate_hz: float | None = None,
    windowed: bool = False,
) -> ModelCard:
    """Card to export a checkpoint with.

    Parameters
    ----------
    frames, rate_hz : override the checkpoint's window and clock.
    windowed : export a causal network for whole windows instead of for streaming.
    """
    about, network = saved.provenance, saved.network
    state_shapes = network.state_shapes() if not windowed and streams(network) else []
    return make_card(
        saved.family,
        network.config,
        frames=frames or (CHUNK_FRAMES if state_shapes else about.frames),
        rate_hz=rate_hz or about.rate_hz,
        state_shapes=state_shapes,
        name=name,
        training_data=about.training_data,
        licence=about.licence,
        source=about.source,
        sha256=saved.sha256,
        scores=about.scores,
    )

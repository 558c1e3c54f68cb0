"""The card of a network that is about to be exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from rppg_ros.inference.card import ModelCard, StateTensor
from rppg_ros.models.blocks import NetworkConfig
from rppg_ros.models.network import Network, StreamingNetwork

CROP_SCALE = 1.5
CHUNK_FRAMES = 5
"""Frames a streaming network is given at a time: a sixth of a second, against the cost of each call."""


def make_card(
    family: str,
    config: NetworkConfig,
    *,
    frames: int,
    rate_hz: float,
    state_shapes: Sequence[tuple[int, ...]] = (),
    name: str | None = None,
    training_data: str = "",
    licence: str = "",
    source: str = "",
    sha256: str = "",
    scores: Mapping[str, float] | None = None,
) -> ModelCard:
    """Card of a network built from `config`.

    Parameters
    ----------
    frames : preferred window, output samples; a streaming network's chunk.
    state_shapes : of what a streaming network carries; none for a windowed one.
    name : made of family, variant and training data by default.
    """
    return ModelCard(
        name=name or _default_name(family, config.variant, training_data),
        family=family,
        variant=config.variant,
        tasks=config.tasks,
        channels=config.cameras,
        size=config.pixels,
        frames=frames,
        pad_frames=config.pad_frames,
        dynamic_frames=True,
        frames_multiple=config.frames_multiple,
        min_frames=config.min_frames,
        rate_hz=rate_hz,
        crop_scale=CROP_SCALE,
        levelled=bool(getattr(config, "level", False)),
        outputs={task: task.value for task in config.tasks},
        state=tuple(StateTensor(f"state_{i}", f"next_{i}", tuple(shape)) for i, shape in enumerate(state_shapes)),
        training_data=training_data,
        licence=licence,
        source=source,
        sha256=sha256,
        scores=dict(scores or {}),
    )


def streams(network: Network) -> TypeGuard[StreamingNetwork]:
    """Whether a network can run frame by frame."""
    return bool(getattr(network.config, "causal", False))


def _default_name(family: str, variant: str, training_data: str) -> str:
    """E.g. "mmrphys-lef-rgb-tsfm-scamps"."""
    return " ".join([family, variant, training_data]).strip().lower().replace("_", "-").replace(" ", "-")

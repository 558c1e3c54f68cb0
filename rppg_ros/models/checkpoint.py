"""Reading the authors' .pth files safely, and fitting their tensors to our layers by a table of names."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from rppg_ros.models.blocks import NetworkConfig
from rppg_ros.models.network import Network

DATA_PARALLEL_PREFIX = "module."
NAMES_SHOWN = 4

OFFICIAL_ATTENTION: Mapping[str, str] = MappingProxyType(
    {
        "pre_conv_block.0.weight": "pre.weight",
        "pre_conv_block.0.bias": "pre.bias",
        "post_conv_block.0.conv.weight": "post.0.weight",
        "post_conv_block.1.weight": "post.2.weight",
    }
)
"""Attention tensors of MMRPhys and FactorizePhys alike; `bias1` is a constant that no file holds."""

_CAMERAS = MappingProxyType({1: ("thermal",), 3: ("rgb",), 4: ("rgb", "thermal")})


class CheckpointError(ValueError):
    """A file is no checkpoint, or none of the family asked for; names the file and the tensors."""


@dataclass(frozen=True, slots=True)
class OfficialLayout:
    """What an official checkpoint turned out to be.

    Attributes
    ----------
    config : of the network to build.
    names : the checkpoint's tensor name to ours.
    ignored : prefixes of tensors that are present but not used.
    frames, rate_hz : window and clock it was trained with.
    training_data : dataset, as far as the file name tells.
    licence, source : of the released weights.
    """

    config: NetworkConfig
    names: Mapping[str, str]
    ignored: tuple[str, ...]
    frames: int
    rate_hz: float
    training_data: str
    licence: str
    source: str


def read_file(path: Path) -> Any:
    """What torch saved in a file. Runs no code from it.

    Raises
    ------
    CheckpointError : no such file, not torch's, or it holds more than tensors and plain values.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise CheckpointError(f"{path}: refused: it holds more than tensors, or is no checkpoint") from None
    except Exception as error:  # torch.load raises anything from KeyError to RuntimeError on foreign files
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{path}: not a torch checkpoint: {reason}") from None


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a state_dict file in float32, without the data-parallel prefix. Runs no code from the file.

    Raises
    ------
    CheckpointError : when the file is absent, not a checkpoint, or holds anything but tensors.
    """
    raw = read_file(path)
    if not isinstance(raw, Mapping) or not raw:
        raise CheckpointError(f"{path}: holds a {type(raw).__name__}, not a state_dict")
    for name, tensor in raw.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise CheckpointError(f"{path}: entry {name!r} is a {type(tensor).__name__}, not a tensor")
    return {name.removeprefix(DATA_PARALLEL_PREFIX): tensor.float() for name, tensor in raw.items()}


def fit(network: Network, tensors: Mapping[str, Tensor], layout: OfficialLayout, path: Path) -> None:
    """Copy a checkpoint's tensors into a network; every tensor on either side must be accounted for.

    Raises
    ------
    CheckpointError : naming missing, unknown or misshapen tensors.
    """
    used = {name: tensor for name, tensor in tensors.items() if not name.startswith(layout.ignored)}
    _refuse(path, "lacks", layout.names.keys() - used.keys(), layout)
    _refuse(path, "has unknown", used.keys() - layout.names.keys(), layout)
    state = network.state_dict()
    _refuse(path, "has no place for", {name for name, ours in layout.names.items() if ours not in state}, layout)
    for official, ours in layout.names.items():
        if _kernel(used[official]) != _kernel(state[ours]):
            raise CheckpointError(
                f"{path}: tensor '{official}' is {tuple(used[official].shape)}, "
                f"{layout.config.variant} wants {tuple(state[ours].shape)}"
            )
    fitted = {ours: used[official].reshape(state[ours].shape) for official, ours in layout.names.items()}
    network.load_state_dict(fitted, strict=True)


def cameras_of(channels: int, entry: str, path: Path) -> tuple[str, ...]:
    """Cameras of a network whose first tensor, `entry`, takes that many channels."""
    if channels not in _CAMERAS:
        raise CheckpointError(f"{path}: tensor '{entry}' has {channels} input channels, not 1, 3 or 4")
    return _CAMERAS[channels]


def training_data(path: Path) -> str:
    """Dataset, and fold, that a released file name starts with; empty when it is no released name."""
    in_name = re.match(r"(.+?)_(?:.*_)?(?:MMRPhys|FactorizePhys|EfficientPhys)", path.name)
    fold = re.search(r"_(Fold\d+)", path.name)
    if not in_name:
        return ""
    return f"{in_name.group(1)} {fold.group(1)}" if fold else in_name.group(1)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _kernel(tensor: Tensor) -> tuple[int, ...]:
    """Shape without trailing ones: 1x1 kernels of two and of three dimensions hold the same numbers."""
    shape = list(tensor.shape)
    while shape and shape[-1] == 1:
        shape.pop()
    return tuple(shape)


def _refuse(path: Path, verb: str, names: set[str], layout: OfficialLayout) -> None:
    if not names:
        return
    shown = ", ".join(f"'{name}'" for name in sorted(names)[:NAMES_SHOWN])
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    raise CheckpointError(f"{path}: as {layout.config.variant} it {verb} tensors: {shown}{more}")

"""The released EfficientPhys checkpoints: which variant a file is, and what its tensors are called here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from rppg_ros.models.checkpoint import (
    OFFICIAL_ATTENTION,
    CheckpointError,
    OfficialLayout,
    cameras_of,
    training_data,
)
from rppg_ros.models.efficientphys import MANY, EfficientPhysConfig, Focus

LICENCE = "research only; see github.com/PhysiologicAILab/FactorizePhys"
SOURCE = "https://github.com/PhysiologicAILab/FactorizePhys"

FRAMES = 160
RATE_HZ = 30.0

_ENTRY = "motion_conv1.weight"
_HIDDEN = "final_dense_1.weight"
_MASKS = {"apperance_att_conv1": "masks.1.conv", "apperance_att_conv2": "masks.3.conv"}  # spelt so in the files
_NORMS = {1: ("batch_norm",), 3: ("batch_norm",), 4: ("rgb_norm", "thermal_norm")}
_NORM_TENSORS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
# SASN and FSAM shrink the crop differently, so the width of the hidden layer tells the crop
_PIXELS = {Focus.SASN: {7: 36, 16: 72, 22: 96}, Focus.FSAM: {3: 72}}


def layout(
    tensors: Mapping[str, Tensor],
    path: Path,
    size: int | None = None,
    frames: int | None = None,
    rate_hz: float | None = None,
) -> OfficialLayout:
    """Tell the variant from the tensors.

    Parameters
    ----------
    tensors : of the checkpoint, without prefix.
    size : pixels; may only confirm what the tensors say.
    frames, rate_hz : override the published 160 at 30 Hz.

    Raises
    ------
    CheckpointError : when this is no EfficientPhys.
    """
    for needed in (_ENTRY, _HIDDEN):
        if needed not in tensors:
            raise CheckpointError(f"{path}: not an EfficientPhys checkpoint, it lacks tensor '{needed}'")
    attention = Focus.FSAM if any("feature_factorizer." in name for name in tensors) else Focus.SASN
    channels = tensors[_ENTRY].shape[1]
    config = EfficientPhysConfig(
        cameras=cameras_of(channels, _ENTRY, path),
        attention=attention,
        pixels=_pixels(tensors, attention, path),
        factorise=False,
    )
    if size not in (None, config.pixels):
        raise CheckpointError(f"{path}: its tensors take {config.pixels} pixels, not {size}")
    return OfficialLayout(
        config=config,
        names=names(config),
        ignored=(),
        frames=frames or FRAMES,
        rate_hz=rate_hz or RATE_HZ,
        training_data=training_data(path),
        licence=LICENCE,
        source=SOURCE,
    )


def names(config: EfficientPhysConfig) -> dict[str, str]:
    """Official tensor names, without prefix, to ours."""
    table: dict[str, str] = {}
    stems = {f"motion_conv{i + 1}": f"convs.{i}" for i in range(4)}
    stems |= {"final_dense_1": "hidden", "final_dense_2": "last"}
    if config.attention is Focus.SASN:
        stems |= _MASKS
    for official, ours in stems.items():
        table |= {f"{official}.{part}": f"{ours}.{part}" for part in ("weight", "bias")}
    channels = {("rgb",): 3, ("thermal",): 1, ("rgb", "thermal"): 4}[config.cameras]
    for i, norm in enumerate(_NORMS[channels]):
        table |= {f"{norm}.{part}": f"camera_norms.{i}.{part}" for part in _NORM_TENSORS}
    if config.attention is Focus.FSAM:
        table |= {
            f"feature_factorizer.{official}": f"attention.{ours}" for official, ours in OFFICIAL_ATTENTION.items()
        }
    return table


def _pixels(tensors: Mapping[str, Tensor], attention: Focus, path: Path) -> int:
    width = tensors[_HIDDEN].shape[1]
    side = math.isqrt(width // MANY)
    if side * side * MANY != width or side not in _PIXELS[attention]:
        raise CheckpointError(f"{path}: tensor '{_HIDDEN}' takes {width} features, which fits no published crop size")
    return _PIXELS[attention][side]

"""The released FactorizePhys checkpoints: which variant a file is, and what its tensors are called here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from rppg_ros.models.attention import Attention, Axis
from rppg_ros.models.checkpoint import (
    OFFICIAL_ATTENTION,
    CheckpointError,
    OfficialLayout,
    cameras_of,
    training_data,
)
from rppg_ros.models.factorizephys import FactorizePhysConfig, Size

LICENCE = "see github.com/PhysiologicAILab/FactorizePhys and github.com/PhysiologicAILab/MMRPhys (MIT)"
SOURCE = "https://github.com/PhysiologicAILab/FactorizePhys"

RATE_HZ = 30.0
FRAMES = {Size.STANDARD: 160, Size.BIG: 240}

_AXIS_MARKS = {"K-TAB": Axis.CHANNEL, "TK-AB": Axis.CHANNEL_TIME}  # "T-KAB", the default, has no mark of its own
_CONV = ".conv_block_3d.0.weight"
_FEATURES = "rppg_feature_extractor.FeatureExtractor"
_HEAD = "rppg_head.conv_block"
_ENTRY = f"{_FEATURES}.0{_CONV}"
_FIRST_FINAL = f"rppg_head.final_layer.0{_CONV}"
# files of December 2024 keep the last feature layers in the head
_LATE_HEAD = {
    f"{_HEAD}.0": f"{_FEATURES}.5",
    f"{_HEAD}.1": f"{_FEATURES}.6",
    f"{_HEAD}.3": f"{_HEAD}.0",
    f"{_HEAD}.4": f"{_HEAD}.1",
    f"{_HEAD}.5": f"{_HEAD}.2",
}


def layout(
    tensors: Mapping[str, Tensor],
    path: Path,
    size: int | None = None,
    frames: int | None = None,
    rate_hz: float | None = None,
) -> OfficialLayout:
    """Tell the variant from the tensors, and the kind of attention from the file name.

    Parameters
    ----------
    tensors : of the checkpoint, without prefix.
    path : its file; "FSAM_Res" and "SFSAM" in its name are the only trace of those variants.
    size : pixels; may only confirm what the tensors say.
    frames, rate_hz : override the published 160 (240 for the big one) at 30 Hz.

    Raises
    ------
    CheckpointError : when this is no FactorizePhys.
    """
    for needed in (_ENTRY, _FIRST_FINAL):
        if needed not in tensors:
            raise CheckpointError(f"{path}: not a FactorizePhys checkpoint, it lacks tensor '{needed}'")
    kernel = tensors[_FIRST_FINAL].shape[-1]
    config = FactorizePhysConfig(
        size=Size.BIG if kernel == 4 else Size.STANDARD,
        cameras=cameras_of(tensors[_ENTRY].shape[1], _ENTRY, path),
        **_attention(tensors, path),
    )
    if size not in (None, config.pixels):
        raise CheckpointError(f"{path}: its tensors take {config.pixels} pixels, not {size}")
    return OfficialLayout(
        config=config,
        names=names(config, late_head=f"{_HEAD}.5{_CONV}" in tensors),
        ignored=(),
        frames=frames or FRAMES[config.size],
        rate_hz=rate_hz or RATE_HZ,
        training_data=training_data(path),
        licence=LICENCE,
        source=SOURCE,
    )


def names(config: FactorizePhysConfig, late_head: bool = False) -> dict[str, str]:
    """Official tensor names, without prefix, to ours."""
    stems = {f"{_FEATURES}.{i}": f"extractor.{i}" for i in (0, 1, 2, 4, 5, 6)}
    stems |= {f"{_HEAD}.{i}": f"head.{i}" for i in (0, 1, 2)}
    if late_head:
        moved = {old: stems[new] for old, new in _LATE_HEAD.items()}
        stems = {old: ours for old, ours in stems.items() if old not in _LATE_HEAD.values()} | moved
    stems |= {f"rppg_head.final_layer.{i}": f"final.{i}" for i in (0, 1)}
    table = {official + _CONV: f"{ours}.conv.weight" for official, ours in stems.items()}
    table["rppg_head.final_layer.2.weight"] = "last.weight"
    if config.attention is not Attention.NONE:
        for official, ours in OFFICIAL_ATTENTION.items():
            table[f"rppg_head.fsam.{official}"] = f"attention.{ours}"
    return table


def _attention(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Any]:
    """FSAM replaces the embedding and runs at inference, FSAM_Res adds to it; TSFM is for training alone."""
    if not any(".fsam." in name for name in tensors):
        return {"attention": Attention.NONE, "attend_at_inference": False}
    if re.search(r"SFSAM|SNMF|TSFM", path.name):
        return {"attention": Attention.TSFM, "axis": Axis.CODE, "attend_at_inference": False}
    axis = next((axis for mark, axis in _AXIS_MARKS.items() if mark in path.name), Axis.CODE)
    return {"attention": Attention.FSAM, "axis": axis, "residual": "FSAM_Res" in path.name}

"""The released MMRPhys checkpoints: which variant a file is, and what its tensors are called here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from rppg_ros.models.attention import Attention, Axis
from rppg_ros.models.checkpoint import (
    OFFICIAL_ATTENTION,
    CheckpointError,
    OfficialLayout,
    cameras_of,
    training_data,
)
from rppg_ros.models.mmrphys import Fusion, MMRPhysConfig
from rppg_ros.models.mmrphys_layers import Size
from rppg_ros.types import Vital

LICENCE = "MIT (code and weights of github.com/PhysiologicAILab/MMRPhys)"
SOURCE = "https://github.com/PhysiologicAILab/MMRPhys"

BP4D_RATE_HZ = 25.0
RATE_HZ = 30.0
TWO_TASK_FRAMES = 180
ONE_TASK_FRAMES = 160

# official stem, our stem, layer indices: the one place where names meet
_CONV_STEMS = {
    Vital.BVP: (
        ("{camera}bvp_feature_extractor.{camera}bvp_feature_extractor", "streams.{stream}.extractor", (0, 1, 3)),
        ("rppg_head.conv_layer{_camera}", "streams.{stream}.head", (0, 1, 2)),
        ("rppg_head.final_layer", "final", (0, 1)),
    ),
    Vital.RSP: (
        ("{camera}rsp_feature_extractor.{camera}rsp_feature_extractor", "streams.{stream}.extractor", (0, 1, 2)),
        ("rBr_head.conv_block{_camera}", "streams.{stream}.head", (0, 1, 2, 4)),
        ("rBr_head.final_layer", "final", (0,)),
    ),
}
_STEPPED_RSP_INDICES = ((0, 1, 3), (0, 1, 4), (0, 2))
_HEADS = {Vital.BVP: "rppg_head", Vital.RSP: "rBr_head"}
# the PURE and iBVP single-task files keep the first head layers in the extractor
_EARLY_BVP = {
    "bvp_feature_extractor.bvp_feature_extractor.4": "rppg_head.conv_layer.0",
    "bvp_feature_extractor.bvp_feature_extractor.5": "rppg_head.conv_layer.1",
    "rppg_head.conv_layer.1": "rppg_head.conv_layer.2",
}
_BLOOD_PRESSURE_HEAD = "rBP_head."
_STEPPED_RSP_LAST = "rBr_head.final_layer.3.weight"
_ENTRY = {
    Vital.BVP: "bvp_feature_extractor.bvp_feature_extractor.0.conv_block_3d.0.weight",
    Vital.RSP: "rsp_feature_extractor.rsp_feature_extractor.0.conv_block_3d.0.weight",
}
_LATE_ENTRY = {
    Vital.BVP: "rgb_bvp_feature_extractor.rgb_bvp_feature_extractor.0.conv_block_3d.0.weight",
    Vital.RSP: "rgb_rsp_feature_extractor.rgb_rsp_feature_extractor.0.conv_block_3d.0.weight",
}


def layout(
    tensors: Mapping[str, Tensor],
    path: Path,
    size: int | None = None,
    frames: int | None = None,
    rate_hz: float | None = None,
) -> OfficialLayout:
    """Tell the variant from the tensors, and from the file name what tensors cannot tell.

    Parameters
    ----------
    tensors : of the checkpoint, without prefix.
    path : its file; the released names hold size, window and training data.
    size, frames, rate_hz : override the file name.

    Raises
    ------
    CheckpointError : when this is no MMRPhys, or neither name nor `size` tells the resolution.
    """
    if "rppg_feature_extractor.FeatureExtractor.0.conv_block_3d.0.weight" in tensors:
        raise CheckpointError(f"{path}: its layers are those of FactorizePhys: give --family factorizephys")
    tasks = tuple(task for task in Vital if _ENTRY[task] in tensors or _LATE_ENTRY[task] in tensors)
    if not tasks:
        raise CheckpointError(f"{path}: not an MMRPhys checkpoint, it lacks tensor '{_ENTRY[Vital.BVP]}'")
    early = "bvp_feature_extractor.bvp_feature_extractor.4.conv_block_3d.0.weight" in tensors
    config = MMRPhysConfig(
        size=_size(tensors, path, size),
        fusion=_fusion(tensors, tasks),
        cameras=_cameras(tensors, tasks, path),
        tasks=tasks,
        attention=_attention(tensors, path),
        axis=Axis.CODE,
        padded_entry=early,
        stepped_rsp=_STEPPED_RSP_LAST in tensors,
    )
    return OfficialLayout(
        config=config,
        names=names(config),
        ignored=() if config.fusion is Fusion.EARLY else (_BLOOD_PRESSURE_HEAD,),
        frames=frames or _frames(path, tasks),
        rate_hz=rate_hz or (BP4D_RATE_HZ if path.name.startswith("BP4D") else RATE_HZ),
        training_data=training_data(path),
        licence=LICENCE,
        source=SOURCE,
    )


def names(config: MMRPhysConfig) -> dict[str, str]:
    """Official tensor names, without prefix, to ours."""
    table = {}
    for task in config.tasks:
        branch = f"branches.{task.value}"
        for official, ours in _convolutions(config, task):
            table[f"{official}.conv_block_3d.0.weight"] = f"{branch}.{ours}.conv.weight"
        stepped = task is Vital.RSP and config.stepped_rsp
        table[_STEPPED_RSP_LAST if stepped else f"{_HEADS[task]}.final_layer.2.weight"] = f"{branch}.last.weight"
        if config.attention is not Attention.NONE:
            for official, ours in OFFICIAL_ATTENTION.items():
                table[f"{_HEADS[task]}.fsam.{official}"] = f"{branch}.attention.{ours}"
    return _early_names(table) if config.padded_entry else table


def _convolutions(config: MMRPhysConfig, task: Vital) -> Iterator[tuple[str, str]]:
    """Each convolution block's stem with its index: official, ours."""
    cameras = config.cameras if config.fusion is Fusion.LATE else ("",)
    stems = _CONV_STEMS[task]
    indices: Sequence[tuple[int, ...]] = [layers for _, _, layers in stems]
    if task is Vital.RSP and config.stepped_rsp:
        indices = _STEPPED_RSP_INDICES
    for (official, ours, _), layers in zip(stems, indices, strict=True):
        for stream, camera in enumerate(cameras):
            before, after = (f"{camera}_", f"_{camera}") if camera else ("", "")
            for i in layers:
                yield f"{official.format(camera=before, _camera=after)}.{i}", f"{ours.format(stream=stream)}.{i}"


def _early_names(table: dict[str, str]) -> dict[str, str]:
    suffix = ".conv_block_3d.0.weight"
    moved = {new + suffix: table[new + suffix] for new in _EARLY_BVP.values()}
    kept = {official: ours for official, ours in table.items() if official not in moved}
    return kept | {old + suffix: moved[new + suffix] for old, new in _EARLY_BVP.items()}


def _size(tensors: Mapping[str, Tensor], path: Path, pixels: int | None) -> Size:
    letter = re.search(r"MMRPhys([SML])(?:EF|NF|LF)", path.name)
    if pixels is None and letter:
        return Size(letter.group(1))
    if pixels is None and _ENTRY[Vital.RSP] not in tensors and re.search(r"_MMRPhys_", path.name):
        return Size.L  # the released one-task files are all 72 x 72 and do not say so
    in_name = re.search(r"(?:^|[_x])(\d+)x\1(?:_|\.)", path.name)
    if pixels is None and in_name:
        pixels = int(in_name.group(1))
    for size in Size:
        if size.pixels == pixels:
            return size
    sides = ", ".join(str(size.pixels) for size in Size)
    if pixels is None:
        raise CheckpointError(f"{path}: neither tensors nor name tell the crop size: give --size ({sides})")
    raise CheckpointError(f"{path}: MMRPhys has no size {pixels}; there are: {sides}")


def _fusion(tensors: Mapping[str, Tensor], tasks: tuple[Vital, ...]) -> Fusion:
    """Without fusion the branches differ at their entry: three channels for the pulse, one for the breath."""
    if _LATE_ENTRY[tasks[0]] in tensors:
        return Fusion.LATE
    entries = {tensors[_ENTRY[task]].shape[1] for task in tasks}
    return Fusion.NONE if len(entries) > 1 else Fusion.EARLY


def _cameras(tensors: Mapping[str, Tensor], tasks: tuple[Vital, ...], path: Path) -> tuple[str, ...]:
    fusion = _fusion(tensors, tasks)
    if fusion is not Fusion.EARLY:
        return ("rgb", "thermal")
    return cameras_of(tensors[_ENTRY[tasks[0]]].shape[1], _ENTRY[tasks[0]], path)


def _attention(tensors: Mapping[str, Tensor], path: Path) -> Attention:
    """FSAM and TSFM have the same tensors; released TSFM files are named SFSAM_Label (before, SNMF_Label)."""
    if not any(".fsam." in name for name in tensors):
        return Attention.NONE
    return Attention.TSFM if re.search(r"SFSAM|SNMF|TSFM", path.name) else Attention.FSAM


def _frames(path: Path, tasks: tuple[Vital, ...]) -> int:
    in_name = re.search(r"_(?:RGBT|RGB|T)x(\d+)x\d+_", path.name)
    if in_name:
        return int(in_name.group(1))
    return TWO_TASK_FRAMES if len(tasks) > 1 else ONE_TASK_FRAMES

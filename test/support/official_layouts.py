"""What the authors' files hold, written down by hand: tensor names, shapes, strides; and imitations with random weights.

Nothing here comes from `rppg_ros`: the importer is tested against it. The lists are facts on the released files.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path

CONV = ".conv_block_3d.0.weight"


@dataclass(frozen=True)
class Layout:
    """What a file holds; `bvp` and `rsp`: channels that each branch sees, 0 for no such branch."""

    size: str  # S, M, L; FactorizePhys has one size here
    bvp: int = 3
    rsp: int = 3
    attention: bool = True
    early: bool = False
    family: str = "mmrphys"


def _factorizephys(**changes) -> Layout:
    return Layout("L", rsp=0, family="factorizephys", **changes)


_BP4D = "BP4D_MMRPhys{}_BVP_RSP_{}_{}_Epoch4.pth"
_LABEL = "SFSAM_Label_Fold1"
FILES = {
    "SCAMPS_MMRPhysLEF_BVP_RSP_RGBx180x72_SFSAM_Label_Epoch0.pth": Layout("L"),
    "SCAMPS_MMRPhysSEF_BVP_RSP_RGBx180x9_SFSAM_Label_Epoch0.pth": Layout("S"),
    _BP4D.format("LEF", "RGBx180x72", _LABEL): Layout("L"),
    _BP4D.format("MEF", "RGBx180x36", _LABEL): Layout("M"),
    _BP4D.format("MEF", "RGBx180x36", "FSAM_Fold1"): Layout("M"),
    _BP4D.format("SEF", "RGBx180x9", _LABEL): Layout("S"),
    _BP4D.format("LEF", "Tx180x72", _LABEL): Layout("L", bvp=1, rsp=1),
    _BP4D.format("MEF", "Tx180x36", _LABEL): Layout("M", bvp=1, rsp=1),
    _BP4D.format("SEF", "Tx180x9", _LABEL): Layout("S", bvp=1, rsp=1),
    _BP4D.format("SEF", "Tx180x9", "Base_Fold1"): Layout("S", bvp=1, rsp=1, attention=False),
    _BP4D.format("LEF", "RGBTx180x72", _LABEL): Layout("L", bvp=4, rsp=4),
    _BP4D.format("LNF", "RGBTx180x72", _LABEL): Layout("L", rsp=1),
    _BP4D.format("MNF", "RGBTx180x36", _LABEL): Layout("M", rsp=1),
    _BP4D.format("SNF", "RGBTx180x9", _LABEL): Layout("S", rsp=1),
    _BP4D.format("SNF", "RGBTx180x9", "Base_Fold2"): Layout("S", rsp=1, attention=False),
    "UBFC-rPPG_MMRPhys_SFSAM_Label_Epoch9.pth": Layout("L", rsp=0),
    "PURE_MMRPhys_SFSAM_Label_Epoch9.pth": Layout("L", rsp=0, early=True),
    "iBVP_MMRPhys_SFSAM_Label_Epoch9.pth": Layout("L", rsp=0, early=True),
    # Named MMRPhys, but FactorizePhys inside.
    "PURE_MMRPhys_FSAM_Epoch9.pth": _factorizephys(),
    "PURE_MMRPhys_Base_Epoch9.pth": _factorizephys(attention=False),
    "PURE_FactorizePhys_SFSAM_Label_Epoch9.pth": _factorizephys(),
    "PURE_FactorizePhys_FSAM_Res.pth": _factorizephys(),
    "UBFC-rPPG_FactorizePhys_FSAM_Res.pth": _factorizephys(),
    "iBVP_FactorizePhys_FSAM_Res.pth": _factorizephys(),
    "SCAMPS_FactorizePhys_FSAM_Res.pth": _factorizephys(),
    "iBVP_T_FactorizePhys_FSAM_Res.pth": _factorizephys(bvp=1),
}


@dataclass(frozen=True)
class Step:
    """One convolution of a path: its tensor, channels out, stride and padding as digits (time, height, width)."""

    tensor: str
    channels: int
    stride: str
    padding: str
    kernel: str = "333"


@dataclass(frozen=True)
class Path3d:
    """One waveform's path: convolutions up to the embedding, those after it, and how often time is repeated at the end."""

    name: str
    in_channels: int
    before: tuple[Step, ...]
    after: tuple[Step, ...]
    attention: str  # stem of its tensors, empty without
    time_stride: int = 1

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of all its tensors."""
        found, channels = {}, self.in_channels
        for step in (*self.before, *self.after):
            found[step.tensor] = (step.channels, channels, *map(int, step.kernel))
            channels = step.channels
        if self.attention:
            for name, shape in _ATTENTION.items():
                found[f"{self.attention}.{name}"] = shape
        return found


_ATTENTION = {
    "pre_conv_block.0.weight": (8, 16, 1, 1, 1),
    "pre_conv_block.0.bias": (8,),
    "post_conv_block.0.conv.weight": (8, 8, 1, 1, 1),
    "post_conv_block.1.weight": (16, 8, 1, 1, 1),
}
# stride and padding of each convolution
_BVP = {
    "L": "122/100 111/100 111/100 122/100 111/100 111/100 122/100 111/100 111/100",
    "M": "111/111 111/100 111/100 122/100 111/100 111/100 122/100 111/100 111/100",
    "S": "111/111 111/111 111/111 111/111 111/111 111/100 111/100 111/100 111/100",
}
_EARLY_BVP = _BVP["L"].replace("122/100", "122/111", 1)
_RSP = {
    "L": "111/100 222/100 111/100 111/100 222/100 111/100 111/100 122/100 111/100",
    "M": "111/111 211/100 111/100 111/100 222/100 111/100 111/100 122/100 111/100",
    "S": "111/111 211/111 111/111 111/111 211/111 111/111 111/111 122/100 111/100",
}
_FACTORIZEPHYS = (
    "111/111 122/100 111/100 111/100 122/100 111/100 111/100 111/100 111/100 111/100 111/100 111/100"  # to 1 x 1
)


def paths(layout: Layout) -> list[Path3d]:
    """The branches of a file's network."""
    if layout.family == "factorizephys":
        return [_factorizephys_path(layout)]
    return [_bvp_path(layout)] + ([_rsp_path(layout)] if layout.rsp else [])


def _bvp_path(layout: Layout) -> Path3d:
    extractor, head = (0, 1, 3), (0, 1, 2)
    if layout.early:
        extractor, head = (0, 1, 3, 4, 5), (1,)
    stems = [f"bvp_feature_extractor.bvp_feature_extractor.{i}{CONV}" for i in extractor]
    stems += [f"rppg_head.conv_layer.{i}{CONV}" for i in head]
    stems += [f"rppg_head.final_layer.{i}{CONV}" for i in (0, 1)] + ["rppg_head.final_layer.2.weight"]
    geometry = _EARLY_BVP if layout.early else _BVP[layout.size]
    steps = _steps(stems, (8, 12, 16, 16, 16, 16, 12, 8, 1), geometry)
    return Path3d("bvp", layout.bvp, steps[:6], steps[6:], "rppg_head.fsam" if layout.attention else "")


def _rsp_path(layout: Layout) -> Path3d:
    stems = [f"rsp_feature_extractor.rsp_feature_extractor.{i}{CONV}" for i in (0, 1, 2)]
    stems += [f"rBr_head.conv_block.{i}{CONV}" for i in (0, 1, 2, 4)]
    stems += [f"rBr_head.final_layer.0{CONV}", "rBr_head.final_layer.2.weight"]
    steps = _steps(stems, (16,) * 8 + (1,), _RSP[layout.size], last_kernel="344")
    attention = "rBr_head.fsam" if layout.attention else ""
    return Path3d("rsp", layout.rsp, steps[:7], steps[7:], attention, time_stride=4)


def _factorizephys_path(layout: Layout) -> Path3d:
    stems = [f"rppg_feature_extractor.FeatureExtractor.{i}{CONV}" for i in (0, 1, 2, 4, 5, 6)]
    stems += [f"rppg_head.conv_block.{i}{CONV}" for i in (0, 1, 2)]
    stems += [f"rppg_head.final_layer.{i}{CONV}" for i in (0, 1)] + ["rppg_head.final_layer.2.weight"]
    steps = _steps(stems, (8, 12, 12, 12, 16, 16, 16, 16, 16, 12, 8, 1), _FACTORIZEPHYS)
    return Path3d("bvp", layout.bvp, steps[:9], steps[9:], "rppg_head.fsam" if layout.attention else "")


def _steps(stems, channels, geometry: str, last_kernel: str = "333") -> tuple[Step, ...]:
    kernels = ["333"] * (len(stems) - 1) + [last_kernel]
    places = [place.split("/") for place in geometry.split()]
    return tuple(
        Step(stem, wide, *place, kernel)
        for stem, wide, place, kernel in zip(stems, channels, places, kernels, strict=True)
    )


def write_checkpoint(folder: Path, file_name: str) -> Path:
    """A file of that released name and layout, with random weights of our own; the same each time."""
    import torch

    layout = FILES[file_name]
    generator = torch.Generator().manual_seed(zlib.crc32(file_name.encode()))
    tensors = {}
    for path in paths(layout):
        for name, shape in path.shapes.items():
            fan_in = max(1, torch.Size(shape[1:]).numel())
            tensors[f"module.{name}"] = torch.randn(shape, generator=generator) * fan_in**-0.5
    if layout.family == "mmrphys" and layout.rsp != layout.bvp and layout.rsp:  # has a head for blood pressure too
        tensors["module.rBP_head.conv_block.0.conv_block_3d.0.weight"] = torch.randn(4, 4, generator=generator)
    torch.save(tensors, folder / file_name)
    return folder / file_name

"""Golden cases: a checkpoint, an input clip, and the outputs wanted, by the authors' code or by our reference implementation."""

import json
import math
from pathlib import Path

import numpy as np

from support.official_layouts import FILES

PIXELS = {"S": 9, "M": 36, "L": 72}
MADE_FRAMES = 20  # short, to be quick; 20 / 8 and 20 / 4 / 8 are not whole, so "code" rows straddle channels
_LABEL = "SFSAM_Label_Fold1_Epoch4.pth"
MADE = {
    "mmrphys_LEF_RGB_TSFM_SCAMPS": {"checkpoint": "SCAMPS_MMRPhysLEF_BVP_RSP_RGBx180x72_SFSAM_Label_Epoch0.pth"},
    "mmrphys_SEF_RGB_TSFM_SCAMPS": {"checkpoint": "SCAMPS_MMRPhysSEF_BVP_RSP_RGBx180x9_SFSAM_Label_Epoch0.pth"},
    "mmrphys_MEF_RGB_FSAM_BP4D1": {"checkpoint": "BP4D_MMRPhysMEF_BVP_RSP_RGBx180x36_FSAM_Fold1_Epoch4.pth"},
    "mmrphys_SEF_T_Base_BP4D1": {"checkpoint": "BP4D_MMRPhysSEF_BVP_RSP_Tx180x9_Base_Fold1_Epoch4.pth"},
    "mmrphys_LNF_RGBT_TSFM_BP4D1": {"checkpoint": f"BP4D_MMRPhysLNF_BVP_RSP_RGBTx180x72_{_LABEL}"},
    "mmrphys_SNF_RGBT_Base_BP4D2": {"checkpoint": "BP4D_MMRPhysSNF_BVP_RSP_RGBTx180x9_Base_Fold2_Epoch4.pth"},
    "mmrphys_LEF_RGBT_TSFM_BP4D1": {"checkpoint": f"BP4D_MMRPhysLEF_BVP_RSP_RGBTx180x72_{_LABEL}"},
    "mmrphys_LEF_BVP_TSFM_UBFC": {"checkpoint": "UBFC-rPPG_MMRPhys_SFSAM_Label_Epoch9.pth"},
    "mmrphys_LEF_RGB_TSFM_SCAMPS_attention": {
        "checkpoint": "SCAMPS_MMRPhysLEF_BVP_RSP_RGBx180x72_SFSAM_Label_Epoch0.pth",
        "attention": "TSFM",
        "attention_at_inference": True,
    },
    "factorizephys_FSAM_infer_PURE": {
        "checkpoint": "PURE_MMRPhys_FSAM_Epoch9.pth",
        "attention": "FSAM",
        "attention_at_inference": True,
        "residual": False,
    },
    "factorizephys_Base_PURE": {"checkpoint": "PURE_MMRPhys_Base_Epoch9.pth"},
    "factorizephys_FSAMRes_infer_PURE": {
        "checkpoint": "PURE_FactorizePhys_SFSAM_Label_Epoch9.pth",
        "attention": "FSAM",
        "attention_at_inference": True,
        "residual": True,
    },
}


def official_case(folder: Path, name: str):
    """Description, input (1, C, T+1, S, S), and what the authors' code made of it."""
    (case,) = (c for c in json.loads((folder / "index.json").read_text()) if c["name"] == name)
    with np.load(folder / f"{name}.npz") as outputs:
        return case, clip(case), dict(outputs)


def made_case(checkpoints: Path, name: str):
    """The same of random weights, and what the reference implementation makes of them. Not the authors' outputs."""
    layout = FILES[MADE[name]["checkpoint"]]
    channels = layout.bvp if layout.rsp in (0, layout.bvp) else layout.bvp + layout.rsp
    case = {
        "name": name,
        "channels": channels,
        "frames": MADE_FRAMES,
        "size": PIXELS[layout.size],
        "seed": 11,
        "attention_at_inference": False,
        "residual": True,
    } | MADE[name]
    frames = clip(case)
    return case, frames, reference_outputs(checkpoints / case["checkpoint"], case, frames)


def reference_outputs(checkpoint: Path, case: dict, frames: np.ndarray) -> dict[str, np.ndarray]:
    """What the reference implementation makes of a case."""
    import torch

    from support.official_reference import waveforms

    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    with torch.no_grad():
        found = waveforms(
            {name.removeprefix("module."): tensor for name, tensor in stored.items()},
            torch.from_numpy(frames),
            FILES[checkpoint.name],
            attend=case["attention"].lower() if case["attention_at_inference"] else "",
            residual=case["residual"] is not False,
            targets={name: torch.from_numpy(wave) for name, wave in targets(case["frames"]).items()},
        )
    return {name: wave.numpy() for name, wave in found.items()}


def targets(frames: int) -> dict[str, np.ndarray]:
    """Signals (1, T) that attention follows in a golden case."""
    t = np.arange(frames, dtype=np.float32)[None] / 30
    return {"bvp": np.sin(2 * math.pi * 1.2 * t), "rsp": np.sin(2 * math.pi * 0.25 * t)}


def clip(case: dict) -> np.ndarray:
    """Input of a golden case."""
    frames, side = case["frames"] + 1, case["size"]
    generator = np.random.default_rng(case["seed"])
    noise = generator.integers(0, 256, (1, case["channels"], frames, side, side), dtype=np.uint8)
    t = (np.arange(frames) / 30).reshape(1, 1, -1, 1, 1)
    signal = 20 * np.sin(2 * np.pi * 1.2 * t) + 20 * np.sin(2 * np.pi * 0.25 * t)
    return (0.5 * noise.astype(np.float32) + 64 + signal).astype(np.float32)

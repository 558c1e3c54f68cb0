"""Checkpoints as the authors would have saved them, and their lines in a table of official files."""

import hashlib
from pathlib import Path

from rppg_ros.models.official_files import OfficialFile

SEF = "SCAMPS_MMRPhysSEF_BVP_RSP_RGBx180x9_Base_Epoch0.pth"


def write_mmrphys(folder: Path) -> Path:
    """The smallest MMRPhys, with random weights, under a released file's name."""
    import torch

    from rppg_ros.models import official_mmrphys
    from rppg_ros.models.registry import build

    torch.manual_seed(6)
    network = build("mmrphys", size="S", attention="none", axis="code")
    state = network.state_dict()
    path = folder / SEF
    torch.save({f"module.{a}": state[b] for a, b in official_mmrphys.names(network.config).items()}, path)
    return path


def entry(content: bytes, url: str, **changed) -> OfficialFile:
    """A table's line for that content."""
    values = {
        "name": "tiny",
        "family": "mmrphys",
        "what": "pulse and breath, RGB 9 x 9; nothing",
        "url": url,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": "MIT",
        "licence_url": "https://example.org/LICENSE",
        "research_only": False,
    }
    return OfficialFile(**(values | changed))

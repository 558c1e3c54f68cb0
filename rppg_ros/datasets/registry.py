"""The datasets by name: ours, and those of plug-ins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rppg_ros.datasets import bp4d, buaa, ibvp, mmpd, pure, scamps, ubfc
from rppg_ros.datasets.base import DatasetError, DatasetReader, Recording
from rppg_ros.plugins import Group


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset: a line for a listing, and its reader."""

    summary: str
    reader: DatasetReader


DATASETS: Mapping[str, Dataset] = MappingProxyType(
    {
        "ubfc1": Dataset("UBFC-rPPG dataset 1, SIMPLE: folders with vid.avi and gtdump.xmp", ubfc.read_simple),
        "ubfc2": Dataset(
            "UBFC-rPPG dataset 2, REALISTIC: subjectN with vid.avi and ground_truth.txt", ubfc.read_realistic
        ),
        "pure": Dataset("PURE: 01-01/01-01/ImageNS.png and 01-01/01-01.json", pure.read),
        "ibvp": Dataset("iBVP: p01_a with p01_a_rgb, p01_a_t and p01_a_bvp.csv", ibvp.read),
        "mmpd": Dataset("MMPD: p1_0.mat", mmpd.read),
        "buaa": Dataset("BUAA-MIHR: 'Sub 01/lux 10.0' with a video and *_wave.csv", buaa.read),
        "scamps": Dataset("SCAMPS: P000001.mat", scamps.read),
        "bp4d": Dataset("BP4D+: 2D+3D/F001.zip and Physiology/F001/T1; or F001_T01 with .npy matrices", bp4d.read),
    }
)


def _problem(name: str, found: object) -> str:
    return "" if isinstance(found, Dataset) else f"is of type {type(found).__name__}, not a Dataset"


GROUP: Group[Dataset] = Group("rppg_ros.datasets", "dataset", DATASETS, DatasetError, _problem)


def dataset(name: str) -> Dataset:
    """The dataset of that name; DatasetError where there is none, or a plug-in does not give one."""
    return GROUP.find(name)


def listing() -> str:
    """A line for each dataset: name and summary; for a plug-in's, which is not imported, the distribution that it is of."""
    others = {name: f"from {origin}" for name, origin in GROUP.others().items()}
    lines = {name: own.summary for name, own in DATASETS.items()} | others
    width = max(map(len, lines))
    return "\n".join(f"{name:{width}} {line}" for name, line in lines.items())


def read(name: str, root: str | Path) -> list[Recording]:
    """Recordings of a dataset in its root folder.

    Raises
    ------
    DatasetError : unknown dataset, no such folder, or nothing there in the dataset's layout; see `dataset`.
    """
    chosen = dataset(name)
    if not Path(root).is_dir():
        raise DatasetError(f"{root}: no such folder")
    return chosen.reader(Path(root))

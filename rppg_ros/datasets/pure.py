"""PURE (Stricker et al. 2014): images and finger pulse oximeter, each value with a stamp in nanoseconds.

Folders SS-TT (subject, task), in each SS-TT.json and a folder SS-TT of images ImageNANOSECONDS.png.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from rppg_ros.datasets.base import DatasetError, Recording, Truth
from rppg_ros.datasets.frames import Frames, images, in_number_order
from rppg_ros.datasets.traces import known_rates, trace
from rppg_ros.sources.base import RGB
from rppg_ros.types import NS_PER_S, Vital

TASKS = {
    "01": "steady",
    "02": "talking",
    "03": "slow translation",
    "04": "fast translation",
    "05": "small rotation",
    "06": "medium rotation",
}
NAME = re.compile(r"(\d\d)-(\d\d)")


def read(root: Path) -> list[Recording]:
    """See DatasetReader."""
    folders = [folder for folder in sorted(root.glob("*-*")) if folder.is_dir()]
    found = [(folder, name) for folder in folders if (name := NAME.fullmatch(folder.name))]
    if not found:
        raise DatasetError(f"{root}: no folders named like 01-01")
    return [_recording(folder, name[1], name[2]) for folder, name in found]


def _recording(folder: Path, subject: str, task: str) -> Recording:
    return Recording(
        "pure",
        folder.name,
        subject,
        {"motion": TASKS.get(task, f"task {task}")},
        lambda: _frames(folder),
        lambda: _truth(folder),
    )


def _frames(folder: Path) -> Frames:
    inner = folder / folder.name
    paths = in_number_order((inner if inner.is_dir() else folder).glob("*.png"))
    if not paths:
        raise DatasetError(f"{inner}: no images in it")
    stamps_ns = [int(re.findall(r"\d+", path.stem)[-1]) for path in paths]
    if np.any(np.diff(stamps_ns) <= 0):
        raise DatasetError(f"{inner}: the images' names do not hold stamps that rise")
    seconds = (stamps_ns[-1] - stamps_ns[0]) / NS_PER_S
    return Frames(folder.name, {RGB: lambda: images(paths, stamps_ns)}, seconds, absolute=True)


def _truth(folder: Path) -> Truth:
    path = next((p for p in (folder / f"{folder.name}.json", folder.with_suffix(".json")) if p.is_file()), None)
    if path is None:
        raise DatasetError(f"{folder / folder.name}.json: no such file")
    try:
        packages = json.loads(path.read_text())["/FullPackage"]
        stamps_ns = [int(package["Timestamp"]) for package in packages]
        wave = [float(package["Value"]["waveform"]) for package in packages]
        rate = [float(package["Value"]["pulseRate"]) for package in packages]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: not as published: {error!r}") from None
    return Truth({Vital.BVP: trace(stamps_ns, wave)}, known_rates(Vital.BVP, trace(stamps_ns, rate)))

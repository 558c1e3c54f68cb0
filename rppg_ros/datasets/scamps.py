"""SCAMPS (McDuff et al. 2022): videos of synthetic faces with pulse and breath waves; MATLAB 7.3 files, 30 frames a second.

Files PNNNNNN.mat, in folders or not, with RawFrames (or Xsub, reduced) of (T, H, W, 3), 0..1, d_ppg and d_br.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from rppg_ros.datasets.base import DatasetError, Recording, Truth
from rppg_ros.datasets.frames import Frames, Loaded, even_stamps
from rppg_ros.datasets.matlab import open_hdf5
from rppg_ros.datasets.traces import even_trace
from rppg_ros.sources.base import RGB
from rppg_ros.types import Vital

RATE_HZ = 30.0
NAME = re.compile(r"P\d+")
VIDEOS = ("RawFrames", "Xsub")
WAVES = {Vital.BVP: "d_ppg", Vital.RSP: "d_br"}
BLOCK = 30  # frames read at once


def read(root: Path) -> list[Recording]:
    """See DatasetReader."""
    found = sorted(path for path in root.rglob("*.mat") if NAME.fullmatch(path.stem))
    if not found:
        raise DatasetError(f"{root}: no files named like P000001.mat")
    return [_recording(path) for path in found]


def _recording(path: Path) -> Recording:
    return Recording("scamps", path.stem, path.stem, {}, lambda: _frames(path), lambda: _truth(path))


def _frames(path: Path) -> Frames:
    with open_hdf5(path) as file:
        name = next((name for name in VIDEOS if name in file), None)
        if name is None or file[name].ndim != 4 or file[name].shape[0] != 3:
            raise DatasetError(f"{path}: holds no video ({' or '.join(VIDEOS)}) of (T, H, W, 3)")
        count = file[name].shape[-1]
    return Frames(path.stem, {RGB: lambda: _read(path, name, count)}, count / RATE_HZ)


def _read(path: Path, name: str, count: int) -> Iterator[Loaded]:
    """MATLAB writes the last axis first: (T, H, W, 3) lies as (3, W, H, T)."""
    stamps_ns = even_stamps(count, RATE_HZ)
    with open_hdf5(path) as file:
        for first in range(0, count, BLOCK):
            block = np.asarray(file[name][..., first : first + BLOCK]).T
            scale = 255.0 if block.dtype.kind == "f" and block.max() <= 1.0 else 1.0
            pixels = np.clip(np.rint(block * scale), 0, 255).astype(np.uint8)
            for stamp_ns, image in zip(stamps_ns[first : first + BLOCK], pixels, strict=True):
                yield int(stamp_ns), partial(np.ascontiguousarray, image), "rgb8"


def _truth(path: Path) -> Truth:
    with open_hdf5(path) as file:
        waves = {vital: np.ravel(file[name]) for vital, name in WAVES.items() if name in file}
    if not waves:
        raise DatasetError(f"{path}: holds neither {' nor '.join(WAVES.values())}")
    return Truth({vital: even_trace(wave, RATE_HZ) for vital, wave in waves.items()})

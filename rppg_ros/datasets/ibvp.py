"""iBVP (Joshi et al. 2024): RGB bitmaps and raw thermal images, ear pulse wave with marks of its quality.

Folders pNN_x (x: a to d), in each pNN_x_rgb/*.bmp, pNN_x_t/*.raw (512 x 640, uint16, 0.04 kelvin a count) and pNN_x_bvp.csv
with columns BVP, SQPhysMD, SQ1, SQ2 and the perfusion. The images' names are milliseconds; where they are mere numbers, frames
are 30 in a second. The table has no times: its lines are even over the video.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from rppg_ros.datasets.base import DatasetError, Recording, Truth
from rppg_ros.datasets.frames import Frames, Loaded, Stream, even_stamps, images, in_number_order, last_number, lines
from rppg_ros.datasets.traces import even_trace
from rppg_ros.sources.base import RGB, THERMAL
from rppg_ros.types import NS_PER_S, Vital

RATE_HZ = 30.0
THERMAL_SHAPE = (512, 640)
KELVIN_PER_COUNT, KELVIN_OFFSET = 0.04, 273.15
FOLDER = re.compile(r"(p\d+)_([a-z])")
TASKS = {"a": "slow breathing and rest", "b": "easy maths", "c": "hard maths", "d": "head movement"}
UNITS_NS = (1, 1_000, 1_000_000)
STEP_TOLERANCE = 4.0  # times; between the frames' usual step and the camera's
SAME_LENGTH = 0.05  # share by which the table's lines may differ from 30 a second over the video
GOOD = 0.3  # quality from which the authors' own loader uses a sample
QUALITY, WAVE = "sq2", "bvp"


def read(root: Path) -> list[Recording]:
    """See DatasetReader."""
    folders = [p for p in sorted(root.iterdir()) if p.is_dir()] if root.is_dir() else []
    found = [(folder, name) for folder in folders if (name := FOLDER.fullmatch(folder.name))]
    if not found:
        raise DatasetError(f"{root}: no folders named like p01_a")
    return [_recording(folder, name[1], name[2]) for folder, name in found]


def _recording(folder: Path, subject: str, task: str) -> Recording:
    conditions = {"task": TASKS.get(task, task)}
    return Recording("ibvp", folder.name, subject, conditions, lambda: _frames(folder), lambda: _truth(folder))


def _frames(folder: Path) -> Frames:
    rgb, rgb_ns = _rgb(folder)
    thermal = in_number_order((folder / f"{folder.name}_t").glob("*.raw"))
    thermal_ns = _stamps(thermal)
    rgb_ns, thermal_ns = _from_first(rgb_ns, thermal_ns)
    streams: dict[str, Stream] = {RGB: lambda: images(rgb, rgb_ns)}
    if thermal:
        streams[THERMAL] = lambda: _thermal(thermal, thermal_ns)
    return Frames(folder.name, streams, float(rgb_ns[-1] - rgb_ns[0]) / NS_PER_S)


def _rgb(folder: Path) -> tuple[list[Path], np.ndarray]:
    paths = in_number_order((folder / f"{folder.name}_rgb").glob("*.bmp"))
    if not paths:
        raise DatasetError(f"{folder / folder.name}_rgb: no .bmp images in it")
    return paths, _stamps(paths)


def _stamps(paths: Sequence[Path]) -> np.ndarray:
    """Times in the images' names, int64 ns; else 30 frames in a second, from 0."""
    names = np.array([last_number(path) for path in paths], dtype=np.int64)
    steps = np.diff(names)
    if not len(steps) or steps.min() <= 0:
        return even_stamps(len(paths), RATE_HZ)
    unit_ns = min(UNITS_NS, key=lambda ns: _off(float(np.median(steps)) * ns))
    if _off(float(np.median(steps)) * unit_ns) > np.log(STEP_TOLERANCE):
        return even_stamps(len(paths), RATE_HZ)
    return names * unit_ns


def _off(step_ns: float) -> float:
    """How far a step is from the camera's, as a logarithm."""
    return abs(float(np.log(step_ns * RATE_HZ / NS_PER_S)))


def _from_first(rgb_ns: np.ndarray, thermal_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both counted from the first frame of all; each from its own where their clocks have nothing in common."""
    if not len(thermal_ns) or rgb_ns[-1] < thermal_ns[0] or thermal_ns[-1] < rgb_ns[0]:
        return rgb_ns - rgb_ns[0], thermal_ns - (thermal_ns[0] if len(thermal_ns) else 0)
    first_ns = min(rgb_ns[0], thermal_ns[0])
    return rgb_ns - first_ns, thermal_ns - first_ns


def _thermal(paths: Sequence[Path], stamps_ns: np.ndarray) -> Iterator[Loaded]:
    for path, stamp_ns in zip(paths, stamps_ns, strict=True):
        yield int(stamp_ns), partial(_celsius, path), "32FC1"


def _celsius(path: Path) -> np.ndarray:
    height, width = THERMAL_SHAPE
    counts = np.fromfile(path, dtype="<u2", count=height * width)
    if counts.size != height * width:
        raise DatasetError(f"{path}: holds {counts.size} values, not {height} x {width}")
    kelvin = counts.reshape(height, width).astype(np.float32) * np.float32(KELVIN_PER_COUNT)
    celsius: np.ndarray = kelvin - np.float32(KELVIN_OFFSET)
    return celsius


def _truth(folder: Path) -> Truth:
    wave = _wave(folder)
    _, rgb_ns = _rgb(folder)
    thermal_ns = _stamps(in_number_order((folder / f"{folder.name}_t").glob("*.raw")))
    rgb_ns, _ = _from_first(rgb_ns, thermal_ns)
    span_s = float(rgb_ns[-1] - rgb_ns[0]) / NS_PER_S
    fits = span_s > 0 and abs((len(wave) - 1) / (span_s * RATE_HZ) - 1) < SAME_LENGTH
    rate_hz = (len(wave) - 1) / span_s if fits else RATE_HZ
    return Truth({Vital.BVP: even_trace(wave, rate_hz, int(rgb_ns[0]))})


def _wave(folder: Path) -> np.ndarray:
    """Pulse wave, NaN where its quality is bad; a table without a header has the wave first and no marks."""
    path = folder / f"{folder.name}_bvp.csv"
    rows = list(csv.reader(lines(path)))
    header = [] if not rows or _is_number(rows[0][0]) else [name.strip().lower() for name in rows[0]]
    try:
        table = np.array([[float(cell) if cell.strip() else np.nan for cell in row] for row in rows[len(header) > 0 :]])
    except ValueError as error:
        raise DatasetError(f"{path}: not a table of numbers: {error}") from None
    if table.ndim != 2 or len(table) < 2:
        raise DatasetError(f"{path}: not a table of numbers")
    if header and WAVE not in header:
        raise DatasetError(f"{path}: has no column {WAVE.upper()}; its columns are: {', '.join(header)}")
    wave = table[:, header.index(WAVE) if header else 0]
    if QUALITY not in header:
        return wave
    return np.where(table[:, header.index(QUALITY)] > GOOD, wave, np.nan)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

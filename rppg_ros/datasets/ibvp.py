"""iBVP (Joshi et al. 2024): RGB bitmaps and raw thermal images, ear pulse wave with a mark of its quality.

Folders pNN_x, in each pNN_x_rgb/*.bmp, pNN_x_t/*.raw (512 x 640, uint16, 0.04 kelvin a count) and pNN_x_bvp.csv with a
line for each frame: pulse wave first; the last column is the authors' hand-checked signal quality, 1 good.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rppg_ros.datasets.base import DatasetError, Recording, Truth
from rppg_ros.datasets.frames import Frames, Loaded, even_stamps, images, in_number_order, lines
from rppg_ros.datasets.traces import trace
from rppg_ros.sources.base import RGB, THERMAL
from rppg_ros.types import NS_PER_S, Kind

RATE_HZ = 30.0
THERMAL_SHAPE = (512, 640)
KELVIN_PER_COUNT, KELVIN_OFFSET = 0.04, 273.15
FOLDER = re.compile(r"(p\d+)_?(\w+)")
UNITS_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": NS_PER_S}


def read(root: Path) -> list[Recording]:
    """See DatasetReader."""
    found = [p for p in sorted(root.iterdir()) if p.is_dir() and FOLDER.fullmatch(p.name)] if root.is_dir() else []
    if not found:
        raise DatasetError(f"{root}: no folders named like p01_a")
    return [_recording(folder) for folder in found]


def _recording(folder: Path) -> Recording:
    subject, session = FOLDER.fullmatch(folder.name).groups()
    return Recording(
        "ibvp", folder.name, subject, {"session": session}, lambda: _frames(folder), lambda: _truth(folder)
    )


def _frames(folder: Path) -> Frames:
    rgb = in_number_order((folder / f"{folder.name}_rgb").glob("*.bmp"))
    thermal = in_number_order((folder / f"{folder.name}_t").glob("*.raw"))
    if not rgb:
        raise DatasetError(f"{folder / folder.name}_rgb: no .bmp images in it")
    stamps_ns = _stamps(folder, max(len(rgb), len(thermal)))
    streams = {RGB: lambda: images(rgb, stamps_ns[: len(rgb)])}
    if thermal:
        streams[THERMAL] = lambda: _thermal(thermal, stamps_ns[: len(thermal)])
    return Frames(folder.name, streams, float(stamps_ns[len(rgb) - 1] - stamps_ns[0]) / NS_PER_S)


def _thermal(paths: list[Path], stamps_ns: np.ndarray) -> Iterator[Loaded]:
    for path, stamp_ns in zip(paths, stamps_ns, strict=True):
        yield int(stamp_ns), lambda path=path: _celsius(path), "32FC1"


def _celsius(path: Path) -> np.ndarray:
    height, width = THERMAL_SHAPE
    counts = np.fromfile(path, dtype="<u2", count=height * width)
    if counts.size != height * width:
        raise DatasetError(f"{path}: holds {counts.size} values, not {height} x {width}")
    return counts.reshape(height, width).astype(np.float32) * np.float32(KELVIN_PER_COUNT) - np.float32(KELVIN_OFFSET)


def _table(folder: Path) -> tuple[list[str], np.ndarray]:
    """Header, lower case, and numbers; a file without a header has an empty one."""
    path = folder / f"{folder.name}_bvp.csv"
    rows = list(csv.reader(lines(path)))
    header = [] if _is_number(rows[0][0]) else [name.strip().lower() for name in rows[0]]
    try:
        table = np.array([[float(cell) if cell.strip() else np.nan for cell in row] for row in rows[len(header) > 0 :]])
    except ValueError as error:
        raise DatasetError(f"{path}: not a table of numbers: {error}") from None
    if table.ndim != 2 or len(table) < 2:
        raise DatasetError(f"{path}: not a table of numbers")
    return header, table


def _stamps(folder: Path, count: int) -> np.ndarray:
    """Times of the frames: the table's time column, continued where it is short; else 30 in a second."""
    header, table = _table(folder)
    column = next((i for i, name in enumerate(header) if "time" in name), None)
    times = None if column is None else table[:, column]
    if times is None or not np.all(np.diff(times) > 0):
        return even_stamps(count, RATE_HZ)
    stamps_ns = np.round((times - times[0]) * _unit_ns(np.median(np.diff(times)))).astype(np.int64)
    if len(stamps_ns) < count:
        more = stamps_ns[-1] + even_stamps(count - len(stamps_ns) + 1, RATE_HZ)[1:]
        stamps_ns = np.concatenate([stamps_ns, more])
    return stamps_ns[:count]


def _unit_ns(step: float) -> int:
    """Nanoseconds of a unit in which frames are `step` apart: the one that comes nearest to the camera's rate."""
    return min(UNITS_NS.values(), key=lambda ns: abs(np.log(step * ns * RATE_HZ / NS_PER_S)))


def _truth(folder: Path) -> Truth:
    header, table = _table(folder)
    stamps_ns = _stamps(folder, len(table))
    wave = table[:, next((i for i, name in enumerate(header) if "bvp" in name or "ppg" in name), 0)]
    quality = next((i for i, name in reversed(list(enumerate(header))) if "sq" in name), None)
    if quality is not None:
        wave = np.where(table[:, quality] > 0, wave, np.nan)
    return Truth({Kind.BVP: trace(stamps_ns, wave)})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

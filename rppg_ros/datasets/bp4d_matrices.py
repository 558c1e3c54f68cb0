"""BP4D+ as MMRPhys's authors keep it: a folder for each task, with frames of both cameras as .npy matrices.

F001_T01/ with F001_T01_rgb/*.npy (H, W, 3), F001_T01_t/*.npy (H, W), and F001_T01_phys.csv: a line for each frame, columns
BVP, RSP, EDA, ECG, HR, RR, SysBP, MeanBP, DiaBP.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from rppg_ros.datasets.base import DatasetError, Recording, Trace, Truth
from rppg_ros.datasets.frames import Frames, Loaded, Stream, in_number_order, last_number, numbered_stamps
from rppg_ros.datasets.traces import even_trace, known_rates
from rppg_ros.sources.base import RGB, THERMAL
from rppg_ros.types import NS_PER_S, Vital

RATE_HZ = 25.0
NAME = re.compile(r"([FM]\d+)_(T\d+)")
GENDERS = {"F": "female", "M": "male"}
COLUMNS = {"bvp": Vital.BVP, "rsp": Vital.RSP}
RATE_COLUMNS = {"hr": Vital.BVP, "rr": Vital.RSP}
KELVIN, CELSIUS = (250.0, 350.0), (-20.0, 80.0)  # what the middle of a picture of a room can be
ZERO_C = 273.15
MOST_COUNTS = 65_535


def read(root: Path) -> list[Recording]:
    """Recordings in this layout, in the order of subject and task; none: it is another layout."""
    found = [(match, folder) for folder in root.iterdir() if (match := NAME.fullmatch(folder.name)) and folder.is_dir()]
    return [_recording(folder, *match.groups()) for match, folder in sorted(found, key=lambda one: _order(one[0]))]


def _order(name: re.Match[str]) -> tuple[str, int]:
    return name[1], int(name[2][1:])


def _recording(folder: Path, subject: str, task: str) -> Recording:
    about = {"task": f"T{int(task[1:])}", "gender": GENDERS[subject[0]]}
    return Recording("bp4d", folder.name, subject, about, lambda: _frames(folder), lambda: _truth(folder))


def _frames(folder: Path) -> Frames:
    rgb, warm = (in_number_order((folder / f"{folder.name}_{part}").glob("*.npy")) for part in ("rgb", "t"))
    if not rgb:
        raise DatasetError(f"{folder / folder.name}_rgb: no .npy matrices in it")
    streams: dict[str, Stream] = {RGB: lambda: _rgb(rgb)}
    if warm:
        streams[THERMAL] = lambda: thermal_matrices(warm, RATE_HZ, last_number(rgb[0]))
    return Frames(folder.name, streams, int(numbered_stamps(rgb, RATE_HZ)[-1]) / NS_PER_S + 1 / RATE_HZ)


def _rgb(paths: Sequence[Path]) -> Iterator[Loaded]:
    first = _matrix(paths[0])
    scale = (
        255.0 if first.dtype.kind == "f" and first.size and float(np.nanmax(first)) <= 1.0 else 1.0
    )  # 0..1, or 0..255
    for path, stamp_ns in zip(paths, numbered_stamps(paths, RATE_HZ), strict=True):
        yield int(stamp_ns), partial(_colours, path, scale), "rgb8"


def _colours(path: Path, scale: float) -> np.ndarray:
    image = _matrix(path)
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:  # noqa: PLR2004
        raise DatasetError(f"{path}: is of shape {image.shape}, not (H, W, 3)")
    return image if image.dtype == np.uint8 else np.clip(np.rint(np.nan_to_num(image * scale)), 0, 255).astype(np.uint8)


def thermal_matrices(paths: Sequence[Path], rate_hz: float, first: int | None = None) -> Iterator[Loaded]:
    """Thermal frames: degrees where the first matrix can be kelvin or degrees Celsius, else counts as they are.

    Parameters
    ----------
    first : number of the RGB frame at the beginning; a frame whose number is missing is a gap.
    """
    if not paths:
        return
    middle = _middle(paths[0])
    degrees = KELVIN[0] <= middle <= KELVIN[1] or CELSIUS[0] <= middle <= CELSIUS[1]
    for path, stamp_ns in zip(paths, numbered_stamps(paths, rate_hz, first), strict=True):
        yield (
            int(stamp_ns),
            partial(_degrees, path) if degrees else partial(_counts, path),
            "32FC1" if degrees else "16UC1",
        )


def _middle(path: Path) -> float:
    image = _thermal(path)
    known = image[np.isfinite(image)]
    if not known.size:
        raise DatasetError(f"{path}: holds no temperature")
    return float(np.median(known))


def _degrees(path: Path) -> np.ndarray:
    offset = ZERO_C if KELVIN[0] <= _middle(path) <= KELVIN[1] else 0.0
    found: np.ndarray = _thermal(path).astype(np.float32) - np.float32(offset)
    return found


def _counts(path: Path) -> np.ndarray:
    found: np.ndarray = np.clip(np.rint(_thermal(path)), 0, MOST_COUNTS).astype(np.uint16)
    return found


def _thermal(path: Path) -> np.ndarray:
    image = _matrix(path)
    image = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image  # noqa: PLR2004
    if image.ndim != 2 or not image.size:  # noqa: PLR2004
        raise DatasetError(f"{path}: is of shape {image.shape}, not (H, W)")
    return image


def _matrix(path: Path) -> np.ndarray:
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):  # numpy's own words speak of loading it unsafely
        raise DatasetError(f"{path}: not a readable .npy matrix of numbers") from None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "uif":
        raise DatasetError(f"{path}: holds no matrix of numbers")
    return found


def _truth(folder: Path) -> Truth:
    path = folder / f"{folder.name}_phys.csv"
    table = _table(path)
    waves = {vital: even_trace(table[name], RATE_HZ) for name, vital in COLUMNS.items() if name in table}
    rates: dict[Vital, Trace] = {}
    for name, vital in RATE_COLUMNS.items():
        if name in table:
            rates |= known_rates(vital, even_trace(table[name], RATE_HZ))
    if not waves and not rates:
        raise DatasetError(f"{path}: has none of the columns {', '.join([*COLUMNS, *RATE_COLUMNS])}")
    return Truth(waves, rates)


def _table(path: Path) -> dict[str, np.ndarray]:
    """Column, in small letters, to its numbers."""
    try:
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        if not rows:
            raise DatasetError(f"{path}: is empty")
        heads = [head.strip().lower() for head in rows[0]]
        values = np.array([[float(cell) for cell in row] for row in rows[1:]]).T
        return dict(zip(heads, values, strict=True))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, IndexError, csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not a table of numbers under a line of names: {error}") from None

"""BUAA-MIHR (Xi et al. 2020): webcam videos at 1 to 100 lux, finger pulse oximeter.

Folders "Sub NN", in each folders "lux X" with a video luxX_NAME.avi, its pulse wave in luxX_NAME_wave.csv (a value a line, 60
in a second) or *PPGData.mat (struct PPG: data, fs), and luxX_NAME.csv, a table with a column PULSE. The wave begins with the
video. The heart rates have no usable times: they are even over the wave.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rppg_ros.datasets.base import DatasetError, Recording, Trace, Truth
from rppg_ros.datasets.frames import Frames, lines, numbers, video_frames, video_length
from rppg_ros.datasets.matlab import load
from rppg_ros.datasets.traces import even_trace, known_rates
from rppg_ros.sources.base import RGB
from rppg_ros.types import Vital

WAVE_HZ = 60.0
WAVE, STRUCT, PULSE = "wave.csv", "ppgdata.mat", "pulse"
SUBJECT = re.compile(r"sub\D*(\d+)", re.IGNORECASE)
LUX = re.compile(r"lux\s*_?(\d+(?:\.\d+)?)", re.IGNORECASE)


def read(root: Path) -> list[Recording]:
    """See DatasetReader."""
    found = {path: SUBJECT.search(str(path.relative_to(root))) for path in sorted(root.rglob("*.avi"))}
    subjects = {path: match[1] for path, match in found.items() if match}
    if not subjects:
        raise DatasetError(f"{root}: no .avi videos in folders named like 'Sub 01/lux 10.0'")
    return [_recording(root, path, subject) for path, subject in subjects.items()]


def _recording(root: Path, video: Path, subject: str) -> Recording:
    lux = LUX.search(str(video.relative_to(root)))
    name = re.sub(r"[^A-Za-z0-9.]+", "_", str(video.relative_to(root).with_suffix("")))
    conditions = {"lux": f"{float(lux.group(1)):g}"} if lux else {}
    return Recording("buaa", name, subject, conditions, lambda: _frames(video), lambda: _truth(video))


def _frames(video: Path) -> Frames:
    count, fps = video_length(video)
    return Frames(video.stem, {RGB: lambda: video_frames(video, None)}, count / fps)


def _truth(video: Path) -> Truth:
    files = sorted(video.parent.iterdir())
    table = _of(video, [path for path in files if path.name.lower().endswith(WAVE)])
    struct = _of(video, [path for path in files if path.name.lower().endswith(STRUCT)])
    if table is not None:
        wave, rate_hz = numbers(table), WAVE_HZ
    elif struct is not None:
        wave, rate_hz = _struct(struct)
    else:
        raise DatasetError(f"{video.parent}: no pulse wave (*_{WAVE} or *PPGData.mat) that is of {video.name} alone")
    rates = video.with_suffix(".csv")
    known = _rates(rates, len(wave) / rate_hz) if rates.is_file() else {}
    return Truth({Vital.BVP: even_trace(wave, rate_hz)}, known)


def _of(video: Path, files: Sequence[Path]) -> Path | None:
    """The file of a video: named like it, or the only one beside an only video."""
    named = [path for path in files if path.name.startswith(video.stem)]
    alone = len(list(video.parent.glob("*.avi"))) == 1
    chosen = named or (list(files) if alone else [])
    return chosen[0] if len(chosen) == 1 else None


def _struct(path: Path) -> tuple[np.ndarray, float]:
    try:
        struct = load(path, ["PPG"])["PPG"][0, 0]
        return np.ravel(struct["data"]).astype(np.float64), float(np.ravel(struct["fs"])[0])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{path}: holds no struct PPG with data and fs: {error!r}") from None


def _rates(path: Path, seconds: float) -> dict[Vital, Trace]:
    rows = list(csv.reader(lines(path)))
    header = [name.strip().lower() for name in rows[0]] if rows else []
    if PULSE not in header or len(rows) < 2:
        raise DatasetError(f"{path}: needs a column PULSE; its columns are: {', '.join(header) or 'none'}")
    column = header.index(PULSE)
    try:
        values = np.array([float(row[column]) for row in rows[1:]])
    except (ValueError, IndexError) as error:
        raise DatasetError(f"{path}: column PULSE is not of numbers: {error}") from None
    return known_rates(Vital.BVP, even_trace(values, len(values) / seconds))

"""UBFC-rPPG (Bobbia et al. 2019): dataset 1, SIMPLE, and dataset 2, REALISTIC; webcam video and finger pulse oximeter.

Dataset 1: folders with vid.avi and gtdump.xmp, lines of milliseconds, heart rate, oxygen saturation, pulse wave. Dataset 2:
folders subjectN with vid.avi and ground_truth.txt, three lines: pulse wave, heart rate, seconds, a value for each frame.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from rppg_ros.datasets.base import DatasetError, Recording, Truth
from rppg_ros.datasets.frames import Frames, lines, video_frames, video_length
from rppg_ros.datasets.traces import known_rates, trace
from rppg_ros.sources.base import RGB
from rppg_ros.types import NS_PER_S, Vital

VIDEO, DUMP, TABLE = "vid.avi", "gtdump.xmp", "ground_truth.txt"
EXERCISE, EXERCISED = "after exercise", "exercise"  # one folder of dataset 1 is named after-exercise
SAME_COUNT = 3  # frames by which the stamps and the video may differ
LATEST_START_MS = 5000.0  # a sensor whose times begin later counts from something else than the video
SAME_LENGTH = 0.2  # share

Stamps = Callable[[Path, int, float], np.ndarray | None]
"""Of a folder whose video has so many frames, so many a second: the frames' stamps; None: the container's."""


def read_simple(root: Path) -> list[Recording]:
    """Dataset 1; see DatasetReader."""
    return [_recording("ubfc1", folder, _simple_truth, None) for folder in _folders(root, DUMP)]


def read_realistic(root: Path) -> list[Recording]:
    """Dataset 2; see DatasetReader."""
    return [_recording("ubfc2", folder, _realistic_truth, _realistic_stamps) for folder in _folders(root, TABLE)]


def _folders(root: Path, truth: str) -> list[Path]:
    found = sorted((p.parent for p in root.glob(f"*/{truth}")), key=lambda p: (len(p.name), p.name))
    if not found:
        raise DatasetError(f"{root}: no folders with {VIDEO} and {truth}")
    return found


def _recording(dataset: str, folder: Path, truth: Callable[[Path], Truth], stamps: Stamps | None) -> Recording:
    def open_frames() -> Frames:
        video = folder / VIDEO
        count, fps = video_length(video)
        known = stamps(folder, count, fps) if stamps else None
        return Frames(folder.name, {RGB: lambda: video_frames(video, known)}, count / fps)

    conditions = {EXERCISE: str(EXERCISED in folder.name.lower())} if dataset == "ubfc1" else {}
    return Recording(dataset, folder.name, folder.name, conditions, open_frames, lambda: truth(folder))


def _simple_truth(folder: Path) -> Truth:
    path = folder / DUMP
    rows = _table(path, [line.replace(";", ",").split(",") for line in lines(path)])
    if rows.ndim != 2 or rows.shape[1] < 4:
        raise DatasetError(f"{path}: needs lines of milliseconds, heart rate, saturation, pulse wave")
    late_ms = rows[0, 0] if rows[0, 0] > LATEST_START_MS else 0.0
    stamps_ns = np.round((rows[:, 0] - late_ms) * 1e6).astype(np.int64)
    return Truth({Vital.BVP: trace(stamps_ns, rows[:, 3])}, known_rates(Vital.BVP, trace(stamps_ns, rows[:, 1])))


def _realistic_table(folder: Path) -> np.ndarray:
    path = folder / TABLE
    rows = [line.split() for line in lines(path)]
    if len(rows) < 3 or len({len(row) for row in rows[:3]}) != 1:
        raise DatasetError(f"{path}: needs three lines of one length: pulse wave, heart rate, seconds")
    return _table(path, rows[:3])


def _realistic_truth(folder: Path) -> Truth:
    wave, rate, seconds = _realistic_table(folder)
    stamps_ns = np.round(seconds * NS_PER_S).astype(np.int64)
    return Truth({Vital.BVP: trace(stamps_ns, wave)}, known_rates(Vital.BVP, trace(stamps_ns, rate)))


def _realistic_stamps(folder: Path, count: int, fps: float) -> np.ndarray | None:
    """The third line is the time of each frame; where it does not fit the video, the container's times are used."""
    seconds = _realistic_table(folder)[2]
    rises = bool(np.all(np.diff(seconds) > 0))
    fits = abs(len(seconds) - count) <= SAME_COUNT and abs((seconds[-1] - seconds[0]) * fps / count - 1) < SAME_LENGTH
    return np.round(seconds * NS_PER_S).astype(np.int64) if rises and fits else None


def _table(path: Path, rows: list[list[str]]) -> np.ndarray:
    try:
        return np.array([[float(cell) for cell in row if cell.strip()] for row in rows])
    except ValueError as error:
        raise DatasetError(f"{path}: not a table of numbers: {error}") from None

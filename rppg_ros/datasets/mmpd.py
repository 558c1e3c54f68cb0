"""MMPD (Tang et al. 2023): phone videos of four lights, motions and skin tones, pulse oximeter; MATLAB files.

Files pS_N.mat, in folders subjectS or not: video (T, H, W, 3) of 0..1 (or 0..255), GT_ppg over
the same time, and words: light, motion, exercise, skin_color, gender, glasser, hair_cover, makeup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from rppg_ros.datasets.base import DatasetError, Recording, Truth
from rppg_ros.datasets.frames import Frames, Loaded, even_stamps
from rppg_ros.datasets.matlab import load, shape
from rppg_ros.datasets.traces import even_trace
from rppg_ros.sources.base import RGB
from rppg_ros.types import Vital

RATE_HZ = 30.0
NAME = re.compile(r"p(\d+)_(\d+)")
WORDS = {
    "light": "light",
    "motion": "motion",
    "exercise": "after exercise",
    "skin_color": "skin tone",
    "gender": "gender",
    "glasser": "glasses",
    "hair_cover": "hair over face",
    "makeup": "make-up",
}
RENAMED = {"Watching Videos": "Walking", "Stationary (after exercise)": "Stationary"}  # older files call them so


def read(root: Path) -> list[Recording]:
    """See DatasetReader."""
    names = [(name, path) for path in root.rglob("*.mat") if (name := NAME.fullmatch(path.stem))]
    found = sorted(names, key=lambda entry: (int(entry[0][1]), int(entry[0][2])))
    if not found:
        raise DatasetError(f"{root}: no files named like p1_0.mat")
    return [_recording(path, name[1]) for name, path in found]


def _recording(path: Path, subject: str) -> Recording:
    return Recording("mmpd", path.stem, subject, _Words(path), lambda: _frames(path), lambda: _truth(path))


class _Words(Mapping[str, str]):
    """What a file says of its recording, read when it is asked for; nothing where it is damaged: opening it says so."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __getitem__(self, name: str) -> str:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @cached_property
    def _found(self) -> dict[str, str]:
        try:
            words = load(self._path, list(WORDS))
        except DatasetError:
            return {}
        found = {
            ours: str(np.ravel(words[theirs])[0]).strip()
            for theirs, ours in WORDS.items()
            if theirs in words and np.size(words[theirs])
        }
        return {name: RENAMED.get(value, value) for name, value in found.items()}


def _frames(path: Path) -> Frames:
    video = load(path, ["video"]).get("video")
    if video is None or video.ndim != 4 or video.shape[3] != 3 or not video.size:
        raise DatasetError(f"{path}: holds no video of (T, H, W, 3)")
    scale = 255.0 if video.dtype.kind == "f" and float(np.nanmax(video[:1])) <= 1.0 else 1.0
    stamps_ns = even_stamps(len(video), RATE_HZ)

    def frames() -> Iterator[Loaded]:
        for stamp_ns, image in zip(stamps_ns, video, strict=True):
            yield int(stamp_ns), partial(_rgb8, image, scale), "rgb8"

    return Frames(path.stem, {RGB: frames}, len(video) / RATE_HZ)


def _rgb8(image: np.ndarray, scale: float) -> np.ndarray:
    return image if image.dtype == np.uint8 else np.clip(np.rint(image * scale), 0, 255).astype(np.uint8)


def _truth(path: Path) -> Truth:
    wave = load(path, ["GT_ppg"]).get("GT_ppg")
    if wave is None or not np.size(wave):
        raise DatasetError(f"{path}: holds no GT_ppg")
    frames = (shape(path, "video") or (np.size(wave),))[0]
    return Truth({Vital.BVP: even_trace(np.ravel(wave), RATE_HZ * np.size(wave) / frames)})

"""BUAA-MIHR (Xi et al. 2020): webcam videos at 1 to 100 lux, finger pulse oximeter.

Folders "Sub NN", in each folders "lux X" with a video (.avi) and its pulse wave, *_wave.csv, 60 values a second from
the video's first frame; beside it may be another .csv, a heart rate for each second.
"""

from __future__ import annotations

import re
from pathlib import Path

from rppg_ros.datasets.base import DatasetError, Recording, Truth
from rppg_ros.datasets.frames import Frames, numbers, video_frames, video_length
from rppg_ros.datasets.traces import even_trace
from rppg_ros.sources.base import RGB
from rppg_ros.types import Kind

WAVE_HZ, RATE_HZ = 60.0, 1.0
WAVE = "wave.csv"
SUBJECT = re.compile(r"sub\D*(\d+)", re.IGNORECASE)
LUX = re.compile(r"lux\s*_?(\d+(?:\.\d+)?)", re.IGNORECASE)


def read(root: Path) -> list[Recording]:
    """See DatasetReader."""
    found = [path for path in sorted(root.rglob("*.avi")) if SUBJECT.search(str(path.relative_to(root)))]
    if not found:
        raise DatasetError(f"{root}: no .avi videos in folders named like 'Sub 01/lux 10.0'")
    return [_recording(root, path) for path in found]


def _recording(root: Path, video: Path) -> Recording:
    place = str(video.relative_to(root))
    subject, lux = SUBJECT.search(place).group(1), LUX.search(place)
    name = re.sub(r"[^A-Za-z0-9.]+", "_", str(video.relative_to(root).with_suffix("")))
    conditions = {"lux": f"{float(lux.group(1)):g}"} if lux else {}
    return Recording("buaa", name, subject, conditions, lambda: _frames(video), lambda: _truth(video))


def _frames(video: Path) -> Frames:
    count, fps = video_length(video)
    return Frames(video.stem, {RGB: lambda: video_frames(video, None)}, count / fps)


def _truth(video: Path) -> Truth:
    tables = sorted(video.parent.glob("*.csv"))
    waves = _of(video, [path for path in tables if path.name.lower().endswith(WAVE)])
    rates = _of(video, [path for path in tables if not path.name.lower().endswith(WAVE)])
    if waves is None:
        raise DatasetError(f"{video.parent}: no pulse wave, *_{WAVE}, beside {video.name}")
    known = {} if rates is None else {Kind.BVP: even_trace(numbers(rates), RATE_HZ)}
    return Truth({Kind.BVP: even_trace(numbers(waves), WAVE_HZ)}, known)


def _of(video: Path, tables: list[Path]) -> Path | None:
    """The table of a video: named like it, or the only one."""
    named = [path for path in tables if path.name.startswith(video.stem)]
    chosen = named or tables
    return chosen[0] if len(chosen) == 1 else None

"""Face crops of recordings, kept in a folder: each recording is filmed through the nodes' camera half once, not each epoch."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rppg_ros import __version__
from rppg_ros.datasets.base import Recording, Trace, Truth
from rppg_ros.evaluation.work import RecordingRef
from rppg_ros.inference.clips import Window
from rppg_ros.inference.engine import Contribution, EngineError, Memory, WindowPlan
from rppg_ros.inference.intake import CropIntake, Intake
from rppg_ros.meter.camera import CameraHalf
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.sources.base import RGB, StreamFrame
from rppg_ros.sources.frames import image_of
from rppg_ros.types import CropRequest, FaceCrop, Vital

FORMAT = 1
NEVER = 2**40  # points: a clip is cut when it ends, not before
RGB_FILE, THERMAL_FILE, ABOUT_FILE = "rgb.npy", "thermal.npy", "about.npz"
DIGEST_CHARS = 16
OWNER_ONLY = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class CropSpec:
    """What is kept of a recording.

    Attributes
    ----------
    pixels : side of the crops.
    thermal : whether thermal crops are kept too.
    crop_scale : side of the crop over the longer side of the face box.
    """

    pixels: int
    thermal: bool = False
    crop_scale: float = CropRequest().scale


@dataclass(frozen=True, slots=True)
class Crops:
    """Crops and truth of one recording, on the cameras' own stamps. Pixels stay in their files until they are asked for.

    Attributes
    ----------
    folder : of its files.
    rgb_stamps_ns, thermal_stamps_ns : (n,) and (m,) int64.
    clips : (k, 4) int64: of each stretch without a gap, first and last + 1 of its RGB and of its thermal frames.
    waves : truth, on the same clock.
    """

    folder: Path
    rgb_stamps_ns: np.ndarray
    thermal_stamps_ns: np.ndarray
    clips: np.ndarray
    waves: Mapping[Vital, Trace]

    def rgb(self) -> np.ndarray:
        """(n, S, S, 3) uint8, memory-mapped."""
        return np.load(self.folder / RGB_FILE, mmap_mode="r")

    def thermal(self) -> np.ndarray:
        """(m, S, S) float32, degrees, memory-mapped."""
        return np.load(self.folder / THERMAL_FILE, mmap_mode="r")


def crops_folder(cache: Path, ref: RecordingRef, spec: CropSpec) -> Path:
    """Where a recording's crops lie; another version of this package or another spec has a folder of its own."""
    about = {"path": str(Path(ref.path).resolve()), "key": ref.key, "format": FORMAT, "rppg_ros": __version__}
    digest = hashlib.sha256(json.dumps(about | asdict(spec), sort_keys=True).encode()).hexdigest()[:DIGEST_CHARS]
    return cache / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', ref.key)[-80:]}.{spec.pixels}.{digest}"


def load_crops(folder: Path) -> Crops | None:
    """Crops of a folder; None where there are none, or not whole."""
    try:
        with np.load(folder / ABOUT_FILE) as about:
            kept = {name: about[name] for name in about.files}
        waves = {k: Trace(kept[f"{k}_stamps_ns"], kept[f"{k}_values"]) for k in Vital if f"{k}_values" in kept}
        found = Crops(folder, kept["rgb_stamps_ns"], kept["thermal_stamps_ns"], kept["clips"], waves)
        whole = len(found.rgb()) >= len(found.rgb_stamps_ns) and len(found.thermal()) >= len(found.thermal_stamps_ns)
    except (OSError, ValueError, KeyError, EOFError):
        return None
    return found if whole else None


def make_crops(recording: Recording, truth: Truth, spec: CropSpec, folder: Path) -> None:
    """Film a recording through the camera half, and keep its crops in `folder`: whole, or not at all.

    Only the largest face counts, as in an evaluation. A recording without a face has no clips.

    Raises
    ------
    DatasetError, SourceError : a file of it is missing or damaged; names it.
    """
    cv2.setNumThreads(1)  # sums keep their order
    cv2.setRNGSeed(0)
    with contextlib.closing(recording.open()) as source:
        clips = list(_clips(source, spec))
    folder.parent.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
    try:
        _write(partial, clips, truth, spec)
        if load_crops(folder) is None:  # else another run was quicker
            shutil.rmtree(folder, ignore_errors=True)  # what was damaged
            os.rename(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _clips(source: Iterable[StreamFrame], spec: CropSpec) -> Iterator[Window]:
    """Clips of the camera half's crops, as the vitals half would cut them."""
    engine = _KeptCrops(spec)
    settings = EvaluationSettings(thermal_enabled=spec.thermal)
    camera = CameraHalf(settings, CropRequest(spec.pixels, spec.crop_scale), seed=0, zero_is_unset=False)
    intake = CropIntake(engine, settings.max_gap, zero_is_unset=False)
    for frame in source:
        if frame.stream == RGB or spec.thermal:
            for tracked in camera.push(frame.stream, frame.stamp_ns, image_of(frame)):
                yield from _windows(intake.push(tracked.stamp_ns, tracked.crops))
    for tracked in camera.flush():
        yield from _windows(intake.push(tracked.stamp_ns, tracked.crops))
    yield from _windows(intake.flush())


def _windows(taken: Intake) -> list[Window]:
    return [job for job in taken.jobs if isinstance(job, Window)]


class _KeptCrops:
    """Stands where a network's engine does: takes crops as they are, and a clip as one window."""

    name = "training"
    vitals = tuple(Vital)
    plan = WindowPlan(30.0, NEVER, NEVER, NEVER, {}, consecutive=True)

    def __init__(self, spec: CropSpec) -> None:
        self.crop_size, self.crop_scale, self.least_crop = spec.pixels, spec.crop_scale, spec.pixels

    def rgb(self, crop: FaceCrop) -> np.ndarray:
        return crop.rgb

    def thermal(self, crop: FaceCrop) -> np.ndarray | None:
        return crop.thermal

    def infer(self, rgb: np.ndarray, thermal: np.ndarray | None, memory: Memory) -> list[Contribution]:
        raise EngineError("crops for training are kept, not measured")


def _write(folder: Path, clips: Sequence[Window], truth: Truth, spec: CropSpec) -> None:
    sides = (spec.pixels, spec.pixels)
    bounds = np.zeros((len(clips) + 1, 2), dtype=np.int64)
    for index, clip in enumerate(clips):
        bounds[index + 1] = bounds[index] + (len(clip.rgb_frames), len(clip.thermal_frames))
    about: dict[str, Any] = {
        "clips": np.stack([bounds[:-1, 0], bounds[1:, 0], bounds[:-1, 1], bounds[1:, 1]], axis=1),
        "rgb_stamps_ns": _keep(folder / RGB_FILE, [clip.rgb_frames for clip in clips], (*sides, 3), np.uint8),
        "thermal_stamps_ns": _keep(folder / THERMAL_FILE, [clip.thermal_frames for clip in clips], sides, np.float32),
    }
    for vital, trace in truth.waves.items():
        about |= {f"{vital}_stamps_ns": trace.stamps_ns, f"{vital}_values": trace.values}
    np.savez(folder / ABOUT_FILE, **about)


def _keep(
    path: Path, clips: Sequence[Sequence[tuple[int, np.ndarray]]], shape: tuple[int, ...], dtype: type
) -> np.ndarray:
    """Write the frames of all clips one behind the other; returns their stamps."""
    frames = [frame for clip in clips for frame in clip]
    if not frames:
        np.save(path, np.zeros((0, *shape), dtype))
        return np.zeros(0, dtype=np.int64)
    file = np.lib.format.open_memmap(path, "w+", dtype, (len(frames), *shape))
    for index, (_, image) in enumerate(frames):
        file[index] = image
    file.flush()
    return np.array([stamp_ns for stamp_ns, _ in frames], dtype=np.int64)

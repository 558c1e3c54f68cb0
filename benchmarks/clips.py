"""Crops of a person with the truth, ready for any engine: from videos through the product's tracker, or made up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rppg_ros.datasets.base import Trace, Truth
from rppg_ros.evaluation.collect import Collector
from rppg_ros.evaluation.protocols import WHOLE_BANDS
from rppg_ros.evaluation.results import TaskResult
from rppg_ros.inference.engine import Engine
from rppg_ros.pipeline import CameraHalf, VitalsHalf
from rppg_ros.synthesis.clip import make_clip
from rppg_ros.synthesis.physiology import GRID_HZ, Vitals
from rppg_ros.synthesis.sampler import random_scene
from rppg_ros.types import NS_PER_S, Box, FaceCrop, Frame, Vital
from rppg_ros.vision.detect import make_detector
from rppg_ros.vision.tracker import FaceTracker, TrackerConfig
from rppg_ros.vitals.registry import RATES

SIZE, SCALE = 72, 1.5
Crops = list[tuple[int, list[FaceCrop]]]


@dataclass(frozen=True, slots=True)
class JudgedClip:
    """Crops of each frame, and what is true of them."""

    group: str
    name: str
    crops: Crops
    truth: Truth

    def run(self, engine: Engine) -> dict[Vital, TaskResult]:
        """Through the vitals half, as the node does it."""
        vitals, collector = VitalsHalf(engine), Collector()
        for stamp_ns, crops in self.crops:
            for output in vitals.push(stamp_ns, crops):
                collector.add(output)
        for output in vitals.flush():
            collector.add(output)
        return collector.tasks(self.truth, self.crops[0][0], self.crops[-1][0], 0.0, WHOLE_BANDS)


def steady(rates: dict[Vital, float], seconds: float) -> Truth:
    """A truth of steady rates, per minute."""
    at = np.arange(0, np.ceil(seconds) + 1)
    stamps = (at * NS_PER_S).astype(np.int64)
    return Truth(rates={vital: Trace(stamps, np.full(len(at), rate)) for vital, rate in rates.items()})


def truth_of(body: Vitals, seconds: float, known: tuple[Vital, ...] = tuple(Vital)) -> Truth:
    """What a made-up body did: waves and rates."""
    at = np.arange(0, seconds, 1 / GRID_HZ)
    stamps = np.round(at * NS_PER_S).astype(np.int64)
    waves = {vital: Trace(stamps, body.at(vital.value, at)) for vital in known}
    rates = {vital: Trace(stamps, body.at(RATES[vital].name, at)) for vital in known}
    return Truth(waves=waves, rates=rates)


def tracked(frames: Iterable[np.ndarray], stamps_ns: Sequence[int]) -> Crops:
    """Crops of RGB uint8 frames."""
    config = TrackerConfig(crop_size=SIZE, crop_scale=SCALE, max_faces=1)
    camera = CameraHalf(FaceTracker(config, make_detector()))
    out: Crops = []
    for stamp_ns, frame in zip(stamps_ns, frames, strict=True):
        out += camera.push_rgb(Frame(int(stamp_ns), frame))
    return out + camera.flush()


def made_up(seed: int, seconds: float, thermal: bool, hardness: float, size: int = SIZE) -> JudgedClip:
    """A person of the generator's, cut as the tracker would."""
    rng = np.random.default_rng([seed, 0xA11])
    clip = make_clip(random_scene(rng, hardness, thermal), seconds, size, 3_000_000_000 + seed, max(size, 56))
    at_ns = np.round(clip.times_s * NS_PER_S).astype(np.int64)
    nearest = None if clip.thermal is None else _nearest(clip.thermal_times_s, clip.times_s)
    crops = []
    for i, stamp_ns in enumerate(at_ns):
        heat = None if nearest is None or nearest[i] < 0 else clip.thermal[nearest[i]]
        heat_ns = 0 if heat is None else round(clip.thermal_times_s[nearest[i]] * NS_PER_S)
        crop = FaceCrop(
            int(stamp_ns),
            "made-up",
            clip.rgb[i],
            heat,
            Box(0, 0, size, size),
            SCALE,
            1.0,
            0.0,
            heat_ns,
            heat is not None,
        )
        crops.append((int(stamp_ns), [crop]))
    group = f"made-up, hard, {'RGB and thermal' if thermal else 'RGB'}"
    return JudgedClip(group, f"seed {seed}", crops, truth_of(clip.vitals, seconds))


def _nearest(times_s: np.ndarray, at_s: np.ndarray, tolerance_s: float = 0.12) -> np.ndarray:
    """Index of the nearest time for each, -1 where none is near."""
    after = np.clip(np.searchsorted(times_s, at_s), 1, len(times_s) - 1)
    best = np.where(at_s - times_s[after - 1] < times_s[after] - at_s, after - 1, after)
    return np.where(np.abs(times_s[best] - at_s) <= tolerance_s, best, -1)

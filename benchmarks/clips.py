"""Crops of a person with the truth, cut as each engine's node gets them: from videos through the camera half, or made up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rppg_ros.datasets.base import Trace, Truth
from rppg_ros.evaluation.collect import Collector
from rppg_ros.evaluation.protocols import PROTOCOLS, WHOLE
from rppg_ros.evaluation.results import TaskResult
from rppg_ros.inference.engine import Engine
from rppg_ros.inference.factory import ENGINES, make_engine
from rppg_ros.meter import CameraHalf, VitalsHalf
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.sync.policies import RGB
from rppg_ros.synthesis.clip import make_clip
from rppg_ros.synthesis.physiology import GRID_HZ, Vitals
from rppg_ros.synthesis.sampler import random_scene
from rppg_ros.types import NS_PER_S, Box, CropRequest, FaceCrop, Vital
from rppg_ros.vitals.registry import RATES

Crops = list[tuple[int, list[FaceCrop]]]


@dataclass(frozen=True, slots=True)
class JudgedClip:
    """Crops of each frame, for each way of cutting them, and what is true of them."""

    group: str
    name: str
    cuts: Mapping[CropRequest, Crops]
    truth: Truth

    def crops(self, engine: Engine) -> Crops:
        """Those that this engine's node would get.

        Raises
        ------
        SystemExit : they were not cut (of another run, see --kept).
        """
        wanted = request_of(engine)
        if wanted not in self.cuts:
            raise SystemExit(f"{self.name}: no crops of {wanted.size} px kept, which '{engine.name}' wants")
        return self.cuts[wanted]

    def run(self, engine: Engine) -> dict[Vital, TaskResult]:
        """Through the vitals half, as the node does it."""
        half, collector, crops = VitalsHalf(engine), Collector(), self.crops(engine)
        for stamp_ns, faces in crops:
            for output in half.push(stamp_ns, faces):
                collector.add(output)
        for output in half.flush():
            collector.add(output)
        return collector.tasks(self.truth, crops[0][0], crops[-1][0], 0.0, PROTOCOLS[WHOLE])


def named_engine(name: str) -> Engine:
    """An engine by its name, or a network by its model's."""
    return make_engine(name) if name in ENGINES else make_engine(model=name)


def request_of(engine: Engine) -> CropRequest:
    """Which crops an engine wants."""
    return CropRequest(engine.crop_size, engine.crop_scale)


def requests_of(names: Iterable[str]) -> set[CropRequest]:
    """Which crops some engines want."""
    return {request_of(named_engine(name)) for name in names}


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


def tracked(
    frames: Iterable[np.ndarray], stamps_ns: Sequence[int], requests: Iterable[CropRequest]
) -> dict[CropRequest, Crops]:
    """Crops of RGB uint8 frames, for each request; settings are those of an evaluation."""
    halves = {request: CameraHalf(EvaluationSettings(), request, seed=0) for request in requests}
    out: dict[CropRequest, Crops] = {request: [] for request in halves}
    for stamp_ns, frame in zip(stamps_ns, frames, strict=True):
        for request, half in halves.items():
            out[request] += [(one.stamp_ns, one.crops) for one in half.push(RGB, int(stamp_ns), frame)]
    for request, half in halves.items():
        out[request] += [(one.stamp_ns, one.crops) for one in half.flush()]
    return out


def made_up(seed: int, seconds: float, thermal: bool, hardness: float, requests: Iterable[CropRequest]) -> JudgedClip:
    """A person of the generator's, cut as the tracker would."""
    cuts = {request: _filmed(seed, seconds, thermal, hardness, request) for request in requests}
    crops, body = next(iter(cuts.values()))
    group = f"made-up, hard, {'RGB and thermal' if thermal else 'RGB'}"
    return JudgedClip(
        group, f"seed {seed}", {request: crops for request, (crops, _) in cuts.items()}, truth_of(body, seconds)
    )


def _filmed(seed: int, seconds: float, thermal: bool, hardness: float, request: CropRequest) -> tuple[Crops, Vitals]:
    size = request.size
    rng = np.random.default_rng([seed, 0xA11])
    clip = make_clip(random_scene(rng, hardness, thermal), seconds, size, 3_000_000_000 + seed, max(size, 56))
    at_ns = np.round(clip.times_s * NS_PER_S).astype(np.int64)
    nearest = None if clip.thermal is None else _nearest(clip.thermal_times_s, clip.times_s)
    crops: Crops = []
    for i, stamp_ns in enumerate(at_ns):
        heat = None if nearest is None or nearest[i] < 0 else clip.thermal[nearest[i]]
        heat_ns = 0 if heat is None else round(clip.thermal_times_s[nearest[i]] * NS_PER_S)
        box, radiometric = Box(0, 0, size, size), heat is not None
        crop = FaceCrop(int(stamp_ns), "made-up", clip.rgb[i], heat, box, request.scale, 1.0, 0.0, heat_ns, radiometric)
        crops.append((int(stamp_ns), [crop]))
    return crops, clip.vitals


def _nearest(times_s: np.ndarray, at_s: np.ndarray, tolerance_s: float = 0.12) -> np.ndarray:
    """Index of the nearest time for each, -1 where none is near."""
    after = np.clip(np.searchsorted(times_s, at_s), 1, len(times_s) - 1)
    best = np.where(at_s - times_s[after - 1] < times_s[after] - at_s, after - 1, after)
    return np.where(np.abs(times_s[best] - at_s) <= tolerance_s, best, -1)

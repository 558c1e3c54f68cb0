"""Made-up clips as a network sees them: on its clock, at its size, with the truth of its tasks; without end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed
from torch.utils.data import IterableDataset, get_worker_info

from rppg_ros.inference.onnx_engine import THERMAL_COUNTS_PER_DEGREE
from rppg_ros.models.blocks import NetworkConfig
from rppg_ros.sync.resample import grid_ns, resample
from rppg_ros.synthesis.clip import make_clip
from rppg_ros.synthesis.factors import leave_out
from rppg_ros.synthesis.lifeless import random_rhythm, with_rhythm, without_life
from rppg_ros.synthesis.sampler import random_scene
from rppg_ros.training.mixing import shared_out
from rppg_ros.types import NS_PER_S, Vital

LEAD_S = 0.3  # filmed before and after the window: cameras do not begin on the clock
PUPPETS = 0.5  # share of the lifeless that move their faces: that is no sign of life
MIN_RENDER_PX = 56  # below it eyes and nostrils are gone before the tracker's reduction

Example = tuple[Tensor, dict[str, Tensor]]
"""A clip, and its waves by the names of the vitals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSpec:
    """What a network wants.

    Attributes
    ----------
    cameras, pixels, pad_frames : see NetworkConfig.
    frames, rate_hz : of the window and its clock.
    hardness : from and to, of the scenes; see random_scene.
    without : factors that are left out; see synthesis.factors.
    lifeless, rhythm : shares of windows without life, whose true waves are flat, and with a rhythm of the world.
    """

    cameras: tuple[str, ...]
    pixels: int
    frames: int
    rate_hz: float = 30.0
    pad_frames: int = 0
    hardness: tuple[float, float] = (0.0, 1.0)
    without: tuple[str, ...] = ()
    lifeless: float = 0.0
    rhythm: float = 0.0

    @classmethod
    def of(cls, config: NetworkConfig, frames: int, **options: Any) -> WindowSpec:
        """What a network of that config wants."""
        return cls(cameras=config.cameras, pixels=config.pixels, pad_frames=config.pad_frames, frames=frames, **options)


def synthetic_window(spec: WindowSpec, seed: int) -> tuple[Tensor, dict[Vital, Tensor]]:
    """One window: clip (C, frames + pad, S, S) float32, 0-255, thermal in counts; and the true waves (frames,).

    The same spec and seed give the same window, on any machine and in any worker.
    """
    rng = np.random.default_rng([seed, 0x5EED])
    scene = random_scene(rng, rng.uniform(*spec.hardness), thermal="thermal" in spec.cameras)
    scene = leave_out(scene, spec.without)
    if rng.uniform() < spec.rhythm:
        scene = with_rhythm(scene, random_rhythm(rng))
    lives = rng.uniform() >= spec.lifeless
    scene = scene if lives else without_life(scene, puppet=rng.uniform() < PUPPETS)
    points = spec.frames + spec.pad_frames
    clip = make_clip(scene, points / spec.rate_hz + 2 * LEAD_S, spec.pixels, seed, max(MIN_RENDER_PX, spec.pixels))
    at_ns = round(LEAD_S * NS_PER_S) + grid_ns(0, spec.rate_hz, 0, points)
    planes = []
    if "rgb" in spec.cameras:
        planes.append(_on_clock(clip.times_s, clip.rgb, at_ns).transpose(3, 0, 1, 2))
    if "thermal" in spec.cameras:
        assert clip.thermal is not None and clip.thermal_times_s is not None  # the scene was asked for it
        counts = _on_clock(clip.thermal_times_s, clip.thermal, at_ns) * np.float32(THERMAL_COUNTS_PER_DEGREE)
        planes.append(counts[None])
    times_s = at_ns[: spec.frames] / NS_PER_S
    waves = {
        vital: lives * torch.from_numpy(clip.vitals.at(vital.value, times_s).astype(np.float32)) for vital in Vital
    }
    return torch.from_numpy(np.ascontiguousarray(np.concatenate(planes))), waves


def _on_clock(times_s: np.ndarray, values: np.ndarray, at_ns: np.ndarray) -> np.ndarray:
    return resample(np.round(times_s * NS_PER_S).astype(np.int64), values, at_ns)


class SyntheticWindows(IterableDataset[Example]):
    """Windows first, first + 1, ... without end, shared out among ranks and a loader's workers.

    Parameters
    ----------
    first : seed of the first; sets with other seeds have no window in common.
    count : so many in all ranks together, then an end; None: without end.
    batch : windows that stay together, see shared_out; the loader's batch size.
    """

    def __init__(self, spec: WindowSpec, first: int, count: int | None = None, batch: int = 1) -> None:
        super().__init__()
        self._spec, self._first, self._count, self._batch = spec, first, count, batch
        self._rank, self._ranks = _place()  # here: a loader's worker belongs to no process group

    def __iter__(self) -> Iterator[Example]:
        worker = get_worker_info()
        place = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for index in shared_out(self._count, self._batch, self._rank, self._ranks, *place):
            window, waves = self._window(index)
            yield window, {vital.value: wave for vital, wave in waves.items()}

    def _window(self, index: int) -> tuple[Tensor, dict[Vital, Tensor]]:
        return synthetic_window(self._spec, self._first + index)


def _place() -> tuple[int, int]:
    """This process's rank and how many there are."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()

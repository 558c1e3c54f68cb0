"""The demo's recording: a filmed portrait with known pulse and breath, cameras that jitter, drop frames and drift."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from rppg_ros.sources.base import RGB, THERMAL, SourceError, StreamFrame
from rppg_ros.synthesis.physiology import Vitals, at, resting_person
from rppg_ros.synthesis.portrait import PortraitRenderer, Pose, smooth_motion
from rppg_ros.types import NS_PER_S

MOTION_HZ = 60.0
LIMITS = {
    "heart_rate": (20.0, 250.0),
    "respiration_rate": (2.0, 60.0),
    "seconds": (0.2, 86_400.0),
    "fps": (1.0, 240.0),
    "thermal_fps": (0.0, 240.0),
    "jitter_s": (0.0, 0.1),
    "drop": (0.0, 0.9),
    "motion_px": (0.0, 50.0),
    "seed": (0, 2**32),
}
CENTIKELVIN = 100.0
ZERO_C_K = 273.15


@dataclass(frozen=True, slots=True)
class DemoScene:
    """What happens.

    Attributes
    ----------
    heart_rate, respiration_rate : mean, per minute.
    seconds : length.
    fps, thermal_fps : nominal frame rates; thermal 0: no thermal camera.
    jitter_s : standard deviation of the time between frames.
    drop : share of RGB frames that are lost.
    motion_px : sway of the head.
    seed : everything random follows from it.

    Raises
    ------
    SourceError : a value outside LIMITS.
    """

    heart_rate: float = 72.0
    respiration_rate: float = 15.0
    seconds: float = 60.0
    fps: float = 30.0
    thermal_fps: float = 9.0
    jitter_s: float = 0.003
    drop: float = 0.005
    motion_px: float = 3.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise SourceError(f"demo: {name} must be from {low:g} to {high:g}, not {getattr(self, name):g}")

    @classmethod
    def from_text(cls, text: str) -> DemoScene:
        """From "heart_rate=80,seconds=30".

        Raises
        ------
        SourceError : an unknown name or a value that is no number.
        """
        known = {field.name: field.type for field in fields(cls)}
        values: dict[str, Any] = {}
        for item in filter(None, text.split(",")):
            name, _, value = item.partition("=")
            if name.strip() not in known:
                raise SourceError(f"demo: has no '{name.strip()}', known: {', '.join(known)}")
            try:
                values[name.strip()] = int(value) if name.strip() == "seed" else float(value)
            except ValueError:
                raise SourceError(f"demo: {name.strip()} must be a number, not '{value}'") from None
        return cls(**values)


class DemoSource:
    """Frames of a scene; the same seed gives the same frames."""

    absolute = False
    live = False

    def __init__(self, scene: DemoScene | None = None) -> None:
        self.scene = scene or DemoScene()
        self.name = "demo"
        s = self.scene
        self.has_thermal = s.thermal_fps > 0
        self.duration_s: float | None = s.seconds
        rng = np.random.default_rng([s.seed, 0])
        self.vitals: Vitals = resting_person(s.heart_rate, s.respiration_rate, s.seconds + 1, rng)
        n = int((s.seconds + 1) * MOTION_HZ)
        self._motion = {name: smooth_motion(n, MOTION_HZ, size, rng) for name, size in self._sways().items()}
        self._light = 1 + smooth_motion(n, MOTION_HZ, 0.01, rng)
        self._exposure_step_s = rng.uniform(0.3, 0.7) * s.seconds
        self._correction_s = rng.uniform(0.3, 0.7) * s.seconds

    @classmethod
    def from_text(cls, text: str) -> DemoSource:
        """See DemoScene.from_text."""
        return cls(DemoScene.from_text(text))

    def __iter__(self) -> Iterator[StreamFrame]:
        rng = np.random.default_rng([self.scene.seed, 1])
        renderer = PortraitRenderer(rng)
        times = heapq.merge(
            ((t, RGB) for t in self._times(self.scene.fps, self.scene.drop, 2)),
            ((t, THERMAL) for t in self._times(self.scene.thermal_fps, 0.0, 3)),
        )
        for t, stream in times:
            yield self._rgb(renderer, t) if stream == RGB else self._thermal(renderer, t)

    def close(self) -> None:
        """Nothing is held open."""

    def _sways(self) -> dict[str, float]:
        px = self.scene.motion_px
        return {"x": px, "y": 0.7 * px, "zoom": 0.002 * px, "roll": 0.2 * px}

    def _times(self, fps: float, drop: float, stream: int) -> list[float]:
        """Acquisition times: nominal times with jitter, never twice the same, some lost."""
        rng = np.random.default_rng([self.scene.seed, stream])
        n = int(self.scene.seconds * fps)
        if not n:
            return []
        jitter = np.clip(rng.normal(0, self.scene.jitter_s, n), -0.4 / fps, 0.4 / fps)
        times = 0.5 / fps + np.arange(n) / fps + jitter
        return [float(t) for t, lost in zip(times, rng.random(n) < drop, strict=True) if not lost]

    def _pose(self, t: float) -> Pose:
        x, y, zoom, roll = (float(at(self._motion[name], t, MOTION_HZ)) for name in ("x", "y", "zoom", "roll"))
        return Pose(x, y, 1.02 + zoom, roll)

    def _rgb(self, renderer: PortraitRenderer, t: float) -> StreamFrame:
        light = float(at(self._light, t, MOTION_HZ))
        light *= 0.97 if t > self._exposure_step_s else 1.0  # auto-exposure finds another step
        image = renderer.rgb(self._pose(t), light, float(self.vitals.at("bvp", t)))
        return StreamFrame(RGB, round(t * NS_PER_S), image, "rgb8")

    def _thermal(self, renderer: PortraitRenderer, t: float) -> StreamFrame:
        # The shutter closes and the sensor is corrected: everything jumps.
        drift = 0.01 * t - (0.4 if t > self._correction_s else 0.0)
        celsius = renderer.thermal(self._pose(t), float(self.vitals.at("rsp", t)), drift)
        counts = np.round((celsius + ZERO_C_K) * CENTIKELVIN).astype(np.uint16)
        return StreamFrame(THERMAL, round(t * NS_PER_S), counts, "16UC1")

"""Light on a face over time: where it comes from, how it drifts, flickers and is stepped into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rppg_ros.synthesis.physiology import at, wander

GRID_HZ = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LightConfig:
    """How the light is.

    Attributes
    ----------
    drift : slow change of brightness, share.
    tint_drift : slow change of colour, share.
    mains_hz, flicker : of a lamp that flickers at twice the mains, and its depth, share; the camera's frames alias it.
    screen, screen_period_s : strength of a screen's changing pictures, share, and how often they change.
    swing, swing_hz : of a light that grows and fades evenly (a lamp that swings, a fan before it), share and how fast.
    shadow_per_minute : somebody walks through the light.
    two_tone : how far the lamp's colour and that of the light from everywhere are from white, each to its side, share.
    falloff : change of light from the picture's middle to its edge, share.
    """

    drift: float = 0.05
    tint_drift: float = 0.01
    mains_hz: float = 50.0
    flicker: float = 0.0
    screen: float = 0.0
    screen_period_s: float = 2.0
    shadow_per_minute: float = 0.0
    two_tone: float = 0.05
    falloff: float = 0.1
    swing: float = 0.0
    swing_hz: float = 1.0


def brightness(config: LightConfig, times_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light (T, 3) over time, R, G, B, about 1; exposure is an instant."""
    seconds = float(times_s[-1]) + 1.0
    n = int(seconds * GRID_HZ) + 2
    level = 1 + config.drift * at(wander(n, 8.0, rng), times_s, GRID_HZ)
    level = level + config.flicker * np.sin(2 * np.pi * 2 * config.mains_hz * times_s + rng.uniform(0, 6.28))
    level = level * _shadows(config, times_s, rng)
    if config.swing:
        level = level * (1 + config.swing * np.sin(2 * np.pi * config.swing_hz * times_s + rng.uniform(0, 6.28)))
    tint = np.stack([at(wander(n, 10.0, rng), times_s, GRID_HZ) for _ in range(3)], axis=1)
    screen = _screen(config, times_s, rng)
    return np.clip(level[:, None] * (1 + config.tint_drift * tint) + screen, 0.05, 3.0)


def _screen(config: LightConfig, times_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    count = int(times_s[-1] / config.screen_period_s) + 2
    switches = np.sort(rng.uniform(0, times_s[-1] + 1e-3, count))
    pictures = rng.uniform(-1, 1, (count + 1, 3))
    return config.screen * pictures[np.searchsorted(switches, times_s)]


def _shadows(config: LightConfig, times_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    level = np.ones(len(times_s))
    for _ in range(rng.poisson(config.shadow_per_minute * times_s[-1] / 60)):
        middle, length, depth = rng.uniform(0, times_s[-1]), rng.uniform(0.4, 2.0), rng.uniform(0.1, 0.5)
        level *= 1 - depth * np.exp(-(((times_s - middle) / length) ** 4))
    return level


@dataclass(frozen=True, slots=True)
class Lamps:
    """A lamp, and what comes from everywhere; their colours differ, so a head that turns changes colour.

    Attributes
    ----------
    toward : (3,), unit length, to the lamp. lamp, ambient : (3,), R, G, B.
    field : (S, S, 1) float32: how light falls off over the picture.
    """

    toward: np.ndarray
    lamp: np.ndarray
    ambient: np.ndarray
    field: np.ndarray


def lamps(config: LightConfig, side: int, rng: np.random.Generator) -> Lamps:
    """Where light comes from."""
    toward = np.array([rng.uniform(-1, 1), rng.uniform(-1.2, 0.3), rng.uniform(0.6, 1.5)])
    share = rng.uniform(0.2, 0.8)
    tint = config.two_tone * rng.normal(size=3)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    field = np.exp(config.falloff * (x * np.cos(angle) + y * np.sin(angle)))[..., None]
    colours = (1.2 * (1 - share) * np.exp(tint), share * np.exp(-tint))
    return Lamps(toward / np.linalg.norm(toward), *(c.astype(np.float32) for c in (*colours, field)))

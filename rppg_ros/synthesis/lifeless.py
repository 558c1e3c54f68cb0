"""What must never get a rate: dolls, masks and photographs, and rhythms of the world on them and on the living."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from rppg_ros.synthesis.codec import CodecConfig
from rppg_ros.synthesis.scene import Scene


class World(str, Enum):
    """What has a rhythm."""

    LIGHT = "light"
    MOTION = "motion"
    KEYFRAMES = "keyframes"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """One rhythm of the world: what, how often a minute, and how strong, 0 to 1 of what is seen outside laboratories."""

    world: World
    per_minute: float
    strength: float


SWING = (0.002, 0.06)  # of light, share
BOB = (0.2, 3.0)  # of movement, of what the scene's sway and turning are
CODEC_STEP = (4.0, 20.0)


def without_life(scene: Scene, puppet: bool = False) -> Scene:
    """The same scene around a face of wax: no pulse, no recoil, no breath in skin, shoulders or thermal image.

    Parameters
    ----------
    puppet : it talks, grimaces and blinks as the living one did, as a pulse that is lost in a film does.
    """
    still = replace(scene.motion, recoil=0.0, breathing=0.0, shoulders=0.0)
    if not puppet:
        still = replace(still, talking=0.0, jaw=0.0, expression=0.0, blinks_per_minute=0.0)
    cold = None if scene.thermal is None else replace(scene.thermal, breath_c=0.0)
    return replace(scene, motion=still, thermal=cold, pulse_strength=0.0)


def with_rhythm(scene: Scene, rhythm: Rhythm) -> Scene:
    """The same scene with a rhythm."""
    hz = rhythm.per_minute / 60
    if rhythm.world is World.LIGHT:
        return replace(scene, light=replace(scene.light, swing=_between(SWING, rhythm.strength), swing_hz=hz))
    if rhythm.world is World.MOTION:
        bob = _between(BOB, rhythm.strength)
        return replace(scene, motion=replace(scene.motion, bob=bob, bob_hz=hz, bob_wander=0.02))
    codec = CodecConfig(
        step=_between(CODEC_STEP, rhythm.strength),
        block=8,
        intra_every=max(2, round(scene.camera.fps / hz)),
        starved=1.0,
    )
    return replace(scene, camera=replace(scene.camera, codec=codec))


def random_rhythm(rng: np.random.Generator, low: float = 8.0, high: float = 200.0) -> Rhythm:
    """A rhythm; its rate log-uniform from `low` to `high` per minute. Keyframes come no slower than every five seconds."""
    world = World(str(rng.choice([World.LIGHT.value] * 4 + [World.MOTION.value] * 4 + [World.KEYFRAMES.value] * 2)))
    low = max(low, 12.0) if world is World.KEYFRAMES else low
    return Rhythm(world, math.exp(rng.uniform(math.log(low), math.log(high))), float(rng.uniform()))


def _between(limits: tuple[float, float], share: float) -> float:
    low, high = limits
    return low * (high / low) ** share

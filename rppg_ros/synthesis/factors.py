"""What makes scenes hard, factor by factor, so that any of them can be left out: to learn what a network owes to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from rppg_ros.synthesis.codec import CodecConfig
from rppg_ros.synthesis.haemodynamics import Body
from rppg_ros.synthesis.light import LightConfig
from rppg_ros.synthesis.motion import MotionConfig
from rppg_ros.synthesis.scene import Scene

STILL = MotionConfig(
    sway=0, roll=0, zoom=0, turn=0, nod=0, jitter=0, blinks_per_minute=0, recoil=0, breathing=0, shoulders=0, roam=0
)
STEADY = LightConfig(drift=0, tint_drift=0, flicker=0, screen=0, shadow_per_minute=0, two_tone=0, falloff=0)
MIDDLE_SKIN = 3.0
NEVER = 1_000_000_000  # frames
SILENT_GREY_LEVELS = 0.3  # rounding to 8 bits wants some noise


def _without_motion(scene: Scene) -> Scene:
    return replace(scene, motion=STILL)


def _without_rhythm(scene: Scene) -> Scene:
    return replace(scene, motion=replace(scene.motion, bob=0.0))


def _without_light(scene: Scene) -> Scene:
    camera = replace(scene.camera, exposure_steps_per_minute=0.0, balance_steps_per_minute=0.0)
    return replace(scene, light=STEADY, camera=camera)


def _without_compression(scene: Scene) -> Scene:
    return replace(scene, camera=replace(scene.camera, jpeg_quality=0, codec=CodecConfig()))


def _without_keyframes(scene: Scene) -> Scene:
    """Compressed as before, but after the first frame none is coded by itself."""
    codec = replace(scene.camera.codec, intra_every=NEVER, starved=0.0)
    return replace(scene, camera=replace(scene.camera, codec=codec))


def _without_noise(scene: Scene) -> Scene:
    return replace(scene, camera=replace(scene.camera, shot_noise=SILENT_GREY_LEVELS, read_noise=SILENT_GREY_LEVELS))


def _without_skin_types(scene: Scene) -> Scene:
    return replace(scene, fitzpatrick=MIDDLE_SKIN)


def _without_uneven_frames(scene: Scene) -> Scene:
    return replace(scene, camera=replace(scene.camera, fps=30.0, jitter_s=0.0, drop=0.0, rate_drift=0.0, repeats=0.0))


def _without_photographs(scene: Scene) -> Scene:
    return replace(scene, photographed=False)


def _without_surroundings(scene: Scene) -> Scene:
    """Nothing moves behind the head but what the tracker's crop and the head itself move, and the picture has no edge."""
    return replace(scene, motion=replace(scene.motion, roam=0.0, shoulders=0.0), edges=(0.0, 0.0, 0.0, 0.0))


def _without_physiology(scene: Scene) -> Scene:
    """Rates differ from person to person; nothing else does."""
    calm = Body(heart_rate=scene.body.heart_rate, respiration_rate=scene.body.respiration_rate)
    steady = dict(heart_wander=0.0, heart_jitter=0.0, arrhythmia=0.0, breath_wander=0.0, breath_irregularity=0.0)
    return replace(scene, body=replace(calm, **steady, breath_swing=0.0, breath_drift=0.0))


FACTORS: Mapping[str, Callable[[Scene], Scene]] = MappingProxyType(
    {
        "motion": _without_motion,
        "rhythm": _without_rhythm,
        "light": _without_light,
        "compression": _without_compression,
        "keyframes": _without_keyframes,
        "noise": _without_noise,
        "skin_types": _without_skin_types,
        "uneven_frames": _without_uneven_frames,
        "photographs": _without_photographs,
        "surroundings": _without_surroundings,
        "physiology": _without_physiology,
    }
)
"""Name to what takes the factor out of a scene."""


def leave_out(scene: Scene, factors: Iterable[str]) -> Scene:
    """The scene without some factors.

    Raises
    ------
    ValueError : naming a factor that is not known, and those that are.
    """
    for name in factors:
        if name not in FACTORS:
            raise ValueError(f"no factor '{name}'; there are: {', '.join(FACTORS)}")
        scene = FACTORS[name](scene)
    return scene

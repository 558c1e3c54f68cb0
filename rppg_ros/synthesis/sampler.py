"""Draws scenes: what people, rooms and cameras there are, from easy to hard."""

from __future__ import annotations

import math

import numpy as np

from rppg_ros.synthesis.camera import CameraConfig
from rppg_ros.synthesis.codec import CodecConfig
from rppg_ros.synthesis.haemodynamics import Body
from rppg_ros.synthesis.heat import ThermalConfig
from rppg_ros.synthesis.light import LightConfig
from rppg_ros.synthesis.motion import MotionConfig
from rppg_ros.synthesis.scene import Scene

HEART_RATES = (40.0, 180.0)
BREATH_RATES = (6.0, 36.0)
PHOTOGRAPHED = 0.7  # share of faces
LIVELY = 0.9  # share of people who talk and grimace, in the hardest scenes
HARD_FROM = 0.7  # hardness; what is below it grows fast


def random_scene(rng: np.random.Generator, hardness: float = 0.5, thermal: bool = False) -> Scene:
    """A scene.

    Parameters
    ----------
    hardness : 0 (studio) to 1 (a robot in a corridor): how much of everything that disturbs there is.
    thermal : whether there is a thermal camera.

    Raises
    ------
    ValueError : hardness outside 0..1.
    """
    if not 0 <= hardness <= 1:
        raise ValueError(f"hardness must be from 0 to 1, not {hardness:g}")
    return Scene(
        body=random_body(rng),
        motion=_motion(rng, hardness),
        light=_light(rng, hardness),
        camera=_camera(rng, hardness),
        fitzpatrick=float(rng.uniform(1, 6)),
        pulse_strength=_log(rng, 0.0025, 0.014) * (1 - 0.4 * hardness),
        exposure=_log(rng, 0.5, 1.3),
        photographed=bool(rng.uniform() < PHOTOGRAPHED),
        edges=_edges(rng),
        thermal=_thermal(rng, hardness) if thermal else None,
    )


def random_body(rng: np.random.Generator) -> Body:
    """A person: half of them at rest, the others anywhere between asleep and just run.

    The oscillator rings near the heart's own rate, so that the second harmonic has 10 to 55 % of the first, as pulses of a face
    have. One that rings at a fixed 2 Hz gives slow hearts a second harmonic above the first, and networks that learn from it
    read them twice too fast.
    """
    at_rest = rng.uniform() < 0.5
    heart = rng.normal(70, 11) if at_rest else rng.uniform(*HEART_RATES)
    breath = rng.normal(15, 3) if at_rest else rng.uniform(*BREATH_RATES)
    heart = float(np.clip(heart, *HEART_RATES))
    return Body(
        heart_rate=heart,
        respiration_rate=float(np.clip(breath, *BREATH_RATES)),
        heart_wander=rng.uniform(0.0, 0.04),
        heart_jitter=rng.uniform(0.0, 0.03),
        arrhythmia=rng.uniform(0.0, 0.06),
        breath_wander=rng.uniform(0.0, 0.12),
        breath_irregularity=rng.uniform(0.0, 0.4),
        pauses_per_minute=rng.uniform(0, 1.5) if rng.uniform() < 0.3 else 0.0,
        pause_s=rng.uniform(2, 8),
        sighs_per_minute=rng.uniform(0, 1.0) if rng.uniform() < 0.3 else 0.0,
        breath_swing=rng.uniform(0.0, 0.3),
        breath_drift=rng.uniform(0.0, 0.5),
        damping=_log(rng, 5, 18),
        ring_hz=_log(rng, 0.8, 1.5) * heart / 60,
    )


def _edges(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A face near the picture's edge: two of three on some side, as faces that fill a webcam's picture are."""
    near = rng.uniform(size=4) < (0.1, 0.35, 0.1, 0.3)
    left, top, right, bottom = (float(edge) for edge in near * rng.uniform(0.02, 0.25, 4))
    return left, top, right, bottom


def _unrest(hard: float) -> float:
    """Factor of what moves, 1.1 to 1.4 in hard scenes; in the easiest people sit as those of the reference recordings do.

    Measured there, cells of a 36 x 36 crop move by 0.004 to 0.011 pixels from one 15th of a second to the next.
    """
    return (0.4 + hard) * (0.1 + 0.9 * min(hard / HARD_FROM, 1.0))


def _motion(rng: np.random.Generator, hard: float) -> MotionConfig:
    moves, lively = _unrest(hard), bool(rng.uniform() < LIVELY * hard)
    return MotionConfig(
        sway=_log(rng, 0.002, 0.03) * moves,
        roll=_log(rng, 0.3, 6) * moves,
        zoom=_log(rng, 0.002, 0.03) * moves,
        turn=_log(rng, 0.5, 15) * moves,
        nod=_log(rng, 0.5, 10) * moves,
        jerks_per_minute=rng.uniform(0, 12) * hard,
        bob=_log(rng, 0.05, 0.8) * (rng.uniform() < 0.1 + 0.5 * hard),
        bob_hz=rng.uniform(0.4, 3.0),
        jitter=_log(rng, 0.0003, 0.006) * moves,
        restless=_log(rng, 0.02, 0.3) * hard,
        talking=rng.uniform(0.2, 1) * lively,
        jaw=_log(rng, 0.01, 0.07),
        expression=_log(rng, 0.01, 0.1) if lively else _log(rng, 0.002, 0.02) * moves,
        expressions_per_minute=rng.uniform(10, 60) if lively else rng.uniform(0, 10) * hard,
        blinks_per_minute=rng.uniform(5, 30),
        recoil=_log(rng, 0.00003, 0.0012),
        breathing=_log(rng, 0.0003, 0.008),
        shoulders=_log(rng, 0.0008, 0.02),
        roam=_log(rng, 0.002, 0.1) * moves,
        hands_per_minute=rng.uniform(0, 4) * (rng.uniform() < 0.3 * hard),
    )


def _light(rng: np.random.Generator, hard: float) -> LightConfig:
    return LightConfig(
        drift=_log(rng, 0.003, 0.08) * _unrest(hard),
        tint_drift=_log(rng, 0.0005, 0.02) * _unrest(hard),
        mains_hz=float(rng.choice([50.0, 60.0])),
        flicker=_log(rng, 0.001, 0.03) * (rng.uniform() < 0.5 * hard),
        screen=_log(rng, 0.002, 0.06) * (rng.uniform() < 0.4 * hard),
        screen_period_s=rng.uniform(0.4, 5),
        shadow_per_minute=rng.uniform(0, 6) * (rng.uniform() < 0.3 * hard),
        two_tone=_log(rng, 0.01, 0.25),
        falloff=_log(rng, 0.02, 0.5),
    )


def _camera(rng: np.random.Generator, hard: float) -> CameraConfig:
    jpeg = rng.uniform() < 0.2 + 0.3 * hard
    video = rng.uniform() < 0.3 + 0.4 * hard
    return CameraConfig(
        fps=float(rng.choice([15.0, 20.0, 25.0, 30.0, 30.0, 30.0, 60.0])),
        jitter_s=_log(rng, 0.0002, 0.006),
        drop=rng.uniform(0, 0.1) * (rng.uniform() < 0.3 + 0.4 * hard),
        rate_drift=rng.uniform(0, 0.1) * hard,
        repeats=rng.uniform(0, 0.3) * (rng.uniform() < 0.25),
        shot_noise=_log(rng, 0.8, 5) * (0.3 + 1.2 * hard),
        read_noise=_log(rng, 0.3, 3) * (0.3 + 1.2 * hard),
        sharpening=rng.uniform(0, 0.8) * (rng.uniform() < 0.4),
        exposure_steps_per_minute=rng.uniform(0, 8) * hard,
        exposure_step=_log(rng, 0.01, 0.1),
        balance_steps_per_minute=rng.uniform(0, 4) * hard,
        balance_step=_log(rng, 0.003, 0.04),
        gamma=rng.uniform(0.4, 0.65),
        contrast=rng.uniform(0.9, 1.7),
        saturation=rng.uniform(0.8, 1.6),
        jpeg_quality=int(rng.integers(50, 96)) if jpeg else 0,
        chroma="420" if rng.uniform() < 0.8 else "444",
        codec=CodecConfig(
            step=_log(rng, 2, 16) * (0.5 + 0.5 * hard) if video else 0.0,
            block=int(rng.integers(2, 9)),
            intra_every=_keyframes(rng),
            starved=_log(rng, 0.15, 3) * (rng.uniform() < 0.5),
        ),
    )


def _keyframes(rng: np.random.Generator) -> int:
    """Frames between keyframes: what encoders are set to, or anything whose rhythm could be a heart's."""
    usual = int(rng.choice([12, 15, 30, 60, 250]))
    return int(round(_log(rng, 8, 60))) if rng.uniform() < 0.5 else usual


def _thermal(rng: np.random.Generator, hard: float) -> ThermalConfig:
    return ThermalConfig(
        fps=float(rng.choice([8.7, 9.0, 25.0, 30.0, 60.0])),
        jitter_s=_log(rng, 0.0005, 0.01),
        drop=rng.uniform(0, 0.1) * (rng.uniform() < hard),
        side_px=int(round(_log(rng, 10, 64))),
        netd_c=_log(rng, 0.02, 0.12) * (0.5 + hard),
        fixed_pattern_c=_log(rng, 0.01, 0.15),
        breath_c=_log(rng, 0.2, 1.0),
        drift_c=_log(rng, 0.02, 0.6) * (0.3 + hard),
        ffc_per_minute=rng.uniform(0, 3) * hard,
        ffc_c=_log(rng, 0.05, 1.0),
        ffc_s=rng.uniform(0.2, 1.5),
        shift=_log(rng, 0.003, 0.06) * (0.3 + hard),
        zoom=_log(rng, 0.003, 0.08) * (0.3 + hard),
    )


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    """Uniform in its logarithm."""
    return float(math.exp(rng.uniform(math.log(low), math.log(high))))

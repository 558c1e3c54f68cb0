"""Pulse and breath of any person: hearts from 40 to 180, breathing with pauses and sighs, blood as a damped oscillator.

The heart pushes once a beat; the blood volume under the skin answers as the damped oscillator of PHASE-Net
(arXiv 2509.24850). Faces differ in how it rings: damping and frequency make anything from a young pulse with a clear
second wave to a stiff one with none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rppg_ros.synthesis.oscillator import DampedOscillator
from rppg_ros.synthesis.physiology import GRID_HZ, Vitals, unit, wander

SETTLE_S = 12.0  # simulated before time 0, so that nothing starts from rest
EJECTION = 0.3  # of a beat at 60 per minute, over which the heart pushes
EJECTION_EXPONENT = 0.4  # fast hearts push for a shorter time, but a larger share of the beat


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A person.

    Attributes
    ----------
    heart_rate, respiration_rate : mean, per minute.
    heart_wander, heart_jitter : slow and beat-to-beat variation of the heart rate, share.
    arrhythmia : share by which breathing in speeds the heart up (respiratory sinus arrhythmia).
    breath_wander : slow variation of the breathing rate, share.
    breath_irregularity : variation of depth from breath to breath, share.
    pauses_per_minute, pause_s : breaths held, and for how long.
    sighs_per_minute : breaths of more than twice the depth.
    breath_swing, breath_drift : how far breathing changes the pulse's strength, and shifts its baseline.
    damping, ring_hz : of the oscillator that blood under the skin is, 1/s and Hz.
    """

    heart_rate: float = 70.0
    respiration_rate: float = 15.0
    heart_wander: float = 0.02
    heart_jitter: float = 0.01
    arrhythmia: float = 0.03
    breath_wander: float = 0.06
    breath_irregularity: float = 0.15
    pauses_per_minute: float = 0.0
    pause_s: float = 4.0
    sighs_per_minute: float = 0.0
    breath_swing: float = 0.1
    breath_drift: float = 0.1
    damping: float = 9.0
    ring_hz: float = 1.2

    def __post_init__(self) -> None:
        for name, (low, high) in {
            "heart_rate": (20, 240),
            "respiration_rate": (2, 60),
            "damping": (1, 60),
            "ring_hz": (0.5, 6),
        }.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be from {low} to {high}, not {getattr(self, name):g}")


def simulate(body: Body, seconds: float, rng: np.random.Generator) -> Vitals:
    """Pulse and breath of a body from time 0, with their true rates."""
    n = int(np.ceil((seconds + SETTLE_S) * GRID_HZ)) + 2
    settle = int(SETTLE_S * GRID_HZ)
    rsp, breath_hz = _breath(body, n, rng)
    push, beat_hz = _push(body, rsp, n, rng)
    blood = DampedOscillator(body.damping, body.ring_hz, 1 / GRID_HZ).respond(push)
    blood = unit(blood) * (1 - body.breath_swing * rsp) + body.breath_drift * rsp
    parts = (blood, rsp, 60 * beat_hz, 60 * breath_hz)
    bvp, rsp, heart, breath = (curve[settle:] for curve in parts)
    return Vitals(unit(bvp), unit(rsp), heart, breath)


def _breath(body: Body, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Breath (n,) about -1..1, inhaling up, and its rate, Hz; 0 while it is held."""
    hz = body.respiration_rate / 60 * (1 + body.breath_wander * wander(n, 20.0, rng)).clip(0.3, 2.0)
    held = _held(body, n, rng)
    phase = 2 * np.pi * np.cumsum(np.where(held, 0.0, hz)) / GRID_HZ + rng.uniform(0, 2 * np.pi)
    breaths = (phase / (2 * np.pi)).astype(int)
    depth = 1 + body.breath_irregularity * rng.normal(size=breaths.max() + 2)
    sighs = rng.uniform(size=len(depth)) < body.sighs_per_minute / max(body.respiration_rate, 1e-6)
    depth = np.where(sighs, rng.uniform(2.0, 3.0, len(depth)), depth).clip(0.2, 3.5)
    # Breathing out takes longer than breathing in; each breath has its own ratio.
    skew = rng.uniform(0.1, 0.5)
    curve = np.sin(phase + skew * np.sin(phase))
    place = phase / (2 * np.pi)
    return curve * np.interp(place, np.arange(len(depth)) + 0.5, depth), np.where(held, 0.0, hz)


def _held(body: Body, n: int, rng: np.random.Generator) -> np.ndarray:
    held = np.zeros(n, dtype=bool)
    for _ in range(rng.poisson(body.pauses_per_minute * n / GRID_HZ / 60)):
        start = rng.integers(0, n)
        held[start : start + int(body.pause_s * rng.uniform(0.6, 1.4) * GRID_HZ)] = True
    return held


def _push(body: Body, rsp: np.ndarray, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What the heart does (n,), a half sine wave each beat, and its rate, Hz."""
    hz = body.heart_rate / 60 * (1 + body.heart_wander * wander(n, 15.0, rng) + body.arrhythmia * rsp)
    hz = hz.clip(0.4, 4.0)
    beats = np.cumsum(hz) / GRID_HZ + rng.uniform()
    number = beats.astype(int)
    hz = hz * (1 + body.heart_jitter * rng.normal(size=number.max() + 2)[number])
    beats = np.cumsum(hz) / GRID_HZ + rng.uniform()
    share = np.minimum(EJECTION * hz**EJECTION_EXPONENT, 0.6)
    within = (beats % 1.0) / share
    strength = 1 + 0.03 * rng.normal(size=beats.astype(int).max() + 2)[beats.astype(int)]
    return np.where(within < 1, np.sin(np.pi * within), 0.0) * strength, hz

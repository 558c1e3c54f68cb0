"""Pulse and breath of a resting person over time: rates that wander, a beat with its reflected wave, breath and heart coupled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import overload

import numpy as np

GRID_HZ = 100.0
ARRHYTHMIA = 0.03  # share by which breathing in speeds the heart up (respiratory sinus arrhythmia)
HEART_WANDER = 0.015  # share, slow changes of heart rate
BREATH_WANDER = 0.04
BREATH_SWING = 0.08  # share by which the pulse's strength follows the breath
# One beat: systolic and reflected (diastolic) wave; place and width in beats, height.
BEAT = ((0.28, 0.11, 1.0), (0.62, 0.13, 0.32))


@dataclass(frozen=True, slots=True)
class Vitals:
    """Ground truth on an even grid of GRID_HZ from time 0.

    Attributes
    ----------
    bvp, rsp : (n,) zero mean, unit variance; positive with more blood, and with inhalation.
    heart_rate, respiration_rate : (n,) instantaneous, per minute.
    """

    bvp: np.ndarray
    rsp: np.ndarray
    heart_rate: np.ndarray
    respiration_rate: np.ndarray

    @overload
    def at(self, name: str, time_s: float) -> float: ...

    @overload
    def at(self, name: str, time_s: np.ndarray) -> np.ndarray: ...

    def at(self, name: str, time_s: float | np.ndarray) -> float | np.ndarray:
        """One of the four at any time within, interpolated."""
        curve: np.ndarray = getattr(self, name)
        return at(curve, time_s, GRID_HZ)

    def mean_rate(self, name: str, start_s: float, end_s: float) -> float:
        """Mean heart_rate or respiration_rate from start_s to end_s: what an estimate over that window should say."""
        part = slice(max(int(start_s * GRID_HZ), 0), max(int(end_s * GRID_HZ), 1))
        return float(np.mean(getattr(self, name)[part]))


@overload
def at(curve: np.ndarray, time_s: float, rate_hz: float) -> float: ...


@overload
def at(curve: np.ndarray, time_s: np.ndarray, rate_hz: float) -> np.ndarray: ...


def at(curve: np.ndarray, time_s: float | np.ndarray, rate_hz: float) -> float | np.ndarray:
    """An evenly sampled curve at some times, interpolated; its ends beyond them. Looks only at the part that is asked for."""
    place = np.asarray(time_s) * rate_hz
    if not place.size:
        return place
    first = min(max(int(np.min(place)), 0), len(curve) - 1)
    part = curve[first : int(np.max(place)) + 2]
    return np.interp(place, np.arange(first, first + len(part)), part)


def resting_person(heart_rate: float, respiration_rate: float, seconds: float, rng: np.random.Generator) -> Vitals:
    """Vitals of a person at rest.

    Parameters
    ----------
    heart_rate, respiration_rate : mean, per minute.
    """
    n = int(np.ceil(seconds * GRID_HZ)) + 2
    breath_hz = respiration_rate / 60 * (1 + BREATH_WANDER * wander(n, 20.0, rng))
    breath_phase = 2 * np.pi * np.cumsum(breath_hz) / GRID_HZ + rng.uniform(0, 2 * np.pi)
    # Breathing out takes longer than breathing in.
    rsp = np.sin(breath_phase + 0.3 * np.sin(breath_phase))
    heart_hz = heart_rate / 60 * (1 + HEART_WANDER * wander(n, 12.0, rng) + ARRHYTHMIA * rsp)
    beats = np.cumsum(heart_hz) / GRID_HZ + rng.uniform()
    bvp = _beat(beats % 1.0) * (1 - BREATH_SWING * rsp)
    return Vitals(unit(bvp), unit(rsp), 60 * heart_hz, 60 * breath_hz)


def _beat(phase: np.ndarray) -> np.ndarray:
    waves = (height * np.exp(-(((phase - place) / width) ** 2) / 2) for place, width, height in BEAT)
    return reduce(np.add, waves)


def wander(n: int, period_s: float, rng: np.random.Generator) -> np.ndarray:
    """(n,) smooth random curve of unit variance and zero mean that changes over about period_s."""
    knots = max(4, int(n / GRID_HZ / period_s * 2) + 3)
    curve = np.interp(np.linspace(0, knots - 1, n), np.arange(knots), rng.normal(size=knots))
    width = int(period_s * GRID_HZ / 4)
    return unit(np.convolve(np.pad(curve, width, mode="edge"), np.hanning(2 * width + 1), mode="same")[width:-width])


def unit(values: np.ndarray) -> np.ndarray:
    """Zero mean, unit variance."""
    return (values - values.mean()) / max(values.std(), 1e-12)

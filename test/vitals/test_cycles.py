"""Cycles of a waveform are counted, evenly or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros.types import Vital
from rppg_ros.vitals.cycles import count_cycles
from rppg_ros.vitals.rates import Calibration, estimate_rate
from rppg_ros.vitals.registry import HEART_RATE, RATES, RESPIRATION_RATE

HZ = 15.0


def wave_of(hz, seed=0):
    return np.sin(2 * np.pi * np.cumsum(hz) / HZ + seed)


@settings(max_examples=40, deadline=None)
@given(st.floats(8, 36), st.floats(35, 60), st.integers(0, 5), st.floats(0.1, 100))
def test_even_breaths_are_counted(per_minute, seconds, seed, size):
    samples = size * wave_of(np.full(round(seconds * HZ), per_minute / 60), seed)
    found = count_cycles(samples, HZ, RESPIRATION_RATE)
    assert found.per_minute == pytest.approx(per_minute, rel=0.05) and found.irregularity < 0.12
    assert -3 < found.intervals - per_minute / 60 * seconds < 0.5


def test_heart_beats_are_counted_too():
    found = count_cycles(wave_of(np.full(225, 1.2)), HZ, HEART_RATE)
    assert found.per_minute == pytest.approx(72, abs=1) and found.irregularity < 0.05


def test_noise_is_irregular():
    uneven = [
        count_cycles(np.random.default_rng(seed).normal(size=675), HZ, RESPIRATION_RATE).irregularity
        for seed in range(20)
    ]
    assert np.median(uneven) > 0.3


def test_small_waves_between_breaths_do_not_count():
    t = np.arange(675) / HZ
    samples = np.sin(2 * np.pi * 0.2 * t) + 0.15 * np.sin(2 * np.pi * 0.62 * t)
    assert count_cycles(samples, HZ, RESPIRATION_RATE).per_minute == pytest.approx(12, abs=0.6)


@pytest.mark.parametrize("samples", [np.zeros(600), np.ones(600), np.linspace(0, 1, 600), np.zeros(3)])
def test_nothing_to_count(samples):
    assert count_cycles(samples, HZ, RESPIRATION_RATE) is None


def test_a_breath_whose_rate_wanders_has_its_mean_rate():
    """Its spectrum has a peak at each end of what it wanders over, and none in the middle."""
    hz = 0.5 + 0.06 * np.sign(np.sin(2 * np.pi * np.arange(675) / 675))
    estimate = estimate_rate(wave_of(hz), HZ, RATES[Vital.RSP])
    assert estimate.per_minute == pytest.approx(30, abs=1)


def test_irregularity_costs_quality():
    plain, strict = Calibration(2, 0, 0, 0, 0, 0.5, 0.5), Calibration(2, 0, 0, 0, 0, 0.5, 0.5, irregular=10)
    noise, even = np.random.default_rng(1).normal(size=675), wave_of(np.full(675, 0.3))
    for samples, falls in ((noise, True), (even, False)):
        before, after = (estimate_rate(samples, HZ, RATES[Vital.RSP], None, c).quality for c in (plain, strict))
        assert (after < before - 0.3) is falls

"""Cycles of a waveform are counted, evenly or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros.types import Vital
from rppg_ros.vitals.cycles import count_cycles
from rppg_ros.vitals.rates import Calibration, estimate_rate
from rppg_ros.vitals.registry import HEART_RATE, RATES, RESPIRATION_RATE
from support.waves import tops_at

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


@pytest.mark.parametrize("period_s", [5.0, 7.0])
def test_alternating_intervals_have_their_mean_and_spread(period_s):
    """Intervals of 1 - d and 1 + d times a period: mean 1, standard deviation d, the longest 1 + d of a median of 1 -+ d."""
    for d, count in ((0.1, 12), (0.2, 12)):
        times = np.cumsum([period_s / 2] + [period_s * (1 - d), period_s * (1 + d)] * (count // 2))
        wave = tops_at(times, times[-1] + period_s / 5, HZ)
        found = count_cycles(wave, HZ, RESPIRATION_RATE)
        assert found.intervals == count
        assert found.per_minute == pytest.approx(60 / period_s, rel=0.02)
        assert found.irregularity == pytest.approx(d, rel=0.35)


def test_the_longest_interval_is_in_medians():
    wave = tops_at(np.cumsum([2.0] + [3.0] * 5 + [6.0] + [3.0] * 5), 40, HZ)
    found = count_cycles(wave, HZ, RESPIRATION_RATE)
    assert found.longest == pytest.approx(2.0, rel=0.1) and found.intervals == 11
    assert found.per_minute == pytest.approx(60 * 11 / 36, rel=0.02)
    assert found.irregularity == pytest.approx(np.std([3.0] * 10 + [6.0]) / np.mean([3.0] * 10 + [6.0]), rel=0.15)


def test_the_sampling_rate_is_the_unit_of_time():
    times = 2.0 + 3.0 * np.arange(12)
    found = [count_cycles(tops_at(times, 37, hz), hz, RESPIRATION_RATE) for hz in (10.0, 30.0)]
    assert found[0].per_minute == pytest.approx(20, rel=0.01) and found[1].per_minute == pytest.approx(20, rel=0.01)


@pytest.mark.parametrize(("tops", "intervals"), [(4, 3), (3, 2), (2, None)])
def test_two_whole_cycles_are_the_least(tops, intervals):
    wave = tops_at(3.0 + 5.0 * np.arange(tops), 3.0 + 5.0 * (tops - 1) + 2.4, HZ)
    found = count_cycles(wave, HZ, RESPIRATION_RATE)
    assert (found and found.intervals) == intervals


def test_two_tops_without_a_valley_below_zero_are_one_cycle_and_the_higher_is_it():
    """Every breath has two tops 1.6 s apart, alternately the first and the second the higher: the higher ones are 8 s and 4.8 s
    apart in turn... on average one breath each 6.4 s, not two."""
    t = np.arange(round(64 * HZ)) / HZ
    phase = t / 6.4
    lean = 0.2 * np.cos(np.pi * np.floor(phase))  # which of the two is higher
    within = (phase - np.floor(phase)) * 6.4 - 3.2
    bumps = [(1 + sign * lean) * np.exp(-(((within - sign * 0.8) / 0.45) ** 2)) for sign in (-1, 1)]
    wave = bumps[0] + bumps[1] + 0.6 * np.exp(-((within / 0.9) ** 2))
    found = count_cycles(wave, HZ, RESPIRATION_RATE)
    assert found.per_minute == pytest.approx(60 / 6.4, rel=0.05)
    higher = [6.4 + sign * 1.6 for sign in (1, -1)]
    assert found.irregularity == pytest.approx(np.std(higher) / np.mean(higher), abs=0.06)


@pytest.mark.parametrize(("breaths", "intervals"), [(3, 2), (2, None)])
def test_tops_that_are_one_cycle_count_once_for_the_least(breaths, intervals):
    within = (np.arange(round(6.4 * breaths * HZ)) / HZ) % 6.4 - 3.2
    wave = (
        np.exp(-(((within + 0.8) / 0.45) ** 2))
        + np.exp(-(((within - 0.8) / 0.45) ** 2))
        + 0.6 * np.exp(-((within / 0.9) ** 2))
    )
    found = count_cycles(wave, HZ, RESPIRATION_RATE)
    assert (found and found.intervals) == intervals


def test_low_tops_do_not_count():
    """A top counts from 0.2 of the upper quartile of all: sighs of 0.1 between breaths of 1 do not, of 0.5 do."""
    times = 2.0 + 2.5 * np.arange(16)
    t = np.arange(round(42 * HZ)) / HZ
    for small, counted in ((0.08, 8), (0.6, 16)):
        size = np.interp(t, times, [1.0, small] * 8)
        found = count_cycles(size * tops_at(times, 42, HZ), HZ, RESPIRATION_RATE)
        assert abs(found.intervals + 1 - counted) <= 1

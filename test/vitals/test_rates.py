import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros.vitals.rates import Calibration, estimate_rate
from rppg_ros.vitals.registry import HEART_RATE, RESPIRATION_RATE

RATE_HZ = 30.0


def pulse(per_minute, seconds, noise=0.0, second=0.4, seed=0, rate_hz=RATE_HZ):
    t = np.arange(0, seconds, 1 / rate_hz)
    phase = 2 * np.pi * per_minute / 60 * t
    return np.sin(phase) + second * np.sin(2 * phase + 1) + noise * np.random.default_rng(seed).normal(size=len(t))


@given(st.floats(42, 195), st.floats(8, 40), st.floats(0, 0.9), st.sampled_from([12.0, 25.0, 30.0, 60.0]))
@settings(max_examples=60)
def test_clean_pulse_is_read_within_one_beat(per_minute, seconds, second, rate_hz):
    estimate = estimate_rate(pulse(per_minute, seconds, 0.1, second, rate_hz=rate_hz), rate_hz, HEART_RATE)
    assert estimate.per_minute == pytest.approx(per_minute, abs=1.0)
    assert estimate.quality > 0.6 and estimate.std < 3


@given(st.floats(6, 40), st.floats(30, 60))
@settings(max_examples=100, deadline=None)
def test_clean_breath_is_read_within_half_a_breath(per_minute, seconds):
    estimate = estimate_rate(pulse(per_minute, seconds, 0.1, 0.2), RATE_HZ, RESPIRATION_RATE)
    assert estimate.per_minute == pytest.approx(per_minute, abs=0.5)


def test_a_strong_second_harmonic_is_not_the_rate():
    estimate = estimate_rate(pulse(60, 12, 0.05, second=1.1), RATE_HZ, HEART_RATE)
    assert estimate.per_minute == pytest.approx(60, abs=1)


def test_noise_alone_is_hardly_ever_trusted():
    grades = [
        estimate_rate(np.random.default_rng(seed).normal(size=450), RATE_HZ, HEART_RATE).quality for seed in range(200)
    ]
    assert np.mean(np.array(grades) > 0.6) < 0.06


def test_a_method_has_a_calibration_of_its_own():
    doubtful = Calibration(-9.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0)
    usual, own = (estimate_rate(pulse(75, 15, 0.2), RATE_HZ, HEART_RATE, calibration=c) for c in (None, doubtful))
    assert usual.per_minute == own.per_minute and usual.quality > 0.9
    assert own.quality == pytest.approx(1 / (1 + math.exp(9))) and own.std == 3.0


def test_std_covers_the_error():
    errors = []
    for seed in range(150):
        estimate = estimate_rate(pulse(75, 15, 1.5, seed=seed), RATE_HZ, HEART_RATE)
        if estimate.quality > 0.6:
            errors.append(abs(estimate.per_minute - 75) / estimate.std)
    assert len(errors) > 100
    assert np.mean(np.array(errors) < 2) > 0.9


def test_a_trusted_rate_breaks_a_tie_but_does_not_overrule():
    both = pulse(60, 15, second=0) + 1.05 * pulse(100, 15, second=0)
    assert estimate_rate(both, RATE_HZ, HEART_RATE).per_minute == pytest.approx(100, abs=1)
    assert estimate_rate(both, RATE_HZ, HEART_RATE, 61).per_minute == pytest.approx(60, abs=1)
    assert estimate_rate(pulse(100, 15), RATE_HZ, HEART_RATE, 61).per_minute == pytest.approx(100, abs=1)


def test_unknown_is_none():
    assert estimate_rate(pulse(60, 7.9), RATE_HZ, HEART_RATE) is None
    assert estimate_rate(np.zeros(600), RATE_HZ, HEART_RATE) is None
    samples = pulse(60, 20)
    samples[-5] = math.nan
    assert estimate_rate(samples, RATE_HZ, HEART_RATE) is None


def test_only_the_newest_window_counts():
    samples = np.concatenate([pulse(120, 60), pulse(60, 20)])
    estimate = estimate_rate(samples, RATE_HZ, HEART_RATE)
    assert estimate.per_minute == pytest.approx(60, abs=1) and estimate.window_s == pytest.approx(15)

"""Rates, their standard deviation and their quality."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros.vitals.cycles import count_cycles
from rppg_ros.vitals.rates import Calibration, estimate_rate, features_of
from rppg_ros.vitals.registry import HEART_RATE, RESPIRATION_RATE
from rppg_ros.vitals.spectrum import Peak, find_peak, spectrum
from support import waves

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
    assert estimate.quality > 0.55 and estimate.std < 3


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


class TestGrade:
    """Quality and standard deviation are what Calibration's docstring says, term by term."""

    nothing = Calibration(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    @staticmethod
    def logit(estimate):
        return math.log(estimate.quality / (1 - estimate.quality))

    def read(self, samples, spec=HEART_RATE, **terms):
        return estimate_rate(samples, RATE_HZ, spec, None, replace(self.nothing, **terms))

    @pytest.mark.parametrize("seconds", [8, 12, 15, 20])
    def test_std(self, seconds):
        found = self.read(pulse(75, seconds, 1.0), std_floor=3.0, std_noise=4.0)
        noise = 4.0 * 10 ** (-found.snr_db / 20) * 15 / min(seconds, 15)
        assert found.std == pytest.approx(math.sqrt(3.0**2 + noise**2)) and noise > 1

    def test_bias_alone(self):
        assert self.logit(self.read(pulse(75, 15))) == 0
        assert self.logit(self.read(pulse(75, 15), bias=-1.5)) == pytest.approx(-1.5)

    def test_snr_and_lead(self):
        samples = pulse(75, 15, 1.0)
        peak = find_peak(spectrum(samples, RATE_HZ), HEART_RATE)
        assert self.logit(self.read(samples, snr=0.5)) == pytest.approx(0.5 * peak.snr_db)
        assert self.logit(self.read(samples, lead=0.5)) == pytest.approx(0.5 * peak.lead_db)
        assert abs(peak.snr_db) > 0.5 and peak.lead_db > 1

    @pytest.mark.parametrize(("seconds", "window_s"), [(7.5 + 0.5, 8), (12, 12), (15, 15), (30, 15)])
    def test_a_shorter_window_costs_by_octaves(self, seconds, window_s):
        found = self.read(pulse(75, seconds), length=2.0)
        assert self.logit(found) == pytest.approx(2 * math.log2(window_s / 15)) and found.window_s == window_s

    def test_halves_that_disagree_cost(self):
        halves = np.concatenate([pulse(60, 7.5), pulse(80, 7.5)])
        assert self.logit(self.read(halves, split=0.1)) == pytest.approx(-0.1 * 20, abs=0.1)
        assert self.logit(self.read(pulse(70, 15), split=0.1)) == pytest.approx(0, abs=0.05)

    def test_an_uneven_wave_costs(self):
        samples = pulse(75, 15, 1.0)
        cycles = count_cycles(samples, RATE_HZ, HEART_RATE)
        found = self.read(samples, irregular=2.0)
        assert self.logit(found) == pytest.approx(-2 * cycles.irregularity) and cycles.irregularity > 0.02

    def test_terms_add_up(self):
        samples = pulse(75, 12, 1.0)
        terms = {"bias": 0.3, "snr": 0.1, "lead": 0.05, "length": 0.7, "split": 0.03, "irregular": 1.2}
        alone = sum(self.logit(self.read(samples, **{name: value})) for name, value in terms.items())
        assert self.logit(self.read(samples, **terms)) == pytest.approx(alone)


def tops_at(times_s, seconds):
    return waves.tops_at(times_s, seconds, RATE_HZ)


class TestFeatures:
    """When cycles are counted, when the spectrum is believed, and what halves say."""

    @staticmethod
    def features(samples, peak_hz=0.5, spec=RESPIRATION_RATE):
        return features_of(samples, RATE_HZ, spec, Peak(peak_hz, 0.0, 0.0))

    def test_even_breaths_are_counted(self):
        assert self.features(pulse(14, 45, second=0)).per_minute == pytest.approx(14, abs=0.2)

    def test_heart_beats_are_never_counted(self):
        assert HEART_RATE.counted_below == 0
        assert self.features(pulse(72, 15, second=0), 1.3, HEART_RATE).per_minute == pytest.approx(78)

    def test_uneven_breaths_are_the_peaks(self):
        uneven = tops_at(np.cumsum([2.0, 5.0] * 7), 48)
        assert count_cycles(uneven, RATE_HZ, RESPIRATION_RATE).irregularity > RESPIRATION_RATE.counted_below
        assert self.features(uneven).per_minute == pytest.approx(30)

    @pytest.mark.parametrize(("period_s", "counted"), [(5.0, True), (11.0, False)])
    def test_few_cycles_are_the_peaks(self, period_s, counted):
        """45 s hold 8 intervals of 5 s and only 3 of 11 s."""
        found = self.features(tops_at(np.arange(2.0, 45, period_s), 45))
        assert found.per_minute == (pytest.approx(60 / period_s, rel=0.05) if counted else pytest.approx(30))

    def test_six_intervals_are_enough_and_five_are_not(self):
        for tops, counted in ((7, True), (6, False)):
            wave = tops_at(3.0 + 4.0 * np.arange(tops), 3.0 + 4.0 * (tops - 1) + 2.5)
            assert count_cycles(wave, RATE_HZ, RESPIRATION_RATE).intervals == tops - 1
            found = self.features(wave)
            assert found.per_minute == (pytest.approx(15, rel=0.05) if counted else pytest.approx(30))

    @pytest.mark.parametrize(("long", "counted"), [(1.4, True), (2.0, False)])
    def test_a_missed_cycle_is_not_counted_over(self, long, counted):
        """One interval of twice the others may hide a breath; even so the rest is even."""
        wave = tops_at(np.cumsum([2.0] + [3.0] * 7 + [3.0 * long] + [3.0] * 6), 52)
        cycles = count_cycles(wave, RATE_HZ, RESPIRATION_RATE)
        assert cycles.irregularity < RESPIRATION_RATE.counted_below and cycles.longest == pytest.approx(long, rel=0.08)
        expected = 60 * cycles.intervals / (3.0 * (cycles.intervals - 1 + long))
        assert self.features(wave).per_minute == (pytest.approx(expected, rel=0.03) if counted else 30)

    @pytest.mark.parametrize(("first", "second", "split"), [(60, 80, 20), (80, 60, 20), (55, 110, 30), (90, 90, 0)])
    def test_split_is_the_difference_of_the_halves_up_to_a_limit(self, first, second, split):
        wave = np.concatenate([pulse(first, 7.5), pulse(second, 7.5)])
        assert self.features(wave, spec=HEART_RATE).split == pytest.approx(split, abs=0.2)

    @pytest.mark.parametrize("flat", [0, 1])
    @pytest.mark.parametrize(("spec", "limit"), [(HEART_RATE, 30), (RESPIRATION_RATE, 8)])
    def test_a_flat_half_agrees_with_nothing(self, spec, limit, flat):
        halves = [np.zeros(675), pulse(40 * spec.high_hz, 22.5)]
        wave = np.concatenate(halves[::-1] if flat else halves)
        assert self.features(wave, spec=spec).split == limit

    def test_nothing_to_count_is_as_uneven_as_can_be(self):
        found = self.features(np.zeros(1350))
        assert found.irregularity == pytest.approx(0.8) and found.per_minute == pytest.approx(30)

    def test_unevenness_has_a_limit(self):
        """Two long and many short intervals: standard deviation 1.3 times the mean."""
        wave = tops_at(np.cumsum([1.0] + [1.5] * 10 + [22.0, 1.5, 1.5]), 45)
        assert self.features(wave).irregularity <= 0.8


@pytest.mark.parametrize(("near", "read"), [(97, 103), (95.4, 70)])
def test_a_recent_rate_is_per_minute(near, read):
    """Power 1.53 at 70 against 1 at 103 times 1 + exp(-1/2) = 1.61 one std away, 1.45 a little further."""
    samples = math.sqrt(1.53) * pulse(70, 15, second=0) + pulse(103, 15, second=0)
    assert estimate_rate(samples, RATE_HZ, HEART_RATE, near).per_minute == pytest.approx(read, abs=1)


@pytest.mark.parametrize(("samples", "known"), [(240, True), (239, False)])
def test_the_least_window_is_enough_and_a_sample_less_is_not(samples, known):
    assert (estimate_rate(pulse(75, 8)[:samples], RATE_HZ, HEART_RATE) is not None) is known


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", [0, -1])
def test_a_sample_that_is_no_number_is_no_rate(bad, at):
    samples = pulse(75, 10)
    samples[at] = bad
    assert estimate_rate(samples, RATE_HZ, HEART_RATE) is None


def test_what_is_older_than_the_window_does_not_count():
    samples = np.concatenate([np.full(300, math.nan), pulse(75, 15)])
    assert estimate_rate(samples, RATE_HZ, HEART_RATE) == estimate_rate(samples[300:], RATE_HZ, HEART_RATE)


def test_an_estimate_carries_its_peak():
    samples = pulse(75, 15, 0.5)
    peak = find_peak(spectrum(samples, RATE_HZ), HEART_RATE)
    found = estimate_rate(samples, RATE_HZ, HEART_RATE)
    assert (found.per_minute, found.snr_db, found.window_s) == (peak.hz * 60, peak.snr_db, 15.0)

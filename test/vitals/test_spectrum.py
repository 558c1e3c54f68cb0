"""Spectrum and peak: closed forms for sines, rules of the choice, and the ratio of their powers."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.types import Vital
from rppg_ros.vitals.registry import HEART_RATE, RESPIRATION_RATE, RateSpec
from rppg_ros.vitals.spectrum import Spectrum, find_peak, snr_db, spectrum

RATE_HZ = 30.0
PLAIN = RateSpec(Vital.BVP, "plain", 1.0, 3.0, 4.0, 1.0, 10.0, 0.1, 2)


def tones(*parts, seconds=15.0, rate_hz=RATE_HZ):
    """Sum of sines, each (per minute, amplitude)."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return sum(size * np.sin(2 * np.pi * rate / 60 * t + i) for i, (rate, size) in enumerate(parts))


class TestSpectrum:
    """The periodogram."""

    @pytest.mark.parametrize(("n", "rate_hz"), [(450, 30.0), (449, 30.0), (225, 15.0), (20_000, 30.0), (8192, 30.0)])
    def test_it_is_the_tapered_wave_at_each_frequency(self, n, rate_hz):
        """By its definition, a sum, at some of the frequencies."""
        wave = np.random.default_rng(n).normal(0, 1, n)
        found = spectrum(wave, rate_hz)
        t = np.arange(n)
        level = wave - np.polyval(np.polyfit(t, wave, 1), t)
        tapered = level * np.sin(np.pi * t / (n - 1)) ** 2
        for i in (0, 7, 200, len(found.hz) - 1):
            power = np.abs(np.sum(tapered * np.exp(-2j * np.pi * found.hz[i] / rate_hz * t))) ** 2
            assert found.power[i] == pytest.approx(power, rel=1e-6, abs=1e-9)
        assert found.window_s == pytest.approx(n / rate_hz)
        assert found.hz[0] == 0 and found.hz[-1] == pytest.approx(rate_hz / 2)

    @pytest.mark.parametrize(("n", "rate_hz"), [(30, 30.0), (450, 30.0), (8000, 30.0), (450, 12.0), (20_000, 30.0)])
    def test_its_grid_is_fine_enough_and_no_finer(self, n, rate_hz):
        step = np.diff(spectrum(np.zeros(n), rate_hz).hz).mean() * 60
        assert step <= 0.25 and (step > 0.125 or n > 4096), "a power of two: at most twice as fine as asked"
        assert round(rate_hz * 60 / step) >= n

    def test_a_straight_line_has_no_power(self):
        line = 5 + 0.3 * np.arange(450)
        wave = tones((80, 1))
        assert spectrum(line, RATE_HZ).power.max() < 1e-12
        np.testing.assert_allclose(spectrum(wave + line, RATE_HZ).power, spectrum(wave, RATE_HZ).power, atol=1e-6)

    def test_power_between_grid_points_and_outside(self):
        found = Spectrum(np.array([1.0, 2.0]), np.array([10.0, 30.0]), 1.0)
        assert [found.at(hz) for hz in (0.9, 1.0, 1.25, 2.0, 2.1)] == [0.0, 10.0, 15.0, 30.0, 0.0]


class TestPeak:
    """The choice of the fundamental."""

    @given(st.floats(50, 180), st.floats(10, 30), st.sampled_from([15.0, 30.0]))
    def test_a_sine_is_read_far_below_the_grid(self, per_minute, seconds, rate_hz):
        found = find_peak(spectrum(tones((per_minute, 1), seconds=seconds, rate_hz=rate_hz), rate_hz), HEART_RATE)
        assert found.hz * 60 == pytest.approx(per_minute, abs=0.1)

    @pytest.mark.parametrize("offset", [-0.4, 0.0, 0.3])
    def test_a_parabola_of_logarithms_is_read_exactly(self, offset):
        """A Gaussian's logarithm is one."""
        hz = np.arange(0, 5, 0.01)
        power = np.exp(-(((hz - 1.5 - offset * 0.01) / 0.05) ** 2))
        assert find_peak(Spectrum(hz, power, 10.0), PLAIN).hz == pytest.approx(1.5 + offset * 0.01, abs=1e-6)

    def test_without_an_inner_peak_it_is_the_edge(self):
        """Whatever harmonics say for a frequency on the slope."""
        hz = np.round(np.arange(0, 5, 0.01), 2)
        for power, edge in ((hz + 1, 3.0), (6 - hz, 1.0), (np.abs(hz - 1.9) + 1, 3.0)):
            assert find_peak(Spectrum(hz, power, 10.0), PLAIN).hz == edge

    def test_an_inner_peak_is_preferred_to_a_higher_edge(self):
        hz = np.arange(0, 5, 0.01)
        power = np.exp(-((hz / 0.6) ** 2)) * 1e3 + np.exp(-(((hz - 2) / 0.05) ** 2))
        assert power[100] > power[200]
        assert find_peak(Spectrum(hz, power, 10.0), PLAIN).hz == pytest.approx(2, abs=0.01)

    @pytest.mark.parametrize(
        ("second", "read"), [(0.9, 60), (1.15, 60), (1.3, 120)], ids=["weaker", "a little stronger", "much stronger"]
    )
    def test_a_second_harmonic_speaks_for_its_fundamental(self, second, read):
        """Power 1 + min(1, a^2) / 2 at the fundamental against a^2 at the harmonic: even at a^2 = 1.5, a = 1.22."""
        found = find_peak(spectrum(tones((60, 1), (120, second)), RATE_HZ), HEART_RATE)
        assert found.hz * 60 == pytest.approx(read, abs=0.5)

    def test_a_weak_fundamental_gets_no_more_than_half_its_own(self):
        found = find_peak(spectrum(tones((60, 0.5), (120, 3)), RATE_HZ), HEART_RATE)
        assert found.hz * 60 == pytest.approx(120, abs=0.5)

    def test_the_middle_of_a_plateau_is_not_refined(self):
        hz = np.round(np.arange(0, 5, 0.01), 2)
        power = np.full(len(hz), 1e-9)
        power[198:207] = 1.0
        power[404] = 1.0  # a second harmonic chooses among them
        assert find_peak(Spectrum(hz, power, 10.0), PLAIN).hz == 2.02

    def test_beyond_the_spectrum_there_is_no_harmonic(self):
        """Twice 2.6 Hz lies above the last line, whatever that says."""
        hz = np.arange(0, 5, 0.01)
        power = np.full(len(hz), 1e-9)
        power[[260, 180, -1]] = 1.0, 1.2, 1.0
        assert find_peak(Spectrum(hz, power, 10.0), PLAIN).hz == pytest.approx(1.8)

    @pytest.mark.parametrize("size", [1e-12, 1e6])
    def test_the_size_of_a_wave_does_not_matter(self, size):
        wave = tones((70, 1), (100, 0.5))
        usual, other = (find_peak(spectrum(factor * wave, RATE_HZ), HEART_RATE) for factor in (1, size))
        assert (other.hz, other.snr_db) == pytest.approx((usual.hz, usual.snr_db))

    @pytest.mark.parametrize("edge", [1.0, 3.0])
    def test_the_band_ends_at_its_edges(self, edge):
        hz = np.round(np.arange(0, 5, 0.01), 2)
        inside = 0.02 if edge == 1.0 else -0.02
        for at, found_there in ((edge + inside, True), (edge - inside, False)):
            power = np.full(len(hz), 1e-9)
            power[200], power[round(at * 100)] = 1.0, 10.0
            assert (find_peak(Spectrum(hz, power, 10.0), PLAIN).hz == pytest.approx(at)) is found_there

    def test_a_slow_sampling_rate_ends_the_band(self):
        found = find_peak(spectrum(tones((80, 1), rate_hz=5.0), 5.0), HEART_RATE)
        assert found.hz * 60 == pytest.approx(80, abs=0.1)

    @pytest.mark.parametrize("power", [0.0, math.nan, math.inf])
    def test_nothing_is_no_peak(self, power):
        hz = np.arange(0, 5, 0.01)
        assert find_peak(Spectrum(hz, np.full(len(hz), power), 10.0), PLAIN) is None
        assert find_peak(Spectrum(hz[:50], np.ones(50), 10.0), PLAIN) is None, "no frequency of the band"

    def test_what_is_outside_the_band_need_not_be_finite(self):
        hz = np.arange(0, 10, 0.01)
        power = np.exp(-(((hz - 2) / 0.05) ** 2))
        power[0] = math.nan
        assert find_peak(Spectrum(hz, power, 10.0), PLAIN).hz == pytest.approx(2)


class TestSnr:
    """Harmonics over the rest of the band, on spectra of single lines."""

    hz = np.round(np.arange(0, 6, 0.01), 2)

    def ratio(self, lines, at=1.5, spec=PLAIN, window_s=10.0):
        power = np.zeros(len(self.hz))
        for hz, size in lines.items():
            power[round(hz * 100)] += size
        return snr_db(Spectrum(self.hz, power, window_s), spec, at)

    def test_both_harmonics_are_signal(self):
        assert self.ratio({1.5: 6.0, 3.0: 4.0, 2.2: 1.0}) == pytest.approx(10)
        assert self.ratio({1.5: 6.0, 3.0: 4.0, 2.2: 1.0}, spec=replace(PLAIN, harmonics=1)) == pytest.approx(
            10 * math.log10(6 / 5)
        )
        assert self.ratio({1.1: 6.0, 3.3: 4.0}, at=1.1) == pytest.approx(10 * math.log10(6 / 4)), "the third is not"

    @pytest.mark.parametrize("centre", [1.5, 3.0])
    @pytest.mark.parametrize("side", [-1, 1])
    @pytest.mark.parametrize(("window_s", "half"), [(10.0, 0.25), (30.0, 0.15)])
    def test_a_harmonic_has_a_width(self, centre, side, window_s, half):
        """0.1 Hz and what the window blurs, 1.5 over its length."""
        for distance, signal in ((half - 0.02, True), (half + 0.02, False)):
            found = self.ratio({1.5: 1.0, 2.2: 1.0, centre + side * distance: 1.0}, window_s=window_s)
            assert found == pytest.approx(10 * math.log10(2 if signal else 0.5))

    @pytest.mark.parametrize(("at", "counts"), [(0.99, False), (1.0, True), (4.0, True), (4.01, False)])
    def test_noise_is_that_of_its_band(self, at, counts):
        assert self.ratio({1.5: 1.0, 2.2: 1.0, at: 1.0}) == pytest.approx(10 * math.log10(0.5) if counts else 0)

    def test_slow_drift_is_noise(self):
        """No harmonic at 0 Hz."""
        found = self.ratio({1.5: 1.0, 0.12: 1.0}, spec=replace(PLAIN, low_hz=0.1))
        assert found == pytest.approx(0)

    def test_it_is_capped(self):
        assert self.ratio({1.5: 1.0}) == 60 and self.ratio({2.2: 1.0}) == -60
        assert self.ratio({1.5: 1.0, 2.2: 1e-5}) == pytest.approx(50)

    def test_a_peak_has_the_ratio_at_its_frequency(self):
        for spec, parts in ((HEART_RATE, ((70, 1), (101, 0.4))), (RESPIRATION_RATE, ((14, 1), (21, 0.4)))):
            found = spectrum(tones(*parts, seconds=spec.window_s), RATE_HZ)
            peak = find_peak(found, spec)
            assert peak.snr_db == snr_db(found, spec, peak.hz) == pytest.approx(20 * math.log10(1 / 0.4), abs=0.5)

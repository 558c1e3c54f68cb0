"""Metrics against independent formulas, on random signals; and what they say where there is nothing to say."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import signal, stats

from rppg_ros.evaluation import metrics

# What cannot be said is NaN by decision, not by a division that warns.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

EXACT = dict(rel=1e-9, abs=1e-9)
rates = st.builds(
    lambda n, seed: np.random.default_rng(seed).uniform(40, 180, (2, n)), st.integers(3, 60), st.integers(0, 2**31)
)
ALL = (metrics.mean_error, metrics.mae, metrics.rmse, metrics.mape, metrics.pearson)


@given(pair=rates)
def test_errors_and_their_standard_errors_are_scipys(pair):
    a, b = pair
    error = a - b
    assert metrics.mean_error(a, b)[:2] == pytest.approx((np.mean(error), stats.sem(error)), **EXACT)
    assert metrics.mae(a, b)[:2] == pytest.approx((np.abs(error).mean(), stats.sem(np.abs(error))), **EXACT)
    percent = 100 * np.abs(error) / b
    assert metrics.mape(a, b)[:2] == pytest.approx((percent.mean(), stats.sem(percent)), **EXACT)
    r = stats.pearsonr(a, b).statistic
    assert metrics.pearson(a, b)[:2] == pytest.approx((r, math.sqrt((1 - r * r) / (len(a) - 2))), **EXACT)


@given(pair=rates)
def test_root_mean_square_is_statsmodels(pair):
    tools = pytest.importorskip("statsmodels.tools.eval_measures")
    a, b = pair
    value, error, _ = metrics.rmse(a, b)
    assert value == pytest.approx(tools.rmse(a, b), **EXACT)
    assert error == pytest.approx(stats.sem((a - b) ** 2) / (2 * value), **EXACT)


def test_standard_error_of_rmse_is_right_on_average():
    rng = np.random.default_rng(0)
    found = [metrics.rmse(rng.normal(0, 5, 200), np.zeros(200)) for _ in range(400)]
    spread = np.std([value for value, _, _ in found])
    assert np.mean([error for _, error, _ in found]) == pytest.approx(spread, rel=0.1)


@given(pair=rates)
def test_shares_and_coverage(pair):
    a, b = pair
    error = np.abs(a - b)
    assert metrics.share_within(a, b, units=5).value == pytest.approx(np.mean(error <= 5))
    assert metrics.share_within(a, b, percent=10).value == pytest.approx(np.mean(error <= 0.1 * b))
    a = a.copy()
    a[0] = math.nan
    assert metrics.coverage(a, b).value == pytest.approx((len(a) - 1) / len(a))
    b = b.copy()
    b[0] = math.nan
    assert metrics.coverage(a, b).value == 1.0


@given(pair=rates, gap=st.integers(0, 1))
def test_unknown_pairs_are_left_out(pair, gap):
    a, b = (x.copy() for x in pair)
    (a if gap else b)[1] = math.nan
    rest = np.arange(len(a)) != 1
    for metric in ALL:
        assert metric(a, b) == pytest.approx(metric(a[rest], b[rest]), nan_ok=True)
        assert metric(a, b).n == len(a) - 1


@pytest.mark.parametrize("metric", [*ALL, metrics.share_within, metrics.coverage])
@pytest.mark.parametrize("values", [[], [math.nan], [math.nan, math.nan]])
def test_nothing_known_is_nan(metric, values):
    found = metric(values, values)
    assert math.isnan(found.value) and math.isnan(found.se) and found.n == 0


def test_one_pair_has_no_standard_error():
    assert metrics.mae([60.0], [62.0]) == pytest.approx((2.0, math.nan, 1), nan_ok=True)
    assert math.isnan(metrics.pearson([60.0], [62.0]).value)
    assert metrics.rmse([60.0, 61.0], [60.0, 61.0]) == (0.0, 0.0, 2)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="one length"):
        metrics.mae([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="one length"):
        metrics.mae([[1.0], [2.0]], [[1.0], [2.0]])


def binomial(share, n):
    return share, math.sqrt(share * (1 - share) / n), n


def test_shares_have_a_binomial_error_and_limits_that_belong_to_them():
    truth, measured = [100.0, 100, 100, -50, math.nan], [105.0, 95, 106, -45, 1]
    assert metrics.share_within(measured, truth, units=5) == pytest.approx(binomial(3 / 4, 4))
    assert metrics.share_within(measured, truth, percent=5) == pytest.approx(binomial(2 / 4, 4))
    assert metrics.share_within(measured, truth, percent=10) == pytest.approx(binomial(1, 4))
    assert metrics.share_within(measured, truth, units=5, percent=6) == pytest.approx(binomial(2 / 4, 4)), "both"
    assert metrics.share_within([1.0], [0.0]) == (1.0, 0.0, 1), "no limits, all right"


def test_coverage_has_a_binomial_error():
    found = metrics.coverage([60.0, math.nan, math.nan, math.inf, 5], [60.0, 61, 62, 63, math.nan])
    assert found == pytest.approx(binomial(1 / 4, 4))


def test_a_percentage_of_nothing_is_left_out():
    assert metrics.mape([3.0, 60.0, 90.0], [0.0, 50.0, -100.0])[::2] == pytest.approx(((20 + 190) / 2, 2))
    assert metrics.mape([1.5, 3.0], [0.5, 2.0]).value == pytest.approx((200 + 50) / 2)


def test_correlation_of_three_and_of_what_does_not_vary():
    assert metrics.pearson([1, 2, 3], [10, 20, 30])[::2] == pytest.approx((1.0, 3))
    assert metrics.pearson([1, 2, 3], [30, 20, 10]) == pytest.approx((-1.0, 0.0, 3), abs=1e-7)
    assert metrics.pearson([1, 2, 4], [2, 1, 4]).se == pytest.approx(
        math.sqrt(1 - np.corrcoef([1, 2, 4], [2, 1, 4])[0, 1] ** 2)
    )
    for a, b in (([1, 1.5, 2], [1, 2, 4]), ([1, 2, 4], [1, 1.5, 2])):
        assert metrics.pearson(a, b).value == pytest.approx(stats.pearsonr(a, b).statistic)
    for a, b in (([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [1, 1, 1]), ([1, 2], [1, 2])):
        found = metrics.pearson(a, b)
        assert math.isnan(found.value) and math.isnan(found.se) and found.n == len(a)


def test_a_mean_is_of_what_is_finite():
    assert metrics.mean([1.0, math.nan, 3.0, math.inf]) == pytest.approx((2.0, 1.0, 2))
    assert metrics.mean([4.0, math.nan]) == pytest.approx((4.0, math.nan, 1), nan_ok=True)
    assert metrics.mean([]) == pytest.approx((math.nan, math.nan, 0), nan_ok=True)


class TestErrorAtCoverage:
    """Only the best estimates count."""

    truth = [70.0] * 10
    measured = [70.0, 71.0, 72.0, 73.0, 90.0, math.nan, math.nan, math.nan, math.nan, math.nan]
    quality = [0.9, 0.8, 0.7, 0.6, 0.1] + [math.nan] * 5

    @pytest.mark.parametrize(("share", "error"), [(0.1, 0.0), (0.2, 0.5), (0.4, 1.5), (0.5, 5.2)])
    def test_best_first(self, share, error):
        found = metrics.error_at_coverage(self.measured, self.truth, self.quality, share)
        assert found.value == pytest.approx(error) and found.n == 10 * share

    def test_a_share_that_was_not_given_is_nan(self):
        found = metrics.error_at_coverage(self.measured, self.truth, self.quality, 0.6)
        assert math.isnan(found.value) and math.isnan(found.se) and found.n == 0

    def test_it_is_a_mean_absolute_error_with_its_standard_error(self):
        found = metrics.error_at_coverage(self.measured, self.truth, self.quality, 0.4)
        assert found == pytest.approx((1.5, stats.sem([0, 1, 2, 3]), 4))

    def test_a_part_of_a_pair_is_a_whole_one(self):
        """0.31 of 10 are 4; 0.3 of 10 are 3, though 0.1 * 3 is a little more than 0.3."""
        for share, n in ((0.31, 4), (0.3, 3), (0.1 * 3, 3), (1e-12, 0), (0.0, 0)):
            assert metrics.error_at_coverage(self.measured, self.truth, self.quality, share).n == n

    def test_the_share_is_of_times_with_a_truth(self):
        """Two of the ten truths are unknown, one of them of the best number."""
        truth = [math.nan, *self.truth[1:9], math.nan]
        found = metrics.error_at_coverage(self.measured, truth, self.quality, 0.25)
        assert found[::2] == pytest.approx((1.5, 2)), "errors 1 and 2"

    def test_numbers_without_a_quality_come_last_and_equals_in_order(self):
        measured, truth = [75.0, 71.0, 72.0, 73.0], [70.0] * 4
        for share, error in ((0.25, 1.0), (0.5, 1.5), (0.75, 2.0), (1.0, 2.75)):
            found = metrics.error_at_coverage(measured, truth, [math.nan, 0.0, 0.0, 0.0], share)
            assert found.value == pytest.approx(error)
        many = np.arange(200.0)
        for n in (1, 20, 150):
            found = metrics.error_at_coverage(many, np.zeros(200), np.full(200, 0.5), n / 200)
            assert found.value == pytest.approx((n - 1) / 2)


class TestBlandAltman:
    """Limits of agreement."""

    @given(pair=rates)
    def test_plain_limits(self, pair):
        a, b = pair
        found = metrics.bland_altman(a, b)
        sd = stats.tstd(a - b)
        assert found.bias == pytest.approx(np.mean(a - b), **EXACT)
        assert (found.low, found.high) == pytest.approx((found.bias - 1.96 * sd, found.bias + 1.96 * sd), **EXACT)
        low, high = stats.t.interval(0.95, len(a) - 1, np.mean(a - b), stats.sem(a - b))
        assert (found.bias - found.bias_ci, found.bias + found.bias_ci) == pytest.approx((low, high), **EXACT)

    @given(pair=rates)
    def test_one_pair_of_each_subject_is_the_plain_case(self, pair):
        a, b = pair
        assert metrics.bland_altman(a, b, [str(i) for i in range(len(a))]) == metrics.bland_altman(a, b)

    def test_repeated_measures_are_an_analysis_of_variance(self):
        pytest.importorskip("statsmodels")
        import pandas
        import statsmodels.formula.api as formula
        from statsmodels.stats.anova import anova_lm

        rng = np.random.default_rng(4)
        subjects = np.repeat([f"s{i}" for i in range(8)], [3, 5, 2, 7, 4, 4, 6, 1])
        offsets = dict(zip(np.unique(subjects), rng.normal(0, 4, 8), strict=True))
        error = np.array([offsets[s] for s in subjects]) + rng.normal(0, 2, len(subjects))
        table = anova_lm(formula.ols("e ~ C(s)", pandas.DataFrame({"e": error, "s": subjects})).fit())
        between, within = table["mean_sq"]
        counts = np.unique(subjects, return_counts=True)[1]
        n = len(error)
        replicates = (n**2 - (counts**2).sum()) / (7 * n)
        expected = math.sqrt(within + (between - within) / replicates)
        found = metrics.bland_altman(70 + error, np.full(n, 70.0), subjects)
        assert found.sd == pytest.approx(expected, **EXACT)
        assert found.sd > error.std(ddof=1) * 0.9

    @given(pair=rates)
    def test_the_limits_interval_is_bland_and_altmans(self, pair):
        """1999, section 2.1: the variance of a limit is s^2 (1 / n + 1.96^2 / (2 (n - 1)))."""
        a, b = pair
        n = len(a)
        found = metrics.bland_altman(a, b)
        sd, t = np.std(a - b, ddof=1), stats.t.ppf(0.975, n - 1)
        assert found.sd == pytest.approx(sd, **EXACT) and found.n == n
        assert found.limit_ci == pytest.approx(t * math.sqrt(sd**2 / n + 1.96**2 * sd**2 / (2 * (n - 1))), **EXACT)
        assert found.bias_ci == pytest.approx(t * sd / math.sqrt(n), **EXACT)

    @staticmethod
    def repeated(offsets, counts, spread, seed=0):
        rng = np.random.default_rng(seed)
        subjects = np.repeat([f"s{i}" for i in range(len(counts))], counts)
        return np.repeat(offsets, counts) + rng.normal(0, spread, sum(counts)), subjects

    def test_intervals_of_repeated_measures_count_subjects(self):
        error, subjects = self.repeated([-4.0, 0.0, 1.0, 5.0], [3, 6, 2, 5], 1.0)
        found = metrics.bland_altman(error, np.zeros(16), subjects)
        t = stats.t.ppf(0.975, 3)
        assert found.bias == pytest.approx(error.mean()) and found.n == 16
        assert found.bias_ci == pytest.approx(t * found.sd / 2)
        assert found.limit_ci == pytest.approx(t * found.sd * math.sqrt(1 / 4 + 1.96**2 / 6))
        assert (found.low, found.high) == pytest.approx((found.bias - 1.96 * found.sd, found.bias + 1.96 * found.sd))

    def test_equal_replicates_are_the_textbook_case(self):
        """Balanced one-way analysis: Var = MSW + (MSB - MSW) / m."""
        error, subjects = self.repeated([-4.0, 0.0, 1.0, 5.0], [5] * 4, 1.0)
        groups = error.reshape(4, 5)
        within = groups.var(axis=1, ddof=1).mean()
        between = 5 * groups.mean(axis=1).var(ddof=1)
        found = metrics.bland_altman(error, np.zeros(20), subjects)
        assert found.sd**2 == pytest.approx(within + (between - within) / 5)

    def test_two_subjects_are_enough(self):
        """Means -2 and 2 of two pairs each, 2 apart: MSB 16, MSW 2, so 2 + (16 - 2) / 2."""
        found = metrics.bland_altman([-3.0, -1.0, 1.0, 3.0], np.zeros(4), ["a", "a", "b", "b"])
        assert found.sd == pytest.approx(3.0) and math.isfinite(found.bias_ci)

    def test_subjects_more_alike_than_chance_have_no_variance_between_them(self):
        error, subjects = np.tile([-3.0, 0.0, 3.0], 4), np.repeat(["a", "b", "c", "d"], 3)
        assert metrics.bland_altman(error, np.zeros(12), subjects).sd == pytest.approx(3.0), "the 9 within them"

    def test_the_order_of_pairs_and_unknown_ones_change_nothing(self):
        error, subjects = self.repeated([-4.0, 0.0, 1.0, 5.0], [3, 6, 2, 5], 1.0)
        whole = metrics.bland_altman(error, np.zeros(16), subjects)
        order = np.random.default_rng(1).permutation(16)
        a, b = np.append(error[order], [math.nan, 1.0]), np.append(np.zeros(16), [1.0, math.nan])
        found = metrics.bland_altman(a, b, np.append(subjects[order], ["s0", "s9"]))
        assert found == pytest.approx(whole)

    @pytest.mark.parametrize("subjects", [(), ("a", "b"), ("a", "a")])
    def test_two_pairs_are_enough(self, subjects):
        found = metrics.bland_altman([61.0, 65.0], [60.0, 60.0], subjects)
        assert (found.bias, found.n) == (3.0, 2) and found.sd == pytest.approx(math.sqrt(8))
        assert math.isnan(found.limit_ci) is (subjects == ("a", "a"))

    def test_repeated_measures_of_one_subject_have_no_interval(self):
        found = metrics.bland_altman([1.0, 2.0, 4.0], [0.0, 0.0, 0.0], ["a"] * 3)
        assert found.sd == pytest.approx(np.std([1, 2, 4], ddof=1)) and found.n == 3
        assert (found.low, found.high) == pytest.approx((7 / 3 - 1.96 * found.sd, 7 / 3 + 1.96 * found.sd))
        assert math.isnan(found.bias_ci) and math.isnan(found.limit_ci)

    def test_limits_hold_their_share(self):
        rng = np.random.default_rng(1)
        a = rng.normal(3, 4, 20_000)
        found = metrics.bland_altman(a, np.zeros_like(a))
        assert np.mean((a > found.low) & (a < found.high)) == pytest.approx(0.95, abs=0.005)

    def test_too_few(self):
        for known in (0, 1):
            found = metrics.bland_altman([60.0] * known + [math.nan], [61.0] * (known + 1))
            assert all(math.isnan(value) for value in found[:-1]) and found.n == known
        with pytest.raises(ValueError, match="one length"):
            metrics.bland_altman([60.0, 61.0], [60.0])


class TestWaveforms:
    """SNR and MACC."""

    rate_hz, band = 30.0, (0.75, 2.5)

    @given(share=st.floats(0.05, 3.0), bpm=st.floats(55, 70), seed=st.integers(0, 1000))
    def test_snr_of_a_sine_in_another_sine(self, share, bpm, seed):
        """Their powers are known; the other lies in the band, away from the rate and its harmonic."""
        t = np.arange(1800) / self.rate_hz
        phase = np.random.default_rng(seed).uniform(0, 6)
        wave = np.sin(2 * np.pi * bpm / 60 * t + phase) + share * np.sin(2 * np.pi * (bpm + 30) / 60 * t)
        found = metrics.snr_db(wave * signal.get_window("hann", len(t)), self.rate_hz, bpm, self.band)
        assert found == pytest.approx(-20 * math.log10(share), abs=0.1)

    def snr(self, tones, per_minute, band=None, seconds=300):
        """Of tones {per minute: amplitude}, tapered so that each keeps its power to itself."""
        t = np.arange(round(seconds * self.rate_hz)) / self.rate_hz
        wave = sum(size * np.sin(2 * np.pi * rate / 60 * t + rate) for rate, size in tones.items())
        taper = signal.get_window("hann", len(t))
        return metrics.snr_db(wave * taper, self.rate_hz, per_minute, band or self.band)

    @pytest.mark.parametrize("second", [0.3, 1.0, 2.0])
    @pytest.mark.parametrize("bpm", [60.0, 66.0, 90.0])
    def test_snr_counts_the_second_harmonic(self, bpm, second):
        """Also where it lies above the band, as that of 90 per minute does."""
        expected = 10 * math.log10((1 + second**2) / 0.5**2)
        assert self.snr({bpm: 1, 2 * bpm: second, bpm + 30: 0.5}, bpm) == pytest.approx(expected, abs=0.02)

    def test_the_third_harmonic_is_noise_and_the_half_too(self):
        assert self.snr({49.0: 1, 147.0: 0.5}, 49.0) == pytest.approx(10 * math.log10(1 / 0.25), abs=0.02)
        assert self.snr({100.0: 1, 50.0: 0.5}, 100.0) == pytest.approx(10 * math.log10(1 / 0.25), abs=0.02)

    @pytest.mark.parametrize("side", [-1, 1])
    def test_six_per_minute_are_near(self, side):
        """A tone 5 per minute away belongs to the pulse, one 7 away does not; so around the harmonic."""
        for centre in (60, 120):
            tones = {60.0: 1, 90.0: 0.5}
            near = self.snr({**tones, centre + 5.0 * side: 0.5}, 60.0)
            far = self.snr({**tones, centre + 7.0 * side: 0.5}, 60.0)
            assert near == pytest.approx(10 * math.log10(1.25 / 0.25), abs=0.05)
            assert far == pytest.approx(10 * math.log10(1 / 0.5), abs=0.05)

    @pytest.mark.parametrize(("rate", "half", "other"), [(20.0, 4.0, 31.0), (12.0, 2.4, 19.0), (3.0, 1.0, 10.0)])
    def test_near_a_breath_is_a_fifth_of_its_rate(self, rate, half, other):
        tones, band = {rate: 1, other: 0.5}, (0.03, 0.8)
        near = self.snr({**tones, rate + half - 0.3: 0.5}, rate, band, 1200)
        far = self.snr({**tones, rate + half + 0.3: 0.5}, rate, band, 1200)
        assert near == pytest.approx(10 * math.log10(1.25 / 0.25), abs=0.1)
        assert far == pytest.approx(10 * math.log10(1 / 0.5), abs=0.1)

    @pytest.mark.parametrize(("noise", "counts"), [(43.0, False), (47.0, True), (148.0, True), (152.0, False)])
    def test_noise_is_that_of_the_band(self, noise, counts):
        found = self.snr({60.0: 1, 90.0: 0.5, noise: 0.5}, 60.0)
        assert found == pytest.approx(10 * math.log10(1 / (0.5 if counts else 0.25)), abs=0.05)

    def test_a_constant_is_not_in_the_band(self):
        """Nor does a lost mean make noise: two units of it against a tone of one."""
        assert self.snr({60.0: 1, 90.0: 0.5, 1e-9: 2.0}, 60.0) == pytest.approx(10 * math.log10(4), abs=0.05)

    @pytest.mark.parametrize("n", [900, 8192, 8193, 20_000])
    def test_snr_is_the_ratio_of_sums_over_a_padded_spectrum(self, n):
        wave = np.random.default_rng(n).normal(0, 1, n)
        size = 8192
        while size < n:
            size *= 2
        power = np.abs(np.fft.rfft(wave, size)) ** 2
        per_minute = np.arange(len(power)) * 60 * self.rate_hz / size
        near = (np.abs(per_minute - 70) <= 6) | (np.abs(per_minute - 140) <= 6)
        rest = power[~near & (per_minute >= 45) & (per_minute <= 150)].sum()
        expected = 10 * math.log10(power[near].sum() / rest)
        assert metrics.snr_db(wave, self.rate_hz, 70.0, self.band) == pytest.approx(expected)

    def test_lines_at_the_edges_belong_to_them(self):
        """At 128 Hz the lines lie at whole 64ths of 1 Hz: the rate on 20, near it 16 to 24 and 36 to 44, the band 8 to 64."""
        wave = np.random.default_rng(0).normal(0, 1, 8192)
        power = np.abs(np.fft.rfft(wave)) ** 2
        signal_lines = [*range(16, 25), *range(36, 45)]
        rest = [line for line in range(8, 65) if line not in signal_lines]
        expected = 10 * math.log10(power[signal_lines].sum() / power[rest].sum())
        assert metrics.snr_db(wave, 128.0, 18.75, (0.125, 1.0)) == pytest.approx(expected)

    def test_small_waves_have_the_same_ratio(self):
        wave = np.random.default_rng(0).normal(0, 1, 900)
        large, small = (metrics.snr_db(size * wave, 30.0, 70.0, self.band) for size in (1, 1e-6))
        assert small == pytest.approx(large)
        assert metrics.macc(1e-6 * wave, wave) == pytest.approx(1)

    def test_a_rate_that_cannot_be_in_the_wave_has_none(self):
        assert math.isnan(metrics.snr_db(np.random.default_rng(0).normal(0, 1, 900), 30.0, 2000.0, self.band))

    def test_without_a_rest_there_is_no_ratio(self):
        assert math.isnan(metrics.snr_db(np.ones(900), self.rate_hz, 60.0, (0.95, 1.05)))
        silent = np.zeros(900)
        assert math.isnan(metrics.snr_db(silent, self.rate_hz, 60.0, self.band))

    def test_nothing_there(self):
        assert math.isnan(metrics.snr_db(np.zeros(300), self.rate_hz, 60.0, self.band))
        for flat, other in ((np.zeros(300), np.arange(300.0)), (np.arange(300.0), np.ones(300))):
            assert math.isnan(metrics.macc(flat, other))

    @given(seed=st.integers(0, 2**31), lag=st.integers(-20, 20))
    def test_macc_is_the_largest_correlation_over_lags(self, seed, lag):
        rng = np.random.default_rng(seed)
        a, b = rng.normal(0, 1, (2, 50))
        a, b = a - a.mean(), b - b.mean()
        scale = np.linalg.norm(a) * np.linalg.norm(b)
        assume(scale > 0)
        expected = max(
            abs(np.dot(a[max(0, k) : 50 + min(0, k)], b[max(0, -k) : 50 - max(0, k)])) for k in range(-49, 50)
        )
        assert metrics.macc(a + 7, b - 3) == pytest.approx(expected / scale, **EXACT)
        assert metrics.macc(a, -2 * a) == pytest.approx(1.0)
        if lag:
            assert metrics.macc(a, np.roll(a, lag)) > 0.3

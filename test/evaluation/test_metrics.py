"""Metrics against independent formulas, on random signals; and what they say where there is nothing to say."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import signal, stats

from rppg_ros.evaluation import metrics

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
    assert math.isnan(metric(values, values).value) and metric(values, values).n == 0


def test_one_pair_has_no_standard_error():
    assert metrics.mae([60.0], [62.0]) == pytest.approx((2.0, math.nan, 1), nan_ok=True)
    assert math.isnan(metrics.pearson([60.0], [62.0]).value)
    assert metrics.rmse([60.0, 61.0], [60.0, 61.0]) == (0.0, 0.0, 2)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="one length"):
        metrics.mae([1.0], [1.0, 2.0])


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
        assert math.isnan(metrics.error_at_coverage(self.measured, self.truth, self.quality, 0.6).value)


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

    def test_repeated_measures_of_one_subject_have_no_interval(self):
        found = metrics.bland_altman([1.0, 2.0, 4.0], [0.0, 0.0, 0.0], ["a"] * 3)
        assert math.isfinite(found.sd) and math.isnan(found.bias_ci)

    def test_limits_hold_their_share(self):
        rng = np.random.default_rng(1)
        a = rng.normal(3, 4, 20_000)
        found = metrics.bland_altman(a, np.zeros_like(a))
        assert np.mean((a > found.low) & (a < found.high)) == pytest.approx(0.95, abs=0.005)

    def test_too_few(self):
        assert math.isnan(metrics.bland_altman([60.0], [61.0]).bias)


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

    def test_snr_counts_the_second_harmonic(self):
        t = np.arange(900) / self.rate_hz
        noise = np.random.default_rng(0).normal(0, 1, len(t))
        with_it = np.sin(2 * np.pi * 1.1 * t) + np.sin(2 * np.pi * 2.2 * t) + noise
        assert metrics.snr_db(with_it, self.rate_hz, 66.0, self.band) > metrics.snr_db(
            with_it, self.rate_hz, 90.0, self.band
        )

    def test_nothing_there(self):
        assert math.isnan(metrics.snr_db(np.zeros(300), self.rate_hz, 60.0, self.band))
        assert math.isnan(metrics.macc(np.zeros(300), np.ones(300)))

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

"""How far measured rates are from true ones, and measured waveforms from true ones. Pure functions on arrays.

Pairs with a NaN on either side are left out; what too few pairs cannot say is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import signal, stats

LIMITS = 1.96
CONFIDENCE = 0.95
HARMONICS = 2
SNR_HALF_WIDTH_PER_MINUTE = 6.0

Samples = Sequence[float] | np.ndarray
"""Numbers (n,)."""


class Value(NamedTuple):
    """A figure, its standard error, and the pairs it is from."""

    value: float
    se: float
    n: int


class Agreement(NamedTuple):
    """Bland-Altman limits of agreement of measured minus true, per minute.

    `low` and `high` are bias -+ 1.96 SD; each `_ci` is half the width of a 95 % confidence interval.
    """

    bias: float
    sd: float
    low: float
    high: float
    bias_ci: float
    limit_ci: float
    n: int


def pairs(measured: Samples, truth: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Measured and true where both are known.

    Raises
    ------
    ValueError : lengths differ.
    """
    a, b = np.asarray(measured, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"measured and truth must be of one length, not {a.shape} and {b.shape}")
    known = np.isfinite(a) & np.isfinite(b)
    return a[known], b[known]


def mean_error(measured: Samples, truth: Samples) -> Value:
    """Mean of measured minus true, with the standard error of a mean."""
    a, b = pairs(measured, truth)
    return mean(a - b)


def mae(measured: Samples, truth: Samples) -> Value:
    """Mean absolute error, with the standard error of a mean."""
    a, b = pairs(measured, truth)
    return mean(np.abs(a - b))


def rmse(measured: Samples, truth: Samples) -> Value:
    """Root mean squared error; its standard error by the delta method, SE(e^2) / (2 RMSE).

    rPPG-Toolbox prints sqrt(SD(e^2) / sqrt(n)) there, which does not have the meaning of a standard error.
    """
    a, b = pairs(measured, truth)
    squares = mean((a - b) ** 2)
    root = math.sqrt(squares.value)
    return Value(root, squares.se / (2 * root) if root else 0.0, squares.n)


def mape(measured: Samples, truth: Samples) -> Value:
    """Mean absolute error in per cent of the truth, with the standard error of a mean; a truth of 0 is left out."""
    a, b = pairs(measured, truth)
    a, b = a[b != 0], b[b != 0]
    return mean(100 * np.abs((a - b) / b))


def pearson(measured: Samples, truth: Samples) -> Value:
    """Correlation r, with sqrt((1 - r^2) / (n - 2)); NaN for fewer than three pairs or where one side does not vary."""
    a, b = pairs(measured, truth)
    n = len(a)
    if n < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return Value(math.nan, math.nan, n)
    r = float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))
    return Value(r, math.sqrt((1 - r * r) / (n - 2)), n)


def share_within(measured: Samples, truth: Samples, units: float = math.inf, percent: float = math.inf) -> Value:
    """Share, 0..1, of errors of at most `units` per minute and at most `percent` of the truth, with its binomial error."""
    a, b = pairs(measured, truth)
    error = np.abs(a - b)
    right = (error <= units) & (error <= (np.inf if math.isinf(percent) else percent / 100 * np.abs(b)))
    if not len(a):
        return Value(math.nan, math.nan, 0)
    share = float(right.mean())
    return Value(share, math.sqrt(share * (1 - share) / len(a)), len(a))


def coverage(measured: Samples, truth: Samples) -> Value:
    """Share, 0..1, of times with a known truth at which a number was given, with its binomial error."""
    a, b = np.asarray(measured, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    given = np.isfinite(a[np.isfinite(b)])
    if not len(given):
        return Value(math.nan, math.nan, 0)
    share = float(given.mean())
    return Value(share, math.sqrt(share * (1 - share) / len(given)), len(given))


def error_at_coverage(measured: Samples, truth: Samples, quality: Samples, share: float) -> Value:
    """Mean absolute error of the given numbers of best quality, as many as are `share` of all times with a truth.

    Systems that give few numbers are compared with ones that give many at the same share. NaN where fewer were given.
    """
    a, b, q = (np.asarray(x, dtype=np.float64) for x in (measured, truth, quality))
    known = np.isfinite(b)
    wanted = math.ceil(share * known.sum() - 1e-9)
    given = known & np.isfinite(a)
    if wanted < 1 or given.sum() < wanted:
        return Value(math.nan, math.nan, 0)
    order = np.argsort(-np.nan_to_num(q[given], nan=-1.0), kind="stable")[:wanted]
    return mae(a[given][order], b[given][order])


def bland_altman(measured: Samples, truth: Samples, subjects: Sequence[str] = ()) -> Agreement:
    """Limits of agreement (Bland and Altman 1986), with the confidence intervals given there.

    Parameters
    ----------
    subjects : of each pair. With them, and more than one pair of some, the limits are those for repeated measures of a
        varying truth (Bland and Altman 2007, unequal replicates): the variance between subjects counts as well as that
        within them, and intervals count subjects, not pairs.
    """
    a, b = np.asarray(measured, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    pairs(a, b)
    known = np.isfinite(a) & np.isfinite(b)
    error = (a - b)[known]
    if len(error) < 2:
        return Agreement(math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, len(error))
    groups = np.unique(np.asarray(subjects)[known], return_inverse=True)[1] if len(subjects) else np.arange(len(error))
    independent = int(np.max(groups)) + 1
    bias, sd = float(error.mean()), math.sqrt(_variance(error, groups))
    if independent < 2:
        return Agreement(bias, sd, bias - LIMITS * sd, bias + LIMITS * sd, math.nan, math.nan, len(error))
    t = stats.t.ppf((1 + CONFIDENCE) / 2, independent - 1)
    limit = math.sqrt(1 / independent + LIMITS**2 / (2 * (independent - 1)))
    half = t * sd / math.sqrt(independent)
    return Agreement(bias, sd, bias - LIMITS * sd, bias + LIMITS * sd, half, t * sd * limit, len(error))


def snr_db(samples: np.ndarray, rate_hz: float, true_per_minute: float, band_hz: tuple[float, float]) -> float:
    """Power of a waveform (n,) near the true rate and its second harmonic, over the rest of the band, dB.

    de Haan and Jeanne 2013, as rPPG-Toolbox has it: +-6 per minute around both. For breath, whose whole band is that
    wide, a fifth of the true rate where that is less. NaN without power in the band.
    """
    hz, power = signal.periodogram(
        samples, rate_hz, nfft=1 << (max(len(samples), 8192) - 1).bit_length(), detrend=False
    )
    half_hz = min(SNR_HALF_WIDTH_PER_MINUTE, max(true_per_minute / 5, 1.0)) / 60
    near = np.zeros(len(hz), dtype=bool)
    for harmonic in range(1, HARMONICS + 1):
        near |= np.abs(hz - harmonic * true_per_minute / 60) <= half_hz
    inside = (hz >= band_hz[0]) & (hz <= band_hz[1])
    wanted, rest = power[near].sum(), power[inside & ~near].sum()
    if wanted <= 0 or rest <= 0:
        return math.nan
    return float(10 * np.log10(wanted / rest))


def macc(measured: np.ndarray, truth: np.ndarray) -> float:
    """Maximum over all lags of the absolute cross-correlation of two waveforms (n,), normalised to 0..1; NaN for a flat one."""
    a, b = measured - np.mean(measured), truth - np.mean(truth)
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return float(np.abs(signal.correlate(a, b)).max() / scale) if scale > 0 else math.nan


def mean(values: Samples) -> Value:
    """Mean of what is finite, with its standard error."""
    array = np.asarray(values, dtype=np.float64)
    known = array[np.isfinite(array)]
    n = len(known)
    if not n:
        return Value(math.nan, math.nan, 0)
    return Value(float(known.mean()), float(known.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan, n)


def _variance(error: np.ndarray, groups: np.ndarray) -> float:
    """Of a single difference, from a one-way analysis of variance by subject."""
    counts = np.bincount(groups)
    k, n = len(counts), len(error)
    if k < 2 or k == n:
        return float(error.var(ddof=1))
    means = np.bincount(groups, error) / counts
    between = float((counts * (means - error.mean()) ** 2).sum() / (k - 1))
    within = float(((error - means[groups]) ** 2).sum() / (n - k))
    replicates = (n**2 - float((counts**2).sum())) / ((k - 1) * n)
    return within + max(0.0, (between - within) / replicates)

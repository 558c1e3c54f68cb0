"""Rates of a waveform as the papers' tables have them, and the true rate over any span."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import linalg, signal

from rppg_ros.datasets.base import Trace, Truth
from rppg_ros.types import NS_PER_S, Vital
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.spectrum import find_peak, spectrum

DETREND_LAMBDA = 100.0
WELCH_BEYOND_S = 30.0
MIN_SAMPLES = 32
MIN_TRUTH_SHARE = 0.8  # of a span that the truth must cover
MAX_TRACE_GAP_S = 1.0
MIN_PERIODS = 2.0  # of the lowest rate: a shorter span has none to speak of


@dataclass(frozen=True, slots=True)
class Band:
    """Where a rate is searched, Hz."""

    low_hz: float
    high_hz: float


@dataclass(frozen=True, slots=True)
class Reading:
    """How a protocol reads one rate off a waveform.

    Attributes
    ----------
    band : of the filter and the search. order : of the Butterworth band-pass, which runs forwards and backwards.
    detrend : lambda of the smoothness priors; 0: only the straight line is taken away. At 30 Hz a lambda of 100 takes away
        what is slower than about 0.5 Hz, so it must never be used on breath.
    welch_beyond_s : longer waveforms are read by Welch's method in halves, others by a periodogram.
    """

    band: Band
    order: int
    detrend: float = 0.0
    welch_beyond_s: float = math.inf


Protocol = Mapping[Vital, Reading]
_WHOLE = {vital: Band(spec.low_hz, spec.high_hz) for vital, spec in RATES.items()}
_OUR_BREATH = Reading(_WHOLE[Vital.RSP], 2)
TOOLBOX, WHOLE = "rppg-toolbox", "whole"
PROTOCOLS: Mapping[str, Protocol] = {
    TOOLBOX: {Vital.BVP: Reading(Band(0.75, 2.5), 1, DETREND_LAMBDA), Vital.RSP: _OUR_BREATH},
    "mmrphys": {
        Vital.BVP: Reading(Band(0.6, 3.3), 2, 0.0, WELCH_BEYOND_S),
        Vital.RSP: Reading(Band(0.13, 0.5), 2, 0.0, WELCH_BEYOND_S),
    },
    "factorizephys": {Vital.BVP: Reading(Band(0.6, 3.3), 1, DETREND_LAMBDA), Vital.RSP: _OUR_BREATH},
    "phase-net": {Vital.BVP: Reading(Band(0.75, 2.5), 1, DETREND_LAMBDA), Vital.RSP: _OUR_BREATH},
    "physfsunet": {Vital.BVP: Reading(Band(0.75, 2.5), 2, 0.0, 0.0), Vital.RSP: _OUR_BREATH},
    WHOLE: {Vital.BVP: Reading(_WHOLE[Vital.BVP], 1, DETREND_LAMBDA), Vital.RSP: _OUR_BREATH},
}
"""How published tables were made, by name: rPPG-Toolbox (arXiv 2210.00716), MMRPhys (2505.07013), FactorizePhys (2411.01542),
PHASE-Net and physFSUNet, as far as their texts say. Those that publish no breath read it as ours: all rates that the nodes know.
A true rate outside a protocol's band cannot be found in it, however right the waveform is; "whole" has all that the nodes know.
"""


def smoothness_detrend(samples: np.ndarray, strength: float = DETREND_LAMBDA) -> np.ndarray:
    """Samples (n,), all finite, less their slow trend: smoothness priors, Tarvainen et al. 2002; lambda = strength."""
    n = len(samples)
    if n < 3:
        centred: np.ndarray = np.asarray(samples, dtype=np.float64) - np.mean(samples)
        return centred
    # Diagonals of I + lambda^2 D'D, the main one first; D is the second difference, 1 -2 1 in each of its n - 2 rows.
    rows = np.full(n - 2, strength**2)
    bands = np.zeros((3, n))
    bands[0] = 1 + np.convolve(rows, [1, 4, 1])
    bands[1, :-1] = np.convolve(rows, [-2, -2])
    bands[2, :-2] = rows
    detrended: np.ndarray = samples - linalg.solveh_banded(bands, np.asarray(samples, dtype=np.float64), lower=True)
    return detrended


def filtered(samples: np.ndarray, rate_hz: float, reading: Reading) -> np.ndarray:
    """A protocol's waveform: without its trend, then through the band-pass."""
    band = reading.band
    b, a = signal.butter(reading.order, [band.low_hz, band.high_hz], "bandpass", fs=rate_hz)
    level = smoothness_detrend(samples, reading.detrend) if reading.detrend else signal.detrend(samples)
    passed: np.ndarray = signal.filtfilt(b, a, level)
    return passed


def protocol_rate(samples: np.ndarray, rate_hz: float, vital: Vital, protocol: Protocol = PROTOCOLS[TOOLBOX]) -> float:
    """Rate per minute of a waveform (n,) as a protocol reads it: the highest bin of its spectrum in its band.

    The periodogram is as long as the next power of two, so that its bins are up to rate_hz / n apart (3.5 beats per minute
    for 10 s at 30 Hz): coarse, but it is what published tables hold. NaN for waveforms too short, flat or not finite.
    """
    samples = np.asarray(samples, dtype=np.float64)
    if len(samples) < MIN_SAMPLES or not np.isfinite(samples).all() or np.ptp(samples) == 0:
        return math.nan
    reading = protocol[vital]
    band, n = reading.band, len(samples)
    wave = filtered(samples, rate_hz, reading)
    if n > reading.welch_beyond_s * rate_hz:
        hz, power = signal.welch(wave, rate_hz, nperseg=n // 2, nfft=1 << (n - 1).bit_length())
    else:
        hz, power = signal.periodogram(wave, rate_hz, nfft=1 << (n - 1).bit_length(), detrend=False)
    inside = (hz >= band.low_hz) & (hz <= band.high_hz)
    return float(hz[inside][np.argmax(power[inside])] * 60) if inside.any() else math.nan


def true_rate(truth: Truth, vital: Vital, start_ns: int, end_ns: int) -> float:
    """True rate per minute over a span of time.

    Off the contact sensor's waveform where there is one, by the refined peak of its spectrum; else the mean of what the
    device gave. NaN where the truth does not cover most of the span, or the span is too short for the lowest rate.
    """
    spec = RATES[vital]
    wave = truth.waves.get(vital)
    if wave is not None:
        rate_hz = max(8 * spec.high_hz, 10.0)
        at_ns = np.arange(start_ns, end_ns, NS_PER_S / rate_hz).astype(np.int64)
        values = on_clock(wave, at_ns)
        if len(at_ns) < MIN_PERIODS / spec.low_hz * rate_hz or np.isfinite(values).mean() < MIN_TRUTH_SHARE:
            return math.nan
        peak = find_peak(spectrum(bridged(values), rate_hz), spec)
        return math.nan if peak is None else peak.hz * 60
    rates = truth.rates.get(vital)
    if rates is None:
        return math.nan
    inside = rates.values[(rates.stamps_ns >= start_ns) & (rates.stamps_ns <= end_ns)]
    inside = inside[np.isfinite(inside)]
    return float(inside.mean()) if len(inside) else math.nan


def on_clock(trace: Trace, at_ns: np.ndarray, max_gap_s: float = MAX_TRACE_GAP_S) -> np.ndarray:
    """A trace at other times (m,) by linear interpolation; NaN outside it and inside its gaps."""
    if not len(at_ns):
        return np.zeros(0)
    margin_ns = round(2 * max_gap_s * NS_PER_S)  # a long trace is asked for many short spans
    part = slice(*np.searchsorted(trace.stamps_ns, [at_ns[0] - margin_ns, at_ns[-1] + margin_ns]))
    known = np.isfinite(trace.values[part])
    stamps_ns, values = trace.stamps_ns[part][known], trace.values[part][known]
    if not len(stamps_ns):
        return np.full(len(at_ns), math.nan)
    since_ns = stamps_ns[0]
    found: np.ndarray = np.interp((at_ns - since_ns) / NS_PER_S, (stamps_ns - since_ns) / NS_PER_S, values)
    after = np.searchsorted(stamps_ns, at_ns)
    left, right = stamps_ns[np.maximum(after - 1, 0)], stamps_ns[np.minimum(after, len(stamps_ns) - 1)]
    outside = (at_ns < stamps_ns[0]) | (at_ns > stamps_ns[-1])
    found[outside | (right - left > max_gap_s * NS_PER_S)] = math.nan
    return found


def bridged(samples: np.ndarray) -> np.ndarray:
    """Samples (n,) with what is not finite interpolated from its neighbours; all NaN stays as it is."""
    known = np.isfinite(samples)
    if known.all() or not known.any():
        return samples
    index = np.arange(len(samples))
    filled: np.ndarray = np.interp(index, index[known], samples[known])
    return filled

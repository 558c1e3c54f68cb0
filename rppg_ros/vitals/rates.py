"""Heart and respiration rate from a stretch of waveform, each with standard deviation, SNR and quality."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from rppg_ros.types import Vital
from rppg_ros.vitals.cycles import Cycles, count_cycles
from rppg_ros.vitals.registry import RateSpec
from rppg_ros.vitals.spectrum import Peak, find_peak, spectrum


@dataclass(frozen=True, slots=True)
class Calibration:
    """Maps what was measured on a window to the chance of being right, and to the error where it is.

    quality = logistic(bias + snr * SNR_dB + lead * lead_dB + length * log2(window / usual window)
                       - split * |first half - second half| - irregular * irregularity of the cycles), lead being the peak's
    over the next best candidate.
    std = sqrt(floor^2 + (noise * 10^(-SNR_dB/20) * usual window / window)^2), per minute.
    CALIBRATION is POS's, and its thermal breath's, on made-up people (benchmarks/engine_calibration.py): coefficients from
    simulated waveforms, whose noise is only noise, promise too much. A network wants its own, which its card carries: what
    it cannot see it does not leave as noise, but smooths into something like a pulse.
    """

    bias: float
    snr: float
    lead: float
    length: float
    split: float
    std_floor: float
    std_noise: float
    irregular: float = 0.0


CALIBRATION: dict[Vital, Calibration] = {
    Vital.BVP: Calibration(1.55, 0.017, 0.269, 0.294, 0.044, 0.441, 1.138, 5.177),
    Vital.RSP: Calibration(1.121, 0.0, 0.254, 1.315, 0.0, 0.245, 1.371, 10.337),
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate and how much it can be trusted; per minute, dB, 0..1, seconds."""

    per_minute: float
    std: float
    snr_db: float
    quality: float
    window_s: float


def estimate_rate(
    samples: np.ndarray,
    rate_hz: float,
    spec: RateSpec,
    near_per_minute: float | None = None,
    calibration: Calibration | None = None,
) -> Estimate | None:
    """Read the rate off the newest waveform.

    Parameters
    ----------
    samples : (n,) evenly sampled waveform; the newest spec.window_s of it are used.
    rate_hz : samples per second.
    near_per_minute : a recent trusted rate, which decides between peaks of like size and makes neither surer.
    calibration : of the method that made the waveform; None: CALIBRATION.

    Returns
    -------
    None if there are fewer than spec.min_window_s seconds, or nothing but a flat line or non-finite samples.
    """
    samples = np.asarray(samples, dtype=np.float64)[-round(spec.window_s * rate_hz) :]
    if len(samples) < round(spec.min_window_s * rate_hz) or not np.isfinite(samples).all():
        return None
    near_hz = None if near_per_minute is None else near_per_minute / 60
    peak = find_peak(spectrum(samples, rate_hz), spec, near_hz)
    if peak is None:
        return None
    window_s = len(samples) / rate_hz
    features = features_of(samples, rate_hz, spec, peak)
    quality, std = _grade(peak, window_s, features, spec, calibration or CALIBRATION[spec.vital])
    return Estimate(features.per_minute, std, peak.snr_db, quality, window_s)


@dataclass(frozen=True, slots=True)
class Features:
    """What a window says besides its peak; per minute, and a share."""

    per_minute: float
    split: float
    irregularity: float


def features_of(samples: np.ndarray, rate_hz: float, spec: RateSpec, peak: Peak) -> Features:
    """The rate, by counting where that can be trusted, and what its quality follows from."""
    cycles = count_cycles(samples, rate_hz, spec)
    irregularity = MAX_IRREGULARITY if cycles is None else min(cycles.irregularity, MAX_IRREGULARITY)
    per_minute = peak.hz * 60
    if cycles is not None and _counts(cycles, spec):
        per_minute = cycles.per_minute
    split = min(_split(samples, rate_hz, spec), MAX_SPLIT[spec.vital])
    return Features(per_minute, split, irregularity)


def _counts(cycles: Cycles, spec: RateSpec) -> bool:
    """Whether cycles are even, many and whole enough for their number to be the rate."""
    even = min(cycles.irregularity, MAX_IRREGULARITY) < spec.counted_below
    return even and cycles.intervals >= COUNTED_FROM and cycles.longest < MISSED


def _split(samples: np.ndarray, rate_hz: float, spec: RateSpec) -> float:
    """Difference of the rates of the two halves, per minute: noise has no rate to agree on."""
    half = len(samples) // 2
    first = find_peak(spectrum(samples[:half], rate_hz), spec)
    second = find_peak(spectrum(samples[half:], rate_hz), spec)
    return math.inf if first is None or second is None else abs(first.hz - second.hz) * 60


def _grade(peak: Peak, window_s: float, seen: Features, spec: RateSpec, c: Calibration) -> tuple[float, float]:
    octaves = math.log2(window_s / spec.window_s)
    agreement = c.length * octaves - c.split * seen.split - c.irregular * seen.irregularity
    logit = c.bias + c.snr * peak.snr_db + c.lead * peak.lead_db + agreement
    noise = c.std_noise * 10 ** (-peak.snr_db / 20) * spec.window_s / window_s
    return float(expit(logit)), math.hypot(c.std_floor, noise)


MAX_SPLIT: dict[Vital, float] = {Vital.BVP: 30.0, Vital.RSP: 8.0}  # per minute; beyond it one half says nothing more
MAX_IRREGULARITY = 0.8  # as uneven as can be
MISSED = 1.7  # median intervals: a longer one hides a cycle
COUNTED_FROM = 6  # cycles: of fewer, a spectrum's peak is surer than the tops of the first and the last

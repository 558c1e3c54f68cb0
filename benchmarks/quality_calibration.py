"""Fits a quality on simulated waveforms: prints coefficients, calibration table and coverage of std. The lines that fit are
engine_calibration.py's, too.

    python benchmarks/quality_calibration.py [--windows 4000]

A window is a pulse (or breath) with a second harmonic and a wandering rate in pink and white noise and bursts, at an SNR
drawn from no signal at all to clean. Right means within 5 beats (2 breaths) per minute of the window's mean rate.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from rppg_ros.types import Vital
from rppg_ros.vitals import rates
from rppg_ros.vitals.registry import RATES, RateSpec
from rppg_ros.vitals.spectrum import find_peak, spectrum

RATE_HZ = 30.0
RIDGE = 1e-2  # on coefficients times their feature's spread: some dozen people tell only so much
RIGHT_WITHIN = {Vital.BVP: 5.0, Vital.RSP: 2.0}  # per minute
LIMITS = {Vital.BVP: (42.0, 180.0), Vital.RSP: (6.0, 40.0)}  # simulated rates, per minute
WANDER = {Vital.BVP: 0.03, Vital.RSP: 0.08}  # relative standard deviation of the instantaneous rate


def window(rng: np.random.Generator, spec: RateSpec) -> tuple[np.ndarray, float]:
    """One simulated window and its true mean rate per minute."""
    seconds = rng.uniform(spec.min_window_s, spec.window_s)
    n = round(seconds * RATE_HZ)
    mean_hz = rng.uniform(*LIMITS[spec.vital]) / 60
    slow = np.cumsum(rng.normal(size=n)) / np.sqrt(n)
    hz = mean_hz * (1 + WANDER[spec.vital] * (slow - slow.mean()))
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ + rng.uniform(0, 2 * np.pi)
    wave = np.sin(phase) + rng.uniform(0, 0.6) * np.sin(2 * phase + rng.uniform(0, 2 * np.pi))
    shape = np.fft.rfftfreq(n, 1 / RATE_HZ)
    colour = 1 / np.maximum(shape, spec.low_hz) ** rng.uniform(0, 1)
    noise = np.fft.irfft(np.fft.rfft(rng.normal(size=n)) * colour, n)
    band = (shape > spec.low_hz) & (shape < spec.noise_high_hz)
    in_band = np.fft.irfft(np.fft.rfft(noise) * band, n).std()
    gain = 0.0 if rng.random() < 0.15 else 10 ** (rng.uniform(-15, 20) / 20)
    if rng.random() < 0.3:  # a movement
        at, width = rng.uniform(0, n), rng.uniform(0.2, 1.5) * RATE_HZ
        noise += rng.uniform(1, 6) * in_band * np.exp(-(((np.arange(n) - at) / width) ** 2))
    return gain * wave / wave.std() + noise / in_band, hz.mean() * 60


def features(rng: np.random.Generator, spec: RateSpec, count: int) -> np.ndarray:
    """(count, 6): SNR and lead in dB, octaves of window, split, irregularity, error per minute."""
    rows = []
    while len(rows) < count:
        samples, truth = window(rng, spec)
        found = row(samples, RATE_HZ, spec, truth)
        if found is not None:
            rows.append(found)
    return np.array(rows)


def row(samples: np.ndarray, rate_hz: float, spec: RateSpec, truth: float) -> list[float] | None:
    """One line of `features`; None of a window without a peak."""
    peak = find_peak(spectrum(samples, rate_hz), spec)
    if peak is None:
        return None
    seen = rates.features_of(samples, rate_hz, spec, peak)
    octaves = np.log2(len(samples) / rate_hz / spec.window_s)
    return [peak.snr_db, peak.lead_db, octaves, seen.split, seen.irregularity, seen.per_minute - truth]


def fit(rows: np.ndarray, spec: RateSpec) -> rates.Calibration:
    """Logistic regression for quality, least squares on squared errors of right windows for std."""
    snr, lead, octaves, split, uneven, error = rows.T
    right = np.abs(error) <= RIGHT_WITHIN[spec.vital]

    known = np.stack([np.ones_like(snr), snr, lead, octaves, -split, -uneven], axis=1)

    spread = known[:, 1:].std(axis=0)

    def loss(w: np.ndarray) -> float:  # convex; the ridge keeps it so where nothing is ever wrong
        z = known @ w
        return np.mean(np.logaddexp(0, z) - right * z) + RIDGE * np.sum((spread * w[1:]) ** 2)

    # More SNR, a clearer lead, halves that agree and even cycles never make a rate less likely to be right; a few windows may
    # say so by chance.
    free, helps = (None, None), (0.0, None)
    w = minimize(loss, np.zeros(6), method="L-BFGS-B", bounds=(free, helps, helps, free, helps, helps)).x
    noise = 10 ** (-snr / 20) / 2**octaves

    def likelihood(v: np.ndarray) -> float:
        var = v[0] ** 2 + (v[1] * noise[right]) ** 2 + 1e-9
        return np.mean(np.log(var) + error[right] ** 2 / var)

    v = np.abs(minimize(likelihood, np.array([0.5, 0.5]), method="Nelder-Mead").x)
    found = [round(float(value), 3) for value in (*w[:5], *v, w[5])]
    return rates.Calibration(*found)


def report(rows: np.ndarray, c: rates.Calibration, spec: RateSpec) -> None:
    """Print reliability by quality bin and how often the error lies within 1 and 2 std."""
    snr, lead, octaves, split, uneven, error = rows.T
    logit = c.bias + c.snr * snr + c.lead * lead + c.length * octaves - c.split * split - c.irregular * uneven
    quality = expit(logit)
    right = np.abs(error) <= RIGHT_WITHIN[spec.vital]
    std = np.hypot(c.std_floor, c.std_noise * 10 ** (-snr / 20) / 2**octaves)
    print(f"{spec.name}: {c}")
    for low in np.arange(0, 1, 0.1):
        part = (quality >= low) & (quality < low + 0.1)
        if part.any():
            print(f"  quality {low:.1f}-{low + 0.1:.1f}: {part.sum():5d} windows, right {right[part].mean():.2f}")
    z = np.abs(error[right]) / std[right]
    print(f"  of the right ones within 1 std {np.mean(z < 1):.2f}, within 2 std {np.mean(z < 2):.2f}")


def main() -> None:
    """Fit on one half, report on the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=4000)
    count = parser.parse_args().windows
    for spec in RATES.values():
        rng = np.random.default_rng(7)
        calibration = fit(features(rng, spec, count), spec)
        report(features(rng, spec, count), calibration, spec)


if __name__ == "__main__":
    main()

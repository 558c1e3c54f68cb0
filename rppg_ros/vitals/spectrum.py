"""Spectrum of a short waveform, its fundamental, and how far that stands out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import signal

from rppg_ros.vitals.registry import RateSpec

GRID_PER_MINUTE = 0.25  # spacing of the zero-padded spectrum; the peak is then refined below it
HANN_HALF_WIDTH = 1.5  # of a Hann window's main lobe, in 1 / window length, where most of its power lies


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Power over frequency of one window: hz (m,), power (m,), window length in seconds."""

    hz: np.ndarray
    power: np.ndarray
    window_s: float

    def at(self, hz: float) -> float:
        """Power at one frequency, interpolated; 0 outside."""
        return float(np.interp(hz, self.hz, self.power, left=0.0, right=0.0))


@dataclass(frozen=True, slots=True)
class Peak:
    """The fundamental: frequency in Hz, and signal to noise ratio in dB."""

    hz: float
    snr_db: float


def spectrum(samples: np.ndarray, rate_hz: float) -> Spectrum:
    """Hann-windowed, linearly detrended, zero-padded periodogram of (n,) samples."""
    n = len(samples)
    size = 1 << math.ceil(math.log2(max(n, 60.0 * rate_hz / GRID_PER_MINUTE)))
    tapered = signal.detrend(np.asarray(samples, dtype=np.float64)) * np.hanning(n)
    return Spectrum(np.fft.rfftfreq(size, 1 / rate_hz), np.abs(np.fft.rfft(tapered, size)) ** 2, n / rate_hz)


def find_peak(spec: Spectrum, rate: RateSpec) -> Peak | None:
    """The fundamental in the rate's band, None for a flat or non-finite waveform.

    A frequency scores its own power and, up to that much again, its second harmonic's, so that a pulse with a strong second
    harmonic is not read at twice its rate.
    """
    band = (spec.hz >= rate.low_hz) & (spec.hz <= min(rate.high_hz, spec.hz[-1]))
    hz, power = spec.hz[band], spec.power[band]
    if not len(hz) or not np.isfinite(power).all() or power.max() <= 0:
        return None
    score = power + np.minimum(power, np.interp(2 * hz, spec.hz, spec.power, right=0.0)) / 2
    frequency = _refine(hz, power, _local_maximum(score, power))
    return Peak(frequency, snr_db(spec, rate, frequency))


def _half_width(spec: Spectrum, rate: RateSpec) -> float:
    """Half the width of a harmonic, Hz: what the body varies plus what the window blurs."""
    return rate.peak_half_width_hz + HANN_HALF_WIDTH / spec.window_s


def _local_maximum(score: np.ndarray, power: np.ndarray) -> int:
    """Best-scoring local maximum of the power; the edge of the band only where there is no other."""
    inner = np.flatnonzero((power[1:-1] >= power[:-2]) & (power[1:-1] >= power[2:])) + 1
    return int(inner[np.argmax(score[inner])]) if len(inner) else int(np.argmax(power))


def _refine(hz: np.ndarray, power: np.ndarray, index: int) -> float:
    if index in (0, len(hz) - 1):
        return float(hz[index])
    left, mid, right = np.log(np.maximum(power[index - 1 : index + 2], 1e-300))
    bend = left - 2 * mid + right
    return float(hz[index] + (0.0 if bend == 0 else (left - right) / (2 * bend)) * (hz[1] - hz[0]))


def snr_db(spec: Spectrum, rate: RateSpec, hz: float) -> float:
    """Power at a rate and its harmonics over the rest of the band, dB (de Haan and Jeanne 2013, widths for short windows)."""
    half = _half_width(spec, rate)
    band = (spec.hz >= rate.low_hz) & (spec.hz <= rate.noise_high_hz)
    near = np.zeros_like(band)
    for harmonic in range(1, rate.harmonics + 1):
        near |= np.abs(spec.hz - harmonic * hz) <= half
    inside, outside = float(spec.power[band & near].sum()), float(spec.power[band & ~near].sum())
    # A noise-free sine leaves only window side lobes outside; 60 dB caps what is beyond any camera.
    return float(np.clip(10 * np.log10(max(inside, 1e-300) / max(outside, 1e-300)), -60.0, 60.0))

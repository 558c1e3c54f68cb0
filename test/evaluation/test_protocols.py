"""rPPG-Toolbox's rates, and true rates over any span."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from rppg_ros.datasets.base import Trace, Truth
from rppg_ros.evaluation.protocols import (
    PROTOCOLS,
    WHOLE,
    bridged,
    on_clock,
    protocol_rate,
    smoothness_detrend,
    true_rate,
)
from rppg_ros.types import NS_PER_S, Vital


def wave(per_minute, seconds, rate_hz=30.0, phase=0.0):
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.sin(2 * np.pi * per_minute / 60 * t + phase)


def trace(per_minute, seconds, rate_hz=60.0, start_ns=0):
    samples = wave(per_minute, seconds, rate_hz)
    return Trace(start_ns + np.round(np.arange(len(samples)) * (NS_PER_S / rate_hz)).astype(np.int64), samples)


@given(n=st.integers(3, 80), seed=st.integers(0, 2**31))
def test_detrending_is_the_published_matrix(n, seed):
    x = np.random.default_rng(seed).normal(0, 1, n).cumsum()
    bend = np.zeros((n - 2, n))
    for i in range(n - 2):
        bend[i, i : i + 3] = (1, -2, 1)
    expected = (np.eye(n) - np.linalg.inv(np.eye(n) + 100.0**2 * bend.T @ bend)) @ x
    np.testing.assert_allclose(smoothness_detrend(x), expected, atol=1e-6 * (1 + np.abs(x).max()))


@pytest.mark.parametrize(("vital", "per_minute"), [(Vital.BVP, 50), (Vital.BVP, 97), (Vital.BVP, 145), (Vital.RSP, 14)])
def test_the_toolboxs_rate_is_the_nearest_bin(vital, per_minute):
    samples = wave(per_minute, 60)
    bin_per_minute = 60 * 30.0 / 2048
    assert abs(protocol_rate(samples, 30.0, vital) - per_minute) <= bin_per_minute


def test_the_toolboxs_rate_step_by_step():
    """The same steps written out with scipy alone."""
    samples = wave(71, 20) + 0.3 * np.random.default_rng(0).normal(size=600) + np.linspace(0, 5, 600)
    b, a = signal.butter(1, [0.75 / 15, 2.5 / 15], "bandpass")
    filtered = signal.filtfilt(b, a, smoothness_detrend(samples))
    hz, power = signal.periodogram(filtered, 30.0, nfft=1024, detrend=False)
    inside = (hz >= 0.75) & (hz <= 2.5)
    assert protocol_rate(samples, 30.0, Vital.BVP) == hz[inside][power[inside].argmax()] * 60


@pytest.mark.parametrize(("vital", "per_minute"), [(Vital.BVP, 42), (Vital.BVP, 175)])
def test_what_lies_outside_the_toolboxs_band_is_found_in_the_whole_one(vital, per_minute):
    samples = wave(per_minute, 60)
    bin_per_minute = 60 * 30.0 / 2048
    assert abs(protocol_rate(samples, 30.0, vital) - per_minute) > 2
    assert abs(protocol_rate(samples, 30.0, vital, PROTOCOLS[WHOLE]) - per_minute) <= bin_per_minute


@pytest.mark.parametrize("samples", [np.zeros(300), np.zeros(5), np.full(300, math.nan), np.zeros(0)])
def test_no_waveform_no_rate(samples):
    assert math.isnan(protocol_rate(samples, 30.0, Vital.BVP))


@given(bpm=st.floats(45, 170), start=st.floats(0, 15))
def test_true_rate_of_a_wave_over_any_span(bpm, start):
    truth = Truth({Vital.BVP: trace(bpm, 30)})
    found = true_rate(truth, Vital.BVP, round(start * NS_PER_S), round((start + 12) * NS_PER_S))
    assert found == pytest.approx(bpm, abs=0.7)


def test_true_rate_of_a_wave_that_is_missing_or_too_short():
    truth = Truth({Vital.BVP: trace(70, 10), Vital.RSP: trace(15, 60)})
    assert math.isnan(true_rate(truth, Vital.BVP, 8 * NS_PER_S, 20 * NS_PER_S))
    assert math.isnan(true_rate(truth, Vital.BVP, 0, NS_PER_S))
    assert true_rate(truth, Vital.RSP, 0, 45 * NS_PER_S) == pytest.approx(15, abs=0.5)
    assert math.isnan(true_rate(truth, Vital.RSP, 0, 10 * NS_PER_S))
    assert math.isnan(true_rate(Truth(), Vital.BVP, 0, 10 * NS_PER_S))


def test_device_rates_are_averaged():
    truth = Truth({}, {Vital.BVP: Trace(np.arange(5) * NS_PER_S, [60, 62, 64, math.nan, 90])})
    assert true_rate(truth, Vital.BVP, 0, 3 * NS_PER_S) == 62
    assert math.isnan(true_rate(truth, Vital.BVP, 9 * NS_PER_S, 10 * NS_PER_S))


def test_on_clock_leaves_gaps():
    found = on_clock(Trace(np.array([0, 1, 2, 9, 10]) * NS_PER_S // 2, np.arange(5.0)), np.arange(-1, 7) * NS_PER_S)
    np.testing.assert_array_equal(found, [math.nan, 0, 2, math.nan, math.nan, math.nan, 4, math.nan])
    assert np.isnan(on_clock(Trace([0, 1], [math.nan, math.nan]), np.array([0]))).all()


def test_bridging():
    np.testing.assert_array_equal(bridged(np.array([math.nan, 1, math.nan, 3])), [1, 1, 2, 3])
    assert np.isnan(bridged(np.full(3, math.nan))).all()


@given(seed=st.integers(0, 2**31), start=st.floats(-5, 25), length=st.floats(0.1, 8))
def test_a_short_span_of_a_long_trace_is_the_same_as_of_all(seed, start, length):
    rng = np.random.default_rng(seed)
    stamps = np.cumsum(rng.choice([20, 40, 900, 1500], 120, p=[0.45, 0.45, 0.05, 0.05])) * 1_000_000
    values = np.where(rng.uniform(size=120) < 0.05, math.nan, rng.normal(size=120))
    every = np.arange(-6, 40, 0.05) * NS_PER_S
    inside = (every >= start * NS_PER_S) & (every <= (start + length) * NS_PER_S)
    every = every.astype(np.int64)
    if inside.any():
        whole, part = on_clock(Trace(stamps, values), every), on_clock(Trace(stamps, values), every[inside])
        np.testing.assert_allclose(part, whole[inside], rtol=0, atol=1e-9)


def breath(per_minute, seconds, rate_hz=30.0, inspiration=0.4, drift=0.0):
    """As people breathe: inspiration, then passive expiration; spirometers and belts drift."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    phase = (t * per_minute / 60) % 1
    wave = np.where(
        phase < inspiration,
        0.5 - 0.5 * np.cos(np.pi * phase / inspiration),
        np.exp(-(phase - inspiration) / (0.55 * inspiration)),
    )
    return wave + drift * t / seconds


@pytest.mark.parametrize("rate_hz", [10.0, 30.0, 60.0])
@pytest.mark.parametrize("inspiration", [0.25, 0.4, 0.5])
@pytest.mark.parametrize("per_minute", [6, 8, 10, 12, 15, 18, 22, 28, 32, 36, 44])
def test_breath_as_people_breathe(per_minute, inspiration, rate_hz):
    for drift in (0.0, 2.0):
        found = protocol_rate(breath(per_minute, 60, rate_hz, inspiration, drift), rate_hz, Vital.RSP)
        assert abs(found - per_minute) <= 1.0


@pytest.mark.parametrize("per_minute", [6, 12, 18, 30, 44])
def test_true_breath_as_people_breathe(per_minute):
    samples = breath(per_minute, 60)
    at_ns = np.round(np.arange(len(samples)) * (NS_PER_S / 30)).astype(np.int64)
    found = true_rate(Truth({Vital.RSP: Trace(at_ns, samples)}), Vital.RSP, 0, 60 * NS_PER_S)
    assert found == pytest.approx(per_minute, abs=1.0)


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
@pytest.mark.parametrize(("bpm", "breaths"), [(52, 10), (84, 15), (140, 28)])
def test_every_protocol_reads_what_lies_in_its_band(name, bpm, breaths):
    rng = np.random.default_rng(0)
    t = np.arange(60 * 30) / 30.0
    beat = np.exp(-(((t * bpm / 60) % 1 - 0.3) ** 2) / 0.01) + 0.4 * np.exp(-(((t * bpm / 60) % 1 - 0.6) ** 2) / 0.02)
    pulse = beat + 0.3 * np.sin(2 * np.pi * 0.2 * t) + 0.1 * rng.normal(size=len(t))
    assert protocol_rate(pulse, 30.0, Vital.BVP, PROTOCOLS[name]) == pytest.approx(bpm, abs=2)
    assert protocol_rate(breath(breaths, 60), 30.0, Vital.RSP, PROTOCOLS[name]) == pytest.approx(breaths, abs=1.5)


def test_mmrphyss_rate_step_by_step():
    """Band-pass of order 2, no detrending; a periodogram up to 30 s, halves by Welch's method beyond."""
    for seconds in (20, 40):
        samples = breath(14, seconds) + 0.2 * np.random.default_rng(1).normal(size=seconds * 30)
        b, a = signal.butter(2, [0.13 / 15, 0.5 / 15], "bandpass")
        passed = signal.filtfilt(b, a, signal.detrend(samples))
        n, size = len(passed), 1 << (len(passed) - 1).bit_length()
        if seconds > 30:
            hz, power = signal.welch(passed, 30.0, nperseg=n // 2, nfft=size)
        else:
            hz, power = signal.periodogram(passed, 30.0, nfft=size, detrend=False)
        inside = (hz >= 0.13) & (hz <= 0.5)
        found = protocol_rate(samples, 30.0, Vital.RSP, PROTOCOLS["mmrphys"])
        assert found == hz[inside][power[inside].argmax()] * 60


def test_the_settings_name_every_protocol():
    from rppg_ros.settings.evaluation import PROTOCOLS as NAMES

    assert set(NAMES) == set(PROTOCOLS)

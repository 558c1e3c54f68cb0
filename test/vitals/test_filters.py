"""Filters against what defines them: pass band, edges, no shift, padding."""

import numpy as np
import pytest
from scipy import signal

from rppg_ros.vitals.filters import bandpass, standardise

T = np.arange(0, 30, 1 / 30)


def gain_at(hz, rate_hz=30.0, band=(0.7, 3.0), **options):
    """Amplitude with which a long sine comes out, from its middle."""
    t = np.arange(0, 120, 1 / rate_hz)
    phase = 2 * np.pi * hz * t
    out = bandpass(np.sin(phase), rate_hz, *band, **options)
    inner = slice(len(t) // 3, 2 * len(t) // 3)
    basis = np.stack([np.sin(phase[inner]), np.cos(phase[inner])], axis=1)
    (in_phase, shifted), *_ = np.linalg.lstsq(basis, out[inner], rcond=None)
    assert abs(shifted) < 0.01, "nothing shifts"
    return in_phase


def test_band_passes_without_shift_and_stops_the_rest():
    wanted = np.sin(2 * np.pi * 1.3 * T)
    out = bandpass(wanted + 5 + 0.3 * T + np.sin(2 * np.pi * 9 * T), 30.0, 0.7, 3.0)
    assert np.corrcoef(out[60:-60], wanted[60:-60])[0, 1] > 0.99


@pytest.mark.parametrize("rate_hz", [15.0, 30.0])
def test_forwards_and_backwards_half_is_left_at_both_edges(rate_hz):
    """-3 dB each way; one at the middle; and 24 dB per octave beyond, for the usual order of 2."""
    assert gain_at(0.7, rate_hz) == pytest.approx(0.5, abs=0.01) and gain_at(3.0, rate_hz) == pytest.approx(
        0.5, abs=0.01
    )
    assert gain_at(1.4, rate_hz) == pytest.approx(1, abs=0.02)
    assert gain_at(0.1, rate_hz) < 2e-3 and gain_at(7.0, rate_hz) < 0.05


def test_a_higher_order_is_steeper():
    assert gain_at(5.0, order=4) < 0.3 * gain_at(5.0) and gain_at(3.0, order=4) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("high", [2.5, 4.0])
def test_an_upper_edge_at_or_above_half_the_rate_is_left_open(high):
    assert gain_at(2.3, 5.0, (0.7, high)) == pytest.approx(1, abs=0.01)
    assert gain_at(0.7, 5.0, (0.7, high)) == pytest.approx(0.5, abs=0.01)


def test_columns_are_filtered_one_by_one():
    columns = np.random.default_rng(0).normal(0, 1, (200, 3, 2))
    out = bandpass(columns, 30.0, 0.7, 3.0)
    for i in range(3):
        np.testing.assert_allclose(out[:, i, 1], bandpass(columns[:, i, 1], 30.0, 0.7, 3.0))


@pytest.mark.parametrize(("n", "pad"), [(300, 42), (43, 42), (42, 41), (10, 9), (2, 1)])
def test_ends_are_padded_with_a_period_of_the_lower_edge(n, pad):
    """30 / 0.7 = 42 samples, or all there are but one: the signal turned about its end points, filtered, cut."""
    wave = np.random.default_rng(n).normal(0, 1, n)
    left, right = 2 * wave[0] - wave[pad:0:-1], 2 * wave[-1] - wave[-2 : -2 - pad : -1]
    sections = signal.butter(2, (0.7, 3.0), "bandpass", fs=30.0, output="sos")
    longer = np.concatenate([left, wave, right])
    expected = signal.sosfiltfilt(sections, longer, padlen=0)[pad : pad + n]
    np.testing.assert_allclose(bandpass(wave, 30.0, 0.7, 3.0), expected, atol=1e-9)


def test_whole_numbers_are_taken():
    wave = np.round(100 * np.sin(T)).astype(np.int16)
    np.testing.assert_allclose(bandpass(list(wave), 30, 0.7, 3), bandpass(wave.astype(float), 30.0, 0.7, 3.0))


@pytest.mark.parametrize("band", [(0, 1), (-1, 1), (1, 1), (2, 1), (15, 30), (20, 30)])
def test_impossible_bands_are_refused(band):
    with pytest.raises(ValueError, match="band"):
        bandpass(T, 30.0, *band)


def test_tiny_inputs_give_zeros():
    assert bandpass(np.ones(1), 30.0, 0.7, 3.0).tolist() == [0.0]
    assert bandpass(np.ones((1, 2)), 30.0, 0.7, 3.0).tolist() == [[0.0, 0.0]]
    assert bandpass(np.zeros(0), 30.0, 0.7, 3.0).shape == (0,)
    assert bandpass(np.ones(1, np.int16), 30.0, 0.7, 3.0).dtype == standardise(np.ones(9, np.int16)).dtype == np.float64


@pytest.mark.parametrize(("size", "offset"), [(1e-6, 0), (1, 100), (1e6, -3)])
def test_standardised_is_zero_mean_and_unit_variance(size, offset):
    wave = size * np.random.default_rng(1).normal(0, 1, 500) + offset
    out = standardise(wave)
    assert out.mean() == pytest.approx(0, abs=1e-9) and out.std() == pytest.approx(1)
    assert np.corrcoef(out, wave)[0, 1] == pytest.approx(1)
    assert standardise([1, 3]).tolist() == [-1.0, 1.0]


def test_flat_but_for_rounding_is_zero():
    assert not standardise(np.full(9, 1e6)).any() and not standardise(np.zeros(9)).any()
    nearly = np.full(100, 1e6)
    nearly[50:] = np.nextafter(1e6, 2e6)
    assert not standardise(nearly).any()
    assert not standardise(1e-13 * np.sin(T)).any(), "nothing that small is a signal"
    assert standardise(2.1e-12 * np.sin(T)).any(), "a deviation of 1.5e-12"

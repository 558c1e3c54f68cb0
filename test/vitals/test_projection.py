"""POS and CHROM: against their papers, and on skin whose blood is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros.vitals.filters import bandpass
from rppg_ros.vitals.projection import chrom, pos, window_length

ABSORBS = np.array([0.33, 0.77, 0.53])  # pulse strength per channel: green > blue > red


def skin(rate_hz, seconds=20.0, hz=1.1, motion=0.0):
    """Skin colour over time, and the blood volume that modulates it; motion scales all channels alike."""
    t = np.arange(0, seconds, 1 / rate_hz)
    blood = np.sin(2 * np.pi * hz * t)
    light = 1 + motion * np.sin(2 * np.pi * 0.7 * t)
    return np.array([180, 130, 110]) * light[:, None] * (1 - 0.01 * blood[:, None] * ABSORBS), blood


@pytest.mark.parametrize("method", [pos, chrom])
@pytest.mark.parametrize("rate_hz", [15.0, 25.0, 30.0, 60.0])
def test_waveform_rises_with_blood_volume(method, rate_hz):
    rgb, blood = skin(rate_hz)
    wave, count = method(rgb, rate_hz)
    inner = slice(2 * window_length(rate_hz), -2 * window_length(rate_hz))
    assert np.corrcoef(wave[inner], blood[inner])[0, 1] > 0.9
    assert count[inner].min() > 0


@pytest.mark.parametrize("method", [pos, chrom])
def test_brightness_changes_cancel(method):
    rgb, blood = skin(30.0, motion=0.05)
    wave, _ = method(rgb, 30.0)
    inner = slice(96, -96)
    assert np.corrcoef(wave[inner], blood[inner])[0, 1] > 0.75


@given(st.integers(20, 80), st.floats(0.1, 10))
@settings(max_examples=20)
def test_pos_in_blocks_equals_pos_at_once(block, gain):
    rgb, _ = skin(30.0, seconds=12)
    rgb = rgb * gain + np.random.default_rng(0).normal(0, 0.05, rgb.shape)
    whole, weights = pos(rgb, 30.0)
    length = window_length(30.0)
    total, count = np.zeros(len(rgb)), np.zeros(len(rgb))
    for first in range(0, len(rgb) - length + 1, block):  # windows first .. first+block-1
        part = slice(first, min(first + block + length - 1, len(rgb)))
        wave, weight = pos(rgb[part], 30.0)
        total[part] += wave * weight
        count[part] += weight
    np.testing.assert_array_equal(count, weights)
    np.testing.assert_allclose(total / count, whole, atol=1e-12)


@pytest.mark.parametrize("method", [pos, chrom])
def test_short_dark_and_wrong_input(method):
    wave, count = method(np.ones((10, 3)), 30.0)
    assert not wave.any() and not count.any()
    wave, _ = method(np.zeros((100, 3)), 30.0)
    assert np.isfinite(wave).all()
    with pytest.raises(ValueError, match="n, 3"):
        method(np.ones((10, 4)), 30.0)


def pos_by_the_paper(rgb, length):
    """Wang et al. 2017, algorithm 1, line by line, with blood up; the mean of overlapping windows in place of their sum."""
    sums, counts = np.zeros(len(rgb)), np.zeros(len(rgb))
    for n in range(length, len(rgb) + 1):
        window = rgb[n - length : n]
        c = window / window.mean(axis=0)
        s1, s2 = c[:, 1] - c[:, 2], c[:, 1] + c[:, 2] - 2 * c[:, 0]
        h = s1 + s1.std() / s2.std() * s2
        sums[n - length : n] -= h - h.mean()
        counts[n - length : n] += 1
    return sums / np.maximum(counts, 1), counts


def chrom_by_the_paper(rgb, rate_hz, length):
    """de Haan and Jeanne 2013, section III: x and y of standardised skin, filtered, their difference in Hann windows that
    overlap by half."""
    sums, weights = np.zeros(len(rgb)), np.zeros(len(rgb))
    for start in range(0, len(rgb) - length + 1, length // 2):
        r, g, b = (rgb[start : start + length] / rgb[start : start + length].mean(axis=0)).T
        x = bandpass(3 * r - 2 * g, rate_hz, 0.66, 4.0)
        y = bandpass(1.5 * r + g - 1.5 * b, rate_hz, 0.66, 4.0)
        s = x - x.std() / y.std() * y
        hann = np.sin(np.pi * np.arange(length) / length) ** 2
        sums[start : start + length] += hann * (s - s.mean())
        weights[start : start + length] += hann
    out = np.zeros(len(rgb))
    out[weights > 1e-9] = sums[weights > 1e-9] / weights[weights > 1e-9]
    return out, weights


@pytest.mark.parametrize(("rate_hz", "length"), [(15.0, 24), (30.0, 48), (26.0, 42), (24.5, 39)])
@pytest.mark.parametrize("n", [100, 101])
def test_they_are_the_papers(rate_hz, length, n):
    assert window_length(rate_hz) == length
    rgb = skin(rate_hz, hz=1.3)[0][:n] + np.random.default_rng(n).normal(0, 0.3, (n, 3))
    for found, expected in (
        (pos(rgb, rate_hz), pos_by_the_paper(rgb, length)),
        (chrom(rgb, rate_hz), chrom_by_the_paper(rgb, rate_hz, length // 2 * 2)),
    ):
        np.testing.assert_allclose(found[1], expected[1], atol=1e-12)
        np.testing.assert_allclose(found[0], expected[0], atol=1e-12)


@pytest.mark.parametrize("method", [pos, chrom])
def test_one_window_is_the_least(method):
    rgb = skin(30.0)[0]
    assert method(rgb[:48], 30.0)[1].any() and not method(rgb[:47], 30.0)[1].any()
    assert not method(rgb[:47], 30.0)[0].any()
    assert window_length(0.1) == 2, "a window of one sample has no direction"


@pytest.mark.parametrize("method", [pos, chrom])
def test_the_scale_of_the_camera_does_not_matter(method):
    rgb = skin(30.0, motion=0.02)[0]
    np.testing.assert_allclose(method(rgb * 1e-3, 30.0)[0], method(rgb, 30.0)[0], atol=1e-9)
    np.testing.assert_allclose(method(rgb * [1, 2, 3], 30.0)[0], method(rgb, 30.0)[0], atol=1e-9)


@pytest.mark.parametrize("method", [pos, chrom])
@pytest.mark.parametrize("shape", [(10,), (10, 4), (10, 3, 1), (3, 10)])
def test_anything_but_three_colours_is_refused(method, shape):
    with pytest.raises(ValueError, match="n, 3"):
        method(np.ones(shape), 30.0)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rppg_ros.sync.resample import grid_ns, resample

S = 1_000_000_000


def test_grid_does_not_drift():
    grid = grid_ns(5, 30.0, 0, 30 * 3600 + 1)
    assert grid[-1] == 5 + 3600 * S
    assert np.array_equal(grid_ns(5, 30.0, 90, 10), grid[90:100])


@given(hnp.arrays(np.int64, 20, elements=st.integers(1, 200_000_000)), st.sampled_from([9.0, 25.0, 30.0]))
def test_a_straight_line_stays_one(steps, rate):
    stamps = np.cumsum(steps)
    grid = grid_ns(int(stamps[0]), rate, 0, 1 + int((stamps[-1] - stamps[0]) / S * rate))
    line = np.stack([stamps / S, 3 - 2 * stamps / S], axis=1)
    out = resample(stamps, line, grid)
    inner = slice(1, -1)  # a cell at the very end is cut, so its mean belongs to its own centre
    np.testing.assert_allclose(out[inner, 0], grid[inner] / S, atol=2e-6)
    np.testing.assert_allclose(out[inner, 1], 3 - 2 * grid[inner] / S, atol=5e-6)


def test_a_sine_survives_jitter_and_another_rate():
    rng = np.random.default_rng(0)
    stamps = np.sort((np.arange(0, 20, 1 / 25) + rng.normal(0, 0.004, 500)) * S).astype(np.int64)
    grid = grid_ns(int(stamps[0]), 30.0, 3, 550)
    out = resample(stamps, np.sin(2 * np.pi * 1.2 * stamps / S), grid)
    assert np.abs(out - np.sin(2 * np.pi * 1.2 * grid / S)).max() < 0.02


def test_a_faster_camera_lowers_the_noise():
    rng = np.random.default_rng(1)
    stamps = (np.arange(0, 10, 1 / 120) * S).astype(np.int64)
    out = resample(stamps, rng.normal(0, 1, len(stamps)), grid_ns(0, 30.0, 1, 290))
    assert out.std() < 0.55


def test_outside_the_nearest_value_is_held_and_images_keep_their_shape():
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[1] = 200
    out = resample(np.array([10, 20]), images, np.array([0, 15, 40]))
    assert out.shape == (3, 4, 4, 3) and out.dtype == np.float32
    assert out[0].max() == 0 and out[1].min() == 100 and out[2].min() == 200
    assert resample(np.array([10]), images[1:], np.array([0, 15])).min() == 200


def test_bad_input():
    with pytest.raises(ValueError, match="rise"):
        resample(np.array([1, 1]), np.zeros(2), np.array([1]))
    with pytest.raises(ValueError, match="one stamp"):
        resample(np.array([], dtype=np.int64), np.zeros(0), np.array([1]))

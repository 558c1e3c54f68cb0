"""The clock and what is put on it, against closed forms and a brute-force integral."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rppg_ros.sync.resample import grid_ns, resample

S = 1_000_000_000
MS = 1_000_000


def test_grid_does_not_drift():
    grid = grid_ns(5, 30.0, 0, 30 * 3600 + 1)
    assert grid.dtype == np.int64 and grid[0] == 5 and grid[-1] == 5 + 3600 * S
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


@given(st.integers(1, 6), st.integers(0, 9), st.integers(0, 3), st.integers(2, 12))
def test_slow_sources_are_interpolated(count, seed, dims, points):
    """numpy's own linear interpolation, on every component; the nearest value outside."""
    rng = np.random.default_rng(seed)
    stamps = np.cumsum(rng.integers(90, 200, count)) * MS + 10 * S
    values = rng.normal(0, 1, (count, 2, 3)[: dims + 1] if dims < 3 else (count, 2, 3, 2))
    at = grid_ns(10 * S, 11.0, 0, points)  # 90.9 ms
    out = resample(stamps, values, at)
    expected = np.apply_along_axis(lambda v: np.interp(at, stamps, v), 0, values)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, expected, atol=1e-5)


@given(st.integers(0, 9), st.sampled_from([(), (2,), (2, 3)]), st.integers(0, 400))
def test_a_fast_source_gives_the_mean_over_each_cell(seed, shape, offset_ms):
    """By a sum over a fine grid: the mean of the interpolant from half a period before a point to half a period after."""
    rng = np.random.default_rng(seed)
    stamps = np.cumsum(rng.integers(6, 18, 120)) * MS + 10 * S
    values = rng.normal(0, 1, (120, *shape))
    at = stamps[0] + (offset_ms + 40 * np.arange(15)) * MS
    fine = (np.arange(4000) + 0.5) / 4000 - 0.5
    expected = []
    for point in at:
        times = point + fine * 40 * MS
        times = times[(times >= stamps[0]) & (times <= stamps[-1])]
        expected.append(np.apply_along_axis(lambda v, t=times: np.interp(t, stamps, v).mean(), 0, values))
    np.testing.assert_allclose(resample(stamps, values, at), expected, atol=3e-3)


def test_a_fast_source_ends_with_its_nearest_value():
    stamps = 10 * S + np.arange(21) * 10 * MS
    at = 10 * S + np.array([-200, -100, 0, 100, 200, 300, 400]) * MS
    out = resample(stamps, np.arange(21.0), at)
    # Cells of 100 ms: whole at 100, cut in half at 0 and 200, outside elsewhere.
    np.testing.assert_allclose(out, [0, 0, 2.5, 10, 17.5, 20, 20], atol=1e-6)
    images = np.arange(21.0)[:, None, None] + np.zeros((2, 2))
    np.testing.assert_allclose(resample(stamps, images, at)[:, 1, 0], out)


@pytest.mark.parametrize(("period_ms", "averaged"), [(19, True), (20, False), (30, False), (10, True)])
def test_a_source_is_fast_from_one_and_a_half_frames_in_a_cell(period_ms, averaged):
    """30 ms cells. A comb of one value of 1 in a hundred: interpolation at it keeps the 1, a mean does not."""
    stamps = 10 * S + np.arange(100) * period_ms * MS
    values = np.zeros(100)
    values[30] = 1
    at = stamps[30] + np.arange(-10, 11) * 30 * MS
    assert (resample(stamps, values, at)[10] < 0.99) == averaged


@pytest.mark.parametrize(("points", "frames", "averaged"), [(2, 3, True), (3, 3, True), (1, 3, False), (2, 2, False)])
def test_the_fewest_points_and_frames_to_tell_speeds(points, frames, averaged):
    stamps = 10 * S + np.arange(frames) * 10 * MS
    values = np.array([0.0, 4.0, 0.0])[:frames]
    at = stamps[1] + np.arange(points) * 100 * MS
    assert resample(stamps, values, at)[0] == pytest.approx(2.0 if averaged else 4.0)


def test_a_long_hole_does_not_make_a_source_slow():
    """The median step counts, not the mean."""
    stamps = 10 * S + np.concatenate([np.arange(30) * 10, 2000 + np.arange(30) * 10]) * MS
    values = np.tile([0.0, 1.0], 30)
    assert resample(stamps, values, stamps[10] + np.array([0, 40, 80]) * MS) == pytest.approx([0.5] * 3, abs=0.01)


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


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_outside_the_nearest_value_is_held_and_images_keep_their_shape(dtype):
    images = np.zeros((2, 4, 4, 3), dtype)
    images[0] = 200
    out = resample(np.array([10, 20]), images, np.array([0, 15, 40]))
    assert out.shape == (3, 4, 4, 3) and out.dtype == np.float32
    assert out[0].min() == 200 and out[1].min() == out[1].max() == 100 and out[2].max() == 0
    assert resample(np.array([10]), images[:1], np.array([0, 15])).min() == 200


def test_small_unsigned_values_do_not_wrap_in_a_mean():
    values = np.tile(np.array([250, 10], np.uint8), 50)
    out = resample(np.arange(100) * 10 * MS, values, np.arange(3, 12) * 80 * MS)
    assert out == pytest.approx([130.0] * 9) and out.dtype == np.float32


def test_lists_are_taken():
    assert resample([10, 20], np.array([1.0, 2.0]), [15]).tolist() == [1.5]


@pytest.mark.parametrize(
    ("stamps", "values", "why"),
    [
        ([1, 1], 2, "rise"),
        ([2, 1], 2, "rise"),
        ([], 0, "one stamp"),
        ([1, 2], 3, "one stamp"),
        ([1, 2], 1, "one stamp"),
    ],
)
def test_bad_input(stamps, values, why):
    with pytest.raises(ValueError, match=why):
        resample(np.array(stamps, dtype=np.int64), np.zeros(values), np.array([1]))

"""A running gain against its closed form, whatever the chunks."""

import numpy as np
import pytest

from rppg_ros.vitals.gain import TIME_CONSTANTS, RunningGain

RATE_HZ, SLOWEST_S = 10.0, 1.5
MEMORY = TIME_CONSTANTS * SLOWEST_S * RATE_HZ  # samples


def square(n, size):
    """A wave whose every sample has the same square."""
    return size * np.where(np.arange(n) % 2, 1.0, -1.0)


def make():
    return RunningGain(RATE_HZ, SLOWEST_S)


@pytest.mark.parametrize("size", [1e-4, 1.0, 300.0])
@pytest.mark.parametrize("chunks", [[40], [1, 39], [7, 1, 32, 100]])
def test_a_steady_wave_leaves_with_unit_size_from_the_first_sample(size, chunks):
    gain = make()
    for n in chunks:
        out = gain.apply(square(n, size))
        assert out.dtype == np.float32 and np.abs(out) == pytest.approx(np.ones(n), rel=1e-5)


def test_the_sign_is_kept():
    assert make().apply([3.0, -3.0]).tolist() == [1.0, -1.0]


def test_at_first_it_is_the_mean_of_all():
    """Chunks of 1, 2, 3 and 4: mean square after them 1, 2.5, 14/3, 7.5; the gain moves straight from one to the next."""
    gain, squares = make(), [1.0, 2.5, 14 / 3, 7.5]
    for i, n in enumerate((1, 2, 3, 4)):
        out = gain.apply(square(10, float(n)))
        before, after = squares[max(i - 1, 0)] ** -0.5, squares[i] ** -0.5
        np.testing.assert_allclose(np.abs(out), n * np.linspace(before, after, 10), rtol=1e-5)


@pytest.mark.parametrize("chunk", [2, 5, 30])
def test_later_it_forgets_exponentially(chunk):
    """After 10 memory lengths of size 1 and half of one of size 3: mean square 9 - 8 exp(-1/2), for any chunks."""
    gain = make()
    for _ in range(round(10 * MEMORY) // chunk):
        gain.apply(square(chunk, 1.0))
    for _ in range(round(MEMORY / 2) // chunk):
        last = gain.apply(square(chunk, 3.0))
    assert abs(last[-1]) == pytest.approx(3 / np.sqrt(9 - 8 * np.exp(-0.5)), rel=0.001)


def test_silence_first_is_no_end():
    gain = make()
    assert gain.apply(np.zeros(10)).tolist() == [0.0] * 10
    out = gain.apply(square(10, 2.0))
    assert np.abs(out) == pytest.approx(np.full(10, np.sqrt(2)), rel=1e-5), "root mean square of all 20 is sqrt(2)"

"""One-Euro filter against the paper's equations and its own promises."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.vision.smooth import OneEuro

VALUES = np.random.default_rng(0).normal(0, 3, (30, 2))


def run(values, step_s=0.05, scale=1.0, filtered=None):
    filtered = filtered or OneEuro(0.5, 2.0 / scale)
    return np.array([filtered.push(scale * value, step_s) for value in values]) / scale


def test_the_first_value_passes_and_so_does_one_after_no_time():
    filtered = OneEuro(0.5, 2.0)
    assert filtered.push(np.array([3.0]), 0.1) == 3 and filtered.push(np.array([5.0]), 0.0) == 5
    assert filtered.push(np.array([5.0]), 0.1) == 5, "no speed is left from the jump"


def test_without_gain_it_is_a_first_order_low_pass():
    """A step of 1 is followed to 1 - exp(-2 pi f t)."""
    for step_s in (0.01, 0.05):
        filtered = OneEuro(0.5, 0.0)
        filtered.push(np.array([0.0]), 0)
        for _ in range(round(0.4 / step_s)):
            found = filtered.push(np.array([1.0]), step_s)
        assert found == pytest.approx(1 - math.exp(-2 * math.pi * 0.5 * 0.4))


def test_a_fast_move_is_followed_more_closely_than_a_slow_one():
    lag = []
    for speed in (0.1, 10.0):
        ramp = speed * 0.05 * np.arange(60)[:, None]
        lag.append((ramp[-1] - run(ramp)[-1]) / speed)
    assert lag[1] < lag[0] / 5


@given(st.floats(0.01, 100), st.integers(1, 29))
def test_another_unit_changes_nothing(factor, at):
    filtered = OneEuro(0.5, 2.0)
    first = run(VALUES[:at], filtered=filtered)
    filtered.rescale(factor)
    filtered._gain /= factor
    rest = [filtered.push(value * factor, 0.05) / factor for value in VALUES[at:]]
    np.testing.assert_allclose(np.concatenate([first, rest]), run(VALUES), rtol=1e-9)


def test_another_unit_before_the_first_value():
    filtered = OneEuro(0.5, 2.0)
    filtered.rescale(2.0)
    assert filtered.push(np.array([3.0]), 0.1) == 3

"""How often frames come, and what that can carry."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.sync.cadence import Cadence, least_rate_hz

MS = 1_000_000


def period_s(stamps_ms):
    cadence = Cadence()
    for ms in stamps_ms:
        cadence.push(round(ms * MS))
    return cadence.period_s


@pytest.mark.parametrize("step_ms", [10, 33.3, 100, 400])
def test_an_even_stream_has_its_step(step_ms):
    assert period_s(np.arange(20) * step_ms) == pytest.approx(step_ms / 1000, rel=1e-3)


@pytest.mark.parametrize(("frames", "known"), [(0, False), (1, False), (4, False), (5, True)])
def test_too_few_frames_say_nothing(frames, known):
    assert math.isnan(period_s(range(0, 100 * frames, 100))) != known


def test_a_rare_long_step_does_not_count_and_a_frequent_one_does():
    """One in twenty is a dropped frame; one in five is how this camera is."""
    rare = np.cumsum([33.0 if i % 20 else 99.0 for i in range(200)])
    frequent = np.cumsum([33.0 if i % 5 else 99.0 for i in range(200)])
    assert period_s(rare) == pytest.approx(0.033) and period_s(frequent) == pytest.approx(0.099)


def test_only_the_newest_fifteen_seconds_count():
    slow, fast = np.arange(100) * 200.0, 100 * 200.0 + np.arange(0, 15001, 50)
    assert period_s(np.concatenate([slow, fast])) == pytest.approx(0.05)
    assert period_s(np.concatenate([slow, fast[:40]])) == pytest.approx(0.2), "while slow ones are in it"


@given(st.lists(st.floats(1, 400), min_size=8, max_size=60))
def test_nine_of_ten_steps_are_no_longer(steps):
    stamps = np.cumsum([1.0, *steps])
    recent = np.diff(stamps[stamps >= stamps[-1] - 15000])
    if len(recent) > 4:
        share = np.mean(recent <= period_s(stamps) * 1000 + 1e-3)
        assert share >= 0.9 - 1 / len(recent), "up to the one that is cut through"


def test_nyquist():
    assert least_rate_hz(3.34) == pytest.approx(6.68)

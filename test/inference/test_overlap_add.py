import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros.inference.overlap_add import OverlapAdd, edge_taper

WAVE = np.sin(np.arange(2000) / 7)


@given(st.integers(20, 120), st.integers(1, 60), st.integers(0, 40), st.integers(1, 20))
@settings(max_examples=60)
def test_windows_of_one_wave_join_to_that_wave(length, hop, hold, count):
    joined, out = OverlapAdd(history=length), []
    for i in range(count):
        first = i * hop
        joined.add(first, WAVE[first : first + length], edge_taper(length, 5))
        out += joined.take(first + length - hold)
    out += joined.take(joined.end)
    ends = [first + len(samples) for first, samples in out]
    assert all(first >= end for (first, _), end in zip(out[1:], ends, strict=False)), "in order, nothing twice"
    for first, samples in out:
        np.testing.assert_allclose(samples, WAVE[first : first + len(samples)], atol=1e-6)
    if hop <= length:
        assert sum(len(samples) for _, samples in out) == (count - 1) * hop + length


def test_a_missing_window_is_a_hole_not_an_invention():
    joined = OverlapAdd(history=20)
    joined.add(0, np.ones(20), np.ones(20))
    joined.add(50, np.ones(20), np.ones(20))
    assert [(first, len(samples)) for first, samples in joined.take(70)] == [(0, 20), (50, 20)]


def test_what_left_is_not_changed_and_what_comes_late_is_ignored():
    joined = OverlapAdd(history=40)
    joined.add(0, np.ones(40), np.ones(40))
    assert joined.take(30)[0][1].tolist() == [1.0] * 30
    joined.add(0, np.full(40, 3.0), np.ones(40))
    ((first, samples),) = joined.take(40)
    assert first == 30 and samples.tolist() == [2.0] * 10


def test_a_window_upside_down_is_turned_only_where_asked():
    for align, sign in ((True, 1), (False, -1)):
        joined = OverlapAdd(history=100, align_sign=align)
        joined.add(0, WAVE[:100], np.ones(100))
        joined.take(100)
        joined.add(20, -WAVE[20:120], np.ones(100))
        ((_, samples),) = joined.take(120)
        np.testing.assert_allclose(samples, sign * WAVE[100:120], atol=1e-6)
        assert joined.flipped == (1 if align else 0)


def test_memory_stays_bounded():
    joined = OverlapAdd(history=50)
    for i in range(2000):
        joined.add(i * 10, np.ones(50), np.ones(50))
        joined.take(i * 10 + 40)
    assert len(joined._sum) < 150


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="samples and weights"):
        OverlapAdd(1).add(0, np.ones(3), np.ones(4))

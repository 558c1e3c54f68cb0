"""Waveforms in even pieces: samples kept where they are even, gaps kept where they are long."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.datasets.base import Trace
from rppg_ros.datasets.chunks import MAX_GAP_S, chunks
from rppg_ros.types import NS_PER_S


def test_an_even_trace_keeps_its_samples():
    values = np.random.default_rng(0).normal(size=250)
    stamps = np.round(np.arange(250) * (NS_PER_S / 60)).astype(int)
    pieces = chunks(Trace(stamps, values))
    assert [len(samples) for _, _, samples in pieces] == [60, 60, 60, 60, 10]
    np.testing.assert_array_equal(np.concatenate([samples for _, _, samples in pieces]), values)


def test_a_gap_stays_a_gap():
    stamps = np.concatenate([np.arange(60), np.arange(200, 260)]) * (NS_PER_S // 30)
    pieces = chunks(Trace(stamps, np.ones(120)))
    covered = sum(len(samples) / rate for _, rate, samples in pieces)
    assert covered == pytest.approx(4.0, abs=0.1)


def test_bad_samples_are_a_gap_and_a_late_one_is_not():
    stamps = np.arange(120) * (NS_PER_S // 30)
    values = np.ones(120)
    values[45:60] = np.nan
    assert [len(samples) for _, _, samples in chunks(Trace(stamps, values))] == [30, 15, 30, 30]
    late = np.delete(stamps, [50, 51])
    assert [len(samples) for _, _, samples in chunks(Trace(late, np.ones(118)))] == [30, 30, 30, 30]


@given(st.lists(st.integers(1_000_000, 600_000_000), min_size=1, max_size=80), st.integers(0, 2**62))
def test_pieces_lie_on_the_trace_and_over_no_gap(steps, start_ns):
    stamps = start_ns + np.cumsum([0, *steps])
    line = (stamps - stamps[0]) / NS_PER_S  # on a straight line interpolation is exact
    last_ns = -1
    for at_ns, rate_hz, samples in chunks(Trace(stamps, line)):
        times = (at_ns - stamps[0]) / NS_PER_S + np.arange(len(samples)) / rate_hz
        np.testing.assert_allclose(samples, times, atol=0.02 * np.median(steps) / NS_PER_S * len(steps) + 1e-6)
        assert at_ns > last_ns and len(samples) <= max(1, round(rate_hz))
        last_ns = at_ns
        limit_s = max(MAX_GAP_S, 3 * np.median(steps) / NS_PER_S)
        gaps = [(a, b) for a, b in zip(line, line[1:], strict=False) if b - a > limit_s + 1e-9]
        assert not any(a + 1e-3 < time < b - 1e-3 for time in times for a, b in gaps)


@pytest.mark.parametrize("values", [[], [1.0], [np.nan, np.nan, 1.0]])
def test_less_than_two_values_are_no_waveform(values):
    assert chunks(Trace(np.arange(len(values)) * 10**7, values)) == []

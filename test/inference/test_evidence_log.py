"""The evidence of a clip on another clock."""

import math

import numpy as np
import pytest

from rppg_ros.inference.evidence_log import KEEP_S, EvidenceLog

S = 1_000_000_000
START_NS = 10**18


def log_of(seconds, fps=30.0, first_s=0.0):
    log = EvidenceLog()
    times = first_s + np.arange(int(seconds * fps)) / fps
    log.add((START_NS + round(t * S), np.array([t, 2 * t], np.float32)) for t in times)
    return log


@pytest.mark.parametrize("rate_hz", [15.0, 30.0])
def test_rows_are_put_on_the_clock(rate_hz):
    found = log_of(20).on_clock(START_NS + 5 * S, rate_hz, round(10 * rate_hz))
    expected = 5 + np.arange(round(10 * rate_hz)) / rate_hz
    assert found == pytest.approx(np.stack([expected, 2 * expected], axis=1), abs=1e-3)


@pytest.mark.parametrize(("seconds", "there"), [(9.2, True), (8.8, False), (0.0, False)])
def test_nine_tenths_must_be_covered(seconds, there):
    assert (log_of(seconds).on_clock(START_NS, 15.0, 150) is not None) is there
    assert (log_of(20, first_s=10 - seconds).on_clock(START_NS, 15.0, 150) is not None) is there


def test_what_is_elsewhere_says_nothing():
    assert log_of(20).on_clock(START_NS + 30 * S, 15.0, 150) is None
    assert EvidenceLog().on_clock(START_NS, 15.0, 150) is None


def test_rows_that_are_not_newer_are_left_out():
    log = log_of(10)
    log.add([(START_NS, np.array([9.0, 9.0], np.float32)), (START_NS + 5 * S, np.array([9.0, 9.0], np.float32))])
    assert log.on_clock(START_NS, 15.0, 140)[0] == pytest.approx([0, 0], abs=0.05)


def test_what_is_long_ago_is_forgotten():
    log = log_of(KEEP_S + 30)
    assert log.on_clock(START_NS, 15.0, 150) is None
    assert log.on_clock(START_NS + 31 * S, 15.0, 150) is not None


@pytest.mark.parametrize("fps", [8.0, 30.0])
def test_the_usual_step_of_the_frames(fps):
    assert log_of(10, fps).frame_s == pytest.approx(1 / fps, abs=1e-6)
    assert math.isnan(log_of(4 / fps, fps).frame_s) and not math.isnan(log_of(5 / fps + 1e-6, fps).frame_s)

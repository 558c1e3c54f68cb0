import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.sync.alignment import LEAST_THERMAL, RGB, THERMAL, Alignment
from rppg_ros.types import NS_PER_S

START_NS = 10**18


def stream(late_s=0.0, clock_s=0.0, seconds=6.0, fps=30.0, thermal_fps=9.0, pairs=0):
    """Arrivals of both cameras: thermal comes `late_s` after its acquisition, stamped by a clock `clock_s` ahead."""
    events = [(i / fps, RGB, i / fps) for i in range(int(seconds * fps))]
    events += [
        (j / thermal_fps + late_s, THERMAL, j / thermal_fps + clock_s) for j in range(int(seconds * thermal_fps))
    ]
    alignment = Alignment()
    for count, (_, name, stamp_s) in enumerate(sorted(events)):
        alignment.arrived(name, START_NS + round(stamp_s * NS_PER_S))
        if pairs and count % pairs == 0:
            alignment.paired()
    return alignment


def test_nothing_is_known_at_first():
    empty = Alignment()
    assert math.isnan(empty.lag_s) and math.isnan(empty.share) and not empty.complaint and not empty.arriving
    assert empty.wait_s(0.05, 0.5) == 0.05
    empty.arrived(THERMAL, START_NS)
    assert math.isnan(empty.lag_s) and not empty.arriving


@given(st.floats(0.0, 0.9))
def test_the_lag_is_how_late_thermal_comes(late_s):
    assert stream(late_s).lag_s == pytest.approx(late_s - 1 / 60, abs=0.02)


def test_a_punctual_camera_is_waited_for_as_usual():
    assert stream().wait_s(0.05, 0.5) == 0.05


@pytest.mark.parametrize("late_s", [0.1, 0.2, 0.4])
def test_a_late_camera_is_waited_for_as_long_as_it_is_late(late_s):
    assert stream(late_s).wait_s(0.05, 0.5) == pytest.approx(0.05 + late_s + 1 / 60, abs=0.025)


@pytest.mark.parametrize("clock_s", [-3600.0, 3600.0, -1.0])
def test_a_camera_beyond_the_bound_is_not_waited_for(clock_s):
    assert stream(clock_s=clock_s).wait_s(0.05, 0.5) == 0.05


def test_the_bound_is_for_the_lateness():
    assert stream(0.4).wait_s(0.05, 0.38) == 0.05
    assert stream(0.4).wait_s(0.05, 0.45) > 0.4


@pytest.mark.parametrize("clock_s", [3600.0, -3600.0])
def test_another_clock_is_named_with_the_figure(clock_s):
    assert stream(clock_s=clock_s).complaint == "thermal arrives but does not pair: 3600.0 s apart"


def test_images_that_pair_are_no_matter_of_complaint():
    paired = stream(pairs=1)
    assert paired.share == 1.0 and not paired.complaint
    some = stream(pairs=8)
    assert 0.3 < some.share < 1 and not some.complaint


def test_few_images_say_nothing():
    assert math.isnan(stream(seconds=0.9, clock_s=9.0).share) and not stream(seconds=0.9, clock_s=9.0).complaint
    assert LEAST_THERMAL / 9 < 0.9


def test_a_camera_that_stopped_is_no_camera_that_does_not_pair():
    alignment = stream(clock_s=3600.0)
    assert alignment.arriving
    for i in range(60):
        alignment.arrived(RGB, START_NS + round((6 + i / 30) * NS_PER_S))
    assert not alignment.arriving and not alignment.complaint

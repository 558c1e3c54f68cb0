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


def at(alignment, name, seconds):
    alignment.arrived(name, START_NS + round(seconds * NS_PER_S))


def late_by(lags_s, rgb=10):
    """RGB ten times a second up to 0.9 s, then thermal images with these lags."""
    alignment = Alignment()
    for i in range(rgb):
        at(alignment, RGB, i / 10)
    for lag_s in lags_s:
        at(alignment, THERMAL, (rgb - 1) / 10 - lag_s)
    return alignment


@pytest.mark.parametrize(("count", "known"), [(1, False), (4, False), (5, True), (6, True)])
def test_lateness_is_known_from_the_fifth_image_on(count, known):
    expected = 0.05 + 0.2 + 0.1 if known else 0.05  # the lag, and one period of RGB
    assert late_by([0.2] * count).wait_s(0.05, 0.5) == pytest.approx(expected)


def test_lateness_is_looked_at_every_fifth_image():
    assert late_by([0.2] * 5 + [0.4] * 4).wait_s(0.05, 0.9) == pytest.approx(0.35)
    assert late_by([0.2] * 5 + [0.4] * 5).wait_s(0.05, 0.9) == pytest.approx(0.55), "90 % of the lags are at most 0.4"


def test_nine_of_ten_lags_are_waited_for():
    lags = [i / 100 for i in range(1, 31)]
    assert late_by(lags).wait_s(0.0, 0.9) == pytest.approx(0.271 + 0.1)


def test_two_rgb_images_are_enough_and_one_is_not():
    assert late_by([0.2] * 5, rgb=2).wait_s(0.05, 0.5) == pytest.approx(0.35)
    assert late_by([0.2] * 5, rgb=1).wait_s(0.05, 0.5) == 0.05


def test_the_bound_itself_is_waited_for():
    assert late_by([0.25] * 5).wait_s(0.0, 0.35) == pytest.approx(0.35)


def test_a_lag_of_nothing_is_punctual():
    assert late_by([0.0] * 5).wait_s(0.05, 0.5) == 0.05


def test_what_is_long_ago_is_forgotten():
    alignment = late_by([0.4] * 40)
    for _ in range(31):
        at(alignment, THERMAL, 0.9)
    assert alignment.lag_s == 0.0
    for _ in range(4):
        at(alignment, THERMAL, 0.9)
    assert alignment.wait_s(0.05, 0.9) == 0.05
    for i in range(31):  # RGB has become four times as fast
        at(alignment, RGB, 1.0 + i / 40)
    for _ in range(35):
        at(alignment, THERMAL, 1.75 - 0.2)
    assert alignment.wait_s(0.0, 0.9) == pytest.approx(0.2 + 1 / 40)


def test_the_share_is_of_the_last_seconds():
    alignment = stream(pairs=1)
    for i in range(240):
        at(alignment, (RGB, THERMAL)[i % 2], 7 + i / 20)
    assert alignment.share == 0.0


def test_what_is_not_late_is_waited_for_as_usual_whatever_the_bound():
    for alignment in (Alignment(), late_by([0.0] * 5), late_by([0.2] * 5, rgb=1), late_by([0.2] * 4)):
        assert alignment.wait_s(0.05, 2.0) == 0.05

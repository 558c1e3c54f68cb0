"""Cameras too slow for the pulse: no number, and the frame rate is named; those that are fast enough give the right one."""

import pytest

from rppg_ros import VitalsMeter
from rppg_ros.sources.demo import DemoSource
from rppg_ros.types import Rate, Status, Vital


def measured(fps, heart_rate, seconds=18, **scene):
    options = "".join(f",{name}={value}" for name, value in scene.items())
    text = f"heart_rate={heart_rate},fps={fps},thermal_fps=0,seconds={seconds},seed=2{options}"
    meter = VitalsMeter(engine="pos", seed=1, detector_rate=1.0)
    rates = [o for o in meter.run(DemoSource.from_text(text)) if isinstance(o, Rate) and o.vital is Vital.BVP]
    return [rate.per_minute for rate in rates if rate.status is Status.OK], meter.vitals.too_slow


@pytest.mark.parametrize(("fps", "heart_rate"), [(5, 165), (3, 110), (4, 130), (2.1, 78), (6, 190), (6, 72)])
def test_too_slow_gives_none_and_names_the_rate(fps, heart_rate):
    given, said = measured(fps, heart_rate, drop=0)
    assert not given
    assert len(said) == 1 and said[0].startswith("frames come every 0.") and "heart_rate needs 6.7 a second" in said[0]


@pytest.mark.parametrize(("fps", "heart_rate"), [(10, 72), (8, 90)])
def test_fast_enough_gives_the_rate(fps, heart_rate):
    given, said = measured(fps, heart_rate, drop=0)
    assert given and all(abs(rate - heart_rate) < 4 for rate in given) and not said


def test_a_fast_camera_that_drops_half_its_frames_is_slow():
    given, said = measured(8, 150, drop=0.5)
    assert not given and said


@pytest.mark.parametrize(("fps", "heart_rate"), [(7, 240), (7, 220), (7.2, 235), (7.4, 250)])
def test_a_heart_faster_than_any_that_is_given_is_not_given_as_its_alias(fps, heart_rate):
    given, said = measured(fps, heart_rate, drop=0, seconds=24)
    assert not given and (not said or "may look like this one" in said[0])

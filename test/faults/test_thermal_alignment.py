"""A thermal camera that is late, on another clock, of another view, or of another scale: no wrong breath, and it is named."""

import functools

import numpy as np
import pytest

from rppg_ros import VitalsMeter
from rppg_ros.sources.base import RGB, THERMAL
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.types import Rate, Reason, Status, ThermalState, Vital
from rppg_ros.vision.view import ViewState
from support.two_cameras import narrowed

S = 1_000_000_000
START_NS = 10**18
SELDOM = {"detector_rate": 1.0}  # a detection costs more than all the rest
CENTIKELVIN = {"thermal_scale": 0.01, "thermal_offset": -273.15, **SELDOM}


@functools.cache
def filmed(seconds, thermal_fps):
    """Frames of a made-up person, rendered once for all tests."""
    return list(DemoSource(DemoScene(seconds=seconds, fps=15, thermal_fps=thermal_fps, drop=0.0, jitter_s=0.0)))


def played(meter, seconds=4.0, late_s=0.0, clock_s=0.0, thermal_fps=9.0, change=lambda image: image):
    """Outputs and tracked frames of a made-up person; thermal images come late, or are stamped by another clock."""
    arrivals = [
        (f.stamp_ns + round(late_s * S) * (f.stream == THERMAL), f.stream, f.stamp_ns, f.image)
        for f in filmed(seconds, thermal_fps)
    ]
    outputs, frames = [], []
    for _, stream, stamp_ns, image in sorted(arrivals, key=lambda one: one[0]):
        stamp_ns += START_NS + round(clock_s * S) * (stream == THERMAL)
        for frame in meter.camera.push(stream, stamp_ns, change(image) if stream == THERMAL else image):
            frames.append(frame)
            outputs += meter.vitals.push(frame.stamp_ns, frame.crops)
    return outputs, frames


def states(frames):
    return {crop.thermal_state for frame in frames for crop in frame.crops}


@pytest.mark.parametrize("late_s", [0.12, 0.3])
def test_a_late_camera_is_waited_for(late_s):
    meter = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN)
    _, frames = played(meter, late_s=late_s)
    assert states(frames[-15:]) == {ThermalState.USED}
    assert meter.camera.wait_s > late_s and not meter.camera.alignment.complaint
    assert [f.stamp_ns for f in frames] == sorted(f.stamp_ns for f in frames)


def test_a_camera_later_than_the_bound_is_named_and_not_waited_for():
    meter = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN, pairing_max_latency=0.2)
    _, frames = played(meter, late_s=0.4)
    assert states(frames[-30:-5]) == {ThermalState.UNPAIRED} and meter.camera.wait_s == 0.05
    assert meter.camera.alignment.complaint == "thermal arrives but does not pair: 0.4 s apart"


@pytest.mark.parametrize("clock_s", [3600.0, -3600.0])
def test_another_clock_is_named_and_the_offset_mends_it(clock_s):
    meter = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN)
    _, frames = played(meter, clock_s=clock_s)
    assert states(frames[-15:]) == {ThermalState.UNPAIRED}
    assert meter.camera.alignment.complaint == "thermal arrives but does not pair: 3600.0 s apart"
    mended = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN, thermal_time_offset=-clock_s)
    _, frames = played(mended, clock_s=clock_s)
    assert states(frames[-15:]) == {ThermalState.USED} and not mended.camera.alignment.complaint
    assert all(abs(c.thermal_stamp_ns - c.stamp_ns) < 0.06 * S for f in frames[-15:] for c in f.crops)


def test_equal_stamps_that_never_come_are_named():
    meter = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN, pairing_policy="exact")
    _, frames = played(meter, clock_s=0.001)
    assert not frames and meter.camera.alignment.complaint == "thermal arrives but does not pair: 0.0 s apart"


def test_the_rate_says_that_nothing_pairs():
    meter = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN)
    outputs, _ = played(meter, seconds=12.0, clock_s=100.0)
    breaths = [o for o in outputs if isinstance(o, Rate) and o.vital is Vital.RSP and o.face_id]
    assert breaths[-1].status is Status.UNSUPPORTED and breaths[-1].reasons == (Reason.THERMAL_UNPAIRED,)


def test_no_camera_is_another_reason():
    meter = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN)
    outputs, frames = played(meter, seconds=12.0, thermal_fps=0.0)
    breaths = [o for o in outputs if isinstance(o, Rate) and o.vital is Vital.RSP and o.face_id]
    assert states(frames) == {ThermalState.MISSING} and breaths[-1].reasons == (Reason.THERMAL_MISSING,)


def test_a_view_that_cannot_be_proved_gives_no_crops():
    rng = np.random.default_rng(0)
    meter = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN)
    _, frames = played(
        meter, change=lambda image: (29500 + 5 * rng.normal(size=image.shape)).astype(np.uint16) + smooth()
    )
    assert states(frames) == {ThermalState.UNREGISTERED}
    assert meter.camera.tracker.view.state is ViewState.ASSUMED


def smooth():
    """A slope: no noise alone, and no face."""
    return np.add.outer(np.arange(120), np.arange(160)).astype(np.uint16)


def test_a_narrower_view_is_estimated():
    meter = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN)
    change = lambda image: narrowed(image, 0.647, 0.1765, 0.1765)[0]  # noqa: E731
    _, frames = played(meter, change=change)
    assert meter.camera.tracker.view.state is ViewState.ESTIMATED
    assert states(frames[:4]) == {ThermalState.UNREGISTERED} and states(frames[-15:]) == {ThermalState.USED}
    middle = [c.thermal[c.thermal.shape[0] // 2, c.thermal.shape[1] // 2] for f in frames[-15:] for c in f.crops]
    assert min(middle) > 30, "the face is in the middle of the crop"


@pytest.mark.parametrize(
    ("scale", "offset", "guess"),
    [
        (0.001, -273.15, "thermal.scale 0.01, thermal.offset 0 and thermal.unit kelvin"),
        (0.01, 0.0, "thermal.unit kelvin"),
    ],
)
def test_degrees_that_are_no_skin_are_named_with_a_guess(scale, offset, guess):
    meter = VitalsMeter(engine="pos", seed=1, thermal_scale=scale, thermal_offset=offset, **SELDOM)
    outputs, frames = played(meter, seconds=12.0)
    assert states(frames[3:]) == {ThermalState.NOT_SKIN}
    assert "that is no skin" in meter.camera.not_skin and guess in meter.camera.not_skin
    breaths = [o for o in outputs if isinstance(o, Rate) and o.vital is Vital.RSP and o.face_id]
    assert breaths[-1].reasons == (Reason.THERMAL_NOT_SKIN,) and all(b.status is not Status.OK for b in breaths)


def test_the_rgb_half_goes_on_meanwhile():
    meter = VitalsMeter(engine="pos", seed=1, thermal_scale=0.001, thermal_offset=-273.15, **SELDOM)
    outputs, _ = played(meter, seconds=12.0)
    beats = [o for o in outputs if isinstance(o, Rate) and o.vital is Vital.BVP and o.status is Status.OK]
    assert beats and abs(beats[-1].per_minute - 72) < 3
    assert RGB in meter.camera.streams


def test_python_hears_the_complaints_too():
    meter = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN)
    played(meter)
    assert not meter.complaints
    other_clock = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN)
    played(other_clock, clock_s=3600.0)
    assert other_clock.complaints == ["thermal arrives but does not pair: 3600.0 s apart"]
    elsewhere = VitalsMeter(engine="pos", seed=1, **CENTIKELVIN)
    rng = np.random.default_rng(0)
    played(elsewhere, change=lambda image: smooth() + rng.integers(30000, 30003, image.shape).astype(np.uint16))
    assert elsewhere.complaints == ["thermal: the view is assumed, and the picture does not prove it"]

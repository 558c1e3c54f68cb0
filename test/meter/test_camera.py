"""The camera half: stamps, pairs, bad images, requests and live settings; faces are those of a made-up scene."""

import dataclasses

import numpy as np
import pytest

from rppg_ros.meter import CameraHalf
from rppg_ros.meter.camera import registration_from
from rppg_ros.settings import CameraSettings
from rppg_ros.sources.frames import image_of
from rppg_ros.sources.images import ImageError
from rppg_ros.synthesis.demo import DemoScene, DemoSource
from rppg_ros.types import CropRequest

S = 1_000_000_000
SCENE = DemoScene(seconds=2.0, fps=15.0, thermal_fps=7.5, jitter_s=0.0, drop=0.0, motion_px=1.0)
START_NS = 1000 * S
FRAMES = [(frame.stream, START_NS + frame.stamp_ns, image_of(frame)) for frame in DemoSource(SCENE)]
CENTIKELVIN = CameraSettings(thermal_scale=0.01, thermal_offset=-273.15)
EMPTY = np.zeros((120, 160, 3), np.uint8)


def play(half, frames=FRAMES, shift_ns=0):
    out = [one for stream, stamp_ns, image in frames for one in half.push(stream, stamp_ns + shift_ns, image, stamp_ns)]
    return out + half.flush()


def test_every_rgb_frame_leaves_once_with_its_tag_and_its_heat():
    out = play(CameraHalf(CENTIKELVIN, seed=0))
    sent = [stamp_ns for stream, stamp_ns, _ in FRAMES if stream == "rgb"]
    assert [one.stamp_ns for one in out] == [one.tag for one in out] == sent
    with_face = [crop for one in out for crop in one.crops]
    assert len(with_face) > len(sent) / 2
    last = with_face[-1]
    assert last.thermal_radiometric and 30 < last.thermal.max() < 37
    assert abs(last.thermal_stamp_ns - last.stamp_ns) <= 0.07 * S


def test_crops_are_those_that_are_asked_for_and_follow_another_request():
    half = CameraHalf(request=CropRequest(36, 2.0), seed=0)
    first = [crop for one in play(half, FRAMES[:22]) for crop in one.crops]
    half.follow(CropRequest(48, 1.5))
    second = [crop for one in play(half, FRAMES[22:]) for crop in one.crops]
    assert {(crop.rgb.shape[0], crop.crop_scale) for crop in first} == {(36, 2.0)}
    assert {(crop.rgb.shape[0], crop.crop_scale) for crop in second} == {(48, 1.5)}
    assert {crop.face_id for crop in first} == {crop.face_id for crop in second}


def test_settings_go_before_the_request():
    half = CameraHalf(CameraSettings(crop_size=24, crop_scale=1.25), CropRequest(72, 1.5), seed=0)
    crops = [crop for one in play(half) for crop in one.crops]
    assert {(crop.rgb.shape[0], crop.crop_scale) for crop in crops} == {(24, 1.25)}


def test_an_image_is_read_only_if_it_is_used_and_only_once():
    calls = []

    def thermal():
        calls.append(1)
        return np.full((12, 16), 30000, np.uint16)

    half = CameraHalf(CENTIKELVIN)
    half.push("thermal", S, thermal)
    for i in range(3):
        half.push("rgb", S + i * 1_000_000, EMPTY)
    assert len(calls) == 1
    half.push("thermal", S + 5 * S, thermal)
    half.push("rgb", S + 20 * S, EMPTY)
    half.flush()
    assert len(calls) == 1, "the second has no partner"


@pytest.mark.parametrize(
    ("stream", "image", "says"),
    [
        ("rgb", np.zeros((120, 160), np.uint8), "an RGB image is uint8"),
        ("rgb", np.zeros((120, 160, 3), np.float32), "float32 (120, 160, 3)"),
        ("rgb", np.zeros((1, 640, 3), np.uint8), "640x1 pixels"),
        ("rgb", "text", "not a str"),
        ("thermal", np.zeros((12, 16, 3), np.uint8), "a thermal image is"),
        ("thermal", np.zeros((12, 16), np.float64), "float64"),
        ("thermal", np.zeros((60000, 1), np.uint16), "1x60000 pixels"),
    ],
)
def test_bad_images_are_dropped_counted_and_named(stream, image, says):
    half = CameraHalf()
    half.push("thermal", S, np.full((12, 16), 9, np.uint16))
    half.push(stream, S + 1, image)
    if stream == "thermal":  # it is looked at when an RGB image comes
        half.push("rgb", S + 2, EMPTY)
    half.flush()
    state = half.streams[stream]
    assert state.unreadable == 1 and says in state.complaint
    half.push("thermal", S + 3, np.full((12, 16), 9, np.uint16))
    half.push("rgb", S + 3, EMPTY)
    half.flush()
    assert not state.complaint and state.unreadable == 1, "the complaint is about the newest image"


def test_a_reader_that_fails_is_a_bad_image():
    def broken():
        raise ImageError("encoding 'purple' is not known")

    half = CameraHalf()
    assert half.push("rgb", S, broken) == [] and half.streams["rgb"].complaint == "encoding 'purple' is not known"


def test_a_thermal_image_that_cannot_be_read_costs_no_rgb_frame():
    half = CameraHalf()
    half.push("thermal", S, np.zeros((3, 3), np.complex64))
    (out,) = half.push("rgb", S, EMPTY)
    assert out.stamp_ns == S and half.streams["thermal"].unreadable == 1


def test_stamps_are_judged_before_images():
    half = CameraHalf()
    assert half.push("rgb", 0, EMPTY) == [] and "stamp is 0" in half.streams["rgb"].complaint
    assert len(half.push("rgb", S, EMPTY)) == 1
    assert half.push("rgb", S, EMPTY) == [] and half.push("rgb", S - 1000, EMPTY) == []
    assert half.streams["rgb"].guard.dropped == 3


def test_where_time_counts_from_anywhere_zero_is_a_time():
    half = CameraHalf(zero_is_unset=False)
    assert [one.stamp_ns for i in (-1, 0, 1) for one in half.push("rgb", i, EMPTY)] == [-1, 0, 1]


def test_time_that_jumps_back_makes_new_faces():
    half = CameraHalf(seed=0)
    before = {crop.face_id for one in play(half) for crop in one.crops}
    after = {crop.face_id for one in play(half, shift_ns=-60 * S) for crop in one.crops}
    assert before and after and not before & after


def test_without_a_thermal_camera_no_policy_waits_for_one():
    half = CameraHalf(CameraSettings(thermal_enabled=False, pairing_policy="exact"))
    assert len(half.push("rgb", S, EMPTY)) == 1


def test_live_settings_change_while_frames_flow():
    half = CameraHalf(seed=0)
    found = [crop for one in play(half, FRAMES[:22]) for crop in one.crops]
    half.tune(dataclasses.replace(half.settings, detector_min_face=2000, max_unconfirmed=0.1))
    lost = play(half, FRAMES[22:])
    assert found and half.settings.detector_min_face == 2000
    assert half.tracker.stats.detections > 2 and lost


def test_restart_forgets_faces_stamps_and_counts():
    half = CameraHalf(seed=0)
    play(half)
    half.push("rgb", 0, EMPTY)
    half.restart()
    assert half.streams["rgb"].unreadable == 0 and not any(half.streams["rgb"].guard.counts.values())
    assert [one.stamp_ns for one in half.push("rgb", 5, EMPTY)] == [5], "an older stamp is no jump back after a restart"


def test_a_homography_that_cannot_be_is_named():
    with pytest.raises(ValueError, match="thermal.homography"):
        CameraHalf(CameraSettings(thermal_homography=[1.0] * 9))
    assert registration_from([0.0] * 9) is None
    shift = [0.25, 0.0, 10.0, 0.0, 0.25, 0.0, 0.0, 0.0, 1.0]
    np.testing.assert_allclose(registration_from(shift).matrix((480, 640, 3), (120, 160)).ravel(), shift)

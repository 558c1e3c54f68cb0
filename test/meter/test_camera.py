"""The camera half: stamps, pairs, bad images, requests and live settings; faces are those of a made-up scene."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from rppg_ros.meter import CameraHalf
from rppg_ros.meter.skin import SkinWatch
from rppg_ros.meter.view import homography_of
from rppg_ros.settings import CameraSettings
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.sources.frames import image_of
from rppg_ros.sources.images import ImageError
from rppg_ros.sync.policies import RGB, THERMAL
from rppg_ros.types import Box, CropRequest, FaceCrop
from rppg_ros.vision.detect import Detection
from rppg_ros.vision.liveness import REPEATED
from rppg_ros.vision.thermal import Radiometry
from support.views import a_view

S = 1_000_000_000
SCENE = DemoScene(seconds=2.0, fps=15.0, thermal_fps=7.5, jitter_s=0.0, drop=0.0, motion_px=1.0)
START_NS = 1000 * S
FRAMES = [(frame.stream, START_NS + frame.stamp_ns, image_of(frame)) for frame in DemoSource(SCENE)]
CENTIKELVIN = CameraSettings(thermal_scale=0.01, thermal_offset=-273.15)
RNG = np.random.default_rng(0)


def room():
    """Another picture without a face: one that repeats is no sample."""
    return a_view(RNG)


def heat(seed=0):
    """A thermal image: smooth, with a camera's noise."""
    x = np.arange(16) * 40
    return (30000 + x + np.random.default_rng(seed).integers(0, 4, (12, 16))).astype(np.uint16)


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
        return heat()

    half = CameraHalf(CENTIKELVIN)
    half.push("thermal", S, thermal)
    for i in range(3):
        half.push("rgb", S + i * 1_000_000, room())
    assert len(calls) == 1
    half.push("thermal", S + 5 * S, thermal)
    half.push("rgb", S + 20 * S, room())
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
    half.push("thermal", S, heat(1))
    half.push(stream, S + 1, image)
    if stream == "thermal":  # it is looked at when an RGB image comes
        half.push("rgb", S + 2, room())
    half.flush()
    state = half.streams[stream]
    assert state.unreadable == 1 and says in state.complaint
    half.push("thermal", S + 3, heat(2))
    half.push("rgb", S + 3, room())
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
    (out,) = half.push("rgb", S, room())
    assert out.stamp_ns == S and half.streams["thermal"].unreadable == 1


def test_stamps_are_judged_before_images():
    half = CameraHalf()
    assert half.push("rgb", 0, room()) == [] and "stamp is 0" in half.streams["rgb"].complaint
    assert len(half.push("rgb", S, room())) == 1
    assert half.push("rgb", S, room()) == [] and half.push("rgb", S - 1000, room()) == []
    assert half.streams["rgb"].guard.dropped == 3


def test_where_time_counts_from_anywhere_zero_is_a_time():
    half = CameraHalf(zero_is_unset=False)
    assert [one.stamp_ns for i in (-1, 0, 1) for one in half.push("rgb", i, room())] == [-1, 0, 1]


def test_time_that_jumps_back_makes_new_faces():
    half = CameraHalf(seed=0)
    before = {crop.face_id for one in play(half) for crop in one.crops}
    after = {crop.face_id for one in play(half, shift_ns=-60 * S) for crop in one.crops}
    assert before and after and not before & after


def test_without_a_thermal_camera_no_policy_waits_for_one():
    half = CameraHalf(CameraSettings(thermal_enabled=False, pairing_policy="exact"))
    assert len(half.push("rgb", S, room())) == 1


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
    half.push("rgb", 0, room())
    half.restart()
    assert half.streams["rgb"].unreadable == 0 and not any(half.streams["rgb"].guard.counts.values())
    assert [one.stamp_ns for one in half.push("rgb", 5, room())] == [5], (
        "an older stamp is no jump back after a restart"
    )


def test_a_homography_that_cannot_be_is_named():
    with pytest.raises(ValueError, match="thermal.homography"):
        CameraHalf(CameraSettings(thermal_homography=[1.0] * 9))
    shift = [0.25, 0.0, 10.0, 0.0, 0.25, 0.0, 0.0, 0.0, 1.0]
    np.testing.assert_allclose(homography_of(shift).matrix((480, 640, 3), (120, 160)).ravel(), shift)


def test_a_driver_that_repeats_frames_gives_each_once():
    half = CameraHalf(CENTIKELVIN, seed=0)
    twice = [(stream, stamp_ns + i * 5_000_000, image) for stream, stamp_ns, image in FRAMES for i in (0, 1)]
    out = play(half, sorted(twice, key=lambda frame: frame[1]))
    count = sum(stream == "rgb" for stream, _, _ in FRAMES)
    assert len(out) == 2 * count and half.streams["rgb"].lifeless == count and not half.streams["rgb"].complaint
    assert not any(one.crops for one in out[1::2]), "the second of each is no sample"
    assert len([crop for one in out for crop in one.crops]) > count / 2, "the face is followed all the same"


@pytest.mark.parametrize("fill", [None, 0, 255], ids=["frozen", "black", "white"])
def test_a_dead_rgb_camera_shows_nobody_and_is_named(fill):
    half = CameraHalf(seed=0)
    rgb = [frame for frame in FRAMES if frame[0] == "rgb"]
    assert play(half, rgb)[-1].crops
    dead = rgb[-1][2] if fill is None else np.full_like(rgb[-1][2], fill)
    late = play(half, [("rgb", rgb[-1][1] + (i + 1) * S // 15, dead) for i in range(30)])
    assert late and not any(one.crops for one in late)
    assert len(late) == 30
    assert half.streams["rgb"].complaint in (REPEATED, "all pixels are 0", "all pixels are 255")
    again = play(half, [(stream, stamp_ns + 5 * S, image ^ 1) for stream, stamp_ns, image in rgb])
    assert again[-1].crops and not half.streams["rgb"].complaint


@pytest.mark.parametrize("kind", ["frozen", "zero", "saturated", "noise"])
def test_a_dead_thermal_camera_gives_no_heat_and_is_named(kind):
    half = CameraHalf(CENTIKELVIN, seed=0)
    alive = play(half)
    held = [image for stream, _, image in FRAMES if stream == "thermal"][-1]
    frames = []
    for stream, stamp_ns, image in FRAMES:
        if stream == "thermal":
            noise = RNG.integers(0, 65535, image.shape, dtype=np.uint16)
            image = {"frozen": held, "zero": held * 0, "saturated": held * 0 + 65535, "noise": noise}[kind]
        frames.append((stream, stamp_ns + 3 * S, image ^ 1 if stream == "rgb" else image))  # no two are the same
    dead = play(half, frames)
    assert any(crop.thermal is not None for one in alive for crop in one.crops)
    assert [crop for one in dead for crop in one.crops] and all(
        crop.thermal is None for one in dead for crop in one.crops
    )
    assert half.streams["thermal"].complaint and half.streams["thermal"].lifeless > 10


class TestComplaints:
    """What keeps the meter from measuring is said in a sentence."""

    def complaints(self, stamps, streams=(RGB,), shapes=((48, 64),), **settings):
        half = CameraHalf(CameraSettings(detector_rate=1.0, **settings), detector=Nobody(), zero_is_unset=False)
        rng = np.random.default_rng(0)
        for i, stamp_ns in enumerate(stamps):
            for stream in streams:
                height, width = shapes[i % len(shapes)]
                half.push(stream, stamp_ns, a_view(rng, height, width, 3 if stream == RGB else 1))
        return half.complaints

    usual = tuple(10**9 + i * 33_000_000 for i in range(90))

    def test_nothing_where_nothing_is_wrong(self):
        assert self.complaints(self.usual) == []

    @pytest.mark.parametrize("step", [1, 33, 33_000])
    def test_stamps_in_another_unit(self, step):
        (said,) = self.complaints([10**9 + i * step for i in range(100)])
        assert said == "rgb: stamps are less than 0.1 ms apart: they are nanoseconds (int) or seconds (float)"

    def test_stamps_that_stand_still(self):
        assert self.complaints([10**9] * 100) == ["rgb: stamps stand still"]

    def test_no_rgb_images(self):
        assert "rgb: no images, while thermal images come" in self.complaints(self.usual, (THERMAL,))

    @pytest.mark.parametrize("policy", ["exact", "approximate"])
    def test_no_partner(self, policy):
        (said,) = self.complaints(self.usual, pairing_policy=policy)
        assert said == f"no rgb image has a thermal partner, and pairing.policy is {policy}"

    def test_a_size_that_changes_all_the_time(self):
        assert self.complaints(self.usual, shapes=((48, 64), (40, 64))) == [
            "rgb: the image's size changes all the time"
        ]
        assert self.complaints(self.usual, shapes=((48, 64),) * 45 + ((40, 64),) * 45) == []

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"target_region": [0.0, 0.0, 0.1, 0.1]}, "rgb: a face is in view, but not in target.region"),
            ({"target_id": "abcde"}, "rgb: a face is in view, but not 'abcde', which target.id asks for"),
            ({}, ""),
        ],
    )
    def test_a_face_that_is_no_target(self, settings, said):
        half = CameraHalf(CameraSettings(**settings), detector=Somebody(), zero_is_unset=False)
        rng = np.random.default_rng(0)
        for stamp_ns in self.usual:
            half.push(RGB, stamp_ns, a_view(rng))
        assert half.complaints == ([said] if said else [])


class Nobody:
    certain = True

    def detect(self, rgb, min_face_px):
        return []

    def confirm(self, rgb, box):
        return None


class Somebody(Nobody):
    def detect(self, rgb, min_face_px):
        return [Detection(Box(60, 40, 40, 48), 0.9)]


class TestBrokenStamps:
    """Stamps that break the order of time again and again are named; once is no habit."""

    def said(self, *stamps_s):
        half = CameraHalf(CameraSettings(thermal_enabled=False), seed=0)
        image = next(image for stream, _, image in FRAMES if stream == "rgb")
        for i, stamp_s in enumerate(stamps_s):
            half.push("rgb", round(stamp_s * S), image ^ (i % 7))
        return half.streams["rgb"].of_stamps

    def test_two_clocks_in_turn(self):
        assert "stamps jump back" in self.said(*(t for i in range(20) for t in (100 + i / 15, 2000 + i / 15)))

    def test_bursts_stamped_at_receipt(self):
        bursts = [10 + burst + i / 1000 for burst in range(4) for i in range(15)]
        assert self.said(*bursts) == "stamps leave gaps of over 0.5 s again and again"

    def test_a_gap_and_a_loop_are_none(self):
        assert self.said(*(10 + i / 15 for i in range(60)), *(20 + i / 15 for i in range(60))) == ""
        assert self.said(*(10 + i / 15 for i in range(60)), *(10 + i / 15 for i in range(60))) == ""

    def test_it_is_over_when_they_are_in_order_again(self):
        bursts = [10 + burst + i / 1000 for burst in range(4) for i in range(15)]
        assert self.said(*bursts, *(14 + i / 15 for i in range(61))) == ""


def test_a_dead_rgb_camera_is_not_the_thermal_cameras_fault():
    half = CameraHalf(CENTIKELVIN, seed=0)
    play(half)
    held = [image for stream, _, image in FRAMES if stream == "rgb"][-1]
    for turn in range(1, 5):
        play(half, [(s, at + turn * 3 * S, held if s == "rgb" else image ^ turn) for s, at, image in FRAMES])
    assert half.streams["rgb"].complaint and not half.alignment.complaint


def test_a_thermal_camera_that_freezes_while_there_are_no_rgb_images_is_named_and_cleared():
    half = CameraHalf(CENTIKELVIN, seed=0)
    play(half)
    thermal = [image for stream, _, image in FRAMES if stream == "thermal"]
    later_ns = FRAMES[-1][1]
    play(half, [("thermal", later_ns + (i + 1) * S // 9, thermal[0]) for i in range(60)])
    assert half.streams["thermal"].complaint == REPEATED
    play(half, [("thermal", later_ns + (61 + i) * S // 9, image ^ 1) for i, image in enumerate(thermal)])
    assert not half.streams["thermal"].complaint


def test_degrees_that_are_no_skin_are_told_while_a_face_is_seen():
    watch = SkinWatch(Radiometry(0.01, -273.15, "celsius"))
    hot = FaceCrop(
        S,
        "a",
        np.zeros((9, 9, 3), np.uint8),
        np.full((9, 9), 65.0, np.float32),
        Box(0, 0, 9, 9),
        1.5,
        1.0,
        0.0,
        S,
        True,
    )
    (crop,) = watch.only(S, [hot])
    assert crop.thermal is None and "65 degrees" in watch.complaint(S)
    watch.only(2 * S, [])
    assert "65 degrees" in watch.complaint(3 * S) and watch.complaint(3 * S + 1) == ""
    warm = replace(hot, thermal=np.full((9, 9), 34.0, np.float32))
    assert watch.only(4 * S, [warm]) == [warm] and watch.complaint(4 * S) == ""

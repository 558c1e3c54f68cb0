"""One track, on scripted flow (arithmetic) and on real flow (that it is wired up)."""

import math

import cv2
import numpy as np
import pytest

from rppg_ros.types import Box, Frame
from rppg_ros.vision import track as module
from rppg_ros.vision.detect import Detection
from rppg_ros.vision.flow import GreyFrame
from rppg_ros.vision.memory import face_colour
from rppg_ros.vision.track import ANCHOR_S, DETECTION_WEIGHT, GAIN_HZ, REST_HZ, SIZE_REST_HZ, SNAP, Track

START = Box(100.0, 200.0, 80.0, 100.0)
STEP_S = 0.05
BEFORE, NOW = GreyFrame(np.zeros((2, 2), np.uint8), 1.0), GreyFrame(np.ones((2, 2), np.uint8), 1.0)


class ScriptedFlow:
    """Flow that moves boxes as told, and remembers where it was asked for new points."""

    def __init__(self):
        self.few = False
        self.move = lambda box: box
        self.seeks, self.follows = [], []

    def seek(self, frame, box):
        self.seeks.append((frame, box))

    def follow(self, before, now, box):
        self.follows.append((before, now, box))
        return self.move(box)


@pytest.fixture
def scripted(monkeypatch):
    monkeypatch.setattr(module, "FlowPoints", ScriptedFlow)


@pytest.fixture
def track(scripted):
    return Track(Detection(START, 0.7), 5, BEFORE)


def moved(box, dx=0.0, dy=0.0, wider=1.0, higher=1.0):
    """The box with its centre shifted and its sides scaled about it."""
    x, y = box.centre
    width, height = box.width * wider, box.height * higher
    return Box(x + dx - width / 2, y + dy - height / 2, width, height)


def follow(track, seconds, step_s=STEP_S):
    for _ in range(round(seconds / step_s)):
        assert track.follow(BEFORE, NOW, step_s)


def test_a_new_track_is_where_the_detection_was(track):
    assert track.face_id == "" and track.sights == 1 and track.confidence == 0.7
    assert track.confirmed_ns == track.seen_ns == 5
    assert track.box == track.confirmed_box == START and track.steady == pytest.approx(START)
    assert track.motion == 0 and track.colour is None
    assert track._points.seeks == [(BEFORE, START)]


@pytest.mark.parametrize("step_s", [1 / 60, 0.05, 0.25])
def test_a_detection_pulls_its_weight_whatever_the_frame_rate(track, step_s):
    """After one time constant 1 - 1/e of the way is done, after many all of it; in each direction on its own."""
    track.confirm(Detection(moved(START, 8, -20, 1.1, 0.8), 0.9), 7, NOW)
    assert track.box == START, "a detection alone does not make the box jump"
    steps = round(ANCHOR_S / step_s)
    for seconds, part in ((steps * step_s, 1 - math.exp(-steps * step_s / ANCHOR_S)), (12 * ANCHOR_S, 1.0)):
        done = DETECTION_WEIGHT * part
        follow(track, seconds, step_s)
        assert track.box.width == pytest.approx(80 * 1.1**done, rel=1e-4)
        assert track.box.height == pytest.approx(100 * 0.8**done, rel=1e-4)
        x, y = track.box.centre
        # Shares of sides that change by some per cent meanwhile.
        assert x - 140 == pytest.approx(8 * done, rel=0.06) and y - 250 == pytest.approx(-20 * done, rel=0.06)


def test_the_pull_is_in_shares_of_the_moved_box(track):
    """Exact for one step: 0.1 of a width and -0.2 of a height, of a box that has doubled meanwhile."""
    track.confirm(Detection(moved(START, 8, -20), 0.9), 7, NOW)
    track._points.move = lambda box: Box(300.0, 400.0, 160.0, 200.0)
    track.follow(BEFORE, NOW, 0.5)
    share = DETECTION_WEIGHT * (1 - math.exp(-0.5 / ANCHOR_S))
    assert track.box == pytest.approx((300 + 0.1 * share * 160, 400 - 0.2 * share * 200, 160, 200))


def test_detections_are_averaged(track):
    """Running mean from zero: weight w for each, (1 - w) for what was there."""
    for dx in (8.0, -16.0, 4.0):
        track.confirm(Detection(moved(START, dx), 0.9), 7, NOW)
    mean = 0.0
    for dx in (8.0, -16.0, 4.0):
        mean += DETECTION_WEIGHT * (dx - mean)
    follow(track, 14 * ANCHOR_S)
    assert track.box.centre[0] - 140 == pytest.approx(mean, rel=1e-3)


def test_a_box_that_drifted_comes_back_to_its_detections(track):
    """Flow 0.2 pixels to the right per frame, 3 detections per second at the true place."""
    track._points.move = lambda box: moved(box, dx=0.2)
    for i in range(600):
        track.follow(BEFORE, NOW, 1 / 30)
        if i % 10 == 0:
            track.confirm(Detection(START, 0.9), i, NOW)
    assert 0 < track.box.centre[0] - 140 < 0.25 * 80 and track.box.centre[1] == pytest.approx(250)


def test_a_confirmed_track_knows_its_detection(track):
    seen = moved(START, 4)
    track.confirm(Detection(seen, 0.95), 9, NOW)
    assert (track.sights, track.confirmed_ns, track.confidence, track.confirmed_box) == (2, 9, 0.95, seen)
    assert track.seen_ns == 5
    assert track._points.seeks[1:] == [(NOW, START)], "new points are sought where the box is"


# Of each direction half a side, or a size of 1.6 times: the flow has followed something else.
FAR = [{"dx": 40}, {"dx": -40}, {"dy": 50}, {"dy": -50}]
FAR += [{"wider": 1.6}, {"wider": 1 / 1.6}, {"higher": 1.6}, {"higher": 1 / 1.6}]


@pytest.mark.parametrize("far", FAR)
def test_a_far_detection_takes_the_box_at_once(track, far):
    track.confirm(Detection(moved(START, 8, 8), 0.9), 6, NOW)
    follow(track, 1.0)
    there = moved(track.box, **far)
    track.confirm(Detection(there, 0.9), 7, NOW)
    assert track.box == there and track.steady == pytest.approx(there)
    assert track._points.seeks[-1] == (NOW, there)
    follow(track, 1.0)
    assert track.box == pytest.approx(there), "what pulled before is forgotten"


@pytest.mark.parametrize(
    "near", [{"dx": 20}, {"dx": -20}, {"dy": 25}, {"dy": -25}, {"wider": 1.3}, {"higher": 1 / 1.3}]
)
def test_a_near_detection_does_not(track, near):
    """A quarter of a side, or a size of 1.3 times: detections are no better than that."""
    track.confirm(Detection(moved(START, **near), 0.9), 7, NOW)
    assert track.box == START


def test_at_the_limit_the_flow_is_still_trusted(scripted):
    track = Track(Detection(Box(100.0, 200.0, 100.0, 100.0), 0.9), 5, BEFORE)
    track.confirm(Detection(Box(100.0 + 100 * SNAP, 200.0, 100.0, 100.0), 0.9), 6, NOW)
    assert track.box.x == 100


def test_follow_gives_flow_both_frames_and_the_box(track):
    track._points.move = lambda box: moved(box, 3, 4)
    assert track.follow(BEFORE, NOW, 0.1)
    assert track._points.follows == [(BEFORE, NOW, START)]
    assert track.box == pytest.approx(moved(START, 3, 4))
    assert track.motion == pytest.approx(5 / 80 / 0.1), "box widths per second"


def test_a_lost_face_stays_where_it_was(track):
    track._points.move = lambda box: None
    assert not track.follow(BEFORE, NOW, 0.1)
    assert track.box == START and track.motion == 0


@pytest.mark.parametrize("few", [False, True])
def test_new_points_are_sought_when_few_are_left(track, few):
    track._points.few = few
    track._points.move = lambda box: moved(box, 3, 4)
    track.follow(BEFORE, NOW, 0.1)
    assert track._points.seeks[1:] == ([(NOW, track.box)] if few else [])


def one_euro(values, step_s, rest_hz):
    """Casiez et al. 2012, equations 1 to 6 on vectors, exact discretisation; from rest at the first value."""
    value, speed, out = np.array(values[0], float), 0.0, []
    for new in np.array(values[1:], float):
        speed = speed + (1 - math.exp(-2 * math.pi * step_s)) * ((new - value) / step_s - speed)
        cutoff = rest_hz + GAIN_HZ * np.linalg.norm(speed)
        value = value + (1 - math.exp(-2 * math.pi * cutoff * step_s)) * (new - value)
        out.append(value)
    return np.array(out)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_the_steady_box_is_the_one_euro_filter_in_box_widths(scripted, scale):
    start = Box(*(scale * v for v in START))
    track = Track(Detection(start, 0.9), 5, BEFORE)
    path = [(0, 0), (6, 2), (12, 5), (12, 5), (12, 5)]
    found = []
    for (x, y), (nx, ny) in zip(path, path[1:], strict=False):
        track._points.move = lambda box, dx=nx - x, dy=ny - y: moved(box, scale * dx, scale * dy)
        track.follow(BEFORE, NOW, STEP_S)
        found.append(track.steady.centre)
        assert track.steady[2:] == pytest.approx(start[2:])
    expected = one_euro([((140 + x) / 80, (250 + y) / 80) for x, y in path], STEP_S, REST_HZ)
    np.testing.assert_allclose(found, expected * 80 * scale, rtol=1e-9)


def test_the_steady_size_is_the_one_euro_filter_of_logarithms(track):
    sizes = [(1.0, 1.0), (1.1, 1.05), (1.15, 1.05), (1.15, 1.05)]
    found = []
    for (w, h), (nw, nh) in zip(sizes, sizes[1:], strict=False):
        track._points.move = lambda box, wider=nw / w, higher=nh / h: moved(box, 0, 0, wider, higher)
        track.follow(BEFORE, NOW, STEP_S)
        found.append(track.steady[2:])
    expected = one_euro([(math.log(80 * w), math.log(100 * h)) for w, h in sizes], STEP_S, SIZE_REST_HZ)
    np.testing.assert_allclose(found, np.exp(expected), rtol=1e-9)


def test_a_growing_face_keeps_its_centre_wherever_it_is(scripted):
    """Only the size changes; where the face is in the image must not matter."""
    for x in (0.0, 300.0, 3000.0):
        start = moved(START, x, x)
        track = Track(Detection(start, 0.9), 5, BEFORE)
        track._points.move = lambda box: moved(box, 0, 0, 1.01, 1.01)
        follow(track, 1.0)
        assert track.steady.centre == pytest.approx(start.centre, abs=1e-3)


class TestOutside:
    """Gone when more than 0.4 of the box is outside a 640 by 480 image."""

    shape = (480, 640, 3)

    @pytest.mark.parametrize(
        ("box", "gone"),
        [
            (Box(100, 100, 100, 100), False),
            (Box(-40, 100, 100, 100), False),
            (Box(-41, 100, 100, 100), True),
            (Box(580, 100, 100, 100), False),
            (Box(581, 100, 100, 100), True),
            (Box(100, -40, 100, 100), False),
            (Box(100, -41, 100, 100), True),
            (Box(100, 420, 100, 100), False),
            (Box(100, 421, 100, 100), True),
            (Box(-20, -20, 100, 100), False),  # 0.64 inside
            (Box(-25, -25, 100, 100), True),  # 0.5625 inside
            (Box(-300, -300, 100, 100), True),  # two negative sides are no area
            (Box(900, 900, 100, 100), True),
            (Box(-10, 100, 50, 200), False),
            (Box(-0.3, 10, 0.5, 0.5), True),  # half a pixel wide: the share counts
            (Box(10, 10, 0.5, 0.5), False),
        ],
    )
    def test_share(self, track, box, gone):
        track.box = box
        assert track.outside(self.shape) is gone


def test_what_a_face_looks_like_is_remembered_at_first_and_when_confirmed(track):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (400, 300, 3)).astype(np.uint8) // (i + 1) for i in range(3)]
    colours = [face_colour(image, START) for image in images]
    track.seen(Frame(6, images[0]))
    np.testing.assert_array_equal(track.colour, colours[0])
    track.seen(Frame(7, images[1]))
    np.testing.assert_array_equal(track.colour, colours[0])
    assert track.seen_ns == 7
    track.confirm(Detection(START, 0.9), 8, NOW)
    track.seen(Frame(8, images[2]))
    np.testing.assert_array_equal(track.colour, colours[2])


def test_real_flow_moves_the_box_with_the_face():
    texture = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (240, 320)).astype(np.uint8), (0, 0), 2)
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX)
    frames = [GreyFrame(np.roll(texture, (2 * i, 3 * i), (0, 1)), 2.0) for i in range(4)]
    track = Track(Detection(Box(200, 120, 160, 200), 0.9), 1, frames[0])
    for before, now in zip(frames, frames[1:], strict=False):
        assert track.follow(before, now, 0.1)
    assert track.box == pytest.approx((200 + 18, 120 + 12, 160, 200), abs=0.5), "pixels of the full image"
    assert track.motion == pytest.approx(math.hypot(6, 4) / 160 / 0.1, rel=0.03)
    assert not track.follow(frames[-1], GreyFrame(np.zeros_like(texture), 2.0), 0.1)

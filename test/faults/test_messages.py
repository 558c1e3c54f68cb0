"""Messages that are wrong: each is dropped, counted and named, and the next good one is used (in process: the same callbacks)."""

import math

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image

from rppg_ros import msg
from rppg_ros.nodes.face_tracker import FaceTrackerNode
from rppg_ros.nodes.messages import CropError, crops_from, crops_message, request_from, to_header
from rppg_ros.nodes.video_messages import image_message
from rppg_ros.nodes.vitals import VitalsNode
from rppg_ros.sources.base import RGB, THERMAL
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.types import Box
from rppg_ros.vision.view import ViewState
from support.graph import context, overrides
from support.people import START_NS, S, crops

FRAMES = list(DemoSource(DemoScene(seconds=1.5, fps=15.0, thermal_fps=15.0, jitter_s=0.0, drop=0.0, motion_px=0.5)))


@pytest.fixture
def node():
    """Makes started nodes, and ends them."""
    context()
    made = []

    def make(cls, **given):
        made.append(cls(parameter_overrides=overrides(**given)))
        made[-1].autostart()
        return made[-1]

    yield make
    for one in made:
        if one.active:
            one.trigger_deactivate()
        one.destroy_node()


def one_message(stamp_ns=START_NS, **changed):
    (crop,) = list(crops(seconds=0.04))
    message = crops_message(to_header(stamp_ns, "c"), [crop])
    for name, value in changed.items():
        setattr(message.faces[0], name, value)
    return message


NAN = float("nan")
BAD_FACES = [
    ({"width": NAN}, "width is nan"),
    ({"height": math.inf}, "height is inf"),
    ({"x": NAN}, "x is nan"),
    ({"crop_scale": NAN}, "crop_scale is nan"),
    ({"confidence": NAN}, "confidence is nan"),
    ({"motion": -math.inf}, "motion is -inf"),
    ({"width": 0.0}, "a box of 0x"),
    ({"height": -5.0}, "x-5"),
    ({"crop_scale": 0.0}, "scale 0"),
    ({"size": 0}, "crops of 0 pixels"),
    ({"size": 65535}, "crops of 65535 pixels"),
    ({"face_id": ""}, "without face_id"),
    ({"face_id": "x" * 10_000_000}, "a face_id of 10000000 characters"),
    ({"size": 35}, "size 35 needs"),
]


@pytest.mark.parametrize(("changed", "says"), BAD_FACES, ids=[says for _, says in BAD_FACES])
def test_a_bad_face_is_refused_in_one_short_line(changed, says):
    with pytest.raises(CropError) as caught:
        crops_from(one_message(**changed))
    assert says in str(caught.value) and len(str(caught.value)) < 200


def test_a_face_twice_and_a_thousand_faces_are_refused():
    twice = one_message()
    twice.faces.append(twice.faces[0])
    with pytest.raises(CropError, match="twice"):
        crops_from(twice)
    crowd = one_message()
    crowd.faces = [msg.FaceCrop(face_id=f"f{i}") for i in range(1000)]
    with pytest.raises(CropError, match="1000 faces"):
        crops_from(crowd)


@pytest.mark.parametrize(("size", "scale"), [(0, 1.5), (65535, 1.5), (36, NAN), (36, math.inf), (36, 0.0), (36, -1.5)])
def test_requests_for_impossible_crops_are_refused(size, scale):
    with pytest.raises(CropError, match="not possible"):
        request_from(msg.CropRequest(size=size, scale=scale, engine="x" * 1000))


def hear(vitals, message):
    """As rclpy calls the node."""
    vitals._subscription.callback(message, {})


@pytest.mark.parametrize("changed", [changed for changed, _ in BAD_FACES], ids=[says for _, says in BAD_FACES])
def test_vitals_lives_on_after_it(node, changed):
    vitals = node(VitalsNode)
    hear(vitals, one_message(START_NS, **changed))
    hear(vitals, one_message(START_NS + S // 30))
    assert vitals.unusable == 1 and vitals.half.faces == ["abcde"] and vitals.surprises == 0


def test_what_nobody_foresaw_is_dropped_counted_and_named(node):
    vitals = node(VitalsNode)
    vitals.half.take = lambda *_: 1 / 0
    for i in range(3):
        hear(vitals, one_message(START_NS + i * S // 30))
    assert vitals.surprises == 3
    health = {part: check() for part, check in vitals._diagnostics._checks.items()}["crops"]
    assert health.values["unforeseen errors"] == 3
    assert "face_crops" in health.message and "ZeroDivisionError" in health.message
    vitals._surprise._at_s -= 100
    assert "ZeroDivisionError" not in vitals._diagnostics._checks["crops"]().message, "levels follow the present"


BAD_K = {
    "K[8] is 0": [500.0, 0, 320, 0, 500, 240, 0, 0, 0],
    "NaN": [NAN, 0, 320, 0, 500, 240, 0, 0, 1],
    "infinite": [500.0, 0, math.inf, 0, 500, 240, 0, 0, 1],
    "negative": [-500.0, 0, 320, 0, 500, 240, 0, 0, 1],
    "huge": [1e300, 0, 320, 0, 500, 240, 0, 0, 1],
    "a last row that is none": [500.0, 0, 320, 0, 500, 240, 1, 1, 1],
    "zeros: not calibrated": [0.0] * 9,
}


@pytest.mark.parametrize("k", BAD_K.values(), ids=BAD_K)
def test_a_camera_matrix_that_is_none_changes_nothing(node, k):
    tracker = node(FaceTrackerNode)
    good = CameraInfo(k=[500.0, 0, 320, 0, 500, 240, 0, 0, 1])
    rgb, thermal = tracker._listeners
    rgb.callback(good)
    thermal.callback(CameraInfo(k=k))
    view, seen = tracker.camera.tracker.view, ((480, 640, 3), (120, 160), Box(200, 100, 100, 120))
    assert view.matrix(*seen) is None and view.state is ViewState.ASSUMED
    named = tracker.geometry.complaints
    assert not named if not any(k) else "/thermal/camera_info: K is no camera matrix" in named[THERMAL]
    thermal.callback(CameraInfo(k=[100.0, 0, 80, 0, 100, 60, 0, 0, 1]))
    np.testing.assert_allclose(view.matrix(*seen)[0, 0], 0.2)
    assert tracker.surprises == 0 and not tracker.geometry.complaints


def image_of_size(width, height, encoding="rgb8", stamp_ns=START_NS - S):
    channels, depth = (3, 1) if encoding == "rgb8" else (1, 2)
    row = width * channels * depth
    out = Image(header=to_header(stamp_ns, "c"), width=width, height=height, encoding=encoding, step=row)
    out.data.frombytes(bytes(row * height))
    return out


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (RGB, image_of_size(1, 640)),
        (RGB, image_of_size(640, 1)),
        (RGB, image_of_size(2, 1300)),
        (RGB, image_of_size(9, 60000)),
        (RGB, image_of_size(60000, 9)),
        (THERMAL, image_of_size(1, 60000, "16UC1")),
        (THERMAL, image_of_size(60000, 9, "16UC1")),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.width}x{value.height}",
)
def test_images_of_absurd_shape_are_named_and_survived(node, stream, message):
    tracker = node(FaceTrackerNode)
    images = {stream: one._on_image for stream, one in tracker.inputs.items()}
    images[stream](message)
    if stream == THERMAL:  # it is looked at when an RGB image comes to it
        first = FRAMES[0] if FRAMES[0].stream == RGB else FRAMES[1]
        images[RGB](image_message(first, to_header(START_NS - S, "c"), "rgb8"))
        for frame in tracker.camera.flush():
            tracker._hand_on(frame)
    assert tracker.camera.streams[stream].unreadable == 1 and tracker.surprises == 0
    for frame in FRAMES:
        images[frame.stream](image_message(frame, to_header(START_NS + frame.stamp_ns, "c"), "rgb8"))
    assert tracker.faces == 1 and not tracker.camera.streams[stream].complaint

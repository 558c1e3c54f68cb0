"""Who is who, and whom to measure, over real DDS: the faces topic and the service select_target."""

import math

import cv2
import numpy as np
import pytest
from rclpy.node import Node
from sensor_msgs.msg import Image

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.face_tracker import FaceTrackerNode
from rppg_ros.nodes.messages import to_header
from rppg_ros.nodes.video_messages import image_message
from rppg_ros.sources.base import RGB, StreamFrame
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.srv import SelectTarget
from support.graph import Listener, context, overrides, settle, spinning, wait_for

S = 1_000_000_000
START_NS = 1_700_000_000 * S
PERSON = [frame.image for frame in DemoSource(DemoScene(seconds=3, fps=10, thermal_fps=0)) if frame.stream == RGB]
SMALL, LARGE = (500, 0.8), (0, 1.0)  # left edge, size


def picture(i, places):
    out = np.full((480, 1040, 3), 90, np.uint8) + (np.arange(480)[:, None, None] // 12).astype(np.uint8)
    for x, scale in places:
        one = cv2.resize(PERSON[i % len(PERSON)], (round(640 * scale), round(480 * scale)))[:480, : 1040 - x]
        out[: one.shape[0], x : x + one.shape[1]] = one
    noise = np.random.default_rng(i).integers(0, 3, out.shape, dtype=np.uint8)  # a picture that comes again is dead
    return np.clip(out, 0, 250) + noise


class Room:
    """A tracker, a camera before which people sit, and somebody who asks."""

    def __init__(self, **params):
        context()
        self.tracker = FaceTrackerNode(
            parameter_overrides=overrides(thermal__enabled=False, detector__min_face=80, **params)
        )
        self.tracker.seconds = lambda: 0.0
        self.camera = Node("camera")
        self.images = self.camera.create_publisher(Image, "image", qos.CAMERAS)
        self.asking = self.camera.create_client(SelectTarget, "select_target")
        self.listener = Listener({"faces": msg.Faces, "face_crops": msg.FaceCrops}, qos=1000)
        self.count = 0

    def __enter__(self):
        self.tracker.autostart()
        self._spin = spinning(self.tracker, self.camera, self.listener)
        self.executor = self._spin.__enter__()
        wait_for(lambda: self.images.get_subscription_count() == 1, what="the tracker's subscription")
        wait_for(lambda: self.tracker._faces.get_subscription_count() == 1, what="the listener to faces")
        wait_for(self.asking.service_is_ready, what="select_target")
        return self

    def __exit__(self, *error):
        self._spin.__exit__(*error)

    def show(self, places, frames=20):
        """Frames at 10 Hz; returns what `faces` said of the last one."""
        meter = self.tracker.meters[RGB]
        for _ in range(frames):
            stamp_ns = START_NS + self.count * S // 10
            before = meter.total
            frame = StreamFrame(RGB, stamp_ns, picture(self.count, places), "rgb8")
            self.images.publish(image_message(frame, to_header(stamp_ns, "camera_optical"), "rgb8"))
            wait_for(lambda before=before: meter.total > before, what="the image's arrival")
            self.count += 1
        settle(self.executor)
        wait_for(lambda: self.heard and self.heard[-1].header.stamp == to_header(stamp_ns, "").stamp, what="faces")
        return self.heard[-1]

    @property
    def heard(self):
        return self.listener.got["faces"]

    def ask(self, **request):
        future = self.asking.call_async(SelectTarget.Request(**request))
        wait_for(future.done, what="the answer of select_target")
        return future.result()


@pytest.fixture(scope="module")
def two():
    """Two people, one of whom may be measured."""
    with Room(max_faces=1) as room:
        yield room


def by_place(faces):
    return {"large" if face.x < 400 else "small": face for face in faces.faces}


def test_faces_say_who_is_measured_and_who_is_only_seen(two):
    said = two.show([LARGE, SMALL])
    assert (said.image_width, said.image_height, said.target_policy, said.target_id) == (1040, 480, "largest", "")
    found = by_place(said)
    large, small = found["large"], found["small"]
    assert large.target and large.why == msg.Face.WHY_LARGEST and len(large.face_id) == 5
    assert not small.target and small.why == msg.Face.WHY_ONLY_SEEN and small.face_id == ""
    assert large.distance == msg.Face.DISTANCE_NEAR and small.width < large.width
    assert math.isnan(small.motion) and large.motion >= 0 and 0 <= small.age < 1
    crops = two.listener.got["face_crops"][-1]
    assert [crop.face_id for crop in crops.faces] == [large.face_id] and said.header.frame_id == "camera_optical"


def test_a_face_is_chosen_by_its_place_kept_by_its_id_and_released(two):
    first = by_place(two.show([LARGE, SMALL]))
    small = first["small"]
    answer = two.ask(x=small.x + small.width / 2, y=small.y + small.height / 2)
    assert answer.success and "faces" in answer.message
    said = two.show([LARGE, SMALL])
    found = by_place(said)
    assert found["small"].target and found["small"].why == msg.Face.WHY_ASKED and not found["large"].target
    chosen = found["small"].face_id
    assert said.target_id == chosen == two.tracker.get_parameter("target.id").value
    assert not by_place(two.show([LARGE], 15))["large"].target, "the one who was asked for is out of view: nobody else"
    assert by_place(two.show([LARGE, SMALL]))["small"].face_id == chosen, "back under the same id"
    answer = two.ask(release=True)
    assert answer.success and two.tracker.get_parameter("target.id").value == ""
    assert by_place(two.show([LARGE, SMALL], 30))["large"].target
    back = by_place(two.heard[-1])["large"].face_id
    answer = two.ask(face_id=back)
    assert answer.success and answer.face_id == back and two.show([LARGE, SMALL]).target_id == back
    assert two.ask(release=True).success


def test_who_is_not_there_cannot_be_chosen(two):
    two.show([LARGE])
    for request, told in (
        ({"face_id": "nobod"}, "no face 'nobod' is in view"),
        ({"x": 1000.0, "y": 470.0}, "no face is seen at 1000, 470"),
        ({"x": math.nan, "y": 0.0}, "in pixels"),
    ):
        answer = two.ask(**request)
        assert not answer.success and told in answer.message
    two.executor.create_task(two.tracker.trigger_deactivate)
    wait_for(lambda: not two.tracker.active, what="deactivation")
    answer = two.ask(release=True)
    assert not answer.success and answer.message == "face_tracker is not active"

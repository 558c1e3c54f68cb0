"""The face tracker over real DDS: images in, crops and diagnostics out."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy._rclpy_pybind11 import InvalidHandle
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.face_tracker import FaceTrackerNode
from rppg_ros.nodes.messages import crops_from, from_time, to_header
from rppg_ros.nodes.video_messages import compressed_message, image_message
from rppg_ros.sources.base import RGB, THERMAL
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.types import Box
from support.graph import Listener, context, overrides, settle, spinning, wait_for

S = 1_000_000_000
START_NS = 1_700_000_000 * S
FRAMES = list(DemoSource(DemoScene(seconds=2.0, fps=15.0, thermal_fps=7.5, jitter_s=0.0, drop=0.0, motion_px=1.0)))


class Rig:
    """A tracker, a camera and a listener that spin together; the node's time stands still."""

    def __init__(self, sensor_qos=False, compressed=False, **params):
        context()
        self.compressed = compressed
        self.tracker = FaceTrackerNode(parameter_overrides=overrides(**params))
        self.tracker.seconds = lambda: 0.0
        self.camera = Node("camera")
        kind, suffix = (CompressedImage, "/compressed") if compressed else (Image, "")
        self.wanted = qos.IMAGES if sensor_qos else qos.CAMERAS
        self.images = {
            RGB: self.camera.create_publisher(kind, "image" + suffix, self.wanted),
            THERMAL: self.camera.create_publisher(kind, "thermal/image" + suffix, self.wanted),
        }
        self.listener = Listener({"face_crops": msg.FaceCrops, "/diagnostics": DiagnosticArray}, qos=1000)
        self.got, self.published = self.listener.got["face_crops"], []

    def __enter__(self):
        self.tracker.autostart()
        publish = self.tracker._publisher.publish
        self.tracker._publisher.publish = lambda message: (self.published.append(message), publish(message))
        self._spin = spinning(self.tracker, self.camera, self.listener)
        self.executor = self._spin.__enter__()
        self.wait_connected()
        wait_for(lambda: self.tracker._publisher.get_subscription_count(), what="listener to face_crops")
        return self

    def __exit__(self, *error):
        self._spin.__exit__(*error)

    def wait_connected(self):
        """Until each camera and its subscription know each other, after the change to the delivery that it offers."""
        wait_for(
            lambda: [i._profile for i in self.tracker.inputs.values()] == [self.wanted] * 2,
            what="the change of delivery",
        )
        for publisher in self.images.values():
            wait_for(lambda publisher=publisher: publisher.get_subscription_count() == 1, what="subscription to images")
        for images in self.tracker.inputs.values():
            wait_for(lambda images=images: _cameras_of(images) == 1, what="a camera")

    def send(self, stream, message):
        """Give one image, and wait until the node has taken it: queues are short, and a slow machine must lose nothing."""
        meter = self.tracker.meters[stream]
        before = meter.total
        self.images[stream].publish(message)
        wait_for(lambda: meter.total > before, what="the image's arrival")

    def wait_heard(self):
        """Until all is done that was sent, and all heard that was published of it."""
        settle(self.executor)
        wait_for(lambda: len(self.got) == len(self.published), what="what was published")

    def play(self, frames=FRAMES, shift_ns=0, streams=(RGB, THERMAL)):
        for frame in frames:
            header = to_header(START_NS + shift_ns + frame.stamp_ns, "camera_optical")
            if frame.stream in streams:
                if self.compressed:
                    self.send(frame.stream, compressed_message(frame, header, quality=95))
                else:
                    self.send(frame.stream, image_message(frame, header, "rgb8"))

    def health(self, part, says=""):
        """The newest with such a message; what is none yet says nothing."""
        statuses = [s for d in self.listener.got["/diagnostics"] for s in d.status if s.name.endswith(part)]
        return next((s for s in reversed(statuses) if says in s.message), DiagnosticStatus())


def _cameras_of(images):
    try:
        return images._subscription.get_publisher_count()
    except InvalidHandle:  # in the midst of the change
        return 0


RGB_COUNT = sum(frame.stream == RGB for frame in FRAMES)


@pytest.mark.parametrize("compressed", [False, True])
def test_one_message_for_each_rgb_image_with_face_and_heat(compressed):
    transport = "compressed" if compressed else "raw"
    options = {"image_transport": transport, "thermal__image_transport": transport}
    with Rig(compressed=compressed, thermal__scale=0.01, thermal__offset=-273.15, **options) as rig:
        rig.play()
        rig.wait_heard()
    assert len(rig.got) >= RGB_COUNT - 1
    stamps = [from_time(m.header.stamp) for m in rig.got]
    assert stamps == sorted(set(stamps)) and set(stamps) <= {START_NS + f.stamp_ns for f in FRAMES}
    last = crops_from(rig.got[-1])
    assert len(last) == 1 and last[0].rgb.shape == (72, 72, 3) and rig.got[-1].header.frame_id == "camera_optical"
    assert last[0].thermal_radiometric and 30 < last[0].thermal.max() < 37
    assert abs(last[0].thermal_stamp_ns - last[0].stamp_ns) <= 0.07 * S
    assert len({crop.face_id for m in rig.got for crop in crops_from(m)}) == 1


def test_best_effort_cameras_are_heard():
    with Rig(sensor_qos=True) as rig:
        rig.play(streams=(RGB,))
        wait_for(lambda: len(rig.got) > RGB_COUNT // 2, what="crops")


def test_without_a_face_the_array_is_empty():
    with Rig() as rig:
        for i in range(8):
            empty = Image(height=480, width=640, encoding="mono8", step=640)
            empty.header = to_header(START_NS + i * S // 15, "camera_optical")
            empty.data.frombytes(bytes(480 * 640))
            rig.send(RGB, empty)
        rig.wait_heard()
    assert len(rig.got) >= 6 and all(not m.faces for m in rig.got)


@pytest.mark.parametrize("policy", ["approximate", "exact"])
def test_message_filters_policies_pass_only_pairs(policy):
    frames = [f for f in FRAMES if f.stream == RGB]
    with Rig(pairing__policy=policy) as rig:
        for i, frame in enumerate(frames):
            header = to_header(START_NS + frame.stamp_ns, "camera_optical")
            rig.send(RGB, image_message(frame, header, "rgb8"))
            if i % 3 == 0:
                late = 0 if policy == "exact" else 20_000_000
                heats = [f for f in FRAMES if f.stream == THERMAL]
                heat = heats[i // 3 % len(heats)]
                rig.send(THERMAL, image_message(heat, to_header(START_NS + frame.stamp_ns + late, "t"), "rgb8"))
        rig.wait_heard()
    assert abs(len(rig.got) - len(frames) // 3) <= 1
    assert all(len(face.thermal) for m in rig.got for face in m.faces)


def test_broken_images_are_counted_named_and_survived():
    with Rig() as rig:
        bad = image_message(FRAMES[1], to_header(START_NS - S, "c"), "rgb8")
        bad.encoding = "purple"
        rig.send(RGB, bad)
        wait_for(lambda: "purple" in rig.health("rgb").message, what="a diagnostic that names the encoding")
        complaint = rig.health("rgb", "purple")
        assert complaint.level == DiagnosticStatus.ERROR and "/image" in complaint.message
        unstamped = image_message(FRAMES[1], to_header(0, "c"), "rgb8")
        rig.send(RGB, unstamped)
        wait_for(lambda: "stamp" in rig.health("rgb").message, what="a diagnostic about the stamp")
        rig.play(streams=(RGB,))
        wait_for(lambda: rig.got and rig.got[-1].faces, what="crops all the same")
        wait_for(lambda: rig.health("rgb").level == DiagnosticStatus.OK, what="health after good images")


def test_time_that_jumps_back_starts_anew():
    with Rig() as rig:
        rig.play(streams=(RGB,))
        wait_for(lambda: rig.got and rig.got[-1].faces, what="crops")
        before = rig.got[-1].faces[0].face_id
        count = len(rig.got)
        rig.play(shift_ns=-60 * S, streams=(RGB,))
        wait_for(lambda: len(rig.got) > count + RGB_COUNT // 2 and rig.got[-1].faces, what="crops again")
    assert rig.got[-1].faces[0].face_id != before


def test_deactivated_it_hears_nothing():
    with Rig() as rig:
        rig.executor.create_task(rig.tracker.trigger_deactivate)
        wait_for(lambda: not rig.images[RGB].get_subscription_count(), what="no subscription")
        rig.executor.create_task(rig.tracker.trigger_activate)
        wait_for(lambda: rig.tracker.active, what="the activation")
        rig.wait_connected()
        rig.play(streams=(RGB,))
        wait_for(lambda: any(m.faces for m in rig.got), what="crops")


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"detector__model": "/no/yunet.onnx"}, "/no/yunet.onnx"),
        ({"thermal__homography": [1.0] * 9}, "thermal.homography"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(params, says):
    context()
    node = FaceTrackerNode(parameter_overrides=overrides(**params))
    node.autostart()
    assert not node.active and says in node.problem
    node.destroy_node()


def test_a_homography_from_the_parameter_is_used():
    context()
    shift = [0.25, 0.0, 10.0, 0.0, 0.25, 0.0, 0.0, 0.0, 1.0]
    node = FaceTrackerNode(parameter_overrides=overrides(thermal__homography=shift))
    node.autostart()
    matrix = node.camera.tracker.view.matrix((480, 640, 3), (120, 160), Box(0, 0, 100, 100))
    np.testing.assert_allclose(matrix.ravel(), shift)
    node.destroy_node()

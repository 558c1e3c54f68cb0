"""Several senders on one topic, no /clock, stamps that stand still, numbers that come too late: named, and no number stands."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.camera_geometry import camera_of, info_topic
from rppg_ros.nodes.diagnostics import RECENT_S, Recent
from rppg_ros.nodes.face_tracker import FaceTrackerNode
from rppg_ros.nodes.messages import crops_message, from_time, to_header
from rppg_ros.nodes.vitals import VitalsNode
from rppg_ros.types import NS_PER_S, Box, Rate, Status, Vital
from rppg_ros.vision.view import ViewState
from support.graph import Listener, context, overrides, spinning, wait_for
from support.people import START_NS, crops


def statuses(listener, part):
    return [s for d in listener.got["/diagnostics"] for s in d.status if s.name.endswith(part)]


def image(stamp_ns, frame_id="camera"):
    out = Image(header=to_header(stamp_ns, frame_id), width=64, height=48, encoding="rgb8", step=64 * 3)
    out.data.frombytes(bytes(range(192)) * 48)
    return out


def test_two_cameras_on_one_topic_are_named_and_none_is_used():
    context()
    tracker = FaceTrackerNode(parameter_overrides=overrides(thermal__enabled=False))
    senders = [Node(name) for name in ("left_camera", "right_camera")]
    images = [sender.create_publisher(Image, "image", qos.CAMERAS) for sender in senders]
    listener = Listener({"/diagnostics": DiagnosticArray, "face_crops": msg.FaceCrops})
    tracker.autostart()
    with spinning(tracker, listener, *senders):
        wait_for(lambda: all(p.get_subscription_count() for p in images), what="subscription")
        wait_for(lambda: tracker.inputs["rgb"]._profile is qos.CAMERAS, what="reliable delivery")
        for i in range(40):
            before = tracker.inputs["rgb"].arrivals.total
            images[i % 2].publish(image(START_NS + i * NS_PER_S // 30))
            wait_for(lambda before=before: tracker.inputs["rgb"].arrivals.total > before, what="an image")
        found = lambda: [s for s in statuses(listener, "rgb") if "several nodes send" in s.message]  # noqa: E731
        wait_for(found, what="complaint")
        assert found()[-1].level == DiagnosticStatus.ERROR
        assert "/left_camera, /right_camera" in found()[-1].message
        assert tracker.inputs["rgb"].refused > 20 and tracker.meters["rgb"].total < 15


def test_stamps_that_stand_still_are_named():
    context()
    tracker = FaceTrackerNode(parameter_overrides=overrides(thermal__enabled=False))
    tracker.autostart()
    for _ in range(10):
        tracker.inputs["rgb"]._on_image(image(START_NS))
    health = tracker._diagnostics._checks["rgb"]()
    assert health.level == DiagnosticStatus.ERROR and "the stamps on /image stand still" in health.message
    tracker.inputs["rgb"]._on_image(image(START_NS + 1))
    assert "stand still" not in tracker._diagnostics._checks["rgb"]().message
    tracker.destroy_node()


def test_stamps_in_another_unit_and_partners_that_never_come_are_named():
    context()
    tracker = FaceTrackerNode(parameter_overrides=overrides(pairing__policy="exact", pairing__queue_size=5))
    tracker.autostart()
    for i in range(30):
        tracker.inputs["rgb"]._on_image(image(START_NS + 33 * i))
    health = tracker._diagnostics._checks["rgb"]()
    assert health.level == DiagnosticStatus.ERROR and "less than 0.1 ms apart" in health.message
    for i in range(30):
        tracker.inputs["rgb"]._on_image(image(START_NS + i * NS_PER_S // 30))
    health = tracker._diagnostics._checks["rgb"]()
    assert "0.1 ms" not in health.message and "no rgb image has a thermal partner" in health.message
    tracker.destroy_node()


def vitals_node(**params):
    context()
    node = VitalsNode(subscribe=False, parameter_overrides=overrides(engine="pos", **params))
    node.published = []
    node.autostart()
    for vital in Vital:
        node._rates[vital].publish = node.published.append
    return node


@pytest.mark.parametrize("use_sim_time", [True, False])
def test_crops_whose_stamp_stands_still_are_no_news(use_sim_time):
    """With use_sim_time nobody publishes /clock here: time goes on all the same."""
    node = vitals_node(use_sim_time=use_sim_time)
    stream = list(crops(seconds=2.0))
    for crop in stream:
        node.take_crops(crop.stamp_ns, [crop], "camera")
    host_s = node.time._monotonic()
    node.time._monotonic = lambda: host_s + 5.0
    for _ in range(5):
        node.take_crops(stream[-1].stamp_ns, [stream[-1]], "camera")
    assert node.age() >= 5.0
    node._check_stale()  # ends the clips
    node._check_stale()
    assert [m.status for m in node.published[-2:]] == [Status.STALE] * 2
    health = node._diagnostics._checks["crops"]()
    assert health.level == DiagnosticStatus.WARN and "no new frame on /face_crops" in health.message or use_sim_time
    assert ("nobody publishes /clock" in node.time.complaint) == use_sim_time
    node.destroy_node()


def test_silence_is_told_from_a_sender_that_is_not_heard():
    """The middleware can fail between two processes that are both well (docs/faults.md)."""
    node = vitals_node()
    said = node._diagnostics._checks["crops"]
    began_s = node.time._monotonic()
    assert said().message == "nothing received on /face_crops"
    node.time._monotonic = lambda: began_s + 5.0
    assert said().message == "nothing received on /face_crops, and nobody sends there"
    publisher = node.create_publisher(msg.FaceCrops, "face_crops", qos.CROPS)
    wait_for(lambda: node.count_publishers("face_crops"), what="the sender")
    assert said().message.startswith("nothing received on /face_crops, although a node publishes there")
    node.take_crops(START_NS, [], "camera")
    assert "face_crops" not in said().message
    node.time._monotonic = lambda: began_s + 10.0
    assert said().message.startswith("no new frame on /face_crops, although a node publishes there")
    node.destroy_publisher(publisher)
    wait_for(lambda: not node.count_publishers("face_crops"), what="the sender's end")
    assert said().message == "no new frame on /face_crops, and nobody sends there"
    node.destroy_node()


def test_no_clock_is_in_the_diagnostics():
    node = vitals_node(use_sim_time=True)
    for crop in crops(seconds=0.2):
        node.take_crops(crop.stamp_ns, [crop], "camera")
    health = node._diagnostics._checks["crops"]()
    assert health.level == DiagnosticStatus.WARN and "nobody publishes /clock" in health.message
    node.destroy_node()


@pytest.mark.parametrize(("late_s", "status"), [(3.0, Status.OK), (6.0, Status.STALE)])
def test_a_number_that_comes_too_late_is_none(late_s, status):
    node = vitals_node()
    node.last_ns = START_NS
    rate = Rate(Vital.BVP, "abcde", START_NS - round(late_s * NS_PER_S), 72.0, 1.0, 5.0, 0.9, Status.OK, 10.0, "pos")
    node._publish([rate])
    assert [m.status for m in node.published] == [status]
    assert node.late_rates == (status is Status.STALE) and (node.published[0].value == 72.0) == (status is Status.OK)
    health = node._diagnostics._checks["engine"]()
    assert ("come too late" in health.message) == (status is Status.STALE)
    node.destroy_node()


def ok_rates_of(node, stream, before_each=lambda i: None):
    """Ages of the numbers that are given, seconds behind the host's time: the stamps', and what `before_each` adds to it."""
    now = [0.0]
    node.time._monotonic = lambda: now[0]
    node.time._host_s = 0.0
    ages = []
    for vital in Vital:
        node._rates[vital].publish = lambda m: (
            m.status == Status.OK and ages.append(now[0] - (from_time(m.header.stamp) - START_NS) / NS_PER_S)
        )
    for i, crop in enumerate(stream):
        now[0] = max(now[0], (crop.stamp_ns - START_NS) / NS_PER_S)
        now[0] += before_each(i) or 0.0
        node.take_crops(crop.stamp_ns, [crop], "camera")
        wait_for(lambda: node.worker.pending == len(node.worker._results), what="the worker")
        node._publish_results()
    return ages


def test_numbers_are_given_in_time_and_after_a_hold_up_only_once_it_has_caught_up():
    node = vitals_node()
    stream = list(crops(seconds=30.0, thermal=False))
    ages = ok_rates_of(node, stream, lambda i: 8.0 if i == 500 else 0.0)  # held up for 8 s after 16.7 s
    assert len(ages) > 8 and max(ages) < 5.5
    node.destroy_node()


def test_no_number_without_the_clock_that_was_asked_for():
    node = vitals_node(use_sim_time=True)
    assert not ok_rates_of(node, crops(seconds=14.0, thermal=False))
    node.destroy_node()


def test_two_trackers_on_one_topic_are_named_and_give_nothing():
    context()
    node = VitalsNode(parameter_overrides=overrides(engine="pos"))
    node.autostart()
    for i, crop in enumerate(crops(seconds=2.0)):
        message = crops_message(to_header(crop.stamp_ns, "camera"), [crop])
        node._subscription.callback(message, {"publication_sequence_number": 500 + i // 2 if i % 2 else 1 + i // 2})
    health = node._diagnostics._checks["crops"]()
    assert health.level == DiagnosticStatus.ERROR and "several nodes send on /face_crops" in health.message
    assert node.meter.total < 10
    node.destroy_node()


def test_levels_speak_of_the_present():
    now = [0.0]
    recent = Recent(lambda: now[0])
    assert recent.text == "" and recent.counted(0, "dropped") == ""
    assert recent.counted(2, "dropped") == "dropped"
    now[0] = RECENT_S
    assert recent.counted(2, "dropped") == "dropped"
    now[0] = RECENT_S + 0.1
    assert recent.counted(2, "dropped") == "" and recent.counted(3, "dropped") == "dropped"
    recent.clear()
    assert recent.text == ""


def test_one_bad_message_is_no_error_for_ever():
    node = vitals_node()
    node._complain("a bad message")
    assert node._diagnostics._checks["crops"]().level == DiagnosticStatus.ERROR
    host_s = node.time._monotonic()
    node.time._monotonic = lambda: host_s + RECENT_S + 1
    for crop in crops(seconds=0.2):
        node.take_crops(crop.stamp_ns, [crop], "camera")
    health = node._diagnostics._checks["crops"]()
    assert health.level == DiagnosticStatus.OK and health.values["messages that could not be used"] == 1
    node.destroy_node()


def test_a_node_that_does_nothing_is_not_ok():
    context()
    for kind in (VitalsNode, FaceTrackerNode):
        node = kind(parameter_overrides=overrides(autostart=False))
        for check in node._diagnostics._checks.values():
            assert check().level == DiagnosticStatus.WARN and check().message == "unconfigured"
        node.trigger_configure()
        assert {check().message for check in node._diagnostics._checks.values()} == {"inactive"}
        node.destroy_node()


def test_messages_are_stable_and_values_are_numbers():
    node = vitals_node()
    for crop in crops(seconds=12.0):
        node.take_crops(crop.stamp_ns, [crop], "camera")
    for check in node._diagnostics._checks.values():
        first, again = check(), check()
        assert first.message == again.message and not any(c.isdigit() for c in first.message)
        assert all(float(value) == value or value != value for value in first.values.values())
        assert not any("abcde" in key for key in first.values)
    node.destroy_node()


@pytest.mark.parametrize(
    ("remapped", "image_topic", "info"),
    [
        ("", "/image", "/camera_info"),
        ("", "/lepton/image_raw", "/lepton/camera_info"),
        ("", "/robot/front/thermal/image_rect", "/robot/front/thermal/camera_info"),
        ("/other/info", "/lepton/image_raw", "/other/info"),
    ],
)
def test_camera_info_is_beside_the_image(remapped, image_topic, info):
    class FakeNode:
        def resolve_topic_name(self, name):
            return remapped or f"/{name}"

        def get_namespace(self):
            return "/"

    assert info_topic(FakeNode(), "rgb", image_topic) == info


def test_the_camera_of_a_camera_info():
    info = CameraInfo(width=320, height=240, k=[300.0, 0, 160, 0, 300, 120, 0, 0, 1])
    camera = camera_of(info, rectified=False)
    assert (camera.width, camera.height, camera.k[0, 0]) == (320, 240, 300)
    info.p = [250.0, 0, 150, 0, 0, 250, 110, 0, 0, 0, 1, 0]
    assert camera_of(info, rectified=True).k[0, 0] == 250 and camera_of(info, rectified=False).k[0, 0] == 300
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = 10, 20, 160, 120
    cut = camera_of(info, rectified=False)
    assert (cut.k[0, 2], cut.k[1, 2], cut.width, cut.height) == (150, 100, 160, 120)
    assert camera_of(CameraInfo(width=320, height=240), rectified=True) is None


def test_camera_info_and_the_pose_of_the_thermal_camera_calibrate_the_view():
    context()
    pose = [0.05, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    tracker = FaceTrackerNode(parameter_overrides=overrides(thermal__extrinsics=pose))
    tracker.autostart()
    rgb, thermal = tracker._listeners
    rgb.callback(CameraInfo(width=640, height=480, k=[600.0, 0, 320, 0, 600, 240, 0, 0, 1]))
    assert tracker.geometry.missing == ["/thermal/camera_info"]
    thermal.callback(CameraInfo(width=160, height=120, k=[150.0, 0, 80, 0, 150, 60, 0, 0, 1]))
    view = tracker.camera.tracker.view
    assert view.state is ViewState.CALIBRATED and not tracker.geometry.missing
    near = view.matrix((480, 640, 3), (120, 160), Box(270, 190, 90, 100))  # 90 px of 600: a face of 0.15 m at 1 m
    x, y, w = near @ (320.0, 240.0, 1.0)
    assert (x / w, y / w) == pytest.approx((80 - 150 * 0.05, 60)), (
        "5 cm to the left of what the thermal camera looks at"
    )
    tracker.destroy_node()


def test_a_pose_that_is_none_is_said_when_the_node_is_configured():
    context()
    tracker = FaceTrackerNode(parameter_overrides=overrides(thermal__extrinsics=[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
    tracker.autostart()
    assert not tracker.active and "thermal.extrinsics" in tracker.problem
    tracker.destroy_node()

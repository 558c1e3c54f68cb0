"""Both nodes in one process: images in over DDS, vitals out, and no crops on the wire unless somebody asks."""

from rclpy.node import Node
from sensor_msgs.msg import Image

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import from_time, to_header
from rppg_ros.nodes.video_messages import image_message
from rppg_ros.nodes.vitals_pipeline import make_nodes
from rppg_ros.sources.base import RGB, THERMAL
from rppg_ros.sources.demo import DemoScene, DemoSource
from support.graph import Listener, context, overrides, spinning, wait_for

START_NS = 1_700_000_000_000_000_000


class Camera(Node):
    """Publishes a scene's frames, each after the last was tracked."""

    def __init__(self):
        super().__init__("camera")
        topics = {RGB: "image", THERMAL: "thermal/image"}
        self.images = {s: self.create_publisher(Image, topic, qos.CAMERAS) for s, topic in topics.items()}

    def play(self, scene, tracker):
        sent = 0
        for frame in DemoSource(scene):
            message = image_message(frame, to_header(START_NS + frame.stamp_ns, "camera_optical"), "rgb8")
            self.images[frame.stream].publish(message)
            if frame.stream == RGB:
                sent += 1
                wait_for(lambda sent=sent: tracker.stats.frames > sent - 4, what="tracking")


def test_images_to_heart_rate_in_one_process():
    context()
    vitals, face_tracker = make_nodes(tracker_overrides=overrides(thermal__scale=0.01, thermal__offset=-273.15))
    topics = {"heart_rate": msg.HeartRate, "bvp": msg.Bvp, "rsp": msg.Rsp}
    camera, listener = Camera(), Listener(topics, 1000)
    for node in (vitals, face_tracker):
        node.seconds = lambda: 0.0  # images that come late on a slow machine are not stale
        node.autostart()
    crops_published = []
    face_tracker._publisher.publish = crops_published.append
    with spinning(camera, vitals, face_tracker, listener):
        wait_for(lambda: camera.images[RGB].get_subscription_count() == 1, what="the tracker's subscription")
        wait_for(lambda: face_tracker.inputs["rgb"]._profile is qos.CAMERAS, what="change to reliable")
        wait_for(lambda: camera.images[RGB].get_subscription_count() == 1, what="the reliable subscription")
        wait_for(lambda: listener.count_publishers("heart_rate") == 1, what="the heart rate's publisher")
        camera.play(DemoScene(heart_rate=84.0, seconds=13.0, motion_px=1.0), face_tracker.camera.tracker)
        wait_for(lambda: any(m.status == m.STATUS_OK for m in listener.got["heart_rate"]), what="a heart rate")
    rates = [m for m in listener.got["heart_rate"] if m.status == m.STATUS_OK]
    assert all(abs(m.value - 84) < 3 for m in rates)
    assert all(from_time(m.header.stamp) < START_NS + 13_000_000_000 for m in rates)
    assert listener.got["rsp"], "breath from the thermal camera"
    assert not crops_published

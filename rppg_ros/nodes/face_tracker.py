"""face_tracker node: RGB and thermal image topics in, face_crops out."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from rppg_ros import msg
from rppg_ros.meter.camera import DEFAULT_REQUEST, STREAMS, CameraHalf, TrackedFrame
from rppg_ros.nodes import qos
from rppg_ros.nodes.camera_geometry import CameraGeometry
from rppg_ros.nodes.diagnostics import Diagnostics, Meter
from rppg_ros.nodes.image_input import ADAPT_S, ImageInput
from rppg_ros.nodes.managed import ManagedNode, run_nodes
from rppg_ros.nodes.message_sync import SYNC_LIBRARY
from rppg_ros.nodes.messages import CropError, crops_message, faces_message, from_time, request_from
from rppg_ros.nodes.target_service import TargetService
from rppg_ros.nodes.tracker_health import TrackerHealth
from rppg_ros.settings.nodes import TrackerNodeSettings
from rppg_ros.sources.images import rgb_image, thermal_image
from rppg_ros.sync.policies import RGB, THERMAL
from rppg_ros.sync.stamps import Verdict
from rppg_ros.types import CropRequest, FaceCrop

# stamp in nanoseconds, crops, frame_id of the RGB camera
CropSink = Callable[[int, list[FaceCrop], str, bool], None]
TOPICS = {RGB: "image", THERMAL: "thermal/image"}
READERS: dict[str, Callable[[Any], Any]] = {RGB: rgb_image, THERMAL: thermal_image}


class FaceTrackerNode(ManagedNode):
    """Lifecycle node around the camera half.

    Parameters
    ----------
    sink : also gets the crops, as they are; with one, face_crops are published only while somebody subscribes.
    """

    settings: TrackerNodeSettings

    def __init__(self, sink: CropSink | None = None, **kwargs: Any) -> None:
        super().__init__("face_tracker", TrackerNodeSettings, **kwargs)
        self._sink = sink
        self._listeners: list[Any] = []
        self.inputs: dict[str, ImageInput] = {}
        self.geometry: CameraGeometry | None = None
        self._publisher: Any = None
        self._faces: Any = None
        self._select: TargetService | None = None
        self._requests: Any = None
        self._request = DEFAULT_REQUEST
        self.camera: CameraHalf | None = None
        self.meters = {stream: Meter() for stream in STREAMS}
        self.last_seen = dict.fromkeys(STREAMS, 0.0)
        self.publish_s = 0.0
        self.faces = 0
        self.faces_seen_s = -math.inf
        health = TrackerHealth(self)
        self._diagnostics = Diagnostics(
            self, {RGB: partial(health.stream, RGB), THERMAL: health.thermal, "faces": health.faces}
        )
        self._adapt_timer = self.create_timer(
            ADAPT_S, self.guarded("adapting", self._adapt), clock=self._diagnostics.clock
        )

    def setup(self) -> None:
        """Build the camera half, create the publisher, hear what the vitals node wants."""
        self.camera = CameraHalf(self.settings, self._request, library=SYNC_LIBRARY)
        if self.settings.thermal_enabled and not any(self.settings.thermal_homography):
            topics = {stream: self.topic(stream) for stream in STREAMS}
            extrinsics = self.settings.thermal_extrinsics
            self.geometry = CameraGeometry(self, self.camera.tracker.view, topics, extrinsics)
        self._publisher = self.create_lifecycle_publisher(msg.FaceCrops, "face_crops", qos.CROPS)
        self._faces = self.create_lifecycle_publisher(msg.Faces, "faces", qos.VITALS)
        self._select = TargetService(self, lambda: self.camera.tracker if self.active and self.camera else None)
        self._requests = self.create_subscription(
            msg.CropRequest, "crop_request", self.guarded("crop_request", self._on_request), qos.LATCHED
        )

    def start(self) -> None:
        """Begin with empty queues, and listen."""
        assert self.camera is not None
        self.camera.restart()
        self.last_seen = dict.fromkeys(STREAMS, self.seconds())
        self._listen(RGB, self.settings.image_transport)
        if self.settings.thermal_enabled:
            self._listen(THERMAL, self.settings.thermal_image_transport)
        if self.geometry is not None:
            self._listeners += self.geometry.listen()

    def stop(self, hurry: bool = False) -> None:
        """Stop listening; frames that wait for thermal are dropped."""
        for listener in self._listeners:
            self.destroy_subscription(listener)
        for images in self.inputs.values():
            images.close()
        self._listeners, self.inputs = [], {}

    def teardown(self) -> None:
        """Drop the camera half, the publisher and the subscription."""
        if self._publisher is not None:
            self.destroy_lifecycle_publisher(self._publisher)
        if self._faces is not None:
            self.destroy_lifecycle_publisher(self._faces)
        if self._select is not None:
            self._select.close()
        if self._requests is not None:
            self.destroy_subscription(self._requests)
        if self.geometry is not None:
            self.geometry.close()
        self._publisher = self._requests = self.camera = self.geometry = self._faces = self._select = None

    def apply(self, settings: TrackerNodeSettings) -> None:
        """Take other live settings."""
        assert self.camera is not None
        self.camera.tune(settings)

    def take_request(self, request: CropRequest) -> None:
        """Cut such crops from now on: the subscription's work, or a call from a node in the same process."""
        self._request = request
        if self.camera is not None:
            self.camera.follow(request)

    def topic(self, stream: str) -> str:
        """Name of a camera's image topic, after remapping."""
        return self.resolve_topic_name(TOPICS[stream])

    def _on_request(self, message: msg.CropRequest) -> None:
        try:
            self.take_request(request_from(message))
        except CropError as error:
            self.warn(f"{self.resolve_topic_name('crop_request')}: {error}")

    def _adapt(self) -> None:
        for images in self.inputs.values():
            images.adapt()

    def _listen(self, stream: str, transport: str) -> None:
        topic, message_type = TOPICS[stream], Image
        if transport == "compressed":  # image_transport's name; follows a remapping of the base topic
            topic, message_type = self.topic(stream) + "/compressed", CompressedImage
        take = self.guarded(self.topic(stream), partial(self._on_image, stream))
        self.inputs[stream] = ImageInput(self, message_type, topic, take, self.settings.image_reliability)

    def _on_image(self, stream: str, message: Any) -> None:
        assert self.camera is not None
        self.meters[stream].tick()
        self.last_seen[stream] = self.seconds()
        state = self.camera.streams[stream]
        resets, unreadable = state.guard.counts[Verdict.RESET], state.unreadable
        read, header = partial(READERS[stream], message), message.header
        self.camera.tell_faces = self._faces.get_subscription_count() > 0
        for frame in self.camera.push(stream, from_time(header.stamp), read, header):
            self._hand_on(frame)
        if state.guard.counts[Verdict.RESET] > resets:
            self.get_logger().info(f"{stream} stamps jumped back: starting anew")
        if state.unreadable > unreadable:
            self.warn(f"{self.topic(stream)}: {state.complaint}")

    def _hand_on(self, frame: TrackedFrame) -> None:
        header: Any = frame.tag
        self.faces = len(frame.crops)
        if frame.crops:
            self.faces_seen_s = self.seconds()
        started = time.thread_time()
        if self._sink is not None:
            self._sink(frame.stamp_ns, frame.crops, header.frame_id, frame.picture_dead)
        if self._publisher.get_subscription_count():
            self._publisher.publish(crops_message(header, frame.crops, frame.picture_dead))
        self._tell_faces(frame, header)
        self.publish_s += time.thread_time() - started

    def _tell_faces(self, frame: TrackedFrame, header: Any) -> None:
        assert self.camera is not None and self._select is not None
        tracker = self.camera.tracker
        self._select.settle(tracker)
        if self.camera.tell_faces:
            self._faces.publish(faces_message(header, frame.seen, tracker.shape, self.settings, frame.picture_dead))


def make_nodes() -> list[Node]:
    """The node of this executable."""
    return [FaceTrackerNode()]


def main(args: list[str] | None = None) -> int:
    """Entry point of `ros2 run rppg_ros face_tracker`."""
    return run_nodes(make_nodes, args)


if __name__ == "__main__":
    sys.exit(main())

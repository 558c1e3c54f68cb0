"""video_source node: plays a camera, a video, an image folder, a bag or the made-up person as camera topics."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

import rclpy
from rclpy.duration import Duration
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from rppg_ros.nodes import qos
from rppg_ros.nodes.diagnostics import Diagnostics, Health, Meter
from rppg_ros.nodes.managed import run_nodes
from rppg_ros.nodes.messages import to_header, to_time
from rppg_ros.nodes.params import ParameterError, Parameters, StrictParameters
from rppg_ros.nodes.video_gate import AcknowledgedGate
from rppg_ros.nodes.video_messages import camera_info, compressed_message, image_message
from rppg_ros.nodes.video_player import Player
from rppg_ros.nodes.video_truth import TruthPublisher
from rppg_ros.settings.nodes import VideoSourceSettings
from rppg_ros.sources.base import RGB, THERMAL, FrameSource, SourceError, StreamFrame
from rppg_ros.sources.factory import open_source

SLOW_S = 0.1  # falling behind by more than this within a second of diagnostics is a warning
DELIVERY_S = 2.0  # for the last frames, before the process ends
SETTLE_S = 1.5  # a subscriber may change over to reliable delivery once it has seen this node (image_input.py)
TOPICS = {RGB: "image", THERMAL: "thermal/image"}
INFO_TOPICS = {RGB: "camera_info", THERMAL: "thermal/camera_info"}


class VideoSource(StrictParameters, Node):
    """Plays as soon as it is made; `done` says when it has played all.

    Raises
    ------
    ParameterError : the source cannot be opened; says why.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("video_source", **kwargs)
        self.parameters = Parameters(self, VideoSourceSettings)
        self._params: VideoSourceSettings = self.parameters.read()
        p = self._params
        try:
            probe = self._open()
        except SourceError as error:
            raise ParameterError(f"parameter 'source': {error}") from None
        self._frame_ids = {RGB: p.frame_id, THERMAL: p.thermal_frame_id}
        self._matrices = {RGB: p.camera_matrix, THERMAL: p.thermal_camera_matrix}
        kind = CompressedImage if p.compressed else Image
        suffix = "/compressed" if p.compressed else ""
        self._images = {
            stream: self.create_publisher(kind, self.resolve_topic_name(topic) + suffix, qos.CAMERAS)
            for stream, topic in TOPICS.items()
        }
        self._infos = {
            stream: self.create_publisher(CameraInfo, topic, qos.CAMERAS)
            for stream, topic in INFO_TOPICS.items()
            if any(self._matrices[stream])
        }
        self._clock_publisher = self.create_publisher(Clock, "/clock", 10) if p.publish_clock else None
        self._truth = TruthPublisher(self, probe.vitals) if hasattr(probe, "vitals") else None
        self._name, self._duration_s = probe.name, probe.duration_s
        self._caution = getattr(probe, "caution", "")
        if self._caution:
            self.get_logger().warning(self._caution)
        probe.close()
        self._meter = Meter()
        self._diagnostics = Diagnostics(self, {"playback": self._health})
        self._gate = AcknowledgedGate(self, lambda text: self.get_logger().warning(text, throttle_duration_sec=5.0))
        now = self.get_clock().now
        self._player = Player(
            self._open,
            self._send,
            lambda: now().nanoseconds or time.time_ns(),
            p.rate,
            self._gate,
            p.loop,
            p.stamps == "now",
        )
        self._starter = self.create_timer(0.05, self._start_when_heard, clock=self._diagnostics.clock)
        self._end_watch = self.create_timer(0.2, self._watch_end, clock=self._diagnostics.clock)
        self._made_s = time.monotonic()
        self._heard_s: float | None = None
        self._lag_told_s = 0.0

    @property
    def done(self) -> bool:
        """Whether the last frame was sent (or playing failed: see `error`)."""
        return self._player.finished.is_set()

    @property
    def error(self) -> str:
        """Why playing ended early; empty if it did not."""
        return self._player.error

    def destroy_node(self) -> None:
        """Stop the player first: it publishes through this node."""
        self._player.stop()
        super().destroy_node()

    def _open(self) -> FrameSource:
        p = self._params
        return open_source(p.source, p.thermal_source, p.fps, p.bag_rgb_topic, p.bag_thermal_topic)

    def _start_when_heard(self) -> None:
        now_s = time.monotonic()
        if not self._heard():
            self._heard_s = None
            if now_s - self._made_s < self._params.wait_for_subscribers:
                return
        elif self._heard_s is None:
            self._heard_s = now_s
        if self._heard_s is not None and now_s - self._heard_s < SETTLE_S:
            return
        self._starter.cancel()
        self.get_logger().info(f"playing {self._name}")
        self._player.start()

    def _heard(self) -> bool:
        """Somebody listens; and where the nodes set the pace, they are all there."""
        listened = self._images[RGB].get_subscription_count() > 0
        return listened and (self._params.rate > 0 or self._gate.connected())

    def _send(self, frame: StreamFrame, stamp_ns: int) -> None:
        """On the player's thread."""
        try:
            self._publish(frame, stamp_ns)
        except RuntimeError:  # rclpy's own, when the context ends while a frame is on its way
            if rclpy.ok(context=self.context):
                raise

    def _publish(self, frame: StreamFrame, stamp_ns: int) -> None:
        p = self._params
        header = to_header(stamp_ns, self._frame_ids[frame.stream])
        make = compressed_message if p.compressed else image_message
        options = {"quality": p.jpeg_quality} if p.compressed else {"encoding": p.encoding}
        self._images[frame.stream].publish(make(frame, header, **options))
        if frame.stream in self._infos:
            self._infos[frame.stream].publish(camera_info(frame, header, self._matrices[frame.stream]))
        if self._clock_publisher is not None:
            self._clock_publisher.publish(Clock(clock=to_time(stamp_ns)))
        if frame.stream == RGB:
            self._meter.tick()
            if self._truth is not None:
                self._truth.frame(stamp_ns, frame.stamp_ns)

    def _watch_end(self) -> None:
        if not self.done:
            return
        self._end_watch.cancel()
        if self.error:
            self.get_logger().error(self.error)
        else:
            self.get_logger().info(f"played {self._meter.total} RGB frames of {self._name}")
        if self._params.exit_at_end:
            for publisher in self._images.values():
                publisher.wait_for_all_acked(Duration(seconds=DELIVERY_S))
            rclpy.try_shutdown(context=self.context)

    def _health(self) -> Health:
        player = self._player
        health = Health(message=f"finished {self._name}" if self.done else f"playing {self._name}")
        health.values = {
            "frames per second": self._meter.rate(),
            "RGB frames": self._meter.total,
            "position, s": player.position_s,
            "duration, s": math.nan if self._duration_s is None else self._duration_s,
            "lag behind the asked speed, s": player.lag_s,
        }
        lost_s, self._lag_told_s = player.lag_s - self._lag_told_s, player.lag_s
        if lost_s > SLOW_S and not self.done:
            health.warn("falls behind the asked speed: this machine is too slow for it")
        if self._caution:
            health.warn(self._caution)
        if self.error:
            health.error(self.error)
        return health


def main(args: list[str] | None = None) -> int:
    """Entry point of `ros2 run rppg_ros video_source`; exit code 1 also when the source broke off."""
    nodes: list[VideoSource] = []

    def make_nodes() -> list[VideoSource]:
        nodes.append(VideoSource())
        return nodes

    code = run_nodes(make_nodes, args)
    return code or int(any(node.error for node in nodes))


if __name__ == "__main__":
    sys.exit(main())

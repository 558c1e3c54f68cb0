"""face_tracker node: RGB and thermal image topics in, face_crops out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from rppg_ros import msg
from rppg_ros.inference.card import ModelCard
from rppg_ros.nodes import qos
from rppg_ros.nodes.camera_geometry import CameraGeometry
from rppg_ros.nodes.diagnostics import Diagnostics, Health, Meter
from rppg_ros.nodes.image_input import ADAPT_S, ImageInput
from rppg_ros.nodes.managed import ManagedNode, run_nodes
from rppg_ros.nodes.messages import crops_message, from_time
from rppg_ros.nodes.pairing import make_pairing
from rppg_ros.nodes.params import declare
from rppg_ros.nodes.tracker_params import TABLE, tracker_config
from rppg_ros.sources.images import ImageError, rgb_image, thermal_image
from rppg_ros.sync.pairing import Pair
from rppg_ros.sync.stamps import DROPS, StampGuard, Verdict
from rppg_ros.types import FaceCrop, Frame
from rppg_ros.vision.detect import make_detector
from rppg_ros.vision.thermal import NormalisationWatch, Radiometry
from rppg_ros.vision.tracker import FaceTracker

# stamp in nanoseconds, crops, frame_id of the RGB camera
CropSink = Callable[[int, list[FaceCrop], str], None]


class FaceTrackerNode(ManagedNode):
    """Lifecycle node around pairing and tracking.

    Parameters
    ----------
    sink : also gets the crops, as they are; with one, face_crops are published only while somebody subscribes.
    """

    def __init__(self, sink: CropSink | None = None, **kwargs: Any) -> None:
        super().__init__("face_tracker", **kwargs)
        self._params = declare(self, TABLE)
        self._sink = sink
        self._listeners: list[Any] = []
        self._inputs: list[ImageInput] = []
        self._publisher = None
        self._tracker: FaceTracker | None = None
        self._meters = {"rgb": Meter(), "thermal": Meter()}
        self._bad = {"rgb": 0, "thermal": 0}
        self._lost = {"rgb": 0, "thermal": 0}
        self._seconds = {"convert": 0.0, "publish": 0.0}
        self._complaint = {"rgb": "", "thermal": ""}
        self._faces = 0
        self._diagnostics = Diagnostics(
            self,
            {"rgb": self._rgb_health, "thermal": self._thermal_health, "faces": self._faces_health},
        )
        self._adapt_timer = self.create_timer(ADAPT_S, self._adapt, clock=self._diagnostics.clock)

    def setup(self) -> None:
        """Load the detector, read the model's card, create the publisher."""
        p = self._params
        card = ModelCard.read(p.model) if p.model else None
        config = tracker_config(p, card)
        self._radiometry = Radiometry(p.thermal_scale, p.thermal_offset, p.thermal_unit)
        self._tracker = FaceTracker(
            config, make_detector(config.detector, config.detector_model, config.min_confidence)
        )
        self._geometry = CameraGeometry(self, p.thermal_homography, self._tracker)
        self._publisher = self.create_lifecycle_publisher(msg.FaceCrops, "face_crops", qos.CROPS)

    def start(self) -> None:
        """Begin with empty queues, and listen."""
        p = self._params
        self._stamps = {"rgb": StampGuard(p.max_gap), "thermal": StampGuard(p.max_gap)}
        self._complaint = {"rgb": "", "thermal": ""}
        self._agc = NormalisationWatch()
        self._last_seen = {"rgb": self.seconds(), "thermal": self.seconds()}
        self._tracker.reset()
        self._pairing = make_pairing(p, self._process)
        self._listen("rgb", "image", p.image_transport)
        if p.thermal_enabled:
            self._listen("thermal", "thermal/image", p.thermal_image_transport)
            self._listeners += self._geometry.listen()

    def stop(self) -> None:
        """Stop listening; frames that wait for thermal are dropped."""
        for listener in self._listeners:
            self.destroy_subscription(listener)
        for images in self._inputs:
            images.close()
        self._listeners, self._inputs = [], []

    def _adapt(self) -> None:
        for images in self._inputs:
            images.adapt()

    def teardown(self) -> None:
        """Drop the tracker and the publisher."""
        if self._publisher is not None:
            self.destroy_lifecycle_publisher(self._publisher)
        self._publisher = self._tracker = None

    def _listen(self, stream: str, topic: str, transport: str) -> None:
        kind: type = Image
        if transport == "compressed":  # image_transport's name; follows a remapping of the base topic
            topic, kind = self.resolve_topic_name(topic) + "/compressed", CompressedImage
        self._inputs.append(
            ImageInput(
                self,
                kind,
                topic,
                lambda message: self._on_image(stream, message),
                self._params.image_reliability,
                lambda count: self._count_lost(stream, count),
            )
        )

    def _count_lost(self, stream: str, count: int) -> None:
        self._lost[stream] += count

    def _on_image(self, stream: str, message: Any) -> None:
        self._meters[stream].tick()
        self._last_seen[stream] = self.seconds()
        verdict = self._stamps[stream].check(from_time(message.header.stamp))
        if verdict is Verdict.UNSET:
            self._complain(stream, "header.stamp is 0; the driver must stamp its images")
        if verdict in DROPS:
            return
        if verdict is Verdict.RESET:
            self.get_logger().info(f"{stream} stamps jumped back: starting anew")
            self._pairing.reset(stream)
            if stream == "rgb":
                self._tracker.reset()
        self._pairing.push(stream, message)

    def _process(self, pair: Pair[Any, Any]) -> None:
        """Track faces in one pair of raw messages and hand the crops on."""
        started = time.thread_time()
        rgb = self._read("rgb", pair.lead, self._rgb_frame)
        if rgb is None:
            return
        thermal = self._read("thermal", pair.follower, self._thermal_frame) if pair.follower else None
        self._seconds["convert"] += time.thread_time() - started
        crops = self._tracker.process(rgb, thermal)
        self._faces = len(crops)
        started = time.thread_time()
        if self._sink is not None:
            self._sink(rgb.stamp_ns, crops, pair.lead.header.frame_id)
        if self._publisher.get_subscription_count():
            self._publisher.publish(crops_message(pair.lead.header, crops))
        self._seconds["publish"] += time.thread_time() - started

    def _read(self, stream: str, message: Any, convert: Callable[[Any], Frame]) -> Frame | None:
        try:
            frame = convert(message)
        except ImageError as error:
            self._complain(stream, str(error))
            return None
        self._complaint[stream] = ""
        return frame

    def _rgb_frame(self, message: Any) -> Frame:
        return Frame(from_time(message.header.stamp), rgb_image(message))

    def _thermal_frame(self, message: Any) -> Frame:
        raw = thermal_image(message)
        self._agc.push(raw)
        celsius, radiometric = self._radiometry.apply(raw)
        return Frame(from_time(message.header.stamp), celsius, radiometric)

    def _complain(self, stream: str, text: str) -> None:
        topic = self._topic(stream)
        self._bad[stream] += 1
        self._complaint[stream] = f"{topic}: {text}"
        self.warn(self._complaint[stream])

    def _topic(self, stream: str) -> str:
        return self.resolve_topic_name("image" if stream == "rgb" else "thermal/image")

    def _stream_health(self, stream: str) -> Health:
        health = self.lifecycle_health()
        if health is not None:
            return health
        guard, meter = self._stamps[stream], self._meters[stream]
        health = Health(message=f"{self._topic(stream)}")
        health.values = {
            "topic": self._topic(stream),
            "frames per second": meter.rate(),
            "frames": meter.total,
            "frames lost before the node": self._lost[stream],
            "images that could not be read": self._bad[stream],
            **{f"stamps {verdict.value}": guard.counts[verdict] for verdict in Verdict},
        }
        if not meter.total:
            health.warn(f"nothing received on {self._topic(stream)}")
        elif self.seconds() - self._last_seen[stream] > self._params.stale_after:
            health.warn(f"no image on {self._topic(stream)} for {self.seconds() - self._last_seen[stream]:.1f} s")
        if self._complaint[stream]:
            health.error(self._complaint[stream])
        return health

    def _rgb_health(self) -> Health:
        return self._stream_health("rgb")

    def _thermal_health(self) -> Health:
        if self.active and not self._params.thermal_enabled:
            return Health(message="thermal.enabled is false")
        health = self._stream_health("thermal")
        if self.active and self._agc.normalised:
            health.warn(
                f"{self._topic('thermal')} looks normalised frame by frame: its temperatures mean nothing over time,"
                " publish the camera's raw counts instead"
            )
        return health

    def _faces_health(self) -> Health:
        health = self.lifecycle_health()
        if health is not None:
            return health
        stats = self._tracker.stats
        frames = max(stats.frames, 1)
        stages = {**self._seconds, "detect": stats.detect_s, "track": stats.track_s, "crop": stats.crop_s}
        health = Health(message=f"{self._faces} face(s)")
        health.values = {
            "faces": self._faces,
            "frames": stats.frames,
            "detections": stats.detections,
            "tracks begun": stats.begun,
            "tracks lost": stats.lost,
            **{f"{stage}, ms per frame": 1e3 * seconds / frames for stage, seconds in stages.items()},
        }
        return health


def make_nodes() -> list[Node]:
    """The node of this executable."""
    return [FaceTrackerNode()]


def main(args: list[str] | None = None) -> int:
    """Entry point of `ros2 run rppg_ros face_tracker`."""
    return run_nodes(make_nodes, args)


if __name__ == "__main__":
    sys.exit(main())

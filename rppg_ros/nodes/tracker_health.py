"""What face_tracker says of itself in /diagnostics."""

from __future__ import annotations

from typing import Protocol

from rppg_ros.meter.camera import CameraHalf
from rppg_ros.nodes.diagnostics import Health, Meter
from rppg_ros.settings.nodes import TrackerNodeSettings
from rppg_ros.sync.policies import THERMAL
from rppg_ros.sync.stamps import Verdict


class Tracker(Protocol):
    """What is looked at of a face_tracker node."""

    active: bool
    settings: TrackerNodeSettings
    camera: CameraHalf | None
    meters: dict[str, Meter]
    lost: dict[str, int]
    last_seen: dict[str, float]
    publish_s: float
    faces: int

    def surprise_health(self, health: Health) -> Health:
        """Health with the callbacks that failed."""
        ...

    def lifecycle_health(self) -> Health | None:
        """Health while there is nothing else to report, None while active."""
        ...

    def seconds(self) -> float:
        """The node's elapsed time."""
        ...

    def topic(self, stream: str) -> str:
        """Name of a camera's image topic."""
        ...


class TrackerHealth:
    """Health of the parts of a face_tracker node."""

    def __init__(self, node: Tracker) -> None:
        self._node = node

    def stream(self, stream: str) -> Health:
        """Of one camera's images."""
        node = self._node
        health = node.lifecycle_health()
        if health is not None or node.camera is None:
            return health or Health()
        state, meter, topic = node.camera.streams[stream], node.meters[stream], node.topic(stream)
        health = Health(message=topic)
        health.values = {
            "topic": topic,
            "frames per second": meter.rate(),
            "frames": meter.total,
            "frames lost before the node": node.lost[stream],
            "images that could not be read": state.unreadable,
            "images that repeat or show nothing": state.lifeless,
            **{f"stamps {verdict.value}": state.guard.counts[verdict] for verdict in Verdict},
        }
        silent_s = node.seconds() - node.last_seen[stream]
        if not meter.total:
            health.warn(f"nothing received on {topic}")
        elif silent_s > node.settings.stale_after:
            health.warn(f"no image on {topic} for {silent_s:.1f} s")
        if state.complaint:
            health.error(f"{topic}: {state.complaint}")
        return health

    def thermal(self) -> Health:
        """Of the thermal camera's images."""
        node = self._node
        if node.active and not node.settings.thermal_enabled:
            return Health(message="thermal.enabled is false")
        health = self.stream(THERMAL)
        if node.active and node.camera is not None and node.camera.watch.normalised:
            health.warn(
                f"{node.topic(THERMAL)} looks normalised frame by frame: its temperatures mean nothing over time,"
                " publish the camera's raw counts instead"
            )
        return health

    def faces(self) -> Health:
        """Of detection and tracking, with the cost of each stage."""
        node = self._node
        health = node.lifecycle_health()
        if health is not None or node.camera is None:
            return health or Health()
        stats, request = node.camera.tracker.stats, node.camera.tracker.request
        frames = max(stats.frames, 1)
        stages = {
            "convert": node.camera.stats.convert_s,
            "detect": stats.detect_s,
            "track": stats.track_s,
            "crop": stats.crop_s,
            "publish": node.publish_s,
        }
        health = Health(message=f"{node.faces} face(s)")
        health.values = {
            "faces": node.faces,
            "frames": stats.frames,
            "detections": stats.detections,
            "tracks begun": stats.begun,
            "tracks lost": stats.lost,
            "crop size, px": request.size,
            "crop scale": request.scale,
            **{f"{stage}, ms per frame": 1e3 * seconds / frames for stage, seconds in stages.items()},
        }
        return node.surprise_health(health)

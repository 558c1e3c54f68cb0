"""What face_tracker says of itself in /diagnostics."""

from __future__ import annotations

from typing import Protocol

from rppg_ros.meter.camera import CameraHalf
from rppg_ros.nodes.camera_geometry import CameraGeometry
from rppg_ros.nodes.diagnostics import RECENT_S, Health, Meter
from rppg_ros.nodes.image_input import ImageInput
from rppg_ros.settings.nodes import TrackerNodeSettings
from rppg_ros.sync.policies import RGB, THERMAL
from rppg_ros.sync.stamps import Verdict
from rppg_ros.vision.view import ViewState

STANDING = 5  # images in a row with one stamp; a driver that repeats one now and then is none to complain of


class Tracker(Protocol):
    """What is looked at of a face_tracker node."""

    active: bool
    settings: TrackerNodeSettings
    camera: CameraHalf | None
    geometry: CameraGeometry | None
    inputs: dict[str, ImageInput]
    meters: dict[str, Meter]
    last_seen: dict[str, float]
    publish_s: float
    faces: int
    faces_seen_s: float

    def node_health(self, health: Health) -> Health:
        """Health with what concerns the node as a whole."""
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
        if health is not None or node.camera is None or stream not in node.inputs:
            return health or Health()
        state, meter, topic = node.camera.streams[stream], node.meters[stream], node.topic(stream)
        images = node.inputs[stream]
        silent_s = node.seconds() - node.last_seen[stream]
        health = Health(message=topic)
        health.values = {
            "frames per second": meter.rate(),
            "frames": meter.total,
            "seconds since the last frame": silent_s,
            "frames lost before the node": images.arrivals.lost,
            "frames of several senders": images.refused,
            "images that could not be read": state.unreadable,
            "images that repeat or show nothing": state.lifeless,
            **{f"stamps {verdict.value}": state.guard.counts[verdict] for verdict in Verdict},
        }
        if not meter.total and not images.refused:
            health.warn(f"nothing received on {topic}")
        elif silent_s > node.settings.stale_after:
            health.warn(f"no image on {topic}")
        if state.standing >= STANDING:
            health.error(f"the stamps on {topic} stand still: its images are not used")
        elif state.of_stamps:
            health.error(f"{topic}: {state.of_stamps}")
        if state.complaint and silent_s <= node.settings.stale_after:  # else it is of an image of long ago
            health.error(f"{topic}: {state.complaint}")
        if stream == RGB and node.camera.unpaired:
            health.warn(node.camera.unpaired)
        if images.complaint:
            health.error(images.complaint)
        return health

    def thermal(self) -> Health:
        """Of the thermal camera's images, and of how they lie to the RGB images in time and in space."""
        node = self._node
        if node.active and not node.settings.thermal_enabled:
            return Health(message="thermal.enabled is false")
        health = self.stream(THERMAL)
        if node.active and node.camera is not None:
            self._alignment(health, node.camera)
            self._view(health, node.camera)
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
        health = Health(message="faces in view" if node.faces else "no face in view")
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
        if node.camera.tracker.complaint:
            health.warn(node.camera.tracker.complaint)
        return node.node_health(health)

    def _alignment(self, health: Health, camera: CameraHalf) -> None:
        """In time."""
        health.values["lag behind RGB, s"] = camera.alignment.lag_s
        health.values["share that pairs"] = camera.alignment.share
        health.values["wait of an RGB image, s"] = camera.wait_s
        if camera.alignment.complaint:
            health.warn(f"{self._node.topic(THERMAL)}: {camera.alignment.complaint}")
        if camera.watch.normalised:
            health.warn(
                f"{self._node.topic(THERMAL)} looks normalised frame by frame: its temperatures mean nothing over time,"
                " publish the camera's raw counts instead"
            )

    def _view(self, health: Health, camera: CameraHalf) -> None:
        """In space."""
        node, view, topic = self._node, camera.tracker.view, self._node.topic(THERMAL)
        health.message += f", view {view.state}" if health.message == topic else ""
        health.values["edges in common with RGB"] = view.score
        for complaint in node.geometry.complaints.values() if node.geometry is not None else ():
            health.error(complaint)
        if camera.not_skin:
            health.error(f"{topic}: {camera.not_skin}")
        if view.state is not ViewState.ASSUMED or node.seconds() - node.faces_seen_s > RECENT_S:
            return
        missing = "" if node.geometry is None else f" (nothing usable on {' and '.join(node.geometry.missing)})"
        if camera.alignment.arriving:
            health.warn(
                f"{topic}: the view is assumed, and the picture does not prove it; no breath is taken from it."
                f" Give thermal.homography or camera_info{missing}"
            )

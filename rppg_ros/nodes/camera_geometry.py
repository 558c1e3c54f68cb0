"""Where an RGB pixel lies in the thermal image, from both cameras' camera_info and how the cameras stand to each other."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo

from rppg_ros.nodes import qos
from rppg_ros.nodes.extrinsics import Pose, pose_from, tf_lookup
from rppg_ros.nodes.managed import ManagedNode
from rppg_ros.sync.policies import RGB, THERMAL
from rppg_ros.vision.registration import Calibration, Camera
from rppg_ros.vision.view import ThermalView

MAX_PIXELS = 1e6  # of a focal length or a centre
OWN_NAMES = {RGB: "camera_info", THERMAL: "thermal/camera_info"}


def info_topic(node: Any, stream: str, image_topic: str) -> str:
    """Where a camera's camera_info is: as remapped; else beside its image topic, as ROS drivers have it.

    Parameters
    ----------
    image_topic : full name, after remapping: "/lepton/image_raw" has "/lepton/camera_info".
    """
    resolved = str(node.resolve_topic_name(OWN_NAMES[stream]))
    expanded = f"{node.get_namespace().rstrip('/')}/{OWN_NAMES[stream]}"
    if resolved != expanded:  # somebody remapped it
        return resolved
    return image_topic.rpartition("/")[0] + "/camera_info"


def camera_of(info: CameraInfo, rectified: bool) -> Camera | None:
    """The camera of a camera_info; None if the driver says that it is not calibrated.

    Parameters
    ----------
    rectified : whether the images are: P is then theirs.

    Raises
    ------
    ValueError : K or P is no camera matrix.
    """
    numbers = np.array(info.p, dtype=np.float64).reshape(3, 4)[:, :3] if rectified else None
    name, matrix = "P", numbers
    if matrix is None or not matrix.any():
        name, matrix = "K", np.array(info.k, dtype=np.float64).reshape(3, 3)
    if not matrix.any():
        return None
    if not _possible(matrix):
        raise ValueError(f"{name} is no camera matrix: {[float(f'{v:.6g}') for v in matrix.ravel()]}")
    # K is that of the full sensor; the image is what was read out of it, binned (sensor_msgs/CameraInfo).
    roi = info.roi
    matrix = matrix - np.array([[0, 0, roi.x_offset], [0, 0, roi.y_offset], [0, 0, 0]], dtype=np.float64)
    return Camera(matrix, int(roi.width or info.width), int(roi.height or info.height))


def _possible(matrix: np.ndarray) -> bool:
    """Whether K can be a camera's: finite, focal lengths above 0, last row 0 0 1."""
    if not np.isfinite(matrix).all() or not np.allclose(matrix[2], (0, 0, 1)):
        return False
    return bool(matrix[0, 0] > 0 and matrix[1, 1] > 0 and np.abs(matrix).max() < MAX_PIXELS)


class CameraGeometry:
    """Keeps a thermal view calibrated; not made where a parameter gives the homography.

    Parameters
    ----------
    image_topics : full names of both cameras' image topics.
    extrinsics : see `thermal.extrinsics`.

    Raises
    ------
    ValueError : the extrinsics are no pose.
    """

    def __init__(
        self, node: ManagedNode, view: ThermalView, image_topics: dict[str, str], extrinsics: list[float]
    ) -> None:
        self._node, self._view = node, view
        self._topics = {stream: info_topic(node, stream, topic) for stream, topic in image_topics.items()}
        self._rectified = {stream: "rect" in topic.rpartition("/")[2] for stream, topic in image_topics.items()}
        self._pose: Pose | None = pose_from(extrinsics)
        self._cameras: dict[str, Camera] = {}
        self._frames: dict[str, str] = {}
        self._tf = tf_lookup(node) if self._pose is None else None
        self._known: tuple[object, ...] = ()
        self.complaints: dict[str, str] = {}

    def listen(self) -> list[Any]:
        """Subscriptions to both camera_info topics."""
        return [
            self._node.create_subscription(
                CameraInfo, topic, self._node.guarded(topic, partial(self._on_info, camera)), qos.IMAGES
            )
            for camera, topic in self._topics.items()
        ]

    @property
    def missing(self) -> list[str]:
        """The camera_info topics of which nothing usable came."""
        return [topic for stream, topic in self._topics.items() if stream not in self._cameras]

    def close(self) -> None:
        """Stop listening to TF."""
        if self._tf is not None:
            self._tf.close()

    def _on_info(self, stream: str, info: CameraInfo) -> None:
        try:
            camera = camera_of(info, self._rectified[stream])
        except ValueError as error:
            self.complaints[stream] = f"{self._topics[stream]}: {error}"
            self._node.warn(self.complaints[stream])
            return
        self.complaints.pop(stream, None)
        if camera is None:
            return
        self._cameras[stream], self._frames[stream] = camera, info.header.frame_id
        if len(self._cameras) == len(self._topics):
            self._calibrate()

    def _calibrate(self) -> None:
        rgb, thermal = self._cameras[RGB], self._cameras[THERMAL]
        pose = self._pose
        if pose is None and self._tf is not None:
            pose = self._tf.find(self._frames[RGB], self._frames[THERMAL])
        known: tuple[object, ...] = tuple((c.k.tobytes(), c.width, c.height) for c in (rgb, thermal))
        known += (None if pose is None else pose.key,)
        if known == self._known:
            return
        self._known = known
        self._view.calibrate(
            Calibration(rgb, thermal) if pose is None else Calibration(rgb, thermal, pose.rotation, pose.translation)
        )
        how = "camera_info, no pose of the thermal camera" if pose is None else f"camera_info and {pose.source}"
        self._node.get_logger().info(f"thermal view calibrated by {how}")

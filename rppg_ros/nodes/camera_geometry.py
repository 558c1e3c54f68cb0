"""Where an RGB pixel lies in the thermal image, from both cameras' camera_info."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo

from rppg_ros.nodes import qos
from rppg_ros.nodes.managed import ManagedNode
from rppg_ros.vision.thermal import Registration
from rppg_ros.vision.tracker import FaceTracker

MAX_PIXELS = 1e6  # of a focal length or a centre
TOPICS = {"rgb": "camera_info", "thermal": "thermal/camera_info"}


def _possible(matrix: np.ndarray) -> bool:
    """Whether K can be a camera's: finite, focal lengths above 0, last row 0 0 1."""
    if not np.isfinite(matrix).all() or not np.allclose(matrix[2], (0, 0, 1)):
        return False
    return bool(matrix[0, 0] > 0 and matrix[1, 1] > 0 and np.abs(matrix).max() < MAX_PIXELS)


class CameraGeometry:
    """Keeps a tracker's registration up to date; not made where a parameter gives the homography."""

    def __init__(self, node: ManagedNode, tracker: FaceTracker) -> None:
        self._node = node
        self._tracker = tracker
        self._intrinsics: dict[str, np.ndarray] = {}

    def listen(self) -> list[Any]:
        """Subscriptions to both camera_info topics."""
        return [
            self._node.create_subscription(
                CameraInfo, topic, self._node.guarded(topic, partial(self._on_info, camera)), qos.IMAGES
            )
            for camera, topic in TOPICS.items()
        ]

    def _on_info(self, camera: str, info: CameraInfo) -> None:
        matrix = np.array(info.k, dtype=np.float64).reshape(3, 3)
        if not matrix.any():  # so do drivers say that a camera is not calibrated
            return
        if not _possible(matrix):
            self._node.warn(f"{self._node.resolve_topic_name(TOPICS[camera])}: K is no camera matrix: {list(info.k)}")
            return
        known = self._intrinsics.get(camera)
        if known is not None and np.array_equal(known, matrix):
            return
        self._intrinsics[camera] = matrix
        if len(self._intrinsics) == 2:
            self._tracker.registration = Registration.from_intrinsics(
                self._intrinsics["rgb"], self._intrinsics["thermal"]
            )
            self._node.get_logger().info("thermal registration from both cameras' camera_info")

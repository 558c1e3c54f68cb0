"""Where an RGB pixel lies in the thermal image, from both cameras' camera_info."""

from __future__ import annotations

from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from rppg_ros.nodes import qos
from rppg_ros.vision.thermal import Registration
from rppg_ros.vision.tracker import FaceTracker

TOPICS = {"rgb": "camera_info", "thermal": "thermal/camera_info"}


class CameraGeometry:
    """Keeps a tracker's registration up to date; not made where a parameter gives the homography."""

    def __init__(self, node: Node, tracker: FaceTracker) -> None:
        self._node = node
        self._tracker = tracker
        self._intrinsics: dict[str, np.ndarray] = {}

    def listen(self) -> list[Any]:
        """Subscriptions to both camera_info topics."""
        return [
            self._node.create_subscription(
                CameraInfo, topic, lambda info, camera=camera: self._on_info(camera, info), qos.IMAGES
            )
            for camera, topic in TOPICS.items()
        ]

    def _on_info(self, camera: str, info: CameraInfo) -> None:
        matrix = np.array(info.k, dtype=np.float64).reshape(3, 3)
        if matrix[0, 0] <= 0 or matrix[1, 1] <= 0:  # drivers publish zeros for an uncalibrated camera
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

"""Where an RGB pixel lies in the thermal image: from a parameter, from both cameras' camera_info, or the same field of view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from rppg_ros.nodes import qos
from rppg_ros.vision.thermal import Registration
from rppg_ros.vision.tracker import FaceTracker


class CameraGeometry:
    """Keeps the tracker's registration up to date.

    Parameters
    ----------
    homography : nine numbers, RGB to thermal pixels, row by row; all zero: not given, look at camera_info.

    Raises
    ------
    ValueError : not nine finite numbers, or a matrix that cannot be inverted.
    """

    def __init__(self, node: Node, homography: Sequence[float], tracker: FaceTracker) -> None:
        self._node = node
        self._tracker = tracker
        self._intrinsics: dict[str, np.ndarray] = {}
        self._given = any(homography)
        if self._given:
            if len(homography) != 9:
                raise ValueError(f"parameter 'thermal.homography' needs 9 numbers, got {len(homography)}")
            matrix = np.array(homography, dtype=np.float64).reshape(3, 3)
            if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-12:
                raise ValueError("parameter 'thermal.homography' is a matrix that cannot be inverted")
            tracker.registration = Registration.from_homography(matrix)

    def listen(self) -> list[Any]:
        """Subscriptions to both camera_info topics; none where the parameter decides."""
        if self._given:
            return []
        topics = {"rgb": "camera_info", "thermal": "thermal/camera_info"}
        return [
            self._node.create_subscription(
                CameraInfo, topic, lambda info, camera=camera: self._on_info(camera, info), qos.IMAGES
            )
            for camera, topic in topics.items()
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

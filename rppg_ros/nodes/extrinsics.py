"""How the thermal camera stands to the RGB camera: from a parameter, or from TF where tf2_ros is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rppg_ros.vision.registration import pose_inverted, rotation_of

MAX_BASELINE_M = 5.0


@dataclass(frozen=True)
class Pose:
    """Takes points of the RGB camera's optical frame to the thermal camera's.

    Attributes
    ----------
    translation : (3,) metres. rotation : (3, 3). source : who says so.
    """

    translation: np.ndarray
    rotation: np.ndarray
    source: str

    @property
    def key(self) -> bytes:
        """Equal for equal poses; TF's rounding is no difference."""
        return (np.round(self.translation, 5) + 0.0).tobytes() + (np.round(self.rotation, 6) + 0.0).tobytes()


def pose_from(extrinsics: list[float]) -> Pose | None:
    """Of the parameter `thermal.extrinsics`; None for zeros.

    Raises
    ------
    ValueError : it is no pose.
    """
    if not any(extrinsics):
        return None
    x, y, z, qx, qy, qz, qw = extrinsics
    try:
        rotation = rotation_of((qx, qy, qz, qw))
    except ValueError as error:
        raise ValueError(f"'thermal.extrinsics': the quaternion {error}") from None
    position = np.array([x, y, z])
    if float(np.linalg.norm(position)) > MAX_BASELINE_M:
        raise ValueError(f"'thermal.extrinsics': the cameras are not {np.linalg.norm(position):.0f} m apart")
    translation, rotation = pose_inverted(position, rotation)
    return Pose(translation, rotation, "thermal.extrinsics")


class TfLookup:
    """Asks TF.

    Parameters
    ----------
    tf2 : the module tf2_ros.
    """

    def __init__(self, node: Any, tf2: Any) -> None:
        self._tf2 = tf2
        self._buffer = tf2.Buffer()
        self._listener = tf2.TransformListener(self._buffer, node)

    def find(self, rgb_frame: str, thermal_frame: str) -> Pose | None:
        """Pose of both optical frames to each other; None where TF does not know it (yet)."""
        if not rgb_frame or not thermal_frame or rgb_frame == thermal_frame:
            return None
        from rclpy.time import Time

        try:
            found = self._buffer.lookup_transform(thermal_frame, rgb_frame, Time()).transform
        except self._tf2.TransformException:
            return None
        t, q = found.translation, found.rotation
        return Pose(np.array([t.x, t.y, t.z]), rotation_of((q.x, q.y, q.z, q.w)), "TF")

    def close(self) -> None:
        """Stop listening."""
        self._listener.unregister()


def tf_lookup(node: Any) -> TfLookup | None:
    """TF; None where tf2_ros is not installed: the wheels of PyPI have none."""
    try:
        import tf2_ros
    except ImportError:
        return None
    return TfLookup(node, tf2_ros)

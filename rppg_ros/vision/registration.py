"""Where an RGB pixel lies in the thermal image, by a homography or by both cameras' calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rppg_ros.types import Box

FACE_M = 0.15  # breadth of what detectors call a face; adults differ by a tenth
LEAST_DISTANCE_M = 0.2


class Registration(Protocol):
    """Knows where RGB pixels lie in the thermal image (pixel i covers i to i + 1 in both)."""

    def matrix(self, rgb_shape: tuple[int, ...], thermal_shape: tuple[int, ...], box: Box | None = None) -> np.ndarray:
        """(3, 3) RGB to thermal pixels for images of these shapes (H, W, ...), right for the face in that box."""
        ...


class SameView:
    """Both cameras show the same: what is taken for granted where nothing is known."""

    def matrix(self, rgb_shape: tuple[int, ...], thermal_shape: tuple[int, ...], box: Box | None = None) -> np.ndarray:
        """See Registration."""
        return np.diag([thermal_shape[1] / rgb_shape[1], thermal_shape[0] / rgb_shape[0], 1.0])


@dataclass(frozen=True)
class Homography:
    """A (3, 3) homography between the two cameras' pixels, measured on a target at the persons' distance."""

    values: np.ndarray

    def matrix(self, rgb_shape: tuple[int, ...], thermal_shape: tuple[int, ...], box: Box | None = None) -> np.ndarray:
        """See Registration."""
        return self.values


@dataclass(frozen=True)
class Camera:
    """A camera's matrix K, and the width and height in pixels of the images that it was measured on; 0: of any."""

    k: np.ndarray
    width: int = 0
    height: int = 0

    def of(self, shape: tuple[int, ...]) -> np.ndarray:
        """K for an image of this shape (H, W, ...): drivers scale images and forget camera_info."""
        if not self.width or not self.height:
            return self.k
        return np.asarray(np.diag([shape[1] / self.width, shape[0] / self.height, 1.0]) @ self.k)


@dataclass(frozen=True)
class Calibration:
    """Both cameras' matrices, and how the cameras stand to each other.

    Attributes
    ----------
    rotation : (3, 3), from the RGB camera's optical axes to the thermal camera's; identity if None.
    translation : (3,) metres, of the RGB camera's origin in the thermal camera's frame; None: not known, taken as 0.

    With a translation the plane of the face decides (Hartley and Zisserman, 2004, 13.1): it lies as far away as a face of
    FACE_M breadth would that fills the box, and looks into the RGB camera. Without one the homography is that of far scenes.
    """

    rgb: Camera
    thermal: Camera
    rotation: np.ndarray | None = None
    translation: np.ndarray | None = None

    @property
    def complete(self) -> bool:
        """Whether it is known how the cameras stand to each other."""
        return self.translation is not None

    def matrix(self, rgb_shape: tuple[int, ...], thermal_shape: tuple[int, ...], box: Box | None = None) -> np.ndarray:
        """See Registration."""
        k_rgb, k_thermal = self.rgb.of(rgb_shape), self.thermal.of(thermal_shape)
        between = np.eye(3) if self.rotation is None else np.array(self.rotation, dtype=np.float64)
        if self.translation is not None and box is not None:
            distance_m = max(LEAST_DISTANCE_M, k_rgb[0, 0] * FACE_M / max(box.width, 1e-6))
            between = between + np.outer(self.translation, (0.0, 0.0, 1.0)) / distance_m
        return np.asarray(k_thermal @ between @ np.linalg.inv(k_rgb))


def rotation_of(quaternion: tuple[float, float, float, float]) -> np.ndarray:
    """(3, 3) rotation of a quaternion (x, y, z, w) that need not be of unit length.

    Raises
    ------
    ValueError : it has no length, or is not finite.
    """
    q = np.array(quaternion, dtype=np.float64)
    length = float(np.linalg.norm(q))
    if not 1e-6 < length < 1e6:
        raise ValueError(f"{list(quaternion)} is no rotation")
    x, y, z, w = q / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def pose_inverted(position: np.ndarray, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Translation and rotation that take points of the parent frame to the child's, from the child's pose in its parent.

    Parameters
    ----------
    position : (3,), of the child's origin. rotation : (3, 3), the child's axes in the parent frame.
    """
    return -rotation.T @ position, rotation.T

"""What an image must be before the camera half looks at it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rppg_ros.sources.image_size import MAX_PIXELS
from rppg_ros.sources.images import ImageError

Image = np.ndarray | Callable[[], np.ndarray]
"""Pixels, or a function that gives them and may raise ImageError."""

THERMAL_TYPES = (np.uint8, np.uint16, np.float32)
MIN_SIDE_PX = 8
MAX_ASPECT = 8  # a panorama


def checked_rgb(image: np.ndarray) -> np.ndarray:
    """The image, if it is RGB uint8 (H, W, 3).

    Raises
    ------
    ImageError : it is anything else; says what.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ImageError(f"an RGB image is uint8 (height, width, 3), not {_described(image)}")
    return _of_a_camera(image)


def checked_thermal(image: np.ndarray) -> np.ndarray:
    """The image, if it is uint8, uint16 or float32 (H, W).

    Raises
    ------
    ImageError : it is anything else; says what.
    """
    if not isinstance(image, np.ndarray) or image.dtype not in THERMAL_TYPES or image.ndim != 2:
        raise ImageError(f"a thermal image is uint8, uint16 or float32 (height, width), not {_described(image)}")
    return _of_a_camera(image)


def _of_a_camera(image: np.ndarray) -> np.ndarray:
    short, long = sorted(image.shape[:2])
    if short < MIN_SIDE_PX or long > MAX_ASPECT * short or short * long > MAX_PIXELS:
        raise ImageError(f"an image of {image.shape[1]}x{image.shape[0]} pixels is no camera's")
    return image


def _described(image: object) -> str:
    if isinstance(image, np.ndarray):
        return f"{image.dtype} {image.shape}"
    return f"a {type(image).__name__}"

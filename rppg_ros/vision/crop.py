"""Cuts square crops at sub-pixel places, without aliasing: what a crop shows must not flicker when the face moves."""

from __future__ import annotations

import math

import cv2
import numpy as np

MAX_SUPERSAMPLING = 12
FLAT = 1e-12  # a last row so near to 0 0 1 is that of an affine map
KEEP_DENSE = 2  # a large face is first reduced to this many image pixels a crop pixel; the rest is exact


def square_crop(image: np.ndarray, centre: tuple[float, float], side: float, size: int) -> np.ndarray:
    """Square around a place of the image, resampled to (size, size[, 3]) of the image's dtype.

    Parameters
    ----------
    image : (H, W) or (H, W, 3), uint8 or float32.
    centre : x and y in pixels, in the convention that pixel i covers i to i + 1.
    side : of the square, pixels; parts outside the image repeat its edge.

    Each crop pixel is the mean over the image area it covers: bilinear samples at least as dense as the image, averaged.
    """
    image, corner, factor = _reduced(image, centre, side, int(side / size / KEEP_DENSE))
    centre = ((centre[0] - corner[0]) / factor, (centre[1] - corner[1]) / factor)
    return projected_crop(image, centre, side / factor, size, np.eye(3))


def projected_crop(
    image: np.ndarray, centre: tuple[float, float], side: float, size: int, homography: np.ndarray
) -> np.ndarray:
    """The same for a square given in another camera's image.

    Parameters
    ----------
    homography : (3, 3), pixels of the image that `centre` and `side` refer to, to pixels of `image`.
    """
    dense = min(MAX_SUPERSAMPLING, max(1, math.ceil(side * _scale(homography, centre) / size)))
    step = side / (size * dense)
    # Sample j lies at the middle of its cell; OpenCV's pixel i is at i, ours covers i to i + 1.
    to_square = np.array(
        [[step, 0, centre[0] - side / 2 + step / 2], [0, step, centre[1] - side / 2 + step / 2], [0, 0, 1]]
    )
    to_pixel_centres = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    matrix = to_pixel_centres @ homography @ to_square
    shape = (size * dense, size * dense)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    if abs(matrix[2, 0]) < FLAT and abs(matrix[2, 1]) < FLAT and abs(matrix[2, 2] - 1) < FLAT:
        sampled = cv2.warpAffine(image, matrix[:2], shape, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    else:
        sampled = cv2.warpPerspective(image, matrix, shape, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return sampled if dense == 1 else cv2.resize(sampled, (size, size), interpolation=cv2.INTER_AREA)


def _reduced(
    image: np.ndarray, centre: tuple[float, float], side: float, factor: int
) -> tuple[np.ndarray, tuple[int, int], int]:
    """Surroundings of the square reduced by a whole number on the image's own grid; with their corner and the number."""
    if factor < 2:
        return image, (0, 0), 1
    height, width = (n // factor * factor for n in image.shape[:2])
    reach = side / 2 + 2 * factor
    left, right = (int(np.clip((centre[0] + d) // factor * factor, 0, width)) for d in (-reach, reach + factor))
    top, bottom = (int(np.clip((centre[1] + d) // factor * factor, 0, height)) for d in (-reach, reach + factor))
    if right - left < factor or bottom - top < factor:
        return image, (0, 0), 1
    size = ((right - left) // factor, (bottom - top) // factor)
    return cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA), (left, top), factor


def _scale(homography: np.ndarray, at: tuple[float, float]) -> float:
    """How many of the target's pixels one pixel covers at a place."""
    points = np.array([[at[0], at[1], 1.0], [at[0] + 1, at[1], 1.0], [at[0], at[1] + 1, 1.0]]) @ homography.T
    (x, y), right, below = (points[:, :2] / points[:, 2:]).tolist()
    return max(math.hypot(right[0] - x, right[1] - y), math.hypot(below[0] - x, below[1] - y))

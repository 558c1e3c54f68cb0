"""Finds the place of a face in the other camera's image: the edges of a head run the same way in light and in heat.

Edges are compared by direction, whatever their sign and strength: normalised gradient fields (Haber and Modersitzki, 2006,
"Intensity gradient based registration and fusion of multi-modal images"). The square of the inner product of two unit
gradients is itself an inner product, of (nx^2, sqrt(2) nx ny, ny^2); so all shifts are tried at once by a correlation, and
only the zooms one by one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from rppg_ros.types import Box

FACE_PX = 24.0  # the face's width in the pictures that are compared
BLUR_PX = 0.9
REACH = 1.1  # of the compared picture from the face's centre, face boxes
PAD = 3  # the head may lie beyond the image's border by one PAD-th of the compared picture
# The outline of a face is an edge in heat even where its colour is the background's: an ellipse of this share of the box.
OUTLINE, OUTLINE_WEIGHT, OUTLINE_SOFT = 1.08, 0.6, 0.08
FLOOR = 0.5  # share of the mean gradient's energy below which a gradient counts for little
ZOOMS = tuple(np.geomspace(0.42, 2.4, 32))  # both fields of view may differ that much
LEAST_PX = 4  # sides of an image that is worth a look


@dataclass(frozen=True, slots=True)
class Placement:
    """Where RGB pixels lie in the thermal image, as far as the picture tells: one zoom for both axes, and a shift.

    Attributes
    ----------
    zoom : thermal pixels per RGB pixel.
    x, y : thermal pixels at the RGB image's corner.
    score : correlation of both pictures' edges, -1 to 1; 0.2 to 0.4 by chance, 0.45 to 0.7 for one head in both.
    """

    zoom: float
    x: float
    y: float
    score: float

    def matrix(self) -> np.ndarray:
        """(3, 3) RGB to thermal pixels."""
        return np.array([[self.zoom, 0.0, self.x], [0.0, self.zoom, self.y], [0.0, 0.0, 1.0]])


@dataclass(frozen=True, slots=True)
class _Template:
    """Edges around the face, their corner in the small picture, and small pixels per RGB pixel (x, y)."""

    edges: np.ndarray
    corner: tuple[int, int]
    scale: tuple[float, float]


def place(
    rgb: np.ndarray, box: Box, thermal: np.ndarray, zooms: tuple[float, ...], least: float = -1.0
) -> Placement | None:
    """The best placement among some zooms and all shifts; None where the picture is too small to tell.

    Parameters
    ----------
    rgb : (H, W, 3) uint8.
    box : of the face, RGB pixels.
    thermal : (h, w), any real dtype, finite.
    zooms : thermal pixels per RGB pixel.
    least : score below which nothing is worth an answer.
    """
    template = _template(rgb, box)
    if template is None:
        return None
    low, high = np.percentile(thermal, (2, 99.8))
    heat = np.clip(thermal, low, high).astype(np.float32)
    found = [one for zoom in zooms if (one := _best_shift(template, heat, zoom)) is not None]
    best = max(found, key=lambda one: one.score, default=None)
    return None if best is None or best.score < least else best


def _template(rgb: np.ndarray, box: Box) -> _Template | None:
    height, width = rgb.shape[:2]
    share = FACE_PX / box.width
    # Only the surroundings of the face are made small: the rest of a large image is not looked at.
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR)
    scale = (size[0] / width, size[1] / height)
    centre = (box.centre[0] * scale[0], box.centre[1] * scale[1])
    half = (REACH * box.width * scale[0], REACH * box.height * scale[1])
    left, right = (int(np.clip(round(centre[0] + d), 0, size[0])) for d in (-half[0], half[0]))
    top, bottom = (int(np.clip(round(centre[1] + d), 0, size[1])) for d in (-half[1], half[1]))
    if min(right - left, bottom - top) < FACE_PX / 2:
        return None
    grey = np.log(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) + 8)  # shade and light weigh alike
    edges = _edges(grey)[top:bottom, left:right]
    y, x = np.mgrid[top:bottom, left:right] + 0.5
    radii = (OUTLINE * box.width * scale[0] / 2, OUTLINE * box.height * scale[1] / 2)
    distance = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
    outline = 1 / (1 + np.exp(np.minimum((distance - 1) / OUTLINE_SOFT, 50)))
    return _Template(edges + np.float32(OUTLINE_WEIGHT) * _edges(outline.astype(np.float32)), (left, top), scale)


def _edges(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32: direction of the gradient, without sign; 0 where there is none."""
    soft = cv2.GaussianBlur(image, (0, 0), BLUR_PX)
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    energy = gx * gx + gy * gy
    weight = 1 / (energy + np.float32(FLOOR * float(energy.mean()) + 1e-12))
    return np.dstack([gx * gx * weight, np.float32(math.sqrt(2)) * gx * gy * weight, gy * gy * weight])


def _best_shift(template: _Template, heat: np.ndarray, zoom: float) -> Placement | None:
    height, width = heat.shape
    size = (round(width * template.scale[0] / zoom), round(height * template.scale[1] / zoom))
    if min(size) < LEAST_PX:
        return None
    shrinks = size[0] < width
    edges = _edges(cv2.resize(heat, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))
    rows, columns = template.edges.shape[:2]
    pad_x, pad_y = columns // PAD, rows // PAD
    padded = cv2.copyMakeBorder(edges, pad_y, pad_y, pad_x, pad_x, cv2.BORDER_CONSTANT)
    if padded.shape[0] < rows or padded.shape[1] < columns:
        return None
    match = cv2.matchTemplate(padded, template.edges, cv2.TM_CCOEFF_NORMED)
    _, score, _, (column, row) = cv2.minMaxLoc(np.nan_to_num(match, nan=-1.0, posinf=-1.0, neginf=-1.0))
    # The template's corner lies there in the thermal image; from it, the RGB image's corner.
    x = (column - pad_x) * width / size[0] - template.corner[0] / template.scale[0] * zoom
    y = (row - pad_y) * height / size[1] - template.corner[1] / template.scale[1] * zoom
    return Placement(zoom, x, y, float(score))

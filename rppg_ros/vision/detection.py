"""What a face detector is, and how images are searched: reduced, or around a face that is expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from rppg_ros.types import Box

LONG_SIDE_PX = 320  # images are searched at this size: a face of 1/8 of the width is still 40 pixels
CONFIRM_REACH = 0.85  # box sides around the centre of an expected face
CONFIRM_SIZES = (0.65, 1.5)  # of the expected size


class DetectorError(ValueError):
    """A detector's file is missing or unreadable; names it."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face: its box in image pixels, and the detector's confidence, 0..1."""

    box: Box
    confidence: float


class Detector(Protocol):
    """Something that finds faces."""

    @property
    def certain(self) -> bool:
        """Whether one sight of a face is enough."""

    def detect(self, rgb: np.ndarray, min_face_px: float) -> list[Detection]:
        """All faces of an RGB uint8 (H, W, 3) image, the surest first."""

    def confirm(self, rgb: np.ndarray, box: Box) -> Detection | None:
        """The face that is expected about here, looked for with more patience; None if it is not seen."""


def around(image: np.ndarray, box: Box) -> tuple[np.ndarray, tuple[int, int]]:
    """View on the surroundings of a box, and their left top corner."""
    x, y = box.centre
    reach = max(box.width, box.height) * CONFIRM_REACH
    left, top = max(int(x - reach), 0), max(int(y - reach), 0)
    return image[top : max(int(y + reach), top + 1), left : max(int(x + reach), left + 1)], (left, top)


def reduced(image: np.ndarray, long_side: int = LONG_SIDE_PX) -> tuple[np.ndarray, float]:
    """Image with its long side at most `long_side`, and the factor back to the full image."""
    factor = max(image.shape[:2]) / long_side
    if factor <= 1:
        return image, 1.0
    size = (round(image.shape[1] / factor), round(image.shape[0] / factor))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), factor

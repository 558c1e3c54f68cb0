"""OpenCV's Haar cascade: it comes with OpenCV, so that no file need be fetched."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from rppg_ros.types import Box
from rppg_ros.vision.detection import CONFIRM_SIZES, LONG_SIDE_PX, Detection, DetectorError, around, reduced

FINE_SIDE_PX = 640  # now and then images are searched at this size, for faces of 1/16
FINE_EVERY = 8  # searches, while faces are found in the small image; else every other one
CASCADE = "haarcascade_frontalface_default.xml"
CASCADE_FOLDERS = ("/usr/share/opencv4/haarcascades", "/usr/share/opencv/haarcascades")
HAAR_MIN_PX = 24  # the cascade's own size
# YuNet's box (hairline to chin, cheek to cheek) in units of Haar's square; medians over the same faces in recordings.
HAAR_TO_FACE = {"width": 0.84, "height": 1.18, "down": 0.03}
CONFIRM_SIDE_PX = 130
HAAR_WEIGHT_HALF = 2.0  # last-stage weight at which the confidence is 1/2; background rarely gets above it


class Steps(NamedTuple):
    """How patiently Haar searches: the zoom from one size to the next, and the overlapping hits that make a face."""

    zoom: float
    neighbours: int


COARSE, FINE = Steps(1.15, 6), Steps(1.1, 6)
CONFIRM = Steps(1.08, 2)


class HaarDetector:
    """Viola-Jones cascade: frontal faces, no model file needed; not certain on one sight.

    The small image shows nine of ten faces of 80 pixels in a VGA image and six of ten of 60; the large one nearly all, at
    more than twice the cost. So searches take turns: every other one is fine while nothing is found, else one in eight.

    Raises
    ------
    DetectorError : OpenCV came without its cascades.
    """

    certain = False

    def __init__(self, min_confidence: float = 0.5) -> None:
        self._min_confidence = min_confidence
        self._cascade = cv2.CascadeClassifier(str(_cascade_file()))
        if self._cascade.empty():
            raise DetectorError(f"{_cascade_file()}: not a cascade that this OpenCV reads")
        self._searches = 0
        self._seen_coarse = 0
        self._fine_next = False

    def detect(self, rgb: np.ndarray, min_face_px: float) -> list[Detection]:
        """See Detector."""
        self._searches += 1
        repeated, fine = self._fine_next, self._fine_next or self._searches % FINE_EVERY == 0
        found = self._search(rgb, min_face_px, *((FINE_SIDE_PX, FINE) if fine else (LONG_SIDE_PX, COARSE)))
        if fine:  # who looks for a second sight of a face must not look coarsely
            self._fine_next = not repeated and len(found) > self._seen_coarse
        else:
            self._seen_coarse = len(found)
            self._fine_next = not found
        return found

    def _search(self, rgb: np.ndarray, min_face_px: float, long_side: int, steps: Steps) -> list[Detection]:
        # Reducing first and taking the grey of a few pixels is cheaper than the other way round.
        small, factor = reduced(rgb, long_side)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        least = max(HAAR_MIN_PX, round(min_face_px / HAAR_TO_FACE["width"] / factor))
        squares, _, weights = self._cascade.detectMultiScale3(
            grey, *steps, minSize=(least, least), outputRejectLevels=True
        )
        found = [
            Detection(_face_box(*(float(v) * factor for v in square)), _haar_confidence(float(weight)))
            for square, weight in zip(squares, np.ravel(weights), strict=True)
        ]
        found = [detection for detection in found if detection.confidence >= self._min_confidence]
        return sorted(found, key=lambda detection: -detection.confidence)

    def confirm(self, rgb: np.ndarray, box: Box) -> Detection | None:
        """See Detector. A known place and size allow finer steps and fewer neighbours at less cost."""
        part, corner = around(rgb, box)
        small, factor = reduced(part, CONFIRM_SIDE_PX)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        expected = box.width / HAAR_TO_FACE["width"] / factor
        least, most = (max(HAAR_MIN_PX, round(expected * ratio)) for ratio in CONFIRM_SIZES)
        squares, _, weights = self._cascade.detectMultiScale3(
            grey, *CONFIRM, minSize=(least, least), maxSize=(most, most), outputRejectLevels=True
        )
        if not len(squares):
            return None
        best = int(np.argmax(weights))
        found = _face_box(*(float(v) * factor for v in squares[best]))
        confidence = _haar_confidence(float(np.ravel(weights)[best]))
        return Detection(found._replace(x=found.x + corner[0], y=found.y + corner[1]), confidence)


def _cascade_file() -> Path:
    folders = [getattr(getattr(cv2, "data", None), "haarcascades", None), *CASCADE_FOLDERS]
    for folder in filter(None, folders):
        if (Path(folder) / CASCADE).is_file():
            return Path(folder) / CASCADE
    raise DetectorError(
        f"this OpenCV came without {CASCADE}: install opencv-python or opencv-data, or give a YuNet file (detector.model)"
    )


def _face_box(x: float, y: float, width: float, height: float) -> Box:
    wide, high = width * HAAR_TO_FACE["width"], height * HAAR_TO_FACE["height"]
    return Box(x + (width - wide) / 2, y + (height - high) / 2 + HAAR_TO_FACE["down"] * height, wide, high)


def _haar_confidence(weight: float) -> float:
    return max(weight, 0.0) / (max(weight, 0.0) + HAAR_WEIGHT_HALF)

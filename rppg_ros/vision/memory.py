"""Keeps the ids of faces that were just lost, so that a short loss does not make a new person. Ids are not identities."""

from __future__ import annotations

import random
import secrets
import string
from dataclasses import dataclass

import cv2
import numpy as np

from rppg_ros.types import NS_PER_S, Box, Frame

ID_LETTERS = 5
NEAR = 1.5  # box sides; people walk, but not far in the time that an id is kept
ALIKE = 0.4  # correlation of colour histograms of the same face in changing light stays above it
SIZE_RATIO = 1.8


@dataclass(frozen=True, slots=True)
class _Lost:
    face_id: str
    boxes: tuple[Box, ...]
    colour: np.ndarray | None
    stamp_ns: int


def face_colour(rgb: np.ndarray, box: Box) -> np.ndarray | None:
    """Colour histogram of the middle of a face, for comparison only; None when it lies outside the image."""
    height, width = rgb.shape[:2]
    x, y = box.centre
    left, right = max(int(x - box.width / 3), 0), min(int(x + box.width / 3) + 1, width)
    top, bottom = max(int(y - box.height / 3), 0), min(int(y + box.height / 3) + 1, height)
    if right - left < 2 or bottom - top < 2:
        return None
    step = max(1, (right - left) // 32)
    hsv = cv2.cvtColor(np.ascontiguousarray(rgb[top:bottom:step, left:right:step]), cv2.COLOR_RGB2HSV)
    histogram = cv2.calcHist([hsv], [0, 1], None, [16, 8], [0, 180, 0, 256])
    return cv2.GaussianBlur(histogram, (3, 3), 0)


class FaceMemory:
    """Lost faces and new ids.

    Parameters
    ----------
    keep_s : how long a lost face keeps its id; may be changed.
    seed : None: ids nobody can foresee.
    """

    def __init__(self, keep_s: float, seed: int | None = None) -> None:
        self.keep_s = keep_s
        self._random = secrets.SystemRandom() if seed is None else random.Random(seed)
        self._lost: list[_Lost] = []
        self._given: set[str] = set()

    def clear(self) -> None:
        """Forget lost faces; ids are still never given twice."""
        self._lost.clear()

    def remember(self, face_id: str, boxes: tuple[Box, ...], colour: np.ndarray | None, stamp_ns: int) -> None:
        """A face was lost.

        Parameters
        ----------
        boxes : where it may come back: where a detector last saw it, and where it was followed to. A person who turned
            away has walked on; one who left the image has not, and what was followed is the wall behind.
        colour : of the face when a detector last saw it.
        stamp_ns : when it was last seen.
        """
        self._lost.append(_Lost(face_id, boxes, colour, stamp_ns))

    def holds(self, face_id: str) -> bool:
        """Whether a face with that id was lost lately, and would get it back."""
        return any(lost.face_id == face_id for lost in self._lost)

    def recognise(self, box: Box, frame: Frame, in_use: set[str]) -> str:
        """Id for a face that has just been found: that of the nearest lost face that it may be, or a new one."""
        self._lost = [lost for lost in self._lost if frame.stamp_ns - lost.stamp_ns <= self.keep_s * NS_PER_S]
        colour = face_colour(frame.image, box)
        candidates = [lost for lost in self._lost if lost.face_id not in in_use and _may_be(lost, box, colour)]
        if not candidates:
            return self._new_id()
        best = min(candidates, key=lambda lost: min(_distance(known, box) for known in lost.boxes))
        self._lost.remove(best)
        return best.face_id

    def _new_id(self) -> str:
        while True:
            face_id = "".join(self._random.choice(string.ascii_lowercase) for _ in range(ID_LETTERS))
            if face_id not in self._given:
                self._given.add(face_id)
                return face_id


def _distance(a: Box, b: Box) -> float:
    (ax, ay), (bx, by) = a.centre, b.centre
    return float(np.hypot(ax - bx, ay - by) / max(a.width, a.height, 1e-6))


def _may_be(lost: _Lost, box: Box, colour: np.ndarray | None) -> bool:
    if not any(_fits(known, box) for known in lost.boxes):
        return False
    if colour is None or lost.colour is None:
        return True
    return cv2.compareHist(colour, lost.colour, cv2.HISTCMP_CORREL) >= ALIKE


def _fits(known: Box, box: Box) -> bool:
    ratio = box.width / max(known.width, 1e-6)
    return 1 / SIZE_RATIO < ratio < SIZE_RATIO and _distance(known, box) <= NEAR

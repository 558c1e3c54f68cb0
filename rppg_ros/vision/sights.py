"""Faces of a picture, measured or only seen, for those who want to know who is who without a pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from rppg_ros.types import NS_PER_S, Box
from rppg_ros.vision.detection import Detection
from rppg_ros.vision.track import Track

NEAR, MIDDLE = 1 / 4, 1 / 10  # of the picture's shorter side
REMEMBERED_S = 1.5  # a face that is only seen is seen once a detection, and not in each
SAME = 0.5  # sides of a box; so near, two sights are of one face
AROUND = 1.5  # sides of a face's box in which a point means that face


class Distance(IntEnum):
    """How far a face is, by its size in the picture; the numbers are those of Face.msg."""

    UNKNOWN = 0
    NEAR = 1
    MIDDLE = 2
    FAR = 3


@dataclass(frozen=True, slots=True)
class SeenFace:
    """One face.

    Attributes
    ----------
    face_id : empty for a face that is only seen. motion : box widths per second, NaN for one that is not followed.
    seen_ns : stamp at which a detector saw it last. target : whether it is measured.
    """

    face_id: str
    box: Box
    confidence: float
    motion: float
    seen_ns: int
    target: bool

    def distance(self, shape: tuple[int, ...]) -> Distance:
        """Class of its distance in an image of that shape, (H, W, ...)."""
        share = max(self.box.width, self.box.height) / max(min(shape[:2]), 1)
        if not math.isfinite(share):
            return Distance.UNKNOWN
        return Distance.NEAR if share >= NEAR else Distance.MIDDLE if share >= MIDDLE else Distance.FAR


class Sights:
    """What the last detections saw besides the faces that are measured."""

    def __init__(self) -> None:
        self._others: list[tuple[int, Detection]] = []

    def clear(self) -> None:
        """Forget them."""
        self._others.clear()

    def saw(self, stamp_ns: int, others: Sequence[Detection], tracks: Iterable[Track]) -> None:
        """A detection of the whole image.

        Parameters
        ----------
        others : measured by nobody. tracks : of the faces that are measured.
        """
        known = [one.box for one in others] + [track.box for track in tracks]
        # A detector misses a face now and then; what lies where another is seen now was that one.
        before = [(seen_ns, one) for seen_ns, one in self._others if not any(_same(one.box, box) for box in known)]
        recent = [pair for pair in before if stamp_ns - pair[0] <= REMEMBERED_S * NS_PER_S]
        self._others = [(stamp_ns, one) for one in others] + recent

    def faces(self, tracks: Sequence[Track], measured: Sequence[Track], stamp_ns: int) -> list[SeenFace]:
        """All faces at a stamp: those that are measured, the largest first, and then the others."""
        followed = [
            SeenFace(track.face_id, track.steady, track.confidence, track.motion, track.confirmed_ns, track in measured)
            for track in sorted(tracks, key=lambda track: track not in measured)
        ]
        others = [
            SeenFace("", one.box, one.confidence, math.nan, seen_ns, False)
            for seen_ns, one in self._others
            if 0 <= stamp_ns - seen_ns <= REMEMBERED_S * NS_PER_S
        ]
        return followed + sorted(others, key=lambda face: -face.box.width)


def _same(a: Box, b: Box) -> bool:
    return math.dist(a.centre, b.centre) <= SAME * max(a.width, b.width)


def at_point(faces: Iterable[SeenFace], x: float, y: float) -> SeenFace | None:
    """The face at a point of the picture, or next to it; None: there is none."""

    def away(face: SeenFace) -> float:
        centre = face.box.centre
        side = max(face.box.width, face.box.height, 1e-6)
        return max(abs(x - centre[0]), abs(y - centre[1])) / side

    near = [face for face in faces if away(face) <= AROUND / 2]
    return min(near, key=away, default=None)

"""One face from its first sight to its loss."""

from __future__ import annotations

import math

import numpy as np

from rppg_ros.types import Box, Frame
from rppg_ros.vision.detect import Detection
from rppg_ros.vision.evidence import EvidenceMeter
from rppg_ros.vision.flow import FlowPoints, GreyFrame
from rppg_ros.vision.memory import face_colour
from rppg_ros.vision.smooth import OneEuro

ANCHOR_S = 2.0  # flow drifts; the box returns to where the detector sees it with this time constant
SNAP = 0.35  # box sides; further away from the detection than this the flow has followed something else
DETECTION_WEIGHT = 0.3  # of a detection in the running mean of them: their boxes jump by several pixels
OUTSIDE = 0.4  # share of the box outside the image at which the face is gone
REST_HZ = 0.4  # steady box: cut-off at rest ...
GAIN_HZ = 12.0  # ... and more per box width per second of motion
SIZE_REST_HZ = 0.15


class Track:
    """Box of one face, moved by flow and pulled to the detections.

    Attributes
    ----------
    face_id : empty until the face is certain.
    box : as followed. steady : smoothed, for the crop.
    sights : how often a detector saw it. confirmed_ns, confirmed_box : when and where last. seen_ns : of the last crop.
    motion : speed of the box centre, box widths per second.
    evidence : measures what the picture says beside the crop.
    """

    box: Box
    steady: Box
    _anchor: np.ndarray  # mean of where detections lie from the box, see _error

    def __init__(self, detection: Detection, stamp_ns: int, frame: GreyFrame) -> None:
        self.face_id = ""
        self.sights = 1
        self.confidence = detection.confidence
        self.confirmed_ns = self.seen_ns = stamp_ns
        self.confirmed_box = detection.box
        self.motion = 0.0
        self.colour: np.ndarray | None = None
        self.evidence = EvidenceMeter()
        self._points = FlowPoints()
        self._place(detection.box, frame)

    def follow(self, before: GreyFrame, now: GreyFrame, step_s: float) -> bool:
        """Move with the face to the next frame; False when it was lost."""
        moved = self._points.follow(before, now, self.box)
        if moved is None:
            return False
        (x, y), (nx, ny) = self.box.centre, moved.centre
        self.motion = float(np.hypot(nx - x, ny - y) / max(moved.width, 1e-6) / step_s)
        self.box = self._pulled(moved, step_s)
        if self._points.few:
            self._points.seek(now, self.box)
        self._smooth(step_s)
        return True

    def confirm(self, detection: Detection, stamp_ns: int, frame: GreyFrame) -> None:
        """A detector sees this face here."""
        self.sights += 1
        self.confirmed_ns, self.confidence = stamp_ns, detection.confidence
        self.confirmed_box = detection.box
        error = self._error(detection.box)
        if np.abs(error).max() > SNAP:
            self._place(detection.box, frame)
            return
        self._anchor = self._anchor + DETECTION_WEIGHT * (error - self._anchor)
        self._points.seek(frame, self.box)

    def outside(self, shape: tuple[int, ...]) -> bool:
        """Whether too much of the box has left an image of this shape."""
        wide = min(self.box.x + self.box.width, shape[1]) - max(self.box.x, 0.0)
        high = min(self.box.y + self.box.height, shape[0]) - max(self.box.y, 0.0)
        inside = max(wide, 0.0) * max(high, 0.0) / max(self.box.width * self.box.height, 1e-6)
        return inside < 1 - OUTSIDE

    def seen(self, frame: Frame) -> None:
        """The face is cropped from this frame; what it looks like is remembered now and then."""
        self.seen_ns = frame.stamp_ns
        if self.colour is None or self.confirmed_ns == frame.stamp_ns:
            self.colour = face_colour(frame.image, self.box)

    def _place(self, box: Box, frame: GreyFrame) -> None:
        self.box = self.steady = box
        self._anchor = np.zeros(4)
        self._position, self._size = OneEuro(REST_HZ, GAIN_HZ), OneEuro(SIZE_REST_HZ, GAIN_HZ)
        self._unit = max(box.width, 1e-6)
        self._smooth(0.0)
        self._points.seek(frame, box)

    def _error(self, box: Box) -> np.ndarray:
        """Where a detection lies from the box: centre in box sides, logarithms of the sizes."""
        (x, y), (dx, dy) = self.box.centre, box.centre
        return np.array(
            [
                (dx - x) / self.box.width,
                (dy - y) / self.box.height,
                math.log(box.width / self.box.width),
                math.log(box.height / self.box.height),
            ]
        )

    def _pulled(self, box: Box, step_s: float) -> Box:
        """The box a little nearer to the detections' running mean."""
        pull = self._anchor * (1 - math.exp(-step_s / ANCHOR_S))
        self._anchor = self._anchor - pull
        x, y = box.centre
        x, y = x + pull[0] * box.width, y + pull[1] * box.height
        width, height = box.width * math.exp(pull[2]), box.height * math.exp(pull[3])
        return Box(x - width / 2, y - height / 2, width, height)

    def _smooth(self, step_s: float) -> None:
        """Steady box: lengths are in box widths for the filter, so that near and far faces are smoothed alike."""
        unit = max(self.steady.width, 1e-6)
        self._position.rescale(self._unit / unit)  # or a face that only grows would seem to move away from the corner
        self._unit = unit
        x, y = (float(v) * unit for v in self._position.push(np.array(self.box.centre) / unit, step_s))
        size = np.log([self.box.width, self.box.height])
        width, height = np.exp(self._size.push(size, step_s))
        self.steady = Box(x - width / 2, y - height / 2, float(width), float(height))

"""What is known of where RGB pixels lie in the thermal image, and how it came to be known."""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass

import numpy as np

from rppg_ros.types import NS_PER_S, Box, Frame
from rppg_ros.vision.registration import Calibration, Registration, SameView
from rppg_ros.vision.view_search import ZOOMS, Placement, place

LOOK_S = 0.5  # between two looks while the picture may settle it
CHECK_S = 10.0  # and afterwards: persons move nearer, somebody touches a camera
LEAST_SCORE = 0.44  # whole heads: 0.66 real, 0.46 to 0.51 made up; not the same head: up to 0.40 (docs/thermal.md)
LEAST_PROOF = 0.4  # of a place that was expected: few others are tried
AGREEING = 3  # looks that must say the same before a view is taken from the picture
SAME_ZOOM, SAME_PLACE = (
    0.15,
    0.15,
)  # ratio less 1, and face widths: the network is trained for less, nostrils stay in reach
NEAR_ZOOMS = (0.94, 1.0, 1.06)
CALIBRATED_ZOOMS = tuple(np.geomspace(0.88, 1.14, 7))  # of a calibrated pair the zoom is known, but for the face's tilt


class ViewState(str, enum.Enum):
    """How the view is known."""

    GIVEN = "given"  # by a parameter
    CALIBRATED = "calibrated"  # by both cameras' calibration
    PROVED = "proved"  # taken for granted, and the picture agrees
    ESTIMATED = "estimated"  # read off the picture
    ASSUMED = "assumed"  # taken for granted, and not proved: no thermal crops

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look saw: the zoom, and where the face's centre lies; of the face's box at that time."""

    zoom: float
    x: float
    y: float
    face: tuple[float, float]
    face_px: float  # of the thermal image

    @classmethod
    def of(cls, matrix: np.ndarray, box: Box) -> _Look:
        """Of a matrix from RGB to thermal pixels, at the place of a face."""
        points = np.array([[*box.centre, 1.0], [box.centre[0] + 1, box.centre[1], 1.0]]) @ matrix.T
        here, beside = points[:, :2] / points[:, 2:]
        zoom = float(np.hypot(*(beside - here)))
        return cls(zoom, float(here[0]), float(here[1]), box.centre, zoom * box.width)

    def agrees(self, other: _Look) -> bool:
        """Whether both say the same; `other` is moved to this one's face first."""
        shift_x = other.x + other.zoom * (self.face[0] - other.face[0]) - self.x
        shift_y = other.y + other.zoom * (self.face[1] - other.face[1]) - self.y
        ratio = max(self.zoom, other.zoom) / min(self.zoom, other.zoom)
        return ratio - 1 <= SAME_ZOOM and float(np.hypot(shift_x, shift_y)) <= SAME_PLACE * self.face_px


class ThermalView:
    """Where RGB pixels lie in the thermal image.

    What a parameter gives is believed. A calibration is believed, but for the shift where nobody said how the cameras stand
    to each other. The same view of both cameras is only believed once a face was seen at the same place in both images.

    Parameters
    ----------
    given : by a parameter; None: nothing is.
    """

    def __init__(self, given: Registration | None = None) -> None:
        self._given = given
        self._calibration: Calibration | None = None
        self._shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None
        self.score = float("nan")
        self.forget()

    def forget(self) -> None:
        """Forget what was read off the picture."""
        self._proved = False
        self._estimate: np.ndarray | None = None
        self._looks: deque[tuple[_Look, Placement]] = deque(maxlen=AGREEING)
        self._next_ns: int | None = None
        self._wait_s = LOOK_S / 2  # where the picture tells nothing, looks become seldom

    def rewind(self) -> None:
        """The clock jumped: look again at once."""
        self._next_ns = None

    def calibrate(self, calibration: Calibration) -> None:
        """Take what is known of both cameras; what was read off the picture is forgotten."""
        self._calibration = calibration
        self.forget()

    @property
    def state(self) -> ViewState:
        """How the view is known at present."""
        if self._given is not None:
            return ViewState.GIVEN
        if self._estimate is not None:
            return ViewState.ESTIMATED
        if self._calibration is not None:
            return ViewState.CALIBRATED
        return ViewState.PROVED if self._proved else ViewState.ASSUMED

    @property
    def assumed(self) -> bool:
        """Whether a face was looked for in the thermal image, and its place is not known."""
        return self.state is ViewState.ASSUMED and self._next_ns is not None

    def matrix(self, rgb_shape: tuple[int, ...], thermal_shape: tuple[int, ...], box: Box) -> np.ndarray | None:
        """(3, 3) RGB to thermal pixels, for the face in that box; None: not known."""
        if self._given is None and self._shapes != (rgb_shape[:2], thermal_shape[:2]):
            self._shapes = rgb_shape[:2], thermal_shape[:2]
            self.forget()
        if self.state is ViewState.ASSUMED:
            return None
        return self._estimate if self._estimate is not None else self._prior(rgb_shape, thermal_shape, box)

    def look(self, frame: Frame, thermal: Frame, box: Box) -> None:
        """Compare the surroundings of a face with the thermal image, if it is time to."""
        if self._given is not None or (self._next_ns is not None and frame.stamp_ns < self._next_ns):
            return
        self.matrix(frame.image.shape, thermal.image.shape, box)  # other shapes, other view
        expected = _Look.of(self._prior(frame.image.shape, thermal.image.shape, box), box)
        found = self._confirmed(frame, thermal, box, expected)
        if found is None:
            found = place(frame.image, box, thermal.image, self._zooms(expected, frame, thermal), LEAST_PROOF)
        self.score = float("nan") if found is None else found.score
        settled = self._judge(found, expected, box)
        self._wait_s = CHECK_S if settled else LOOK_S if self._looks else min(2 * self._wait_s, CHECK_S)
        self._next_ns = frame.stamp_ns + round(self._wait_s * NS_PER_S)

    def _confirmed(self, frame: Frame, thermal: Frame, box: Box, expected: _Look) -> Placement | None:
        """What is believed, seen again: few zooms are enough for that. None: look everywhere."""
        if self._looks or not (self._proved or self._estimate is not None):
            return None
        known = expected if self._estimate is None else _Look.of(self._estimate, box)
        near = place(frame.image, box, thermal.image, tuple(known.zoom * z for z in NEAR_ZOOMS), LEAST_SCORE)
        return near if near is not None and known.agrees(_Look.of(near.matrix(), box)) else None

    def _prior(self, rgb_shape: tuple[int, ...], thermal_shape: tuple[int, ...], box: Box) -> np.ndarray:
        known = self._given or self._calibration or SameView()
        return known.matrix(rgb_shape, thermal_shape, box)

    def _zooms(self, expected: _Look, frame: Frame, thermal: Frame) -> tuple[float, ...]:
        if self._calibration is not None:
            return tuple(expected.zoom * zoom for zoom in CALIBRATED_ZOOMS)
        (rows, columns), (h, w) = frame.image.shape[:2], thermal.image.shape
        same = float(np.sqrt((w / columns) * (h / rows)))
        return tuple(same * zoom for zoom in ZOOMS)

    def _judge(self, found: Placement | None, expected: _Look, box: Box) -> bool:
        """Draw the conclusions from a look; whether there is no need to look again soon."""
        if found is None:  # the face is turned away, or there is none to see: what was known stays
            self._looks.clear()
            return self._estimate is not None or self._proved
        seen = _Look.of(found.matrix(), box)
        if self._estimate is None and expected.agrees(seen):
            self._looks.clear()
            self._proved = True
            return True
        if found.score < LEAST_SCORE:
            return self._estimate is not None or self._proved
        if self._estimate is not None and _Look.of(self._estimate, box).agrees(seen):
            self._looks.clear()
            return True
        if self._calibration is not None and self._calibration.complete:
            return True  # measured by somebody, and better than this
        self._looks.append((seen, found))
        if len(self._looks) == AGREEING and all(seen.agrees(other) for other, _ in self._looks):
            self._estimate = _middle([one for _, one in self._looks], box).matrix()
            self._looks.clear()
            return True
        return False


def _middle(found: list[Placement], box: Box) -> Placement:
    """The median zoom, and the shift that puts the face's centre where the median look saw it."""
    zoom = float(np.median([one.zoom for one in found]))
    x, y = (
        float(np.median([one.zoom * at + shift for one, shift in zip(found, shifts, strict=True)]))
        for at, shifts in zip(box.centre, ([one.x for one in found], [one.y for one in found]), strict=True)
    )
    return Placement(zoom, x - zoom * box.centre[0], y - zoom * box.centre[1], min(one.score for one in found))

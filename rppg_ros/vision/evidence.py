"""What a face crop says beside the network: parts of the skin, the light around the face, and how head and shoulders move.

A pulse is in all parts of the skin and nowhere else; light that swings is around the face as well, and a head that nods moves.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from rppg_ros.types import Box
from rppg_ros.vision.skin import SATURATED, TOO_DARK, coordinates, relative_sides, warmth_under_nose

EVIDENCE_SIZE, EVIDENCE_SCALE = 48, 1.5  # of the crop that is looked at: the same whatever crops the engine wants
PARTS = 4
SMALL = 24  # pixels: the side at which movement is looked at
UNIT = EVIDENCE_SCALE / SMALL  # of those pixels, in sides of the face box
BLUR_PX = 1.0
REFRESH_PX = (
    0.7  # of those: further from its reference a crop becomes the next reference, for the fit is of small shifts
)
LEAST_PIXELS = 8
BELOW_CHIN = 0.5  # of the box's side from its middle: neck and shoulders
_RINGS = 1.25  # half axes of the face's ellipse from which on a place counts as around the face


class Row(NamedTuple):
    """One crop's evidence, and where it stands in the vector of it.

    Attributes
    ----------
    parts : (PARTS, 3) mean R, G, B of forehead, both cheeks and chin. around : (3,) of what is beside and above the head.
    head_x, head_y, zoom : where the head has moved to since the first crop, in sides of the face box; log of its size.
    body_y : the same of what is below the chin. clipped, dark : shares of the skin's pixels.
    thermal : degrees under the nose against the face; NaN without a thermal image. side : of the face box, pixels.
    repeated : share of the skin's pixels that are to the last bit those of the frame before: a camera's noise leaves few of them,
        a codec many.
    """

    parts: np.ndarray
    around: np.ndarray
    head_x: float
    head_y: float
    zoom: float
    body_y: float
    clipped: float
    dark: float
    thermal: float
    side: float
    repeated: float

    def vector(self) -> np.ndarray:
        """(WIDTH,) float32."""
        single = (
            *(self.head_x, self.head_y, self.zoom, self.body_y),
            *(self.clipped, self.dark, self.thermal, self.side, self.repeated),
        )
        return np.concatenate([self.parts.ravel(), self.around, single]).astype(np.float32)


WIDTH = 3 * PARTS + 3 + 9


class EvidenceMeter:
    """The evidence of one face, frame by frame. Holds what movement is measured against."""

    def __init__(self) -> None:
        self._box: Box | None = None
        self._moved: np.ndarray = np.zeros(3)  # of the box: x, y in sides, log size
        self._head, self._body = _Shift(), _Shift()
        self._skin: np.ndarray = np.zeros((0, 3), np.uint8)  # of the frame before

    def measure(self, rgb: np.ndarray, thermal: np.ndarray | None, box: Box) -> np.ndarray:
        """Evidence (WIDTH,) float32 of the next frame.

        Parameters
        ----------
        rgb : uint8 (S, S, 3), cut EVIDENCE_SCALE times the face box; `thermal` (S', S') the same of the thermal image.
        box : the face box in the whole image, pixels.
        """
        masks = _masks(len(rgb), relative_sides(box))
        pixels = rgb.reshape(-1, 3)
        means = masks.weights @ pixels.astype(np.float32)
        skin = pixels[masks.skin]
        self._follow_box(box)
        grey = _grey(rgb)
        head = self._head.measure(grey, masks.head) * (UNIT, UNIT, 1.0) + self._moved
        body = self._body.measure(grey, masks.body)[1] * UNIT + self._moved[1]
        warmth = float("nan") if thermal is None else warmth_under_nose(thermal, EVIDENCE_SCALE, box)
        return Row(
            parts=means[:PARTS],
            around=means[PARTS],
            head_x=float(head[0]),
            head_y=float(head[1]),
            zoom=float(head[2]),
            body_y=float(body),
            clipped=float((skin.max(axis=1) >= SATURATED).mean()),
            dark=float((skin.sum(axis=1, dtype=np.int32) <= 3 * TOO_DARK).mean()),
            thermal=warmth,
            side=max(box.width, box.height),
            repeated=self._repeated(skin),
        ).vector()

    def _repeated(self, skin: np.ndarray) -> float:
        before, self._skin = self._skin, skin
        return float((skin == before).all(axis=1).mean()) if skin.shape == before.shape else 0.0

    def _follow_box(self, box: Box) -> None:
        if self._box is not None:
            (x, y), (was_x, was_y) = box.centre, self._box.centre
            side, was_side = max(box.width, box.height, 1e-6), max(self._box.width, self._box.height, 1e-6)
            self._moved = self._moved + ((x - was_x) / side, (y - was_y) / side, np.log(side / was_side))
        self._box = box


class _Shift:
    """Shift and zoom of a masked part of small grey images against a reference that is renewed as they move on."""

    def __init__(self) -> None:
        self._reference: np.ndarray | None = None
        self._carried = np.zeros(3)

    def measure(self, grey: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """(3,): x, y in pixels, and log zoom, since the first image."""
        if self._reference is None:
            self._reference = grey
            return self._carried
        found = _fit(self._reference, grey, mask)
        total: np.ndarray = self._carried + found
        if np.abs(found[:2]).max() > REFRESH_PX or abs(found[2]) * SMALL / 2 > REFRESH_PX:
            self._reference, self._carried = grey, total
        return total


def _fit(before: np.ndarray, now: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Least squares of the change of (logarithmic) brightness by a shift, a zoom, and more or less light (Lucas, Kanade 1981)."""
    middle = (before + now) / 2
    down, right = np.gradient(middle)
    y, x = _places()
    slopes: np.ndarray = np.stack([-right, -down, -(x * right + y * down), np.ones_like(middle)])
    terms: np.ndarray = slopes[:, mask]
    gram = terms @ terms.T
    gram[np.diag_indices(4)] += 1e-3 * np.trace(gram[:2, :2]) / 2 + 1e-6
    solved = np.linalg.solve(gram, terms @ (now - before)[mask])
    return np.clip(np.asarray(solved[:3], np.float64), (-2.0, -2.0, -0.2), (2.0, 2.0, 0.2))


def _grey(rgb: np.ndarray) -> np.ndarray:
    small = cv2.resize(rgb, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    smooth = cv2.GaussianBlur(grey, (0, 0), BLUR_PX)  # differences of neighbours are slopes only of what is smooth
    return np.log1p(smooth)


@lru_cache(maxsize=1)
def _places() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:SMALL, 0:SMALL].astype(np.float32) - (SMALL - 1) / 2
    return y, x


class _Masks(NamedTuple):
    """weights : (PARTS + 1, S * S), rows sum to one. skin : indices. head, body : (SMALL, SMALL) bool."""

    weights: np.ndarray
    skin: np.ndarray
    head: np.ndarray
    body: np.ndarray


@lru_cache(maxsize=64)
def _masks(size: int, sides: tuple[float, float]) -> _Masks:
    x, y = coordinates(size, EVIDENCE_SCALE, sides)
    x, y = np.broadcast_arrays(x, y)
    radius = np.hypot(x / 0.44, y / 0.46)
    face = radius <= 1
    parts = [
        face & (y < -0.22),
        face & (x < -0.12) & (y > 0.0) & (y < 0.27),
        face & (x > 0.12) & (y > 0.0) & (y < 0.27),
        face & (y > 0.30),
    ]
    around = (radius > _RINGS) & (y < 0.3)
    weights = np.stack([_weights(mask) for mask in [*parts, around]]).reshape(PARTS + 1, -1).astype(np.float32)
    skin = np.flatnonzero(np.any(parts, axis=0))
    small_x, small_y = np.broadcast_arrays(*coordinates(SMALL, EVIDENCE_SCALE, sides))
    head, body = np.hypot(small_x / 0.5, small_y / 0.55) <= 1, small_y > BELOW_CHIN
    inner = np.zeros_like(head)
    inner[1:-1, 1:-1] = True  # at the rim a slope has one side only
    return _Masks(weights, skin if len(skin) else np.arange(size * size), _enough(head & inner), _enough(body & inner))


def _weights(mask: np.ndarray) -> np.ndarray:
    """The mean over a mask; over everything where it is empty, as in crops of a few pixels or cut close to the face."""
    return mask / mask.sum() if mask.any() else np.full(mask.shape, 1 / mask.size)


def _enough(mask: np.ndarray) -> np.ndarray:
    return mask if mask.sum() >= LEAST_PIXELS else np.ones_like(mask)

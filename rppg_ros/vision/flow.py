"""Follows a face from frame to frame by optical flow inside it: sub-pixel, smooth, and aware of having lost it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rppg_ros.types import Box

LONG_SIDE_PX = 360  # images are followed at about this size; flow is exact to a few hundredths of its pixels
MAX_POINTS = 50
MIN_POINTS = 8
REFRESH_BELOW = 0.6  # share of points left at which new ones are sought
KEEP_AT_LEAST = 0.35  # share of points that must survive one frame
RETURN_PX = 0.7  # a point followed there and back must come home
WINDOW_PX = 15
LEVELS = 3
MARGIN_PX = 24  # around the points; a face moves no further between two frames
MAX_ZOOM = 1.15  # between two frames
FACE_ELLIPSE = 0.42  # half axes over the box's sides: background does not move with the face


@dataclass(frozen=True, slots=True)
class GreyFrame:
    """A frame prepared for flow: grey, reduced, and the factor back to the full image."""

    image: np.ndarray
    factor: float


def prepare(rgb: np.ndarray) -> GreyFrame:
    """Grey copy of an RGB uint8 (H, W, 3) image, reduced by a whole number: that is several times faster than any other."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    factor = max(1, round(max(grey.shape) / LONG_SIDE_PX))
    if factor > 1:
        height, width = grey.shape[0] // factor, grey.shape[1] // factor
        whole = grey[: height * factor, : width * factor]
        grey = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return GreyFrame(grey, float(factor))


class FlowPoints:
    """The points of one face."""

    def __init__(self) -> None:
        self._points: np.ndarray = np.zeros((0, 1, 2), np.float32)
        self._wanted = 0

    def seek(self, frame: GreyFrame, box: Box) -> None:
        """Choose new points inside the face."""
        mask = np.zeros(frame.image.shape, np.uint8)
        centre = tuple(v / frame.factor for v in box.centre)
        axes = (FACE_ELLIPSE * box.width / frame.factor, FACE_ELLIPSE * box.height / frame.factor)
        cv2.ellipse(mask, (centre, (2 * axes[0], 2 * axes[1]), 0.0), 255, -1)
        distance = max(2.0, min(axes) / 5)
        found = cv2.goodFeaturesToTrack(frame.image, MAX_POINTS, 0.01, distance, mask=mask, blockSize=5)
        self._points = np.zeros((0, 1, 2), np.float32) if found is None else found
        self._wanted = len(self._points)

    @property
    def few(self) -> bool:
        """Whether it is time for new points."""
        return len(self._points) < max(MIN_POINTS, REFRESH_BELOW * self._wanted)

    def follow(self, before: GreyFrame, now: GreyFrame, box: Box) -> Box | None:
        """The box moved (and scaled) with its points; None when too few of them could be followed."""
        if len(self._points) < MIN_POINTS:
            return None
        old, new = self._flow(before, now)
        if len(new) < max(MIN_POINTS, KEEP_AT_LEAST * len(self._points)):
            return None
        self._points = new
        moved = _similarity(old[:, 0], new[:, 0])
        return None if moved is None else _apply(moved, box, now.factor)

    def _flow(self, before: GreyFrame, now: GreyFrame) -> tuple[np.ndarray, np.ndarray]:
        """Points that were followed there and back; only the surroundings of the face are looked at."""
        rows, columns, corner = self._surroundings(now.image.shape)
        old_image, new_image = before.image[rows, columns], now.image[rows, columns]
        old = self._points - corner
        new, seen = _step(old_image, new_image, old)
        back, returned = _step(new_image, old_image, new)
        error = np.linalg.norm(back - old, axis=2)
        height, width = new_image.shape
        inside = (new >= 0).all(axis=2) & (new[..., 0] < width) & (new[..., 1] < height)
        good = ((seen == 1) & (returned == 1) & (error < RETURN_PX) & inside)[:, 0]
        return self._points[good], new[good] + corner

    def _surroundings(self, shape: tuple[int, ...]) -> tuple[slice, slice, np.ndarray]:
        low, high = self._points.min(axis=(0, 1)), self._points.max(axis=(0, 1))
        margin = max(MARGIN_PX, float((high - low).max()) / 2)
        left, top = np.maximum(low - margin, 0).astype(int)
        right, bottom = np.minimum(high + margin, (shape[1] - 1, shape[0] - 1)).astype(int) + 1
        return slice(top, bottom), slice(left, right), np.array([left, top], np.float32)


def _step(before: np.ndarray, now: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where points (n, 1, 2) are in the next image, and whether each was found, (n, 1)."""
    moved, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]  # its stub wants a guess of where they are
        before, now, points, None, winSize=(WINDOW_PX, WINDOW_PX), maxLevel=LEVELS
    )
    return moved, found


def _similarity(old: np.ndarray, new: np.ndarray) -> np.ndarray | None:
    """(2, 3) least-squares similarity, twice: on all points, then on those that agree with it (mouth and eyes do not)."""
    keep = np.ones(len(old), bool)
    for _ in range(3):
        fitted = _fit(old[keep], new[keep])
        if fitted is None:
            return None
        matrix = fitted
        error = np.linalg.norm(new - (old @ matrix[:, :2].T + matrix[:, 2]), axis=1)
        keep = error <= max(3 * np.median(error), 0.05)
        if keep.sum() < MIN_POINTS // 2:
            return None
    zoom = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    return matrix if 1 / MAX_ZOOM < zoom < MAX_ZOOM else None


def _fit(old: np.ndarray, new: np.ndarray) -> np.ndarray | None:
    """Least-squares similarity (Umeyama 1991 in two dimensions) of (n, 2) points, as complex numbers."""
    a, b = old[:, 0] + 1j * old[:, 1], new[:, 0] + 1j * new[:, 1]
    a_mean, b_mean = a.mean(), b.mean()
    power = float(np.sum(np.abs(a - a_mean) ** 2))
    if power < 1e-6:
        return None
    turn = np.sum(np.conj(a - a_mean) * (b - b_mean)) / power
    shift = b_mean - turn * a_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _apply(matrix: np.ndarray, box: Box, factor: float) -> Box:
    centre = matrix[:, :2] @ (np.array(box.centre) / factor) + matrix[:, 2]
    zoom = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    width, height = box.width * zoom, box.height * zoom
    return Box(float(centre[0] * factor - width / 2), float(centre[1] * factor - height / 2), width, height)

"""Renders a portrait photograph as two cameras would film it: RGB with a pulse in the skin, thermal with breath at the nose."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rppg_ros.vitals.filters import bandpass

WIDTH, HEIGHT = 640, 480
THERMAL_WIDTH, THERMAL_HEIGHT = 160, 120
PORTRAIT = (
    10,
    0,
    437,
    320,
)  # left, top, right, bottom of what is filmed of scikit-image's astronaut (public domain, NASA)
FACE = (222.0, 120.0, 42.0, 54.0)  # centre and half axes of the face in the photograph, pixels
NOSTRILS = (220.5, 130.0, 9.0, 5.0)
# Relative strength of the pulse in R, G, B: blood absorbs green most (Verkruysse 2008; de Haan and van Leest 2014).
PULSE = np.array([0.33, 0.77, 0.53], np.float32)
NOISE = 1.6  # standard deviation of camera noise, grey levels
AIR_C, SKIN_C, NOSE_C, BODY_C = 23.0, 34.0, 32.5, 28.0
NOISE_BANK = 6


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the head is: shift in RGB pixels, zoom, and roll in degrees."""

    x: float
    y: float
    zoom: float
    roll: float


class PortraitRenderer:
    """Frames of one person.

    Parameters
    ----------
    pulse_strength : change of a channel of strength 1 per unit of bvp.
    breath_c : change of the nostrils' temperature per unit of rsp, degrees.
    """

    def __init__(self, rng: np.random.Generator, pulse_strength: float = 0.006, breath_c: float = 0.3) -> None:
        from skimage.data import astronaut  # the picture comes with scikit-image's wheel

        left, top, right, bottom = PORTRAIT
        self._photo = astronaut()[top:bottom, left:right].astype(np.float32)
        self._scale = WIDTH / (right - left)
        self._skin = _skin_mask(self._photo, (FACE[0] - left, FACE[1] - top, *FACE[2:]))
        rows, columns = (np.flatnonzero(self._skin.max(axis=axis) > 0.01) for axis in (1, 0))
        self._face = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        # Skin times pulse strength, so that a frame costs one product.
        self._blush = self._photo[self._face] * self._skin[self._face][..., None] * PULSE * np.float32(pulse_strength)
        self._work = self._photo.copy()
        shape = (HEIGHT + 64, WIDTH + 64, 3)
        self._noise = [rng.normal(0, NOISE, shape).astype(np.float32) for _ in range(NOISE_BANK)]
        self._rng = rng
        self._heat, self._nostrils = _heat_map(self._scale * THERMAL_WIDTH / WIDTH, breath_c)

    def rgb(self, pose: Pose, light: float, bvp: float) -> np.ndarray:
        """RGB uint8 (480, 640, 3): more blood, darker skin."""
        self._work[self._face] = self._photo[self._face] - bvp * self._blush
        matrix = _pose_matrix(pose, self._scale, (WIDTH, HEIGHT))
        frame = cv2.warpAffine(
            self._work, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        noise = self._noise[self._rng.integers(NOISE_BANK)]
        y, x = self._rng.integers(0, 64, 2)
        return cv2.addWeighted(frame, light, noise[y : y + HEIGHT, x : x + WIDTH], 1.0, 0.0, dtype=cv2.CV_8U)

    def thermal(self, pose: Pose, rsp: float, drift_c: float) -> np.ndarray:
        """Degrees Celsius, float32 (120, 160): exhaled air warms the nostrils. NETD 0.05 degrees."""
        heat = self._heat - rsp * self._nostrils
        share = THERMAL_WIDTH / WIDTH
        size = (THERMAL_WIDTH, THERMAL_HEIGHT)
        matrix = _pose_matrix(Pose(pose.x * share, pose.y * share, pose.zoom, pose.roll), 1.0, size)
        frame = cv2.warpAffine(heat, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        noise = np.asarray(self._rng.normal(0, 0.05, frame.shape), np.float32)
        return frame + np.float32(drift_c) + noise


def _pose_matrix(pose: Pose, scale: float, size: tuple[int, int]) -> np.ndarray:
    """Photograph to frame: enlarge, turn and zoom about the frame's middle, shift."""
    matrix: np.ndarray = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), pose.roll, pose.zoom)
    matrix[:, 2] += (pose.x, pose.y)
    return matrix @ np.diag([scale, scale, 1.0])


def _skin_mask(photo: np.ndarray, face: tuple[float, float, float, float]) -> np.ndarray:
    """(H, W) float32, 0..1: skin colours inside the face's ellipse, with soft edges."""
    y, x = np.mgrid[0 : photo.shape[0], 0 : photo.shape[1]]
    inside = ((x - face[0]) / face[2]) ** 2 + ((y - face[1]) / face[3]) ** 2 <= 1
    _, red, blue = cv2.split(cv2.cvtColor(photo.astype(np.uint8), cv2.COLOR_RGB2YCrCb))
    skin = inside & (red > 138) & (red < 175) & (blue > 85) & (blue < 128) & (photo.min(axis=2) > 45)
    return cv2.GaussianBlur(skin.astype(np.float32), (0, 0), 1.5)


def _heat_map(scale: float, breath_c: float) -> tuple[np.ndarray, np.ndarray]:
    """Thermal image at rest, and what one unit of breath takes from it."""
    y, x = np.mgrid[0:THERMAL_HEIGHT, 0:THERMAL_WIDTH].astype(np.float32)

    def blob(place: tuple[float, ...], grow: float, soft: float) -> np.ndarray:
        cx, cy, ax, ay = ((v - o) * scale for v, o in zip(place, (PORTRAIT[0], PORTRAIT[1], 0, 0), strict=True))
        distance = np.hypot((x + 0.5 - cx) / (ax * grow), (y + 0.5 - cy) / (ay * grow))
        return (1 / (1 + np.exp(np.minimum((distance - 1) / soft, 50.0)))).astype(np.float32)

    left, top = PORTRAIT[:2]
    body = blob((222.0, 300.0, 140.0, 110.0), 1.0, 0.08)
    head = blob(FACE, 1.15, 0.06)
    nose = blob((NOSTRILS[0], NOSTRILS[1] - 12.0, 9.0, 14.0), 1.0, 0.2)
    nostrils = blob(NOSTRILS, 1.0, 0.25)
    heat = AIR_C + (BODY_C - AIR_C) * body
    heat = heat + (SKIN_C - heat) * head + (NOSE_C - SKIN_C) * nose * head
    return heat.astype(np.float32), breath_c * nostrils


def smooth_motion(n: int, rate_hz: float, size: float, rng: np.random.Generator) -> np.ndarray:
    """(n,) random sway between 0.05 and 0.5 Hz with standard deviation `size`."""
    sway = bandpass(rng.normal(size=n), rate_hz, 0.05, 0.5, order=1)
    return size * sway / max(sway.std(), 1e-9)

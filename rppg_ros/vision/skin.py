"""What a face crop says without a network: the mean colour of the skin and the temperature under the nose."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rppg_ros.types import Box, FaceCrop

# In units of the face box, origin at its centre, x right, y down. The box runs from hairline to chin and cheek to cheek.
SKIN_HALF_AXES = (0.44, 0.46)
EYES_BAND = (-0.20, -0.02)  # blinks are not pulse
NOSTRILS = (0.0, 0.16)
NOSTRIL_HALF_AXES = (0.13, 0.08)
CHEEKS_BAND = (-0.48, -0.05)  # forehead and upper cheeks: what the breath does not reach
SATURATED = 250
TOO_DARK = 12


def skin_mean(crop: FaceCrop) -> np.ndarray:
    """Mean R, G, B of the facial skin, (3,) float32.

    An ellipse inside the face box without the eyes' band; pixels that are clipped, or whose colour is far from the
    ellipse's median (hair, beard, glasses), are left out unless nearly all are.
    """
    pixels = crop.rgb[_skin_mask(len(crop.rgb), crop.crop_scale, relative_sides(crop.box))].astype(np.float32)
    total = pixels.sum(axis=1)
    usable = (pixels.max(axis=1) < SATURATED) & (total > 3 * TOO_DARK)
    share = pixels[:, :2] / np.maximum(total, 1)[:, None]
    off = np.abs(share - np.median(share, axis=0)).sum(axis=1)
    keep = usable & (off <= 3 * np.median(off)) & (total > 0.5 * np.median(total))
    mean: np.ndarray = (pixels[keep] if keep.sum() >= len(pixels) // 4 else pixels).mean(axis=0)
    return mean


def breath_temperature(crop: FaceCrop) -> np.ndarray | None:
    """Temperature under the nose minus that of forehead and cheeks, (1,) float32; None without a thermal crop.

    The difference cancels what moves the whole image: sensor drift and flat-field corrections.
    """
    if crop.thermal is None:
        return None
    return np.array([warmth_under_nose(crop.thermal, crop.crop_scale, crop.box)], dtype=np.float32)


def warmth_under_nose(thermal: np.ndarray, crop_scale: float, box: Box) -> float:
    """Degrees under the nose minus those of forehead and cheeks, of a thermal crop (S, S)."""
    nose, face = _thermal_masks(len(thermal), crop_scale, relative_sides(box))
    return float(thermal[nose].mean() - thermal[face].mean())


def relative_sides(box: Box) -> tuple[float, float]:
    """Width and height over the longer side, in steps coarse enough to cache masks and to keep them still."""
    longer = max(box.width, box.height, 1e-6)
    return round(box.width / longer * 20) / 20, round(box.height / longer * 20) / 20


def coordinates(size: int, crop_scale: float, aspect: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres of a crop in units of the face box, from its centre."""
    line = ((np.arange(size) + 0.5) / size - 0.5) * crop_scale
    return line[None, :] / max(aspect[0], 0.05), line[:, None] / max(aspect[1], 0.05)


@lru_cache(maxsize=64)
def _skin_mask(size: int, crop_scale: float, aspect: tuple[float, float]) -> np.ndarray:
    x, y = coordinates(size, crop_scale, aspect)
    inside = (x / SKIN_HALF_AXES[0]) ** 2 + (y / SKIN_HALF_AXES[1]) ** 2 <= 1
    return _never_empty(inside & ~((y > EYES_BAND[0]) & (y < EYES_BAND[1])))


@lru_cache(maxsize=64)
def _thermal_masks(size: int, crop_scale: float, aspect: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    x, y = coordinates(size, crop_scale, aspect)
    nose = ((x - NOSTRILS[0]) / NOSTRIL_HALF_AXES[0]) ** 2 + ((y - NOSTRILS[1]) / NOSTRIL_HALF_AXES[1]) ** 2 <= 1
    face = (x / SKIN_HALF_AXES[0]) ** 2 + (y / SKIN_HALF_AXES[1]) ** 2 <= 1
    return _never_empty(nose), _never_empty(face & (y > CHEEKS_BAND[0]) & (y < CHEEKS_BAND[1]))


def _never_empty(mask: np.ndarray) -> np.ndarray:
    """Tiny crops can miss a region altogether; then the middle pixel stands for it."""
    if not mask.any():
        mask[len(mask) // 2, len(mask) // 2] = True
    return mask

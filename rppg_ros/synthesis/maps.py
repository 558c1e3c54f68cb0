"""Pieces that maps of faces and rooms are made of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import cv2
import numpy as np


def soft(distance: np.ndarray, width: float) -> np.ndarray:
    """0 to 1 across an edge at 0."""
    return 1 / (1 + np.exp(-np.clip(distance / width * 4, -40, 40)))


def noise_field(side: int, scale: float, rng: np.random.Generator) -> np.ndarray:
    """(S, S) smooth random field, zero mean, unit variance; `scale` is the size of its spots, pixels."""
    field = cv2.GaussianBlur(rng.normal(size=(side, side)).astype(np.float32), (0, 0), max(scale, 0.4))
    return (field - field.mean()) / max(float(field.std()), 1e-6)


def total(maps: Iterable[np.ndarray]) -> np.ndarray:
    """Maps added, place by place."""
    return reduce(np.add, maps)


def blob(u: np.ndarray, v: np.ndarray, x: float, y: float, a: float, b: float) -> np.ndarray:
    """A soft spot at (x, y) of half widths a and b."""
    return np.exp(-(((u - x) / a) ** 2 + ((v - y) / b) ** 2))

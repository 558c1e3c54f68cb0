"""Textures of real faces: 100 small grey ones that come with scikit-image (of Labeled Faces in the Wild), blended in twos.

They give a made-up face what is hard to invent: eyes, glasses, beards, shadows where people have them. Only brightness is
taken; colour and pulse stay the skin model's. Nothing of them is in this package.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

FACES = 100  # of the set's 200 pictures; the others show no faces
BLEND = 0.3  # most of a second face in a first
SKIN = (slice(6, 20), slice(6, 19))  # where these pictures show cheeks and forehead
WIDE, UP, DOWN = 1.3, -0.88, 1.2  # what a picture covers, in half widths and heights of a face: eyes lie at -0.16 then
LIMITS = (0.1, 1.8)
HIGHLIGHTS = 0.5  # of what is brighter than skin: the pictures are bleached, and gloss is the film's to add


def texture(u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Brightness of a face (S, S) float32, 1 on usual skin.

    Parameters
    ----------
    u, v : (S, S): places in half widths and half heights of the face, from its middle.
    """
    faces = _faces()
    first, second = rng.choice(FACES, 2, replace=False)
    share = rng.uniform(0, BLEND)
    picture = (1 - share) * faces[first] + share * faces[second]
    if rng.uniform() < 0.5:
        picture = picture[:, ::-1]
    side = picture.shape[0]
    x = ((u / WIDE + 1) / 2 * side - 0.5).astype(np.float32)
    y = ((v - UP) / (DOWN - UP) * side - 0.5).astype(np.float32)
    bright = cv2.remap(np.ascontiguousarray(picture), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(np.where(bright > 1, 1 + HIGHLIGHTS * (bright - 1), bright), *LIMITS)


@lru_cache(maxsize=1)
def _faces() -> np.ndarray:
    """(FACES, 25, 25) float32 in linear light, the brighter half of each one's skin about 1."""
    from skimage.data import lfw_subset  # the pictures come with scikit-image's wheel

    linear = lfw_subset()[:FACES].astype(np.float32) ** 2.2
    level = np.quantile(linear[:, SKIN[0], SKIN[1]].reshape(FACES, -1), 0.6, axis=1)
    return linear / np.maximum(level, 0.02)[:, None, None]

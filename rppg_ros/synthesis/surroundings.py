"""What a face's crop shows besides the head: the room behind, and neck, shoulders and clothes, which rise with the breath."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rppg_ros.synthesis.maps import noise_field, soft
from rppg_ros.synthesis.skin import Skin


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Maps of a crop without the head, which covers the middle.

    Attributes
    ----------
    behind : (S, S, 3) float32: albedo of the room.
    body : (S, S, 3) float32: albedo of neck and clothes.
    cover : (S, S) float32, 0..1: where the body is.
    room_c, body_c : (S, S) float32: temperatures, degrees Celsius.
    """

    behind: np.ndarray
    body: np.ndarray
    cover: np.ndarray
    room_c: np.ndarray
    body_c: np.ndarray


def make_surroundings(skin: Skin, width: float, chin: float, side: int, rng: np.random.Generator) -> Surroundings:
    """A room and a body of their own.

    Parameters
    ----------
    width, chin : half the face's width and where its chin is; the crop runs from -1 to 1.
    """
    y, x = (v.astype(np.float32) for v in np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j])
    neck = width * rng.uniform(0.5, 0.75)
    # Shoulders begin at the jaw or below, and fall to the sides; the neckline is round, pointed or high.
    fall, tilt = rng.uniform(0.05, 0.6), rng.uniform(-0.1, 0.1)
    line = chin + rng.uniform(-0.3, 0.25) + fall * np.maximum(np.abs(x) - neck, 0) + tilt * x
    clothes = soft(y - line, 0.04)
    opening = soft(1 - np.hypot(x / (neck * rng.uniform(0.8, 1.3)), (y - line.min()) / rng.uniform(0.05, 0.6)), 0.1)
    skinned = np.maximum(soft(neck - np.abs(x), 0.05) * soft(y - chin + 0.5, 0.1), opening * clothes)
    body = _cloth(x, y, rng)
    bare = skinned * np.maximum(1 - clothes, opening)
    shade = 1 - 0.4 * np.exp(-(((y - chin) / 0.2) ** 2)) * bare  # the chin's shadow
    body = body + bare[..., None] * (skin.colour() * shade[..., None] - body)
    cover = np.maximum(clothes, skinned)
    air_c = rng.uniform(17, 27)
    room_c = air_c + rng.uniform(0, 3) * noise_field(side, side / 6, rng)
    body_c = air_c + rng.uniform(3, 8) * (1 - bare) + bare * (rng.uniform(32.0, 34.5) - air_c)
    maps = (_room(x, y, rng), body, cover, room_c, body_c)
    return Surroundings(*(m.astype(np.float32) for m in maps))


def _paint(rng: np.random.Generator, low: float, high: float, colourful: float) -> np.ndarray:
    """A colour (3,): brightness uniform in its logarithm, with a tint of about so much."""
    level = np.exp(rng.uniform(np.log(low), np.log(high)))
    return np.clip(level * np.exp(colourful * rng.normal(size=3)), 0.005, 0.95)


def _cloth(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cloth with folds, and a pattern now and then."""
    side = len(x)
    folds = 1 + rng.uniform(0.05, 0.35) * noise_field(side, side / rng.uniform(5, 20), rng)
    colour = np.ones_like(x)[..., None] * _paint(rng, 0.02, 0.7, 0.4)
    if rng.uniform() < 0.35:  # stripes or checks
        angle, period = rng.uniform(0, np.pi), rng.uniform(0.06, 0.4)
        wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
        if rng.uniform() < 0.4:
            wave = wave * np.sin(2 * np.pi * (y * np.cos(angle) - x * np.sin(angle)) / period)
        colour = colour + soft(wave, 0.5)[..., None] * rng.uniform(0.2, 0.9) * (_paint(rng, 0.02, 0.7, 0.4) - colour)
    if rng.uniform() < 0.3:  # open jacket
        edge = soft(np.abs(x + rng.uniform(-0.1, 0.1)) - rng.uniform(0.1, 0.5) - 0.3 * (1 - y), 0.05)
        colour = colour + edge[..., None] * (_paint(rng, 0.01, 0.5, 0.3) - colour)
    return np.clip(colour * folds[..., None], 0.005, 1.0)


def _room(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A wall, things with edges before it, and what is out of focus."""
    side = len(x)
    room = _paint(rng, 0.03, 0.9, 0.2) * (1 + 0.25 * noise_field(side, side / rng.uniform(3, 20), rng)[..., None])
    for _ in range(rng.poisson(2.5)):
        centre, half = rng.uniform(-1.2, 1.2, 2), np.exp(rng.uniform(np.log(0.04), np.log(0.9), 2))
        inside = soft(half[0] - np.abs(x - centre[0]), 0.04) * soft(half[1] - np.abs(y - centre[1]), 0.04)
        room = room + inside[..., None] * (_paint(rng, 0.02, 0.95, 0.35) - room)
    return np.clip(room, 0.005, 1.0).astype(np.float32)

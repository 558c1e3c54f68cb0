"""Faces made up: where skin is, what it looks like, and how blood and heat are spread over it. All maps are square, side px.

A map's places run from -1 to 1 over the crop, face upright in the middle, about half of it wide. Every face has its own
proportions; its features are drawn, or the texture of photographs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rppg_ros.synthesis import photographs
from rppg_ros.synthesis.maps import blob, noise_field, soft, total
from rppg_ros.synthesis.skin import Skin

ASPECT = 1.3  # of a face, height over width
HAIRY, BARE = 0.3, 0.6  # brightness of a photograph, of its skin's: below it is no skin, above it all is


@dataclass(frozen=True, slots=True)
class Face:
    """Maps of one face at rest.

    Attributes
    ----------
    albedo : (S, S, 3) float32, 0..1, without light. cover : (S, S) float32, 0..1: where head and hair are.
    perfusion : (S, S) float32: relative strength of the pulse, 0 where there is no skin.
    delay_s : (S, S) float32: how much later the pulse arrives than at the earliest place, seconds.
    gloss : (S, S) float32: how much of the lamp's light the surface throws back.
    normal : (S, S, 3) float32: which way the surface looks, x right, y down, z to the camera; 0 off head and hair.
    mouth : (S, S) float32: what moves when talking. eyes : (S, S) float32: what lids cover.
    width, chin : half its width, and where the chin is, from -1 to 1.
    warmth : (S, S) float32, degrees Celsius at rest, where `cover` is. breath : (S, S) float32: degrees per unit of breath.
    """

    albedo: np.ndarray
    cover: np.ndarray
    perfusion: np.ndarray
    delay_s: np.ndarray
    gloss: np.ndarray
    normal: np.ndarray
    mouth: np.ndarray
    eyes: np.ndarray
    warmth: np.ndarray
    breath: np.ndarray
    width: float
    chin: float


def make_face(skin: Skin, side: int, rng: np.random.Generator, photographed: bool = False) -> Face:
    """A face of its own, and its hair.

    Parameters
    ----------
    photographed : its features are the texture of photographs, see photographs.texture.
    """
    y, x = (v.astype(np.float32) for v in np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j])
    width = rng.uniform(0.44, 0.58)
    height = width * ASPECT * rng.uniform(0.92, 1.1)
    cy = rng.uniform(-0.15, 0.07)
    u, v = x / width, (y - cy) / height
    head = soft(1.0 - np.hypot(u, v * (1 + 0.12 * np.abs(u))), 0.05)
    parts = _parts(u, v, rng)
    hair = _hair(u, v, head, rng)
    bright = photographs.texture(u, v, rng) if photographed else None
    if bright is None:
        bare = (1 - hair) * (1 - parts["eyes"]) * (1 - 0.8 * parts["brows"]) * (1 - 0.25 * parts["lips"])
    else:
        bare = (1 - hair) * np.clip((bright - HAIRY) / (BARE - HAIRY), 0, 1)  # dark places are hair, eyes, frames
    beard = rng.uniform(0.3, 0.8) * soft(v - 0.45, 0.12) * head if rng.uniform() < 0.2 else np.zeros_like(u)
    cover = np.maximum(head, hair)
    # Where the head ends, what there is of it is hair alone.
    albedo = _albedo(skin, bright, hair / np.maximum(cover, 1e-6), parts, beard, rng)
    perfusion = head * bare * (1 - beard) * _perfusion(u, v, rng)
    normal = _normals(u, v, np.maximum(head, hair))
    gloss = head * bare * (0.3 + 0.7 * blob(u, v, 0, -0.5, 0.5, 0.3) + 0.8 * blob(u, v, 0, 0.1, 0.12, 0.2))
    warmth, breath = _heat(u, v, hair, rng)
    maps = {
        "albedo": albedo,
        "cover": cover,
        "perfusion": perfusion,
        "delay_s": _delays(v, rng),
        "gloss": gloss,
        "normal": normal,
        "mouth": parts["lips"],
        "eyes": parts["eyes"],
        "warmth": warmth,
        "breath": breath,
    }
    return Face(**{name: each.astype(np.float32) for name, each in maps.items()}, width=width, chin=cy + height)


def _parts(u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    apart, eye_y, mouth_y = rng.uniform(0.36, 0.44), rng.uniform(-0.22, -0.1), rng.uniform(0.5, 0.6)
    eye = [soft(1 - np.hypot((u - s * apart) / 0.17, (v - eye_y) / 0.07), 0.3) for s in (-1, 1)]
    brow = [soft(1 - np.hypot((u - s * apart) / 0.24, (v - eye_y + 0.16) / 0.04), 0.4) for s in (-1, 1)]
    iris = [soft(1 - np.hypot((u - s * apart) / 0.07, (v - eye_y) / 0.06), 0.3) for s in (-1, 1)]
    lips = soft(1 - np.hypot(u / rng.uniform(0.26, 0.36), (v - mouth_y) / rng.uniform(0.06, 0.11)), 0.3)
    nostrils = total(blob(u, v, s * 0.09, 0.28, 0.05, 0.03) for s in (-1, 1))
    return {"eyes": total(eye), "brows": total(brow), "iris": total(iris), "lips": lips, "nostrils": nostrils}


def _hair(u: np.ndarray, v: np.ndarray, head: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    style = rng.uniform()
    if style < 0.12:
        return np.zeros_like(u)
    line = rng.uniform(-0.75, -0.5) + 0.25 * u**2 * rng.uniform(0, 1.5)
    crown = soft(line - v, 0.08) * soft(1.18 - np.hypot(u, v * 0.98), 0.08)
    if style > 0.6:  # long
        crown = np.maximum(
            crown, soft(1.3 - np.hypot(u, v * 0.7), 0.1) * soft(np.abs(u) - rng.uniform(0.82, 0.95), 0.08)
        )
    return crown


def _albedo(
    skin: Skin,
    bright: np.ndarray | None,
    hair: np.ndarray,
    parts: Mapping[str, np.ndarray],
    beard: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    side = len(hair)
    colour = skin.colour()
    mottled = 1 + 0.04 * noise_field(side, side / 30, rng) + 0.03 * noise_field(side, 0.7, rng)
    image = colour * mottled[..., None]
    if bright is None:
        image = _drawn(image, colour, parts, rng)
    else:
        image = image * bright[..., None]
    tress = np.exp(rng.uniform(np.log(0.01), np.log(0.3))) * np.array([1.0, 0.85, 0.7])
    image = image + hair[..., None] * (tress * (1 + 0.4 * noise_field(side, side / 25, rng)[..., None]) - image)
    return np.clip(image + beard[..., None] * (0.25 * colour - image), 0.005, 1.0)


def _drawn(
    image: np.ndarray, colour: np.ndarray, parts: Mapping[str, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Features on bare skin."""
    for name, paint, share in (
        ("brows", 0.3 * colour, 0.8),
        ("eyes", np.array([0.75, 0.73, 0.7]), 0.9),
        ("iris", rng.uniform(0.03, 0.25, 3), 1.0),
        ("lips", colour * np.array([0.95, 0.68, 0.7]), 0.7),
        ("nostrils", 0.35 * colour, 0.7),
    ):
        image = image + share * parts[name][..., None] * (paint - image)
    return image


def _perfusion(u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Forehead and cheeks pulse most, the nose's ridge and the jaw least; and no two faces alike."""
    cheeks = total(blob(u, v, s * 0.45, 0.25, 0.3, 0.3) for s in (-1, 1))
    regions = 0.55 + rng.uniform(0.2, 0.6) * blob(u, v, 0, -0.45, 0.7, 0.3) + rng.uniform(0.2, 0.7) * cheeks
    spots = 1 + 0.3 * noise_field(len(u), len(u) / 10, rng)
    return regions * np.clip(spots, 0.1, 2.0)


def _delays(v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The pulse reaches the forehead some tens of milliseconds from the jaw, and spreads unevenly."""
    field = rng.uniform(-0.02, 0.02) * v + 0.008 * noise_field(len(v), len(v) / 8, rng)
    return field - np.min(field)


def _normals(u: np.ndarray, v: np.ndarray, cover: np.ndarray) -> np.ndarray:
    x, y = np.clip(u, -1, 1) * 0.85, np.clip(v, -1, 1) * 0.7
    nose = blob(u, v, 0, 0.1, 0.14, 0.3)
    x = x + 2.0 * u * nose
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0.08, 1))
    normal = np.stack([x, y, z], axis=2)
    return normal / np.linalg.norm(normal, axis=2, keepdims=True) * (cover > 0.02)[..., None]


def _heat(u: np.ndarray, v: np.ndarray, hair: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Degrees of a head, cooler nose and hair; and what a unit of breath changes around nostrils and mouth."""
    heat = np.full_like(u, rng.uniform(32.5, 35.0)) - hair * rng.uniform(2, 5)
    heat = heat - rng.uniform(0.3, 2.5) * blob(u, v, 0, 0.15, 0.15, 0.25)
    heat = heat + rng.uniform(0.2, 0.8) * total(blob(u, v, s * 0.2, -0.15, 0.1, 0.08) for s in (-1, 1))
    nose = total(blob(u, v, s * 0.09, 0.31, 0.09, 0.06) for s in (-1, 1))
    by_mouth = rng.uniform() < 0.25
    breath = nose + (rng.uniform(0.5, 1.2) * blob(u, v, 0, 0.55, 0.2, 0.08) if by_mouth else 0.0)
    return heat, breath

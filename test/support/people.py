"""Crops of a made-up face whose pulse and breath are known."""

import numpy as np

from rppg_ros.types import Box, FaceCrop
from rppg_ros.vision.evidence import EvidenceMeter

S = 1_000_000_000
START_NS = 1_700_000_000 * S
PULSE = np.array([0.33, 0.77, 0.53])


def crops(
    bpm=72.0,
    breaths=15.0,
    seconds=20.0,
    fps=30.0,
    face="abcde",
    start_s=0.0,
    jitter_s=0.0,
    noise=2.0,
    thermal=True,
    seed=0,
    size=36,
):
    """One crop a frame; skin modulated by 1 % of green, nostrils by 0.3 degrees."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    face_here = (np.hypot(x / 0.24, y / 0.31) <= 1)[..., None]
    wall, box, meter = np.array([90.0, 95, 100]), Box(100, 80, 80, 100), EvidenceMeter()
    nose = (x / 0.1) ** 2 + ((y - 0.11) / 0.06) ** 2 <= 1
    for i in range(int(seconds * fps)):
        t = start_s + i / fps + (rng.uniform(-jitter_s, jitter_s) if i else 0.0)
        blood = np.sin(2 * np.pi * bpm / 60 * t) + 0.3 * np.sin(4 * np.pi * bpm / 60 * t)
        colour = np.array([180.0, 130, 110]) * (1 - 0.01 * blood * PULSE)
        picture = np.where(face_here, colour, wall)
        rgb = np.clip(picture + rng.normal(0, noise, (size, size, 3)), 0, 255).round().astype(np.uint8)
        heat = None
        if thermal:
            breath = np.sin(2 * np.pi * breaths / 60 * t)
            heat = (34 + nose * (-1.0 - 0.3 * breath) + rng.normal(0, 0.05, (size, size))).astype(np.float32)
        stamp = START_NS + round(t * S)
        yield FaceCrop(
            stamp,
            face,
            rgb,
            heat,
            box,
            1.5,
            0.9,
            0.0,
            stamp if thermal else 0,
            thermal,
            evidence=meter.measure(rgb, heat, box),
        )

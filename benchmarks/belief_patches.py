"""Patches of skin colour to fit and judge the belief on: with a pulse or without, flat or textured, under noise and lamps.

    python benchmarks/belief_patches.py OUT [--count N] [--first-seed N]

What a crop can come down to, and what photographs, walls and dolls are at their plainest: the camera's noise and nothing else.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from belief_data import RGB_ENGINES, collect, keep

from rppg_ros.synthesis.haemodynamics import simulate
from rppg_ros.synthesis.maps import noise_field
from rppg_ros.synthesis.sampler import random_body
from rppg_ros.synthesis.skin import BLOOD
from rppg_ros.types import NS_PER_S, Box, FaceCrop
from rppg_ros.vision.evidence import EvidenceMeter

SECONDS = 40.0
SKINS = ((70, 50, 40), (120, 85, 65), (180, 130, 110), (215, 170, 150), (150, 150, 150))


def picture_of(size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A picture (S, S, 3), and where it is skin (S, S, 1)."""
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    skin = np.array(SKINS[int(rng.integers(len(SKINS)))], float) * rng.uniform(0.85, 1.15, 3)
    face = (np.hypot(x / 0.24, y / 0.31) <= 1)[..., None].astype(float)
    where = face if rng.uniform() < 0.5 else np.ones_like(face)
    wall = rng.uniform(30, 200, 3)
    texture = 1 + rng.choice([0.0, 0.05, 0.2]) * noise_field(size, size / 6, rng)[..., None]
    return (where * skin + (1 - where) * wall) * texture, where


def crops_of(seed: int, lives: bool) -> tuple[list[FaceCrop], np.ndarray, dict]:
    """Crops of one patch, its rate each second, and what has a rhythm."""
    rng = np.random.default_rng([seed, 0x9A7C, lives])
    size, fps = int(rng.choice([36, 48, 72])), float(rng.choice([12.5, 20, 25, 30]))
    picture, where = picture_of(size, rng)
    at_s = np.arange(0, SECONDS, 1 / fps) + rng.uniform(-0.1, 0.1, round(SECONDS * fps)) / fps
    body = simulate(random_body(rng), SECONDS + 1, rng)
    strength = float(rng.uniform(0.003, 0.015)) if lives else 0.0
    blood = strength * body.at("bvp", np.clip(at_s, 0, None))
    light = 1 + rng.choice([0, 0.0005, 0.002]) * rng.normal(size=len(at_s))
    light += rng.choice([0, 0.0003, 0.001]) * np.cumsum(rng.normal(size=len(at_s)))
    about: dict = {"world": "", "world_rate": np.nan, "world_strength": 0.0}
    if rng.uniform() < 0.3:
        rate = float(np.exp(rng.uniform(np.log(20), np.log(200))))
        swing = float(np.exp(rng.uniform(np.log(0.002), np.log(0.05))))
        light += swing * np.sin(2 * np.pi * rate / 60 * at_s)
        about = {"world": "light", "world_rate": rate, "world_strength": 0.5}
    noise, box, meter, crops = (
        float(np.exp(rng.uniform(np.log(0.5), np.log(5)))),
        Box(100, 80, 80, 80),
        EvidenceMeter(),
        [],
    )
    for t, factor, amount in zip(at_s, light, blood, strict=True):
        lit = picture * factor * (1 - amount * where * BLOOD)
        rgb = np.clip(lit + rng.normal(0, noise, lit.shape), 0, 255).round().astype(np.uint8)
        evidence = meter.measure(cv2.resize(rgb, (48, 48), interpolation=cv2.INTER_AREA), None, box)
        stamp_ns = NS_PER_S + round(t * NS_PER_S)
        wide = cv2.resize(rgb, (72, 72), interpolation=cv2.INTER_LINEAR)
        crops.append(FaceCrop(stamp_ns, "patch", wide, None, box, 1.5, 1.0, 0.0, evidence=evidence))
    truth = np.array([body.mean_rate("heart_rate", end - 1, end) for end in range(1, int(SECONDS) + 1)])
    return crops, truth, about


def make(job: tuple[int, bool], out: Path) -> str:
    """All engines over one patch."""
    seed, lives = job
    name = f"patch-{'living' if lives else 'lifeless'}-{seed}"
    wanted = [engine for engine in RGB_ENGINES if not (out / f"{name}.{engine}.npz").exists()]
    if wanted:
        cv2.setNumThreads(1)
        crops, truth, about = crops_of(seed, lives)
        for engine in wanted:
            arrays = collect(crops, engine) | {"bvp_truth": truth}
            if not lives:
                arrays["rsp_truth"] = truth
            keep(out / f"{name}.{engine}.npz", arrays, lives=lives, engine=engine, hardness=np.nan, **about)
    return name


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=60, help="of each kind; default: %(default)s")
    parser.add_argument("--first-seed", type=int, default=900_000, help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=2, help="processes; default: %(default)s")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    jobs = [(args.first_seed + i, lives) for i in range(args.count) for lives in (True, False)]
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("spawn")) as pool:
        for name in pool.map(partial(make, out=args.out), jobs):
            print(name, flush=True)


if __name__ == "__main__":
    main()

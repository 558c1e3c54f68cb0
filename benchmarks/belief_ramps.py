"""Hearts whose rate changes, to fit and judge the belief on: runs up and down, and one person in another's place.

    python benchmarks/belief_ramps.py OUT [--count N] [--first-seed N]

Each as a bare waveform, and as a patch of skin through POS. The rate is bent by playing the body's time faster and slower.
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
from belief_data import collect, coloured, keep
from belief_patches import picture_of

from rppg_ros.synthesis.haemodynamics import simulate
from rppg_ros.synthesis.sampler import random_body
from rppg_ros.synthesis.skin import BLOOD
from rppg_ros.types import NS_PER_S, Box, FaceCrop
from rppg_ros.vision.evidence import EvidenceMeter

SECONDS, HZ = 60.0, 30.0


def pace_of(at_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How fast the body's time runs, (n,): one or two changes, each from 1 (at once: somebody else) to 40 s long."""
    pace = np.ones(len(at_s))
    for begin in np.sort(rng.uniform(8, SECONDS - 10, int(rng.integers(1, 3)))):
        lasts = 0.05 if rng.uniform() < 0.25 else float(np.exp(rng.uniform(np.log(4), np.log(40))))
        factor = float(np.exp(rng.uniform(np.log(0.65), np.log(1.55))))
        pace *= factor ** np.clip((at_s - begin) / lasts, 0, 1)
    return np.clip(pace, 0.55, 1.9)


def make(seed: int, out: Path) -> str:
    """One heart, twice."""
    rng = np.random.default_rng([seed, 0x2A3B])
    cv2.setNumThreads(1)
    at_s = np.arange(0, SECONDS, 1 / HZ)
    pace = pace_of(at_s, rng)
    bent_s = np.concatenate([[0.0], np.cumsum(pace[:-1]) / HZ])
    body = simulate(random_body(rng), float(bent_s[-1]) + 2, rng)
    bvp = body.at("bvp", bent_s)
    rate = np.interp(bent_s + 0.5, np.arange(0, bent_s[-1] + 1, 1.0), _each_second(body, bent_s[-1] + 1)) * pace
    truth = rate.reshape(-1, round(HZ)).mean(axis=1)
    about = {"lives": True, "world": "", "world_rate": np.nan, "world_strength": 0.0, "hardness": np.nan}
    name = f"ramp-living-{seed}"
    if not (out / f"{name}.wave.npz").exists():
        wave = bvp + rng.uniform(0.05, 1.0) * coloured(len(bvp), rng)
        arrays = {"bvp_wave": wave, "bvp_start_ns": np.array(0), "bvp_hz": np.array(HZ), "bvp_truth": truth}
        keep(out / f"{name}.wave.npz", arrays, engine="wave", **about)
    if not (out / f"{name}.pos.npz").exists():
        keep(
            out / f"{name}.pos.npz",
            collect(_crops(at_s, bvp, rng), "pos") | {"bvp_truth": truth},
            engine="pos",
            **about,
        )
    return name


def _each_second(body, seconds: float) -> np.ndarray:
    return np.array([body.mean_rate("heart_rate", max(0.0, s - 0.5), s + 0.5) for s in np.arange(0, seconds, 1.0)])


def _crops(at_s: np.ndarray, bvp: np.ndarray, rng: np.random.Generator) -> list[FaceCrop]:
    picture, where = picture_of(48, rng)
    strength, noise = float(rng.uniform(0.004, 0.012)), float(np.exp(rng.uniform(np.log(0.5), np.log(4))))
    light = 1 + rng.choice([0, 0.0003]) * np.cumsum(rng.normal(size=len(at_s)))
    box, meter, crops = Box(100, 80, 80, 80), EvidenceMeter(), []
    for t, factor, amount in zip(at_s, light, strength * bvp, strict=True):
        lit = picture * factor * (1 - amount * where * BLOOD)
        rgb = np.clip(lit + rng.normal(0, noise, lit.shape), 0, 255).round().astype(np.uint8)
        stamp_ns = NS_PER_S + round(t * NS_PER_S)
        crops.append(FaceCrop(stamp_ns, "ramp", rgb, None, box, 1.5, 1.0, 0.0, evidence=meter.measure(rgb, None, box)))
    return crops


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=160, help="default: %(default)s")
    parser.add_argument("--first-seed", type=int, default=900_000, help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=2, help="processes; default: %(default)s")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    seeds = range(args.first_seed, args.first_seed + args.count)
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("spawn")) as pool:
        for name in pool.map(partial(make, out=args.out), seeds):
            print(name, flush=True)


if __name__ == "__main__":
    main()

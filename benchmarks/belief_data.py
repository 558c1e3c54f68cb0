"""Waveforms and evidence to fit and judge the belief on: each engine over living and lifeless people, kept as .npz files.

    python benchmarks/belief_data.py OUT [--living N] [--lifeless N] [--thermal N] [--waves N] [--engines ...] [--first-seed N]

Resumable: what is in OUT already is not made again. The files hold waveforms and means of skin colour, no pictures.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from clips import named_engine, request_of

from rppg_ros.meter import VitalsHalf
from rppg_ros.synthesis.clip import make_clip
from rppg_ros.synthesis.haemodynamics import simulate
from rppg_ros.synthesis.lifeless import random_rhythm, with_rhythm, without_life
from rppg_ros.synthesis.sampler import random_body, random_scene
from rppg_ros.synthesis.scene import Scene
from rppg_ros.types import NS_PER_S, Box, FaceCrop, Vital, Waveform
from rppg_ros.vision.evidence import EVIDENCE_SIZE, EvidenceMeter

RENDER = 72
RGB_ENGINES, THERMAL_ENGINES = ("pos", "phasenet-causal", "mmrphys-rgb"), ("pos", "mmrphys-rgbt")
OUT_OF_BAND = ((22.0, 38.0), (185.0, 238.0))


@dataclass(frozen=True, slots=True)
class MadeUp:
    """One made-up subject: how to draw it."""

    seed: int
    lives: bool
    thermal: bool
    seconds: float = 60.0

    @property
    def name(self) -> str:
        kind = "living" if self.lives else "lifeless"
        return f"{kind}{'-thermal' if self.thermal else ''}-{self.seed}"


def scene_of(subject: MadeUp) -> tuple[Scene, dict[str, float | str]]:
    """The scene, and what the world's rhythm in it is."""
    rng = np.random.default_rng([subject.seed, 0xBE11EF, subject.lives])
    hardness = float(rng.uniform(0.1, 1.0))
    scene = random_scene(rng, hardness, subject.thermal)
    if rng.uniform() < 0.12:
        low, high = OUT_OF_BAND[int(rng.uniform() < 0.5)]
        rate = float(rng.uniform(low, high))
        scene = replace(scene, body=replace(scene.body, heart_rate=rate, ring_hz=max(0.5, 1.1 * rate / 60)))
    if rng.uniform() < 0.12:
        scene = replace(scene, body=replace(scene.body, respiration_rate=float(rng.choice([3, 4, 5, 44, 50]))))
    if rng.uniform() < 0.15:
        scene = replace(scene, body=replace(scene.body, pauses_per_minute=1.0, pause_s=float(rng.uniform(12, 30))))
    world: dict[str, float | str] = {"world": "", "world_rate": np.nan, "world_strength": 0.0}
    if rng.uniform() < (0.35 if subject.lives else 0.6):
        rhythm = random_rhythm(rng)
        scene = with_rhythm(scene, rhythm)
        world = {"world": rhythm.world.value, "world_rate": rhythm.per_minute, "world_strength": rhythm.strength}
    return scene if subject.lives else without_life(scene), world | {"hardness": hardness}


def crops_of(subject: MadeUp, scene: Scene) -> tuple[list[FaceCrop], object]:
    """Crops at RENDER pixels with their evidence, and the body."""
    clip = make_clip(scene, subject.seconds, RENDER, 5_000_000_000 + subject.seed, RENDER)
    at_ns = np.round(clip.times_s * NS_PER_S).astype(np.int64)
    meter, crops, box = EvidenceMeter(), [], Box(200, 100, 160, 160)
    heat_ns = None if clip.thermal is None else np.round(clip.thermal_times_s * NS_PER_S).astype(np.int64)
    for i, stamp_ns in enumerate(at_ns):
        heat, heat_stamp = None, 0
        if heat_ns is not None:
            j = int(np.argmin(np.abs(heat_ns - stamp_ns)))
            if abs(int(heat_ns[j]) - int(stamp_ns)) <= 0.12 * NS_PER_S:
                heat, heat_stamp = clip.thermal[j], int(heat_ns[j])
        evidence = meter.measure(_reduced(clip.rgb[i], EVIDENCE_SIZE), heat, box)
        crops.append(
            FaceCrop(
                int(stamp_ns), "made-up", clip.rgb[i], heat, box, 1.5, 1.0, 0.0, heat_stamp, heat is not None,
                evidence=evidence,
            )
        )  # fmt: skip
    return crops, clip.vitals


def _reduced(image: np.ndarray, size: int) -> np.ndarray:
    return image if len(image) == size else cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def collect(crops: Sequence[FaceCrop], engine_name: str) -> dict[str, np.ndarray]:
    """Waveforms of an engine, and the evidence, as arrays."""
    engine = named_engine(engine_name)
    size = request_of(engine).size
    half, waves = VitalsHalf(engine), {}
    outputs = []
    for crop in crops:
        heat = None if crop.thermal is None else _reduced(crop.thermal, size)
        outputs += half.push(crop.stamp_ns, [replace(crop, rgb=_reduced(crop.rgb, size), thermal=heat)])
    outputs += half.flush()
    for one in outputs:
        if isinstance(one, Waveform):
            waves.setdefault(one.vital, []).append(one)
    out: dict[str, np.ndarray] = {
        "at_ns": np.array([crop.stamp_ns for crop in crops]),
        "evidence": np.stack([crop.evidence for crop in crops]),
    }
    for vital, pieces in waves.items():
        longest = max(_runs(pieces), key=lambda run: sum(len(piece.samples) for piece in run))
        out[f"{vital}_wave"] = np.concatenate([piece.samples for piece in longest])
        out[f"{vital}_start_ns"] = np.array(longest[0].start_ns)
        out[f"{vital}_hz"] = np.array(longest[0].rate_hz)
    return out


def _runs(pieces: list[Waveform]) -> Iterator[list[Waveform]]:
    """Pieces that follow each other without a gap."""
    run: list[Waveform] = []
    for piece in pieces:
        if run and abs(piece.start_ns - run[-1].end_ns) > NS_PER_S / piece.rate_hz / 2:
            yield run
            run = []
        run.append(piece)
    yield run


def keep(path: Path, arrays: dict[str, np.ndarray], **about: object) -> None:
    """Write one file, whole or not at all."""
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays, **{name: np.array(value) for name, value in about.items()})
    part.rename(path)


def truth_per_second(body, seconds: float) -> dict[str, np.ndarray]:
    """Rates each second of the clip: means over the second before."""
    ends = np.arange(1, int(seconds) + 1)
    return {
        f"{vital}_truth": np.array([body.mean_rate(name, end - 1, end) for end in ends])
        for vital, name in ((Vital.BVP, "heart_rate"), (Vital.RSP, "respiration_rate"))
    }


def make(subject: MadeUp, out: Path, rgb_engines: Sequence[str] = RGB_ENGINES) -> str:
    """All engines over one subject."""
    engines = THERMAL_ENGINES if subject.thermal else rgb_engines
    wanted = [engine for engine in engines if not (out / f"{subject.name}.{engine}.npz").exists()]
    if not wanted:
        return subject.name
    scene, world = scene_of(subject)
    crops, body = crops_of(subject, scene)
    for engine in wanted:
        arrays = collect(crops, engine) | truth_per_second(body, subject.seconds)
        keep(out / f"{subject.name}.{engine}.npz", arrays, lives=subject.lives, engine=engine, start_ns=0, **world)
    return subject.name


def waves(number: int, out: Path) -> None:
    """A waveform by itself, as a fingertip's or a good network's is, and one that is only noise."""
    rng = np.random.default_rng([number, 0xA7E])
    seconds, rate_hz = 60.0, float(rng.choice([15.0, 30.0]))
    for vital in Vital:
        for lives in (True, False):
            path = out / f"wave-{vital}-{'living' if lives else 'lifeless'}-{number}.wave.npz"
            if path.exists():
                continue
            low, high = (20.0, 250.0) if vital is Vital.BVP else (3.0, 60.0)
            rate = float(np.exp(rng.uniform(np.log(low), np.log(high))))
            body = random_body(rng)
            body = (
                replace(body, heart_rate=min(rate, 240.0), ring_hz=float(np.clip(1.1 * rate / 60, 0.5, 6)))
                if vital is Vital.BVP
                else replace(body, respiration_rate=rate)
            )
            lived = simulate(body, seconds + 1, rng)
            at_s = np.arange(0, seconds, 1 / rate_hz)
            samples = lived.at(vital.value, at_s) + rng.uniform(0.02, 2.0) * coloured(len(at_s), rng)
            if not lives:
                samples = coloured(len(at_s), rng)
            truth = truth_per_second(lived, seconds)[f"{vital}_truth"]
            arrays = {f"{vital}_wave": samples, f"{vital}_start_ns": np.array(0), f"{vital}_hz": np.array(rate_hz)}
            keep(path, arrays | {f"{vital}_truth": truth}, lives=lives, engine="wave", world="", world_rate=np.nan)


def coloured(count: int, rng: np.random.Generator) -> np.ndarray:
    """Noise (n,) of unit variance whose power falls with a random power of the frequency."""
    lines = np.fft.rfft(rng.normal(size=count))
    lines[1:] *= np.arange(1, len(lines)) ** -float(rng.uniform(0, 1))
    lines[0] = 0
    noise = np.fft.irfft(lines, count)
    return noise / noise.std()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    for name, count in (("living", 100), ("lifeless", 100), ("thermal", 70), ("waves", 60)):
        parser.add_argument(f"--{name}", type=int, default=count, help="subjects; default: %(default)s")
    parser.add_argument("--engines", nargs="*", default=RGB_ENGINES, help="over RGB subjects; default: %(default)s")
    parser.add_argument("--first-seed", type=int, default=900_000, help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=2, help="processes; default: %(default)s")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    subjects = [MadeUp(args.first_seed + i, True, False) for i in range(args.living)]
    subjects += [MadeUp(args.first_seed + i, False, False) for i in range(args.lifeless)]
    subjects += [MadeUp(args.first_seed + 10_000 + i, i % 2 == 0, True, 90.0) for i in range(args.thermal)]
    for number in range(args.waves):
        waves(args.first_seed + number, args.out)
    order = np.random.default_rng(0).permutation(len(subjects))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cv2.setNumThreads(1)
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(make, subjects[i], args.out, args.engines) for i in order]
        for job in jobs:
            print(job.result(), flush=True)


if __name__ == "__main__":
    main()

"""Who the papers' variants are judged on: real people who move with a pulse put in, hard made-up people, and lifeless ones.

Nothing was trained on them. Their crops are kept at 72 pixels, with the evidence that the tracker measured.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from belief_data import MadeUp, _reduced, crops_of
from belief_films import SECONDS, compressed, forth_and_back, small
from belief_films import crops_of as crops_of_film
from clips import named_engine, request_of, truth_of
from injected import GRID, STRENGTH, _boxes, _pulsing, read_frames

from rppg_ros.datasets.base import Trace, Truth
from rppg_ros.evaluation.collect import Collector
from rppg_ros.evaluation.protocols import PROTOCOLS, WHOLE
from rppg_ros.inference.engine import Engine
from rppg_ros.meter import VitalsHalf
from rppg_ros.synthesis.haemodynamics import Body, simulate
from rppg_ros.synthesis.lifeless import without_life
from rppg_ros.synthesis.sampler import random_scene
from rppg_ros.types import NS_PER_S, Box, FaceCrop, Vital, Waveform

PEOPLE, LIFELESS, SEED, SECONDS_MADE_UP = 12, 6, 970_000, 60.0
WITHIN = 3.0  # per minute


@dataclass(frozen=True, slots=True)
class Judged:
    """One clip: its group, crops, and truth; lifeless ones have none."""

    group: str
    name: str
    crops: list[FaceCrop]
    truth: Truth | None


def judged(folder: Path, reference: Path) -> Iterator[Judged]:
    """All clips, one at a time; made where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((reference / "recordings" / "moving").glob("*.mp4")):
        for number in range(2):
            yield _kept(folder, "moving", f"{path.stem}-{number}", lambda p=path, n=number: _film(p, n))
    for number in range(PEOPLE):
        yield _kept(folder, "hard", str(number), lambda n=number: _made_up(n, True))
    for number in range(LIFELESS):
        yield _kept(folder, "lifeless", str(number), lambda n=number: _made_up(n, False))


def _film(path: Path, number: int) -> tuple[list[FaceCrop], Truth]:
    frames, stamps_ns = read_frames(path)
    fps = round((len(stamps_ns) - 1) / (stamps_ns[-1] - stamps_ns[0]) * NS_PER_S)
    frames = forth_and_back([small(frame) for frame in frames], SECONDS, fps)
    rng = np.random.default_rng([number, len(frames), int(path.stem[1:])])
    body = simulate(Body(heart_rate=float(rng.uniform(50, 150)), heart_wander=0.01), SECONDS + 1, rng)
    still = np.ones((len(frames), GRID, GRID, 3), np.float32)
    times_s = np.arange(len(frames)) / fps
    pulsing = _pulsing(frames, _boxes(frames), still, body.at("bvp", times_s), rng, STRENGTH)
    return crops_of_film(compressed(pulsing, fps, 20), fps), truth_of(body, SECONDS, (Vital.BVP,))


def _made_up(number: int, lives: bool) -> tuple[list[FaceCrop], Truth | None]:
    subject = MadeUp(SEED + number + (0 if lives else 1000), lives, True, SECONDS_MADE_UP)
    rng = np.random.default_rng([subject.seed, 0xAB1A7E])
    hardness = 0.7 + 0.3 * (number + 0.5) / PEOPLE if lives else 0.3
    scene = random_scene(rng, hardness, True)
    crops, body = crops_of(subject, scene if lives else without_life(scene))
    return crops, truth_of(body, SECONDS_MADE_UP) if lives else None


def _kept(folder: Path, group: str, name: str, make) -> Judged:
    path = folder / f"{group}-{name}.npz"
    if not path.is_file():
        crops, truth = make()
        heat = [np.zeros((0, 0), np.float32) if crop.thermal is None else crop.thermal for crop in crops]
        shape = max((one.shape for one in heat), default=(0, 0))
        arrays = {
            "stamps": np.array([crop.stamp_ns for crop in crops]),
            "rgb": np.stack([crop.rgb for crop in crops]),
            "warm": np.array([one.size > 0 for one in heat]),
            "heat": np.stack([one if one.size else np.zeros(shape, np.float32) for one in heat]).astype(np.float32),
            "heat_stamps": np.array([crop.thermal_stamp_ns for crop in crops]),
            "boxes": np.array([[crop.box.x, crop.box.y, crop.box.width, crop.box.height] for crop in crops]),
            "evidence": np.stack([crop.evidence for crop in crops]),
        }
        for vital in Vital if truth else ():
            if vital in truth.waves:
                arrays |= {f"{vital}_stamps": truth.waves[vital].stamps_ns, f"{vital}_wave": truth.waves[vital].values}
                arrays[f"{vital}_rate"] = truth.rates[vital].values
        part = path.with_suffix(f".{os.getpid()}.npz")  # two studies may run side by side
        np.savez(part, **arrays)
        part.rename(path)
    data = np.load(path)
    rgb, heat, warm = data["rgb"], data["heat"], data["warm"]
    crops = [
        FaceCrop(
            int(stamp), "judged", rgb[i], heat[i] if warm[i] else None, Box(*data["boxes"][i].tolist()), 1.5, 1.0, 0.0,
            int(data["heat_stamps"][i]), bool(warm[i]), evidence=data["evidence"][i],
        )
        for i, stamp in enumerate(data["stamps"])
    ]  # fmt: skip
    truth = None
    if group != "lifeless":
        known = [vital for vital in Vital if f"{vital}_wave" in data]
        waves = {vital: Trace(data[f"{vital}_stamps"], data[f"{vital}_wave"]) for vital in known}
        rates = {vital: Trace(data[f"{vital}_stamps"], data[f"{vital}_rate"]) for vital in known}
        truth = Truth(waves=waves, rates=rates)
    return Judged(group, name, crops, truth)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def scores(engine: Engine, clip: Judged) -> dict[str, float]:
    """What an engine makes of a clip.

    For each vital that is true of it: `VITAL_error` of the whole clip's rate (per minute), `VITAL_given` and `VITAL_right`,
    seconds with a number and of those the ones within 5 (2), `VITAL_seconds`; for lifeless ones `VITAL_power`, the mean square of
    the waveform, and `VITAL_false`.
    """
    size = request_of(engine).size
    half, collector, pieces = VitalsHalf(engine), Collector(), {}
    with _quiet():
        for crop in clip.crops:
            heat = None if crop.thermal is None else _reduced(crop.thermal, size)
            for one in half.push(crop.stamp_ns, [replace(crop, rgb=_reduced(crop.rgb, size), thermal=heat)]):
                collector.add(one)
                if isinstance(one, Waveform):
                    pieces.setdefault(one.vital, []).append(one.samples)
        for one in half.flush():
            collector.add(one)
            if isinstance(one, Waveform):
                pieces.setdefault(one.vital, []).append(one.samples)
        out = {f"{vital}_power": float(np.mean(np.concatenate(waves) ** 2)) for vital, waves in pieces.items()}
        first, last = clip.crops[0].stamp_ns, clip.crops[-1].stamp_ns
        tasks = collector.tasks(clip.truth or Truth(), first, last, 0.0, PROTOCOLS[WHOLE])
    for vital, task in tasks.items():
        numbers = np.array(task.running.measured, float)
        out[f"{vital}_seconds"] = float(len(numbers))
        out[f"{vital}_given"] = float(np.isfinite(numbers).sum())
        if clip.truth and vital in clip.truth.rates:
            near = np.abs(numbers - np.array(task.running.truth, float)) <= (5 if vital is Vital.BVP else 2)
            out[f"{vital}_right"] = float((near & np.isfinite(numbers)).sum())
            whole = np.abs(np.array(task.windows.measured, float) - np.array(task.windows.truth, float))
            out[f"{vital}_error"] = float(np.nanmean(whole)) if np.isfinite(whole).any() else float("nan")
    return out


def judge(model: Path | str, folder: Path, reference: Path) -> list[dict]:
    """Scores of one model on every clip."""
    return [
        {"group": clip.group, "name": clip.name} | scores(named_engine(str(model)), clip)
        for clip in judged(folder, reference)
    ]

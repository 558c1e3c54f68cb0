"""Features and labels, second by second, of the files that belief_data.py made."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rppg_ros.sync.resample import grid_ns, resample
from rppg_ros.types import Vital
from rppg_ros.vitals.spectral_evidence import GRIDS, features
from rppg_ros.vitals.witnesses import WITNESSES, bridged, witnesses

HELD_S = 15.0  # breath held for so long is no breath
SWAPPED = 25.0  # per minute, of a heart within a window: that is somebody else, and the mean is nobody's rate
LIVE, DEAD, UNKNOWN = 1, 0, -1


@dataclass(slots=True)
class Sequence:
    """One clip as one engine saw it.

    Attributes
    ----------
    features : (T, G, F) float16, of second after second. label : (T,) LIVE, DEAD or UNKNOWN. truth : (T,) per minute.
    end_s : (T,) of the clip.
    """

    name: str
    engine: str
    features: np.ndarray
    label: np.ndarray
    truth: np.ndarray
    end_s: np.ndarray
    world: str
    world_rate: float
    world_strength: float
    hardness: float
    with_evidence: bool


def load(path: Path, vital: Vital, with_evidence: bool = True, without: tuple[str, ...] = ()) -> Sequence | None:
    """One file; None where it has nothing of that vital sign. `without`: witnesses that are not heard, or "parts"."""
    data = np.load(path)
    if f"{vital}_wave" not in data or f"{vital}_truth" not in data:
        return None
    wave, rate_hz = data[f"{vital}_wave"].astype(np.float64), float(data[f"{vital}_hz"])
    start_ns, grid = int(data[f"{vital}_start_ns"]), GRIDS[vital]
    evidence = None
    if with_evidence and "evidence" in data:
        evidence = resample(
            data["at_ns"], bridged(data["at_ns"], data["evidence"]), grid_ns(start_ns, rate_hz, 0, len(wave))
        )
    frame_s = float(np.median(np.diff(data["at_ns"]))) / 1e9 if "at_ns" in data else math.nan
    first_s = start_ns / 1e9
    ends = np.arange(math.ceil(grid.look_s), int(len(wave) / rate_hz) + 1)
    if not len(ends):
        return None
    rows = []
    for end in ends:
        last = round(end * rate_hz)
        begin, near = max(0, last - round(grid.long_s * rate_hz)), max(0, last - round(grid.window_s * rate_hz))
        heard = witnesses(vital, wave[begin:last], None if evidence is None else evidence[near:last], rate_hz)
        heard[_muted(vital, without)] = np.nan
        rows.append(features(vital, heard, rate_hz, frame_s))
    label, truth = _labels(data, vital, ends + first_s)
    about = {name: data[name].item() if name in data else default for name, default in _ABOUT.items()}
    return Sequence(
        path.name.rsplit(".", 2)[0], str(data["engine"]), np.stack(rows).astype(np.float16), label, truth, ends + first_s,
        str(about["world"]), float(about["world_rate"]), float(about["world_strength"]), float(about["hardness"]),
        with_evidence,
    )  # fmt: skip


def held_out(name: str) -> bool:
    """One subject in five, by its name: all engines of a person are on one side."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 5 == 0


def _muted(vital: Vital, without: tuple[str, ...]) -> list[int]:
    who = WITNESSES[vital]
    names = [*who.body, *["parts"] * who.parts, *who.world]
    return [i for i, name in enumerate(names) if name in without]


_ABOUT = {"world": "", "world_rate": np.nan, "world_strength": 0.0, "hardness": np.nan}


def _labels(data, vital: Vital, ends_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    second = data[f"{vital}_truth"]
    label, truth = np.full(len(ends_s), UNKNOWN), np.full(len(ends_s), np.nan)
    window_s = GRIDS[vital].window_s
    for i, end in enumerate(ends_s):
        last = min(int(round(end)), len(second))
        near = second[max(0, last - round(window_s)) : last]
        if not bool(data["lives"]):
            label[i] = DEAD
            continue
        if not np.isfinite(near).any():
            continue
        held = second[max(0, last - round(HELD_S)) : last]
        moving = near[near > 1]
        if len(held) and (held <= 1).mean() > 0.9:
            label[i] = DEAD
        elif vital is Vital.BVP and len(moving) and np.ptp(moving) > SWAPPED:
            continue
        elif len(moving) and (near <= 1).mean() < 0.3:
            label[i], truth[i] = LIVE, moving.mean()
    return label, truth

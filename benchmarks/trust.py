"""How far what is given can be trusted: one table for all engines, on subjects that nothing was fitted on.

    python benchmarks/trust.py DATA... [--least 0.7] [--without WITNESS...] [--diagram FILE.png]

DATA: folders of belief_data.py and belief_films.py. For the living: share of the seconds that had a number, how many of those
were right within 5 (2 for breath) per minute, their mean absolute error, and the expected calibration error of quality. For
the lifeless, and rates out of range: numbers per hour. Hearts and breaths, by group and engine.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from belief_set import LIVE, Sequence, held_out, load

from rppg_ros.types import Vital
from rppg_ros.vitals.belief import WITHIN, RateBelief
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.spectral_evidence import GRIDS

BINS = np.linspace(0, 1, 11)


@dataclass(slots=True)
class Seconds:
    """What was believed in each second, (T,): label, truth, rate, quality; and about the clip."""

    group: str
    engine: str
    label: np.ndarray
    truth: np.ndarray
    rate: np.ndarray
    quality: np.ndarray
    fitted: bool = False


def group_of(one: Sequence) -> str:
    """As the tables name it."""
    kind = one.name.split("-")[0]
    living = bool((one.label == LIVE).any())
    if kind == "film":
        return {
            "pulse": "real faces that move",
            "none": "real faces, pulse lost",
            "own": "real faces, still, own pulse",
        }.get(one.name.split("-")[2], f"photographs, {one.world or 'no rhythm'}")
    if kind in ("finger", "wave"):
        return {"finger": "fingertips", "wave": "bare waveforms" if living else "bare noise"}[kind]
    if kind == "ramp":
        return "rates that change"
    if kind == "patch":
        return "patches with a pulse" if living else "patches, lifeless"
    if not living:
        return f"lifeless, {one.world or 'no rhythm'}"
    hard = "hard" if one.hardness >= 0.7 else "easier"
    return f"made-up people, {hard}{', with a rhythm' if one.world else ''}"


def believe(path: Path, vital: Vital, without: tuple[str, ...] = ()) -> Seconds | None:
    """One file through the belief, second by second."""
    one = load(path, vital, without=without)
    if one is None or not (one.label >= 0).any():
        return None
    held, rates, qualities = RateBelief(vital, RATES[vital].per_minute), [], []
    low, high = RATES[vital].per_minute
    for i, features in enumerate(one.features):
        if i:
            held.advance(1.0)
        held.see(features.astype(np.float32))
        found = held.read()
        inside = low <= found.per_minute <= high
        rates.append(found.per_minute)
        qualities.append(found.quality if inside else 0.0)
    given = slice(round(GRIDS[vital].min_s - GRIDS[vital].look_s), None)  # before that no number is given
    columns = (one.label, one.truth, np.array(rates), np.array(qualities))
    return Seconds(group_of(one), one.engine, *(column[given] for column in columns))


def error_of_calibration(quality: np.ndarray, right: np.ndarray) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error, and for each bin of quality its mean, the share that was right, and how many."""
    rows, total = [], 0.0
    for low, high in zip(BINS[:-1], BINS[1:], strict=True):
        inside = (quality >= low) & ((quality < high) | (high == 1))
        if inside.any():
            said, was = float(quality[inside].mean()), float(right[inside].mean())
            rows.append((said, was, int(inside.sum())))
            total += abs(said - was) * inside.sum()
    return total / max(len(quality), 1), rows


def row(parts: list[Seconds], vital: Vital, least: float) -> list[str]:
    """One row of the table."""
    label, truth, rate, quality = (
        np.concatenate([getattr(p, name) for p in parts]) for name in ("label", "truth", "rate", "quality")
    )
    low, high = RATES[vital].per_minute
    known = label >= 0
    given = known & (quality >= least)
    alive = known & (label == LIVE) & (truth >= low) & (truth <= high)
    right = alive & (np.abs(rate - truth) <= WITHIN[vital])
    false = given & ~alive
    cells = [str(len(parts)), str(int(known.sum()))]
    if alive.any():
        mine = given & alive
        ece, _ = error_of_calibration(quality[alive], right[alive])
        shown = (
            [f"{100 * right[mine].mean():.1f}", f"{np.abs(rate - truth)[mine].mean():.1f}"]
            if mine.any()
            else ["-", "-"]
        )
        cells += [f"{100 * mine.sum() / alive.sum():.0f}", *shown, f"{ece:.3f}"]
    else:
        cells += ["-"] * 4
    dead = known & ~alive
    cells.append(f"{3600 * false.sum() / dead.sum():.0f}" if dead.any() else "-")
    return cells


def table(found: Iterable[Seconds], vital: Vital, least: float) -> None:
    """Print it."""
    groups: dict[tuple[str, str], list[Seconds]] = defaultdict(list)
    for one in found:
        groups[one.group, one.engine].append(one)
        groups[one.group, "all"].append(one)
    print(f"\n{RATES[vital].name}, least quality {least:g}\n")
    print("| group | engine | clips | seconds | given, % | right, % | MAE | calibration error | false an hour |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for group, engine in sorted(groups):
        print(f"| {group} | {engine} | " + " | ".join(row(groups[group, engine], vital, least)) + " |", flush=True)


def diagram(found: list[Seconds], path: Path) -> None:
    """Quality against the share that was right, of all the living."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(5, 5), constrained_layout=True)
    for group in sorted({one.group for one in found if (one.label == LIVE).any()}):
        parts = [one for one in found if one.group == group]
        label, truth, rate, quality = (
            np.concatenate([getattr(p, name) for p in parts]) for name in ("label", "truth", "rate", "quality")
        )
        alive = label == LIVE
        _, rows = error_of_calibration(quality[alive], np.abs(rate - truth)[alive] <= 5)
        axis.plot([said for said, _, n in rows if n >= 20], [was for _, was, n in rows if n >= 20], "o-", label=group)
    axis.plot([0, 1], [0, 1], color="0.7")
    axis.set_xlabel("quality")
    axis.set_ylabel("share that was right")
    axis.legend(fontsize=7)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--vital", type=Vital, nargs="*", default=list(Vital))
    parser.add_argument(
        "--least", type=float, default=0.7, help="quality of a number that is given; default: %(default)s"
    )
    parser.add_argument("--without", nargs="*", default=[], help="witnesses that are not heard: an ablation")
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="only those that the network did not see; no judgement",
    )
    parser.add_argument("--diagram", type=Path, help="PNG: reliability of the heart rate's quality")
    parser.add_argument("--jobs", type=int, default=2, help="processes; default: %(default)s")
    args = parser.parse_args()
    files = sorted(path for folder in args.data for path in folder.glob("*.npz") if ".part" not in path.name)
    if args.held_out:
        files = [path for path in files if held_out(path.name.rsplit(".", 2)[0])]
    for vital in args.vital:
        with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("fork")) as pool:
            work = partial(believe, vital=vital, without=tuple(args.without))
            found = [one for one in pool.map(work, files, chunksize=8) if one is not None]
        table(found, vital, args.least)
        if args.diagram and vital is Vital.BVP:
            diagram(found, args.diagram)


if __name__ == "__main__":
    main()

"""How right engines are on what no label is needed for: real people with a reference rate (all, and those whose rate may not be
their keyframes'), real faces with an injected pulse, and made-up people in hard scenes; one Markdown table for all engines.

    python benchmarks/judge.py REFERENCE ENGINE... [--made-up N] [--first-seed N] [--seconds S] [--skip GROUP...]

ENGINE: pos, chrom, the name of a shipped model, or an .onnx file with a model card. In each cell: mean absolute error of the
numbers a subscriber of the rate would have got, per minute, and in brackets the share of seconds that had one; then the error
of the rate of the whole clip as rPPG-Toolbox reads it, but in the nodes' whole band: it has to say something.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
from accuracy import UNSURE, references
from clips import JudgedClip, made_up, named_engine, requests_of, steady, tracked
from injected import injected_clips, read_frames

from rppg_ros.evaluation import metrics
from rppg_ros.types import NS_PER_S, CropRequest, Vital

HARD = (0.7, 1.0)
CLIPS: list[JudgedClip] = []  # workers are forked and find them here: a gigabyte need not be sent


def all_clips(
    reference: Path, requests: set[CropRequest], made: int, seconds: float, first_seed: int = 0
) -> list[JudgedClip]:
    """Everything that is judged, cut for each request; the same each time."""
    cv2.setRNGSeed(0)
    clips = []
    for video, rate in references(reference / "recordings").items():
        frames, stamps_ns = read_frames(video)
        crops, seconds_long = tracked(frames, stamps_ns, requests), (stamps_ns[-1] - stamps_ns[0]) / NS_PER_S
        truth = steady({Vital.BVP: rate}, seconds_long)
        groups = (
            ["recordings as listed"] if video.stem in UNSURE else ["recordings as listed", "recordings that are sure"]
        )
        clips += [JudgedClip(group, video.stem, crops, truth) for group in groups]
        clips += injected_clips(video, UNSURE.get(video.stem, rate), requests)
    for i in range(made):
        hardness = HARD[0] + (HARD[1] - HARD[0]) * (i + 0.5) / made
        seed = first_seed + i
        clips += [made_up(seed, seconds, thermal, hardness, requests) for thermal in (False, True)]
    return clips


def judge(engine: str) -> dict[tuple[str, Vital], tuple[float, float, float]]:
    """(group, task) to error of the given numbers, coverage (percent), error of whole clips."""
    running: dict = {}
    for clip in CLIPS:
        for vital, task in clip.run(named_engine(engine)).items():
            if vital in clip.truth.rates or vital in clip.truth.waves:
                lists = running.setdefault((clip.group, vital), ([], [], [], []))
                for held, new in zip(
                    lists,
                    (task.running.measured, task.running.truth, task.windows.measured, task.windows.truth),
                    strict=True,
                ):
                    held += new
    return {key: _figures(*lists) for key, lists in running.items()}


def _figures(measured, truth, whole, whole_truth) -> tuple[float, float, float]:
    return (
        metrics.mae(measured, truth).value,
        100 * metrics.coverage(measured, truth).value,
        metrics.mae(whole, whole_truth).value,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    parser.add_argument("engines", nargs="+", help="pos, chrom, or a model")
    parser.add_argument("--made-up", type=int, default=16, help="people of each kind; default: %(default)s")
    parser.add_argument("--seconds", type=float, default=40.0, help="length of their clips; default: %(default)s")
    parser.add_argument("--first-seed", type=int, default=0, help="of those people; default: %(default)s")
    parser.add_argument("--skip", nargs="*", default=[], help="groups whose name begins so are left out")
    parser.add_argument("--kept", type=Path, help="file to keep the crops in between runs (it holds faces)")
    parser.add_argument("--jobs", type=int, default=2, help="processes; default: %(default)s")
    args = parser.parse_args()
    cv2.setNumThreads(1)  # before it has threads: forked workers would wait for them for ever
    if args.kept and args.kept.is_file():
        clips = pickle.loads(args.kept.read_bytes())  # our own file
    else:
        clips = all_clips(args.reference, requests_of(args.engines), args.made_up, args.seconds, args.first_seed)
        if args.kept:
            args.kept.write_bytes(pickle.dumps(clips))
    clips = [clip for clip in clips if not any(clip.group.startswith(skipped) for skipped in args.skip)]
    CLIPS.extend(clips)
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("fork")) as pool:
        found = list(pool.map(judge, args.engines))
    print_table(args.engines, found)


def print_table(engines: list[str], found: list[dict]) -> None:
    """One row for each engine, of what `judge` found."""
    columns = sorted({key for one in found for key in one}, key=lambda key: (key[1], key[0]))
    print("| | " + " | ".join(f"{group}: {'HR' if vital is Vital.BVP else 'RR'}" for group, vital in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for engine, figures in zip(engines, found, strict=True):
        cells = [_cell(figures.get(key)) for key in columns]
        print(
            f"| {Path(engine).stem if engine.endswith('.onnx') else engine} | " + " | ".join(cells) + " |", flush=True
        )


def _cell(figures: tuple[float, float, float] | None) -> str:
    if figures is None:
        return "-"
    given, coverage, whole = figures
    said = "none given" if math.isnan(given) else f"{given:.1f} ({coverage:.0f} %)"
    return said if math.isnan(whole) else f"{said}, {whole:.1f}"


if __name__ == "__main__":
    main()

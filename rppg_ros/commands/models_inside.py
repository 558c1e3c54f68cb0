"""`rppg-ros models inside`: a picture of what a network sees in a clip."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path

from rich.console import Console

from rppg_ros import weights
from rppg_ros.commands.models_common import UsageError, guarded, models_module
from rppg_ros.datasets.bags import open_recording
from rppg_ros.sources.factory import DEMO


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `inside` to the commands of `models`."""
    parser = commands.add_parser(
        "inside",
        help="picture: where features follow the true wave, and what masks weigh",
        description="Draws over a clip's face where a network's features follow the true wave (cosine similarity, CSIM), "
        "and what its masks weigh: FSAM, TSFM, ASF, soft masks. The picture shows a face; it is written where -o says.",
    )
    parser.add_argument("model", help="a shipped model's name, or a checkpoint of ours (.pt)")
    parser.add_argument("clip", help="a video or bag, with its truth beside it or in it; or demo: with options")
    parser.add_argument(
        "--start", type=float, default=0.0, metavar="S", help="second of the clip; default: %(default)s"
    )
    parser.add_argument("--truth", default="", help="CSV; default: the one beside the clip")
    parser.add_argument("-o", "--output", type=Path, default=Path("inside.png"), help="PNG; default: %(default)s")
    parser.set_defaults(run=lambda args: guarded("inside", _inside, args))


def _inside(args: argparse.Namespace, console: Console) -> None:
    _check(args)
    saved, drawing = models_module("saved"), models_module("inside", "training")
    found = saved.load(_checkpoint(args.model))
    maps = drawing.picture(found, open_recording(args.clip, truth=args.truth), args.output, args.start)
    for one in maps:
        console.print(
            f"{one.name}: {one.places.mean():.2f} on average, {one.places.max():.2f} at most", highlight=False
        )
    console.print(f"{args.output}", highlight=False, markup=False, soft_wrap=True)


def _check(args: argparse.Namespace) -> None:
    """Before anything is filmed."""
    if args.output.suffix.lower() != ".png" or args.output.is_dir():
        raise UsageError(f"-o {args.output}: must be a file that ends in .png")
    args.output.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(args.output.parent, os.W_OK):
        raise UsageError(f"-o {args.output}: cannot be written there")
    if not (math.isfinite(args.start) and args.start >= 0):
        raise UsageError(f"--start {args.start:g}: must be a second of the clip, 0 or more")
    if args.truth and args.clip.startswith(DEMO):
        raise UsageError("--truth: the demo has its own")


def _checkpoint(model: str) -> Path:
    path = weights.checkpoint(model)
    if path.suffix == weights.SUFFIX:
        beside = path.with_suffix(weights.CHECKPOINT)
        raise UsageError(f"{model}: give the checkpoint ({beside.name}): an exported model shows nothing of its inside")
    if not path.is_file():
        raise UsageError(f"{model}: no such file{weights.hint()}")
    return path

"""`rppg-ros train`: weights from made-up people and recordings, as a YAML file says."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

RUNS = {path.stem: path for path in sorted((Path(__file__).parents[1] / "training" / "runs").glob("*.yaml"))}
"""Runs that made the shipped models, by name."""
EXIT_OK, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 0, 2, 130
PACKAGES = ("torch", "lightning", "tensorboard")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add `train` to a command line; the parsed arguments' `run` takes them and returns the exit code."""
    parser = subparsers.add_parser(
        "train",
        help="train a network on made-up people and recordings",
        description="Trains a network as a YAML file says and writes best.pt, for `rppg-ros models export`. Run again in the "
        "same folder, it goes on where it was stopped.",
    )
    parser.add_argument(
        "config",
        help=f"YAML file: family, options, loss, frames, ...; or a run of the shipped models: {', '.join(RUNS)}",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the run")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Run the command; what the user can put right becomes one line and exit code 2."""
    try:
        from lightning.pytorch.utilities import rank_zero_only

        from rppg_ros.training.config import TrainConfig
        from rppg_ros.training.run import train
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        print(f"rppg-ros train: {error.name} is not installed: pip install 'rppg_ros[training]'", file=sys.stderr)
        return EXIT_BAD_INPUT
    try:
        best = train(TrainConfig.read(RUNS.get(args.config, args.config)), args.output)
    except (KeyboardInterrupt, SystemExit):  # lightning makes the one into the other
        print(f"\nrppg-ros train: stopped; run it again with -o {args.output} to go on", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (ValueError, OSError) as error:
        print(f"rppg-ros train: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    if getattr(rank_zero_only, "rank", 0):
        return EXIT_OK  # one process speaks for all
    print(f"{best}: `rppg-ros models export {best}` makes a model of it")
    return EXIT_OK

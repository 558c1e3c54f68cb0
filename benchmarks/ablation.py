"""What a network owes to each factor of the made-up scenes: trained without it, judged on real faces; one Markdown table.

    python benchmarks/ablation.py REFERENCE FOLDER [--run mmrphys-rgbt-1] [--epochs N] [--steps N] [--kept FILE]

FOLDER keeps the trained networks: run again, it goes on where it was. Each network differs from the first in the factor alone:
same seed, same windows, same steps. See judge.py for what the cells say.
"""

from __future__ import annotations

import argparse
import pickle
from dataclasses import replace
from pathlib import Path

from clips import requests_of
from judge import CLIPS, all_clips, judge, print_table

from rppg_ros.commands.train import RUNS
from rppg_ros.models.export import export
from rppg_ros.models.saved import card_of, load
from rppg_ros.synthesis.factors import FACTORS
from rppg_ros.training.config import TrainConfig
from rppg_ros.training.run import train

REAL = ("recordings", "injected")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run", default="mmrphys-rgbt-1", choices=RUNS, help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--kept", type=Path, help="crops that judge.py kept")
    parser.add_argument("--factors", nargs="*", default=list(FACTORS), choices=FACTORS)
    args = parser.parse_args()
    base = replace(TrainConfig.read(RUNS[args.run]), epochs=args.epochs, steps=args.steps, patience=args.epochs)
    models = [_trained(base, args.folder, "everything", [])]
    models += [_trained(base, args.folder, f"without {name}", [name]) for name in args.factors]
    requests = requests_of(map(str, models))
    clips = pickle.loads(args.kept.read_bytes()) if args.kept else all_clips(args.reference, requests, 0, 0.0)
    CLIPS.extend(clip for clip in clips if clip.group.startswith(REAL))
    print_table(list(map(str, models)), [judge(str(model)) for model in models])


def _trained(base: TrainConfig, folder: Path, name: str, without: list[str]) -> Path:
    target = folder / f"{name}.onnx"
    if not target.is_file():
        saved = load(train(replace(base, without=without), folder / name))
        export(saved.network, card_of(saved, name=name), target)
    return target


if __name__ == "__main__":
    main()

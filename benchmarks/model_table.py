"""Figures of every network, and how near the golden cases of the official code ours come. Prints Markdown.

    python benchmarks/model_table.py [--reference DIR]

Needs torch. The first table measures untrained networks: parameters, multiply-adds, how far in time they look, the error
of the exported graph, and one thread's time for it. The second needs DIR, the folder with `checkpoints` and `golden`.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from rppg_ros.inference.onnx_engine import OpenModel
from rppg_ros.models import checkpoint, registry
from rppg_ros.models.describe import describe
from rppg_ros.models.export import export
from rppg_ros.models.importer import import_checkpoint
from rppg_ros.models.saved import card_of, untrained
from rppg_ros.types import Vital

REPEATS = 5
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
BLOOD_PRESSURE_HEAD = "rBP_head."
VARIANTS = (
    ("mmrphys", {}, "-"),
    ("mmrphys", {"size": "M"}, "-"),
    ("mmrphys", {"size": "S"}, "-"),
    ("mmrphys", {"cameras": ("rgb", "thermal")}, "-"),
    ("mmrphys", {"cameras": ("rgb", "thermal"), "fusion": "NF"}, "-"),
    ("mmrphys", {"cameras": ("rgb", "thermal"), "fusion": "LF"}, "-"),
    ("mmrphys", {"cameras": ("thermal",)}, "-"),
    ("factorizephys", {}, "0.05 M"),
    ("factorizephys", {"size": "big"}, "-"),
    ("efficientphys", {"attention": "sasn"}, "2.16 M"),
    ("efficientphys", {"attention": "fsam"}, "0.14 M"),
    ("phasenet", {}, "0.29 M, 28.3 G"),
    ("phasenet", {"causal": True}, "0.29 M"),
    ("phasenet", {"causal": True, "pixels": 72}, "-"),
    ("phasenet", {"causal": True, "pixels": 36}, "-"),
    ("physfsunet", {}, "0.831 M"),
    ("physfsunet", {"pixels": 72}, "-"),
)


def figures(folder: Path) -> None:
    """The first table."""
    header = ("network", "parameters", "paper", "G MAC / frames", "looks back", "ahead", "torch-ONNX", "ms / frame")
    _row(header)
    _row(["---"] * len(header))
    for family, options, paper in VARIANTS:
        saved = untrained(family, 0, options)
        about = describe(saved.network, saved.provenance.frames)
        card = card_of(saved)
        path = folder / f"{card.name}.onnx"
        worst = max(check.error for check in export(saved.network, card, path))
        _row(
            (
                f"{family} {card.variant}",
                f"{about.parameters:,}",
                paper,
                f"{about.macs / 1e9:.2f} / {about.frames}",
                _by_task(about.look_back),
                _by_task(about.look_ahead),
                f"{worst:.0e}",
                f"{_cost_ms(path):.2f}",
            )
        )


def _cost_ms(path: Path) -> float:
    """Milliseconds of one ONNX Runtime thread for each output sample of the preferred window."""
    model = OpenModel.open(path)
    card = model.card
    shape = (1, card.channel_count, card.frames + card.pad_frames, card.size, card.size)
    feed = {card.input_name: np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)}
    feed |= {t.input: np.zeros((1, *t.shape), np.float32) for t in card.state}
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        model.session.run(None, feed)
        times.append(time.perf_counter() - start)
    return 1e3 * min(times) / card.frames


def golden(reference: Path, folder: Path) -> None:
    """The second table."""
    header = (
        "golden case",
        "variant",
        "parameters ours",
        "in the file",
        "max |ours - golden| / max |golden|",
        "torch-ONNX",
    )
    _row(header)
    _row(["---"] * len(header))
    for case in json.loads((reference / "golden" / "index.json").read_text()):
        path = reference / "checkpoints" / case["checkpoint"]
        network, variant, card = _network(case, path)
        with np.load(reference / "golden" / f"{case['name']}.npz") as stored:
            errors = _errors(network, case, dict(stored))
        onnx = max(check.error for check in export(network, card, folder / "m.onnx")) if card else math.nan
        _row(
            (
                case["name"],
                variant,
                f"{sum(p.numel() for p in network.parameters()):,}",
                f"{_in_file(path):,}",
                ", ".join(f"{task} {error:.1e}" for task, error in errors.items()),
                f"{onnx:.0e}" if card else "-",
            )
        )


def _network(case: dict, path: Path):
    """A file's network; where the case runs it as another variant than its name says, that one."""
    imported = import_checkpoint(path, case["family"])
    if not case["residual"]:
        return imported.network, imported.card.variant, imported.card
    options = {"attention": "fsam", "residual": True, "attend_at_inference": True}
    imported = import_checkpoint(path, case["family"], options=options)
    return imported.network, imported.card.variant, imported.card


def _errors(network, case: dict, official: dict[str, np.ndarray]) -> dict[str, float]:
    targets = None
    if "labels" in case:
        t = torch.arange(case["frames"]) / 30
        targets = {vital: torch.sin(2 * math.pi * hz * t)[None] for vital, hz in ((Vital.BVP, 1.2), (Vital.RSP, 0.25))}
    attend = case["attention_at_inference"] if case["family"] == "mmrphys" else None
    with torch.no_grad():
        waves = network(torch.from_numpy(_clip(case)), targets, attend=attend)
    return {
        task.value: float(np.abs(wave.numpy() - official[task.value]).max() / np.abs(official[task.value]).max())
        for task, wave in waves.items()
    }


def _clip(case: dict) -> np.ndarray:
    frames, side = case["frames"] + 1, case["size"]
    noise = np.random.default_rng(case["seed"]).integers(0, 256, (1, case["channels"], frames, side, side), np.uint8)
    t = (np.arange(frames) / 30).reshape(1, 1, -1, 1, 1)
    signal = 20 * np.sin(2 * np.pi * 1.2 * t) + 20 * np.sin(2 * np.pi * 0.25 * t)
    return (0.5 * noise.astype(np.float32) + 64 + signal).astype(np.float32)


def _in_file(path: Path) -> int:
    """Trained numbers in a checkpoint, without the blood pressure head."""
    tensors = checkpoint.load_tensors(path)
    kept = (n for n in tensors if not n.startswith(BLOOD_PRESSURE_HEAD) and not n.endswith(BUFFERS))
    return sum(tensors[name].numel() for name in kept)


def _by_task(frames: dict[Vital, int]) -> str:
    return ", ".join(f"{task.value} {n}" for task, n in frames.items())


def _row(cells) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, help="folder with official checkpoints and golden cases")
    args = parser.parse_args()
    torch.set_num_threads(1)
    assert registry.FAMILIES.keys() == {family for family, _, _ in VARIANTS}, "a family is missing here"
    with tempfile.TemporaryDirectory() as folder:
        if args.reference:
            golden(args.reference, Path(folder))
            print()
        figures(Path(folder))


if __name__ == "__main__":
    main()

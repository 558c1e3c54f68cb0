"""Every method and model over the reference recordings, against their reference rates; one Markdown table.

    python benchmarks/accuracy.py REFERENCE [--models DIR] [--jobs N]

REFERENCE holds `recordings` with an INDEX.md (file and reference heart rate) and `checkpoints` (official .pth files, imported
with torch). --models: a folder with more .onnx models. The references were read off the same videos: they show failures, not
accuracy. Thermal-only checkpoints are left out: the recordings are RGB.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rppg_ros.datasets.bags import open_recording
from rppg_ros.evaluation import metrics
from rppg_ros.evaluation.results import RecordingResult
from rppg_ros.evaluation.runner import evaluate
from rppg_ros.inference.card import ModelCard
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.types import Vital

ROW = re.compile(r"\|\s*(\S+\.(?:mp4|avi|mkv|gif))\s*\|.*?\|.*?\|\s*(\d+(?:\.\d+)?) bpm")
CLASSICAL = ("pos", "chrom")
LONGEST_S = 600
UNSURE = {"rPPG_video": 67.0}
"""Videos whose listed rate may be their keyframes' (keyframes.py): the middle of what their pulse could be, per minute."""


def references(folder: Path) -> dict[Path, float]:
    """Recordings with a reference heart rate, as INDEX.md lists them."""
    found = {folder / m.group(1): float(m.group(2)) for m in ROW.finditer((folder / "INDEX.md").read_text())}
    if not found:
        sys.exit(f"{folder / 'INDEX.md'}: no recordings with a reference rate")
    return found


def import_all(checkpoints: Path, folder: Path) -> list[Path]:
    """Official checkpoints as models in `folder`; those there already are kept."""
    made = []
    for path in sorted(checkpoints.glob("*.pth")):
        target = folder / f"{path.stem}.onnx"
        if not target.exists() and not _import(path, target):
            continue
        if "rgb" in ModelCard.read(target).channels:
            made.append(target)
    return made


def _import(path: Path, target: Path) -> bool:
    from rppg_ros.models.export import export
    from rppg_ros.models.importer import import_checkpoint

    for family in ("mmrphys", "factorizephys", "efficientphys"):
        try:
            imported = import_checkpoint(path, family)
        except ValueError:
            continue
        export(imported.network, imported.card, target)
        return True
    print(f"{path.name}: of no known family", file=sys.stderr)
    return False


def measure(task: tuple[str, Path, Path]) -> RecordingResult:
    """One method or model on one recording."""
    method, video, truth = task
    network = method.endswith(".onnx")
    settings = EvaluationSettings(model=method) if network else EvaluationSettings(engine=method, model="")
    return evaluate(open_recording(str(video), str(truth)), settings)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--models", type=Path, help="folder of .onnx models to measure as well")
    parser.add_argument(
        "--imported", type=Path, help="folder to keep imported checkpoints in (default: a temporary one)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes; default: %(default)s")
    args = parser.parse_args()
    known = references(args.reference / "recordings")
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.imported or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        models = sorted(args.models.glob("*.onnx")) if args.models else []
        methods = [*CLASSICAL, *map(str, models + import_all(args.reference / "checkpoints", folder))]
        truths = {video: _truth(Path(temporary) / f"{i}.csv", rate) for i, (video, rate) in enumerate(known.items())}
        tasks = [(method, video, truths[video]) for method in methods for video in known]
        with ProcessPoolExecutor(args.jobs) as pool:
            results = dict(zip(tasks, pool.map(measure, tasks), strict=True))
    _print(methods, known, {(method, video): result for (method, video, _), result in results.items()})


def _truth(path: Path, rate: float) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("time_s", "heart_rate"), *((t, rate) for t in range(LONGEST_S))])
    return path


def _print(methods: list[str], known: dict[Path, float], results: dict[tuple[str, Path], RecordingResult]) -> None:
    heads = [f"{video.stem} ({rate:g})" for video, rate in known.items()]
    print("| | " + " | ".join(heads) + " | MAE, whole recording | MAE of given numbers | coverage |")
    print("|---|" + "---|" * (len(heads) + 3))
    for method in methods:
        found = [results[method, video] for video in known]
        cells = [_cell(result) for result in found]
        windows = [r.tasks[Vital.BVP].windows for r in found if Vital.BVP in r.tasks]
        running = [r.tasks[Vital.BVP].running for r in found if Vital.BVP in r.tasks]
        whole = metrics.mae(sum((w.measured for w in windows), []), sum((w.truth for w in windows), []))
        measured, truth = sum((r.measured for r in running), []), sum((r.truth for r in running), [])
        given, share = metrics.mae(measured, truth), metrics.coverage(measured, truth)
        name = Path(method).stem if method.endswith(".onnx") else method.upper()
        print(
            f"| {name} | "
            + " | ".join(cells)
            + f" | {whole.value:.1f} | {given.value:.1f} | {100 * share.value:.0f} % |"
        )


def _cell(result: RecordingResult) -> str:
    """Rate of the whole recording, and the span of the numbers that a subscriber would have got."""
    if result.error or Vital.BVP not in result.tasks:
        return result.error or "-"
    task = result.tasks[Vital.BVP]
    given = sorted(rate for rate in task.running.measured if rate == rate)
    span = f"{given[0]:.0f}..{given[-1]:.0f}" if given else "none given"
    return f"{task.windows.measured[0]:.1f} ({span})"


if __name__ == "__main__":
    main()

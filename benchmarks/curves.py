"""Training curves of runs, as docs/training.md shows them.

    python benchmarks/curves.py RUN_FOLDER... -o curves.png

RUN_FOLDER: what `rppg-ros train -o` wrote. Left: Pearson's r on held-out windows after each epoch; right: training loss.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

SMOOTHED = 10  # logged steps that a point of the training loss is the mean of
TASKS = {"bvp": "-", "rsp": "--"}


def series(folder: Path, tag: str) -> tuple[list[int], list[float]]:
    """Steps and values of one curve; a resumed run has several files, the later goes before the earlier."""
    found: dict[int, float] = {}
    for path in sorted((folder / "curves").glob("events*")):
        events = EventAccumulator(str(path))
        events.Reload()
        if tag in events.Tags()["scalars"]:
            found.update({event.step: event.value for event in events.Scalars(tag)})
    return list(found), list(found.values())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    held_out, loss = figure.subplots(1, 2)
    for i, run in enumerate(args.runs):
        for task, style in TASKS.items():
            steps, values = series(run, f"val/{task}_r")
            if steps:
                held_out.plot(steps, values, style, marker=".", color=f"C{i}", label=f"{run.name} {task}")
        steps, values = series(run, "train/loss")
        means = np.convolve(values, np.ones(SMOOTHED) / SMOOTHED, mode="valid")
        loss.plot(steps[SMOOTHED - 1 :], means, color=f"C{i}", label=run.name)
    held_out.set(xlabel="steps", ylabel="held-out Pearson's r (hardest third)")
    loss.set(xlabel="steps", ylabel="training loss (-r, summed over tasks)")
    for axes in (held_out, loss):
        axes.legend(fontsize=7)
    figure.savefig(args.output, dpi=80)


if __name__ == "__main__":
    main()

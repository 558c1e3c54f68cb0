"""A paper's table with ours beside it, trained-by-tested tables, and error against cost."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from rppg_ros.evaluation.summary import OVERALL, RECORDINGS, WINDOWS, Figures, summarise
from rppg_ros.evaluation.texts import LABELS
from rppg_ros.inference.card import CHANNEL_COUNTS, ModelCard
from rppg_ros.models.describe import describe
from rppg_ros.models.saved import load
from rppg_ros.training.paper import FIGURES, RATE_NAMES, Paper
from rppg_ros.training.reproduce import Done
from rppg_ros.training.run import BEST
from rppg_ros.types import Vital
from rppg_ros.vitals.registry import RATES

OF_WINDOWS = ("snr_db", "macc")
TIMED = 3
MAX_DIGITS = 2


def markdown(paper: Paper, done: Sequence[Done]) -> str:
    """The paper's table: a line for each experiment and rate, and in it each figure of ours and of the paper's."""
    columns = [
        f"| experiment | rate | recordings | {' | '.join(f'{LABELS[name]}, ours | {LABELS[name]}, paper' for name in FIGURES)} |"
    ]
    lines = [f"# {paper.title}", "", f"Rates are read by the protocol '{paper.protocol}'.", "", *columns]
    lines.append("|---|---|" + "---:|" * (1 + 2 * len(FIGURES)))
    for one in done:
        lines += [f"| {' | '.join(cells)} |" for cells in _lines(one)]
    return "\n".join([*lines, *_matrices(done), ""])


def figures_of(one: Done, vital: Vital) -> dict[str, float]:
    """Ours of an experiment: a rate for each recording; SNR and MACC of its waveforms. What is not known is not there."""
    rows = [row for row in summarise(one.results) if row.group == OVERALL and row.vital is vital]
    found: dict[str, float] = {}
    for row in rows:
        wanted = {RECORDINGS: set(FIGURES) - set(OF_WINDOWS), WINDOWS: set(OF_WINDOWS)}.get(row.protocol, set())
        found |= _known(row, wanted)
    return found


def _known(row: Figures, wanted: set[str]) -> dict[str, float]:
    return {name: v.value for name, v in row.values.items() if name in wanted and math.isfinite(v.value)}


def _lines(one: Done) -> Iterator[list[str]]:
    errors = sum(bool(recording.error) for recording in one.results.recordings)
    count = f"{len(one.results.recordings) - errors}" + (f" ({errors} failed)" if errors else "")
    for name, vital in RATE_NAMES.items():
        ours, theirs = figures_of(one, vital), one.experiment.paper.get(name, {})
        if ours or theirs:
            pairs = [_text(values.get(figure)) for figure in FIGURES for values in (ours, theirs)]
            yield [one.experiment.name, name, count, *pairs]


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.{MAX_DIGITS}f}"


def _matrices(done: Sequence[Done]) -> Iterator[str]:
    """Mean absolute errors of the experiments from one data set to one other, as a square."""
    for vital in Vital:
        cells = {}
        for one in done:
            train, test = ([part.dataset for part in parts] for parts in (one.experiment.train, one.experiment.test))
            if len(train) == len(test) == 1 and train != test:
                published = one.experiment.paper.get(RATES[vital].name, {}).get("mae")
                cells[train[0], test[0]] = (figures_of(one, vital).get("mae"), published)
        if any(value is not None for pair in cells.values() for value in pair):
            yield from _matrix(RATES[vital].name, cells)


def _matrix(rate: str, cells: dict[tuple[str, str], tuple[float | None, float | None]]) -> Iterator[str]:
    rows, columns = (sorted({key[i] for key in cells}) for i in range(2))
    yield from ("", f"## MAE of {rate}, per minute: trained on (rows), tested on (columns)", "")
    yield f"| | {' | '.join(f'{name}, ours | {name}, paper' for name in columns)} |"
    yield "|---|" + "---:|" * (2 * len(columns))
    for row in rows:
        found = [_text(value) for column in columns for value in cells.get((row, column), (None, None))]
        yield f"| {row} | {' | '.join(found)} |"


def plot(paper: Paper, done: Sequence[Done], path: Path) -> None:
    """Error against milliseconds a clip and against parameters; PNG.

    Ours is the mean absolute error over the experiments, and time on this machine's processor, one thread; the paper's are as
    printed, over its own experiments and on its own machine, so only their order compares with ours.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import NullFormatter

    errors = [figures_of(one, Vital.BVP).get("mae", math.nan) for one in done]
    latency_ms, parameters = cost(done[0].models[0])
    mean = float(np.nanmean(errors)) if np.isfinite(errors).any() else math.nan
    ours = {"ours": {"mae": mean, "latency_ms": latency_ms, "parameters": parameters / 1e6}}
    count = max(len(paper.experiments), 1)
    theirs = {name: {**peer, "mae": peer["mae"] / count} for name, peer in paper.peers.items()}
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, constrained_layout=True)
    for axis, name, label in zip(
        axes, ("latency_ms", "parameters"), ("ms for a clip", "millions of parameters"), strict=True
    ):
        for number, (who, values) in enumerate((theirs | ours).items()):
            mine = who in ours
            axis.plot(values[name], values["mae"], "*" if mine else "o", markersize=12 if mine else 8)
            above = 6 + 10 * (number % 3)  # names of neighbours would lie over each other
            place = {"textcoords": "offset points", "xytext": (0, above), "fontsize": 8, "ha": "center"}
            axis.annotate(who, (values[name], values["mae"]), **place)
        axis.margins(0.2)
        axis.set_xscale("log")
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel(label)
    axes[0].set_ylabel("mean absolute error, beats a minute")
    note = (
        "circles: as printed, mean of all its experiments, on the authors' machine"
        if theirs
        else "no other network is printed"
    )
    figure.suptitle(
        f"{paper.title}\nstar: here, mean of {len(done)} of {count} experiments, one thread; {note}", fontsize=9
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def cost(model: Path) -> tuple[float, int]:
    """Milliseconds for one of its windows on one thread (the best of TIMED), and its parameters."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    card = ModelCard.from_metadata(session.get_modelmeta().custom_metadata_map)
    side, channels = card.size, sum(CHANNEL_COUNTS[name] for name in card.channels)
    clip = np.zeros((1, channels, card.frames + card.pad_frames, side, side), np.float32)
    feed = {session.get_inputs()[0].name: clip}
    feed |= {state.input: np.zeros((1, *state.shape), np.float32) for state in card.state}
    spent = []
    for _ in range(TIMED):
        began = time.perf_counter()
        session.run(None, feed)
        spent.append(1e3 * (time.perf_counter() - began))
    saved = load(model.with_name(BEST))
    return min(spent), describe(saved.network, card.frames).parameters

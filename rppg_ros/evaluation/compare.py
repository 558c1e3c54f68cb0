"""Two runs over the same recordings: paired differences of their errors."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text
from scipy import stats

from rppg_ros.evaluation.results import RecordingResult, Results
from rppg_ros.evaluation.summary import PROTOCOLS, WINDOWS, series
from rppg_ros.evaluation.texts import NAMES
from rppg_ros.types import Vital

RESAMPLES = 5000
SEED = 0
CONFIDENCE = 0.95
TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Difference:
    """How B's errors differ from A's, on pairs of estimates where both gave a number.

    Attributes
    ----------
    mae_a, mae_b : mean absolute errors on those pairs, per minute.
    mean : of |error B| - |error A|: below 0, B is better. `low`, `high`: 95 % confidence, by a bootstrap over subjects.
    wins, losses : subjects whose mean error is smaller with B, and with A.
    p : of Wilcoxon's signed-rank test over subjects; NaN for too few.
    only_a, only_b : estimates that only one of them gave.
    """

    vital: Vital
    protocol: str
    n: int
    subjects: int
    mae_a: float
    mae_b: float
    mean: float
    low: float
    high: float
    wins: int
    losses: int
    p: float
    only_a: int
    only_b: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences by task and protocol, and the recordings that only one of the runs has."""

    name_a: str
    name_b: str
    differences: tuple[Difference, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    note: str = ""


def compare(a: Results, b: Results) -> Comparison:
    """Compare run B with run A, on the recordings that both have evaluated."""
    first, second = _done(a), _done(b)
    shared = [key for key in first if key in second]
    lengths = a.settings.get("window_s"), b.settings.get("window_s")
    note = "" if lengths[0] == lengths[1] else f"Windows of {lengths[0]} s and {lengths[1]} s are not compared."
    rows = []
    for vital in Vital:
        for protocol in PROTOCOLS:
            if note and protocol == WINDOWS:
                continue
            row = _difference(vital, protocol, [first[k] for k in shared], [second[k] for k in shared])
            if row is not None:
                rows.append(row)
    only_a = tuple(key for key in first if key not in second)
    only_b = tuple(key for key in second if key not in first)
    return Comparison(a.engine, b.engine, tuple(rows), only_a, only_b, note)


def _done(results: Results) -> dict[str, RecordingResult]:
    return {recording.key: recording for recording in results.recordings if not recording.error}


def _difference(
    vital: Vital, protocol: str, first: Sequence[RecordingResult], second: Sequence[RecordingResult]
) -> Difference | None:
    a, b = _errors(first, vital, protocol), _errors(second, vital, protocol)
    both = [key for key in a if key in b and math.isfinite(a[key][0]) and math.isfinite(b[key][0])]
    if not both:
        return None
    by_subject: dict[str, list[float]] = defaultdict(list)
    for key in both:
        by_subject[a[key][1]].append(b[key][0] - a[key][0])
    low, high = bootstrap(by_subject)
    means = np.array([np.mean(values) for values in by_subject.values()])
    given = [{key for key, (error, _) in side.items() if math.isfinite(error)} for side in (a, b)]
    return Difference(
        vital=vital,
        protocol=protocol,
        n=len(both),
        subjects=len(by_subject),
        mae_a=float(np.mean([a[key][0] for key in both])),
        mae_b=float(np.mean([b[key][0] for key in both])),
        mean=float(np.mean([b[key][0] - a[key][0] for key in both])),
        low=low,
        high=high,
        wins=int((means < -TIE).sum()),
        losses=int((means > TIE).sum()),
        p=_wilcoxon(means),
        only_a=len(given[0] - given[1]),
        only_b=len(given[1] - given[0]),
    )


def _errors(
    recordings: Sequence[RecordingResult], vital: Vital, protocol: str
) -> dict[tuple[str, float], tuple[float, str]]:
    """Absolute error (NaN without a number) and subject of each estimate, by recording and time; running ones by second."""
    found = series(recordings, vital, protocol)
    out = {}
    for measured, truth, subject, at_s, recording in zip(
        found.measured, found.truth, found.subjects, found.at_s, found.recordings, strict=True
    ):
        at = round(at_s, 3) if protocol == WINDOWS else math.floor(at_s)
        out[recording, at] = abs(measured - truth), subject
    return out


def bootstrap(by_subject: Mapping[str, Sequence[float]], resamples: int = RESAMPLES) -> tuple[float, float]:
    """95 % confidence interval of the mean of all values, drawing subjects with replacement: a subject's values are alike.

    NaN for fewer than two subjects. The same values give the same interval.
    """
    if len(by_subject) < 2:
        return math.nan, math.nan
    sums = np.array([np.sum(values) for values in by_subject.values()])
    counts = np.array([len(values) for values in by_subject.values()])
    drawn = np.random.default_rng(SEED).integers(0, len(sums), (resamples, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


def _wilcoxon(means: np.ndarray) -> float:
    moved = means[np.abs(means) > TIE]
    return float(stats.wilcoxon(moved).pvalue) if len(moved) >= 5 else math.nan


def comparison_table(found: Comparison) -> Group:
    """For a terminal: a line for each figure, a column for each rate and protocol."""
    table = Table(title=f"B {found.name_b} against A {found.name_a}: below 0, B is better", title_justify="left")
    table.add_column("")
    for d in found.differences:
        table.add_column(f"{NAMES[d.vital]}\n{d.protocol}", justify="right")
    for label, show in ROWS.items():
        table.add_row(label, *(show(d) for d in found.differences))
    notes = [Text(found.note)] if found.note else []
    notes += [
        Text(f"only in {side}: {', '.join(keys[:10])}{' ...' if len(keys) > 10 else ''}")
        for side, keys in (("A", found.only_a), ("B", found.only_b))
        if keys
    ]
    if not found.differences:
        notes.append(Text("no recording has estimates of both"))
    return Group(table, *notes)


ROWS: dict[str, Callable[[Difference], str]] = {
    "pairs": lambda d: str(d.n),
    "subjects": lambda d: str(d.subjects),
    "MAE of A": lambda d: f"{d.mae_a:.2f}",
    "MAE of B": lambda d: f"{d.mae_b:.2f}",
    "B - A": lambda d: f"{d.mean:+.2f}",
    "95 % confidence": lambda d: "-" if math.isnan(d.low) else f"{d.low:+.2f} .. {d.high:+.2f}",
    "subjects better with B": lambda d: str(d.wins),
    "subjects better with A": lambda d: str(d.losses),
    "Wilcoxon p": lambda d: "-" if math.isnan(d.p) else f"{d.p:.3g}",
    "given by A only": lambda d: str(d.only_a),
    "given by B only": lambda d: str(d.only_b),
}

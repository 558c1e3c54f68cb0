"""Tables of figures from results: overall, by dataset, by subject, by condition."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rppg_ros.evaluation import metrics
from rppg_ros.evaluation.metrics import Agreement, Value
from rppg_ros.evaluation.results import RecordingResult, Results, TaskResult
from rppg_ros.types import Vital

WINDOWS, RECORDINGS, RUNNING, WHOLE = "windows", "recordings", "running", "whole"
PROTOCOLS = {
    WINDOWS: "the protocol's (rppg-toolbox, mmrphys, ...): one rate for each window",
    RECORDINGS: "mean over the windows of each recording",
    RUNNING: "the nodes' own estimates, once a second, when they gave a number",
    WHOLE: "one rate for each recording, by the belief in hindsight, where it is sure enough",
}
SHARES = (0.25, 0.5, 0.75)
OVERALL = ""
Estimate = tuple[float, float, float, float]
"""Measured and true per minute, quality, and seconds from the recording's start."""


@dataclass(frozen=True, slots=True)
class Series:
    """Measured beside true, of many recordings: lists of one length."""

    measured: list[float]
    truth: list[float]
    quality: list[float]
    subjects: list[str]
    at_s: list[float]
    recordings: list[str]
    datasets: list[str]


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of a table.

    Attributes
    ----------
    group, value : "" for all; else e.g. "subject", "s1" or "motion", "rotation".
    values : name of the figure to its Value, e.g. "mae", "rmse", "within_3".
    """

    vital: Vital
    protocol: str
    group: str
    value: str
    recordings: int
    values: dict[str, Value]
    agreement: Agreement

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        return {
            "task": self.vital.value,
            "protocol": self.protocol,
            "group": self.group,
            "value": self.value,
            "recordings": self.recordings,
            **{name: {"value": _null(v.value), "se": _null(v.se), "n": v.n} for name, v in self.values.items()},
            "bland_altman": {name: _null(v) for name, v in self.agreement._asdict().items()},
        }


def summarise(results: Results) -> list[Figures]:
    """All tables, rows in order: overall first, then by dataset, subject and each condition."""
    rows = []
    done = [recording for recording in results.recordings if not recording.error]
    for vital in Vital:
        for protocol in PROTOCOLS:
            for group, value, members in _groups(done):
                row = _figures(vital, protocol, group, value, members)
                if row is not None:
                    rows.append(row)
    return rows


def series(recordings: Iterable[RecordingResult], vital: Vital, protocol: str) -> Series:
    """All pairs of a protocol; figures without truth are left out, truths without a figure are kept as NaN."""
    out = Series([], [], [], [], [], [], [])
    for recording in recordings:
        task = recording.tasks.get(vital)
        if task is None:
            continue
        for measured, truth, quality, at_s in _PAIRS[protocol](task):
            if math.isfinite(truth):
                out.measured.append(measured)
                out.truth.append(truth)
                out.quality.append(quality)
                out.subjects.append(f"{recording.dataset}/{recording.subject or recording.name}")
                out.at_s.append(at_s)
                out.recordings.append(recording.key)
                out.datasets.append(recording.dataset)
    return out


def figures_of(found: Series, running: bool) -> dict[str, Value]:
    """Figures of a series by name; errors at fixed coverage for running estimates only."""
    measured, truth = found.measured, found.truth
    values = {
        "mae": metrics.mae(measured, truth),
        "rmse": metrics.rmse(measured, truth),
        "mape": metrics.mape(measured, truth),
        "pearson": metrics.pearson(measured, truth),
        "mean_error": metrics.mean_error(measured, truth),
        "within_3": metrics.share_within(measured, truth, units=3),
        "within_5": metrics.share_within(measured, truth, units=5),
        "within_10_percent": metrics.share_within(measured, truth, percent=10),
        "coverage": metrics.coverage(measured, truth),
    }
    if running:
        for share in SHARES:
            name = f"mae_at_{round(100 * share)}_percent_coverage"
            values[name] = metrics.error_at_coverage(measured, truth, found.quality, share)
    return values


def _figures(vital: Vital, protocol: str, group: str, value: str, members: list[RecordingResult]) -> Figures | None:
    found = series(members, vital, protocol)
    if not found.truth:
        return None
    values = figures_of(found, protocol == RUNNING)
    if protocol == WINDOWS:
        tasks = [m.tasks[vital] for m in members if vital in m.tasks]
        for name in ("snr_db", "macc"):
            values[name] = metrics.mean([x for task in tasks for x in getattr(task.windows, name)])
    agreement = metrics.bland_altman(found.measured, found.truth, found.subjects)
    return Figures(vital, protocol, group, value, len(set(found.recordings)), values, agreement)


def _groups(done: list[RecordingResult]) -> Iterator[tuple[str, str, list[RecordingResult]]]:
    yield OVERALL, "", done
    names = ["dataset", "subject", *sorted({name for r in done for name in r.conditions})]
    for name in names:
        members: dict[str, list[RecordingResult]] = {}
        for recording in done:
            value = getattr(recording, name) if name in ("dataset", "subject") else recording.conditions.get(name, "")
            if value:
                members.setdefault(str(value), []).append(recording)
        if len(members) > 1 or name not in ("dataset", "subject"):
            for value in sorted(members):
                yield name, value, members[value]


def _windows(task: TaskResult) -> Iterator[Estimate]:
    w = task.windows
    yield from zip(w.measured, w.truth, [math.nan] * len(w.truth), w.start_s, strict=True)


def _recordings(task: TaskResult) -> Iterator[Estimate]:
    measured, truth = metrics.pairs(task.windows.measured, task.windows.truth)
    if len(truth):
        yield float(measured.mean()), float(truth.mean()), math.nan, 0.0
    elif any(math.isfinite(t) for t in task.windows.truth):
        yield math.nan, metrics.mean(task.windows.truth).value, math.nan, 0.0


def _running(task: TaskResult) -> Iterator[Estimate]:
    r = task.running
    yield from zip(r.measured, r.truth, r.quality, r.at_s, strict=True)


def _whole(task: TaskResult) -> Iterator[Estimate]:
    w = task.whole
    yield w.measured, w.truth, w.quality, 0.0


_PAIRS: dict[str, Callable[[TaskResult], Iterator[Estimate]]] = {
    WINDOWS: _windows,
    RECORDINGS: _recordings,
    RUNNING: _running,
    WHOLE: _whole,
}


def _null(value: float) -> float | None:
    return value if isinstance(value, int) or math.isfinite(value) else None

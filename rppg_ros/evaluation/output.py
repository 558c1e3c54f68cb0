"""What a run leaves in its folder: results.json, tables, the report; and the summary on the terminal."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from rppg_ros.evaluation.report import ReportError, write_report
from rppg_ros.evaluation.results import Results
from rppg_ros.evaluation.summary import OVERALL, Figures, summarise
from rppg_ros.evaluation.texts import LABELS, NAMES, text
from rppg_ros.evaluation.whole_files import whole_file, write_whole


def write_run(results: Results, folder: Path, console: Console, pictures: Sequence[Path] = ()) -> list[Figures]:
    """Write everything a run leaves behind, and print its summary. `pictures`: for the report, see write_report."""
    rows = summarise(results)
    results.save(folder / "results.json")
    write_whole(folder / "summary.json", json.dumps([row.to_json() for row in rows], indent=1))
    write_tables(results, rows, folder)
    console.print(summary_table(rows, results.engine))
    failed = sum(bool(recording.error) for recording in results.recordings)
    if failed:
        console.print(f"{failed} of {len(results.recordings)} recordings could not be evaluated.", style="red")
    try:
        report = write_report(results, rows, folder / "report.html", pictures)
        console.print(
            f"{report}, results.json, summary.json and tables are in {folder}", highlight=False, soft_wrap=True
        )
    except ReportError as error:
        console.print(f"no report: {error}", style="yellow", highlight=False, markup=False)
    return rows


def summary_table(rows: Iterable[Figures], engine: str) -> Table:
    """The overall figures for a terminal: a line for each figure, a column for each rate and protocol."""
    overall = [row for row in rows if row.group == OVERALL]
    table = Table(title=f"{engine}: measured against truth", title_justify="left")
    table.add_column("")
    for row in overall:
        table.add_column(f"{NAMES[row.vital]}\n{row.protocol}", justify="right")
    table.add_row("pairs", *(str(row.values["mae"].n) for row in overall))
    for name, label in LABELS.items():
        table.add_row(label, *(text(name, row.values.get(name)) for row in overall))
    return table


def write_tables(results: Results, rows: Sequence[Figures], folder: Path) -> None:
    """windows.csv, running.csv, whole.csv, recordings.csv and summary.csv."""
    _csv(folder / "windows.csv", _window_rows(results))
    _csv(folder / "running.csv", _running_rows(results))
    _csv(folder / "whole.csv", _whole_rows(results))
    _csv(folder / "recordings.csv", _recording_rows(results))
    _csv(folder / "summary.csv", _summary_rows(rows))


def _csv(path: Path, rows: Iterator[Sequence[Any]]) -> None:
    with whole_file(path) as file:
        csv.writer(file).writerows(["" if cell != cell else cell for cell in row] for row in rows)


def _window_rows(results: Results) -> Iterator[Sequence[Any]]:
    columns = ("start_s", "length_s", "measured", "truth", "snr_db", "macc")
    yield ("dataset", "recording", "subject", "task", *columns)
    for recording in results.recordings:
        for vital, task in recording.tasks.items():
            for cells in zip(*(getattr(task.windows, name) for name in columns), strict=True):
                yield (recording.dataset, recording.name, recording.subject, vital.value, *cells)


def _running_rows(results: Results) -> Iterator[Sequence[Any]]:
    columns = ("at_s", "measured", "low", "high", "truth", "quality", "status", "reasons")
    yield ("dataset", "recording", "subject", "task", *columns)
    for recording in results.recordings:
        for vital, task in recording.tasks.items():
            for cells in zip(*(getattr(task.running, name) for name in columns), strict=True):
                yield (recording.dataset, recording.name, recording.subject, vital.value, *cells)


def _whole_rows(results: Results) -> Iterator[Sequence[Any]]:
    columns = ("measured", "believed", "low", "high", "quality", "truth")
    yield ("dataset", "recording", "subject", "task", *columns)
    for recording in results.recordings:
        for vital, task in recording.tasks.items():
            cells = (getattr(task.whole, name) for name in columns)
            yield (recording.dataset, recording.name, recording.subject, vital.value, *cells)


def _recording_rows(results: Results) -> Iterator[Sequence[Any]]:
    names = sorted({name for recording in results.recordings for name in recording.conditions})
    yield ("dataset", "recording", "subject", "duration_s", "frames", "error", *names)
    for r in results.recordings:
        conditions = (r.conditions.get(name, "") for name in names)
        yield (r.dataset, r.name, r.subject, r.duration_s, r.frames, r.error, *conditions)


def _summary_rows(rows: Sequence[Figures]) -> Iterator[Sequence[Any]]:
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    figures = [part for name in names for part in (name, f"{name}_se")]
    yield ("task", "protocol", "group", "value", "recordings", "n", *figures, "bias", "limit_low", "limit_high")
    for row in rows:
        cells: list[float | str] = []
        for name in names:
            figure = row.values.get(name)
            cells += ["", ""] if figure is None else [figure.value, figure.se]
        agreement = row.agreement
        head = (row.vital.value, row.protocol, row.group, row.value, row.recordings, row.values["mae"].n)
        yield (*head, *cells, agreement.bias, agreement.low, agreement.high)

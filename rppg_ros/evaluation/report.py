"""One HTML file that says how well a run did; it holds its figures and scripts itself and asks nobody for anything."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rppg_ros.evaluation.metrics import Agreement
from rppg_ros.evaluation.results import RecordingResult, Results
from rppg_ros.evaluation.summary import OVERALL, PROTOCOLS, RECORDINGS, RUNNING, WHOLE, WINDOWS, Figures, series
from rppg_ros.evaluation.texts import LABELS, text
from rppg_ros.evaluation.whole_files import write_whole
from rppg_ros.types import Vital

WORST, BEST = 12, 2
TEMPLATE = "report.html.jinja"
TITLES = {Vital.BVP: "Heart rate", Vital.RSP: "Respiration rate"}


class ReportError(RuntimeError):
    """The report cannot be made; says what to install."""


def write_report(results: Results, rows: Sequence[Figures], path: Path, pictures: Sequence[Path] = ()) -> Path:
    """Write the report; an old one stays until the new one is whole.

    Parameters
    ----------
    pictures : PNGs of what the network saw, which the report then holds.

    Raises
    ------
    ReportError : plotly or Jinja2 is not installed.
    """
    try:
        import plotly  # noqa: F401
        from jinja2 import Environment, PackageLoader, select_autoescape
        from plotly.offline import get_plotlyjs
    except ModuleNotFoundError as error:
        raise ReportError(f"{error.name} is not installed: pip install 'rppg_ros[evaluation]'") from None
    environment = Environment(
        loader=PackageLoader("rppg_ros.evaluation", "templates"), autoescape=select_autoescape(default=True)
    )
    page = environment.get_template(TEMPLATE).render(
        results=results,
        tasks=[_task(results, rows, vital) for vital in Vital if any(row.vital is vital for row in rows)],
        failed=[recording for recording in results.recordings if recording.error],
        settings=sorted(results.settings.items()),
        protocols=PROTOCOLS,
        columns=list(LABELS.values()),
        plotly=get_plotlyjs(),
        pictures=[(picture.stem, base64.b64encode(picture.read_bytes()).decode()) for picture in pictures],
    )
    write_whole(path, page)
    return path


def _task(results: Results, rows: Sequence[Figures], vital: Vital) -> dict[str, Any]:
    """What the template shows of the pulse, or of the breath."""
    from rppg_ros.evaluation import figures

    mine = [row for row in rows if row.vital is vital]
    overall = {row.protocol: row for row in mine if row.group == OVERALL}
    done = [recording for recording in results.recordings if not recording.error]
    protocol = WINDOWS if overall.get(WINDOWS) else RUNNING
    found, running = series(done, vital, protocol), series(done, vital, RUNNING)
    ranked = figures.worst_first(done, vital)
    best = [recording for recording in ranked[WORST:]][-BEST:]
    return {
        "title": TITLES[vital],
        "units": figures.UNITS[vital],
        "overall": [table_row(overall[p], p) for p in PROTOCOLS if p in overall],
        "groups": _groups(mine),
        "agreement": _agreement(overall[protocol].agreement, figures.UNITS[vital]),
        "scatter": figures.html(figures.scatter(found, vital)),
        "bland_altman": figures.html(figures.bland_altman(found, overall[protocol].agreement, vital)),
        "coverage": figures.html(figures.coverage_curve(running, vital)) if running.truth else "",
        "worst": [_trace(recording, vital) for recording in ranked[:WORST]],
        "best": [_trace(recording, vital) for recording in reversed(best)],
    }


def table_row(row: Figures, label: str) -> dict[str, Any]:
    """A line of a table: its name, how much it is from, and its figures as texts."""
    cells = [text(name, row.values.get(name)) for name in LABELS]
    return {"label": label, "recordings": row.recordings, "n": row.values["mae"].n, "cells": cells}


def _groups(rows: Sequence[Figures]) -> list[dict[str, Any]]:
    """A table for each condition: of windows, and where there are any of running estimates."""
    tables: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if row.group != OVERALL and row.protocol not in (RECORDINGS, WHOLE):
            tables.setdefault((row.group, row.protocol), []).append(table_row(row, row.value))
    return [
        {"group": group, "protocol": protocol, "rows": found, "long": len(found) > 20}
        for (group, protocol), found in tables.items()
    ]


def _agreement(agreement: Agreement, units: str) -> str:
    if agreement.bias != agreement.bias:
        return "Too few pairs for limits of agreement."
    text = f"Bias {agreement.bias:+.2f} {units}, 95 % limits of agreement {agreement.low:+.2f} to {agreement.high:+.2f}"
    if agreement.bias_ci == agreement.bias_ci:
        text += f" (95 % confidence: bias ±{agreement.bias_ci:.2f}, limits ±{agreement.limit_ci:.2f})"
    return f"{text}, {agreement.n} pairs."


def _trace(recording: RecordingResult, vital: Vital) -> dict[str, Any]:
    from rppg_ros.evaluation import figures
    from rppg_ros.evaluation.metrics import mae

    task = recording.tasks[vital]
    error = mae(task.windows.measured, task.windows.truth).value
    return {
        "name": recording.key,
        "conditions": ", ".join(f"{name} {value}" for name, value in recording.conditions.items()),
        "caution": recording.caution,
        "error": "no number" if error != error else f"error {error:.1f} {figures.UNITS[vital]}",
        "rates": figures.html(figures.rates(task, vital)),
        "waves": figures.html(figures.waves(task, vital)) if task.wave.measured or task.wave.truth else "",
    }

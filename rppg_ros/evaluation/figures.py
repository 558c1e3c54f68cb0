"""The report's figures: scatter, Bland-Altman, error against coverage, traces. plotly's, as plain HTML pieces."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import plotly.graph_objects as go

from rppg_ros.evaluation import metrics
from rppg_ros.evaluation.metrics import Agreement
from rppg_ros.evaluation.results import RecordingResult, TaskResult
from rppg_ros.evaluation.summary import Series
from rppg_ros.types import Vital

# Okabe and Ito's colours, told apart with any colour vision; readable on light and dark.
MEASURED, TRUE, MARK = "#2E8BC9", "#D55E00", "#009E73"
COLOURS = ("#2E8BC9", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C8C00")
UNITS = {Vital.BVP: "beats/min", Vital.RSP: "breaths/min"}
MAX_POINTS = 20_000
EXCERPT_S = {Vital.BVP: 15.0, Vital.RSP: 60.0}
MARGIN = {Vital.BVP: 8.0, Vital.RSP: 3.0}
SHARES = np.linspace(0.05, 1.0, 39)
HEIGHT, TRACE_HEIGHT = 420, 260


def scatter(found: Series, vital: Vital) -> go.Figure:
    """Measured over true rates, with the line where they are equal."""
    figure = _figure(f"true, {UNITS[vital]}", f"measured, {UNITS[vital]}")
    points = _given(found)
    if len(points):
        low, high = float(np.nanmin(points[:, :2])) - 3, float(np.nanmax(points[:, :2])) + 3
        figure.add_scatter(
            x=[low, high], y=[low, high], mode="lines", line={"color": "#888", "dash": "dot"}, name="equal"
        )
    for name, chosen in _by_dataset(found, points):
        _dots(figure, points[chosen, 1], points[chosen, 0], _hover(found, points, chosen), name)
    return figure


def bland_altman(found: Series, agreement: Agreement, vital: Vital) -> go.Figure:
    """Difference over mean of both, with bias and limits of agreement."""
    figure = _figure(f"mean of measured and true, {UNITS[vital]}", f"measured - true, {UNITS[vital]}")
    points = _given(found)
    for name, chosen in _by_dataset(found, points):
        mean, difference = points[chosen, :2].mean(axis=1), points[chosen, 0] - points[chosen, 1]
        _dots(figure, mean, difference, _hover(found, points, chosen), name)
    for value, label in ((agreement.low, "-1.96 SD"), (agreement.bias, "bias"), (agreement.high, "+1.96 SD")):
        if math.isfinite(value):
            dash = "solid" if label == "bias" else "dash"
            figure.add_hline(
                y=value, line={"color": MARK, "dash": dash}, annotation_text=f"{label} {value:+.1f}", opacity=0.9
            )
    return figure


def coverage_curve(found: Series, vital: Vital) -> go.Figure:
    """Mean absolute error of the best-quality estimates over the share of time they cover."""
    figure = _figure("share of time with a number", f"mean absolute error, {UNITS[vital]}")
    values = [metrics.error_at_coverage(found.measured, found.truth, found.quality, share).value for share in SHARES]
    figure.add_scatter(x=SHARES, y=values, mode="lines+markers", line={"color": MEASURED}, name="all recordings")
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(rangemode="tozero")
    return figure


def rates(task: TaskResult, vital: Vital) -> go.Figure:
    """Running estimates beside the truth, over time."""
    run = task.running
    figure = _figure("seconds", UNITS[vital], TRACE_HEIGHT)
    figure.add_scatter(x=run.at_s, y=run.truth, mode="lines", line={"color": TRUE, "width": 3}, name="true")
    said = [
        f"{status}, quality {quality:.2f}" + (f", {reasons.replace('+', ', ')}" if reasons else "")
        for status, quality, reasons in zip(run.status, run.quality, run.reasons, strict=True)
    ]
    figure.add_scatter(
        x=run.at_s, y=run.measured, mode="lines+markers", line={"color": MEASURED}, name="measured", text=said
    )
    known = [value for value in (*run.truth, *run.measured) if math.isfinite(value)]
    if known:  # or a change of half a beat fills the figure
        figure.update_yaxes(range=[min(known) - MARGIN[vital], max(known) + MARGIN[vital]])
    return figure


def waves(task: TaskResult, vital: Vital) -> go.Figure:
    """An excerpt from the middle of both waveforms, standardised."""
    wave = task.wave
    count = max(len(wave.measured), len(wave.truth))
    length = min(count, round(EXCERPT_S[vital] * wave.rate_hz))
    first = (count - length) // 2
    at_s = wave.start_s + np.arange(first, first + length) / wave.rate_hz
    figure = _figure("seconds", "standardised", TRACE_HEIGHT)
    for samples, name, colour in ((wave.truth, "true", TRUE), (wave.measured, "measured", MEASURED)):
        if samples:
            figure.add_scatter(
                x=at_s, y=samples[first : first + length], mode="lines", line={"color": colour}, name=name
            )
    return figure


def html(figure: go.Figure) -> str:
    """A piece of HTML that needs plotly.js on its page, and nothing from elsewhere."""
    config = {"displayModeBar": False, "responsive": True}
    return str(figure.to_html(full_html=False, include_plotlyjs=False, config=config))


def worst_first(recordings: Sequence[RecordingResult], vital: Vital) -> list[RecordingResult]:
    """Recordings by their mean absolute error over windows, those without a number before all others."""

    def error(recording: RecordingResult) -> float:
        windows = recording.tasks[vital].windows
        value = metrics.mae(windows.measured, windows.truth).value
        return math.inf if math.isnan(value) else value

    known = [r for r in recordings if vital in r.tasks and any(math.isfinite(t) for t in r.tasks[vital].windows.truth)]
    return sorted(known, key=error, reverse=True)


def _figure(x: str, y: str, height: int = HEIGHT) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        template="none",
        autosize=True,
        height=height,
        margin={"l": 60, "r": 20, "t": 20, "b": 50},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "#888", "family": "system-ui, sans-serif", "size": 13},
        legend={"orientation": "h", "y": 1.08, "x": 0},
    )
    grid = {"gridcolor": "rgba(128,128,128,.25)", "zerolinecolor": "rgba(128,128,128,.5)", "automargin": True}
    figure.update_xaxes(title=x, **grid)
    figure.update_yaxes(title=y, **grid)
    return figure


def _given(found: Series) -> np.ndarray:
    """(n, 3): measured, true, index in the series, where a number was given; thinned evenly where there are too many."""
    measured, truth = np.array(found.measured), np.array(found.truth)
    index = np.flatnonzero(np.isfinite(measured) & np.isfinite(truth))
    if len(index) > MAX_POINTS:
        index = index[np.linspace(0, len(index) - 1, MAX_POINTS).astype(int)]
    return np.column_stack([measured[index], truth[index], index]) if len(index) else np.zeros((0, 3))


def _by_dataset(found: Series, points: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Names of datasets, and which points are theirs."""
    names = np.array([found.datasets[int(i)] for i in points[:, 2]])
    for name in sorted(set(names)):
        yield name or "recordings", np.flatnonzero(names == name)


def _hover(found: Series, points: np.ndarray, chosen: np.ndarray) -> list[str]:
    indices = points[chosen, 2].astype(int)
    return [f"{_escaped(found.recordings[i])}, {found.at_s[i]:.0f} s" for i in indices]


def _dots(figure: go.Figure, x: np.ndarray, y: np.ndarray, hover: list[str], name: str) -> None:
    colour = COLOURS[len([trace for trace in figure.data if trace.mode == "markers"]) % len(COLOURS)]
    marker = {"color": colour, "size": 7, "opacity": 0.75}
    figure.add_scattergl(x=x, y=y, mode="markers", marker=marker, text=hover, name=_escaped(name))


def _escaped(text: str) -> str:
    """Names as text: plotly reads tags in labels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""What the demo shows: a live table, a verdict, and a picture of the waveforms beside the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.table import Table

from rppg_ros.nodes.demo_monitor import DemoMonitor
from rppg_ros.nodes.messages import from_time
from rppg_ros.reason_texts import meaning
from rppg_ros.types import NS_PER_S, Reason, Status, Vital

NAMES = {Vital.BVP: ("Heart rate", "beats/min"), Vital.RSP: ("Respiration rate", "breaths/min")}
SHORT_NAMES = {Vital.BVP: "heart /min", Vital.RSP: "breath /min"}
TOLERANCE = {Vital.BVP: 2.0, Vital.RSP: 2.0}  # per minute
SPARK = "▁▂▃▄▅▆▇█"
SPARK_COLUMNS = 16  # with the rest, the table fits 80 columns


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the demo measured what was true, and in words."""

    passed: bool
    lines: list[str] = field(default_factory=list)


def measured_table(monitor: DemoMonitor) -> Table:
    """Newest rate of each kind beside the truth, with the newest seconds of waveform."""
    table = Table(title="rppg_ros")
    for column in ("", "measured", "truth", "quality", "status", "waveform"):
        table.add_column(column, no_wrap=True)
    for vital in Vital:
        table.add_row(*_row(monitor, vital))
    return table


def _row(monitor: DemoMonitor, vital: Vital) -> list[str]:
    name = SHORT_NAMES[vital]
    wave = _spark(monitor.wave("measured", vital)[1][-180:])
    if not monitor.rates[vital]:
        return [name, "-", "-", "-", "waiting for frames", wave]
    # After the last frame there is no face any more; what was measured stays on the screen.
    seen = (
        [m for m in monitor.rates[vital] if m.status not in (Status.NO_FACE, Status.STALE)] if monitor.settled else []
    )
    newest = (seen or monitor.rates[vital])[-1]
    value = f"{newest.value:.1f} ± {newest.std:.1f}" if newest.status == Status.OK else "-"
    truth = monitor.truth[vital][-1].value if monitor.truth[vital] else math.nan
    shown_truth = "-" if math.isnan(truth) else f"{truth:.1f}"
    status = Status(newest.status).name.lower().replace("_", " ")
    if newest.status == Status.LOW_QUALITY and newest.reasons:
        status = meaning(Reason(newest.reasons[0]))
    return [name, value, shown_truth, f"{newest.quality:.2f}", status, wave]


def _spark(samples: np.ndarray) -> str:
    if len(samples) < SPARK_COLUMNS:
        return ""
    columns = [part.mean() for part in np.array_split(samples, SPARK_COLUMNS)]
    low, high = min(columns), max(columns)
    steps = (len(SPARK) - 1) / max(high - low, 1e-9)
    return "".join(SPARK[round((value - low) * steps)] for value in columns)


def judge(monitor: DemoMonitor) -> Verdict:
    """Median error of all rates that were given as numbers, against the truth of the same seconds."""
    passed, lines = True, []
    for vital in Vital:
        given = [m for m in monitor.rates[vital] if m.status == Status.OK]
        name, unit = NAMES[vital]
        if not given:
            lines.append(f"{name}: no number ({_why(monitor, vital)})")
            passed = passed and not monitor.truth[vital]
            continue
        median = float(np.median([m.value for m in given]))
        errors = np.array([m.value - monitor.true_mean(vital, m) for m in given])
        if np.isnan(errors).all():
            lines.append(f"{name}: median {median:.1f} {unit} of {len(given)} values")
            continue
        error = float(np.nanmedian(np.abs(errors)))
        good = error <= TOLERANCE[vital]
        passed = passed and good
        truth = float(np.nanmean([monitor.true_mean(vital, m) for m in given]))
        lines.append(
            f"{name}: measured {median:.1f}, truth {truth:.1f} {unit}; median error {error:.2f} of {len(given)} values, "
            f"worst {np.nanmax(np.abs(errors)):.2f} → {'good' if good else f'NOT within {TOLERANCE[vital]:.0f}'}"
        )
    return Verdict(passed, lines)


def _why(monitor: DemoMonitor, vital: Vital) -> str:
    seen = [m for m in monitor.rates[vital] if m.status not in (Status.STALE, Status.NO_FACE)]
    if not seen:
        return "no frames or no face"
    if seen[-1].reasons:
        return ", ".join(meaning(Reason(reason)) for reason in seen[-1].reasons)
    return Status(seen[-1].status).name.lower().replace("_", " ")


def save_picture(monitor: DemoMonitor, path: str) -> None:
    """PNG: waveforms and rates over time, measured and true. No face is in it."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(4, 1, figsize=(12, 9), constrained_layout=True)
    start_ns = _start_ns(monitor)
    for row, vital in enumerate(Vital):
        _draw_wave(axes[2 * row], monitor, vital, start_ns)
        _draw_rate(axes[2 * row + 1], monitor, vital, start_ns)
    axes[-1].set_xlabel("camera time, s")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _start_ns(monitor: DemoMonitor) -> int:
    stamps = [from_time(m.header.stamp) for vital in Vital for m in monitor.rates[vital][:1]]
    return min(stamps, default=0)


def _draw_wave(axis: Any, monitor: DemoMonitor, vital: Vital, start_ns: int) -> None:
    shown_s = 12.0 if vital is Vital.BVP else math.inf
    for which, style in (("truth", {"color": "0.7", "linewidth": 2}), ("measured", {"color": "C3", "linewidth": 1})):
        stamps, samples = monitor.wave(which, vital)
        if not len(samples):
            continue
        seconds = (stamps - start_ns) / NS_PER_S
        part = seconds >= seconds[-1] - shown_s
        axis.plot(seconds[part], samples[part], label=which, **style)
    axis.set_ylabel(f"{vital} (no unit)")
    if axis.lines:
        axis.legend(loc="upper right")


def _draw_rate(axis: Any, monitor: DemoMonitor, vital: Vital, start_ns: int) -> None:
    name, unit = NAMES[vital]
    truth = [((from_time(m.header.stamp) - start_ns) / NS_PER_S, m.value) for m in monitor.truth[vital]]
    if truth:
        axis.plot(*zip(*truth, strict=True), color="0.7", linewidth=2, label="truth, last 10 s")
    given = [m for m in monitor.rates[vital] if m.status == Status.OK]
    if given:
        seconds = [(from_time(m.header.stamp) - start_ns) / NS_PER_S for m in given]
        axis.errorbar(
            seconds, [m.value for m in given], yerr=[m.std for m in given], fmt=".", color="C3", label="measured"
        )
    axis.set_ylabel(f"{name.lower()}\n{unit}")
    if truth or given:
        axis.legend(loc="upper right")

"""Traces from tables and lists."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from rppg_ros.datasets.base import DatasetError, Trace, Truth
from rppg_ros.types import NS_PER_S, Vital

TIMES = {
    "stamp_ns": 1.0,
    "timestamp_ns": 1.0,
    "time_s": NS_PER_S,
    "time": NS_PER_S,
    "timestamp_s": NS_PER_S,
    "t": NS_PER_S,
}
MAX_STAMP_NS = 230 * 365.25 * 86400 * NS_PER_S  # since 1970; 64 bits hold a little more
MAX_SHOWN = 200  # characters of what is wrong
ABSOLUTE = ("stamp_ns", "timestamp_ns")
WAVES = {"bvp": Vital.BVP, "ppg": Vital.BVP, "rsp": Vital.RSP, "resp": Vital.RSP, "respiration": Vital.RSP}
RATES = {
    "heart_rate": Vital.BVP,
    "hr": Vital.BVP,
    "respiration_rate": Vital.RSP,
    "respiratory_rate": Vital.RSP,
    "rr": Vital.RSP,
}


def trace(stamps_ns: Iterable[int], values: Iterable[float]) -> Trace:
    """Trace of values that may be out of order or share stamps: sorted, the last value of a stamp counts."""
    at_ns = np.array(list(stamps_ns), dtype=np.int64)
    numbers = np.array(list(values), dtype=np.float64)
    order = np.argsort(at_ns, kind="stable")
    at_ns, numbers = at_ns[order], numbers[order]
    last = np.append(np.diff(at_ns) > 0, True)[: len(at_ns)]
    return Trace(at_ns[last], numbers[last])


def even_trace(values: Sequence[float] | np.ndarray, rate_hz: float, start_ns: int = 0) -> Trace:
    """Trace of evenly sampled values."""
    stamps_ns = start_ns + np.round(np.arange(len(values)) * (NS_PER_S / rate_hz)).astype(np.int64)
    return Trace(stamps_ns, np.asarray(values, dtype=np.float64))


def known_rates(vital: Vital, rates: Trace) -> dict[Vital, Trace]:
    """A device's rates without those of 0 or less, by which it says that it has none; empty where nothing is left."""
    known = rates.values > 0
    return {vital: Trace(rates.stamps_ns[known], rates.values[known])} if known.any() else {}


def read_csv(path: Path, start_ns: int) -> Truth:
    """Truth in a table with a header line: a time column and any of bvp, rsp, heart_rate, respiration_rate.

    Times are `time_s`, from the recording's first frame (at start_ns), or `stamp_ns`, on the frames' own clock. A cell may
    be empty.

    Raises
    ------
    DatasetError : no such file, no such columns, or a cell that is no number; names file and line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: not readable: {error}") from None
    header = [name.strip().lower() for name in rows[0]] if rows else []
    time = next((name for name in header if name in TIMES), None)
    columns = {name: i for i, name in enumerate(header) if name in WAVES or name in RATES}
    if time is None or not columns:
        wanted = f"a time column ({', '.join(TIMES)}) and one of {', '.join([*WAVES, *RATES])}"
        raise DatasetError(f"{path}: needs {wanted}; its columns are: {', '.join(header)[:MAX_SHOWN] or 'none'}")
    offset_ns = 0 if time in ABSOLUTE else start_ns
    cells = _numbers(path, rows[1:], [header.index(time), *columns.values()], TIMES[time])
    if time in ABSOLUTE:  # as whole numbers: a float holds no nanoseconds of today
        stamps_ns = np.array([int(float_text(row[header.index(time)])) for row in rows[1:] if row], dtype=np.int64)
    else:
        stamps_ns = offset_ns + np.round(cells[:, 0] * TIMES[time]).astype(np.int64)
    waves: dict[Vital, Trace] = {}
    rates: dict[Vital, Trace] = {}
    for position, name in enumerate(columns, start=1):
        known = np.isfinite(cells[:, position])
        table, vital = (waves, WAVES[name]) if name in WAVES else (rates, RATES[name])
        if known.any():
            table[vital] = trace(stamps_ns[known], cells[known, position])
    return Truth(waves, rates)


def float_text(text: str) -> str | float:
    """Digits as they are; anything else by way of a float."""
    text = text.strip()
    return text if text.lstrip("-").isdigit() else float(text)


def _numbers(path: Path, rows: Sequence[Sequence[str]], columns: Sequence[int], unit: float) -> np.ndarray:
    out = []
    for line, row in enumerate(rows, start=2):
        if not row:
            continue
        try:
            out.append([float(row[i]) if i < len(row) and row[i].strip() else math.nan for i in columns])
        except ValueError:
            raise DatasetError(f"{path}: line {line} is not of numbers: {','.join(row)[:60]}") from None
        if not math.isfinite(out[-1][0]):
            raise DatasetError(f"{path}: line {line} has no time")
        if abs(out[-1][0]) * unit > MAX_STAMP_NS:
            raise DatasetError(f"{path}: line {line} has a time beyond the year 2200: {row[columns[0]][:MAX_SHOWN]}")
    if not out:
        raise DatasetError(f"{path}: holds no values")
    return np.array(out)


def merged(traces: Mapping[Vital, list[tuple[int, float]]]) -> dict[Vital, Trace]:
    """Traces of (stamp, value) pairs, those kinds that have any."""
    return {vital: trace(*zip(*points, strict=True)) for vital, points in traces.items() if points}

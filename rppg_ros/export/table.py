"""A measurement as lines of a CSV file, one for each rate."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from rppg_ros.meter.measuring import Measured
from rppg_ros.reason_texts import WITHOUT_REASON, why
from rppg_ros.types import NS_PER_S, Status
from rppg_ros.vitals.registry import RATES

COLUMNS = (
    "start_s", "end_s", "face_id", "rate", "per_minute", "low", "high", "quality", "status", "why", "model"
)  # fmt: skip


def append(measured: Measured, path: Path) -> None:
    """Add a measurement to a file, which begins with COLUMNS; OSError: it cannot be written."""
    new = not path.exists() or not path.stat().st_size
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(COLUMNS)
        for vital, rate in measured.rates.items():
            numbers = (rate.per_minute, rate.low, rate.high, rate.quality)
            writer.writerow(
                [
                    f"{measured.start_ns / NS_PER_S:.3f}",
                    f"{measured.end_ns / NS_PER_S:.3f}",
                    measured.face_id,
                    RATES[vital].name.replace(" ", "_"),
                    *(f"{number:.3f}" if math.isfinite(number) else "" for number in numbers),
                    rate.status.name,
                    "" if rate.status is Status.OK else why(rate) or WITHOUT_REASON[rate.status],
                    rate.model,
                ]
            )

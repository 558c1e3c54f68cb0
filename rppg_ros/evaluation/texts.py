"""Figures as people read them."""

from __future__ import annotations

from rppg_ros.evaluation.metrics import Value
from rppg_ros.types import Vital

NAMES = {Vital.BVP: "heart rate, /min", Vital.RSP: "respiration, /min"}
LABELS = {
    "mae": "MAE", "rmse": "RMSE", "mape": "MAPE, %", "pearson": "Pearson r", "mean_error": "mean error",
    "snr_db": "SNR, dB", "macc": "MACC", "within_3": "within ±3", "within_5": "within ±5",
    "within_10_percent": "within ±10 %", "coverage": "coverage",
}  # fmt: skip


def text(name: str, figure: Value | None) -> str:
    """A figure with its standard error; "-" where there is none."""
    if figure is None or figure.value != figure.value:
        return "-"
    if name.startswith("within") or name == "coverage":
        return f"{100 * figure.value:.0f} %"
    digits = 3 if name in ("pearson", "macc") else 2
    error = "" if figure.se != figure.se else f" ±{figure.se:.{digits}f}"
    return f"{figure.value:.{digits}f}{error}"

"""Settings of `rppg-ros evaluate`: those of both halves, and what is asked about each recording."""

from __future__ import annotations

from dataclasses import dataclass

from rppg_ros.settings.halves import MeterSettings
from rppg_ros.settings.schema import setting

SHIPPED = "shipped"
PROTOCOLS = ("rppg-toolbox", "mmrphys", "factorizephys", "phase-net", "physfsunet", "whole")


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings(MeterSettings):
    """Defaults are the nodes', but for what differs where recordings of one person are measured."""

    model: str = setting(
        "model",
        SHIPPED,
        "shipped: as mobile_robot.launch.py, one model for recordings with thermal frames, one for others; else as the nodes",
    )
    max_faces: int = setting("max_faces", 1, "faces tracked at once; the largest is the subject", 1, 16)
    window: float = setting(
        "window", 0.0, "length of the protocol's windows; 0: each recording as a whole", 0.0, 3600.0, unit="s"
    )
    protocol: str = setting(
        "protocol",
        PROTOCOLS[0],
        "how windows and recordings are read, as published tables are; whole: all rates that the nodes know",
        choices=PROTOCOLS,
    )

"""Heart and breath from RGB and thermal cameras: `VitalsMeter` in Python, nodes in ROS 2."""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rppg_ros.inference.engine import EngineError
    from rppg_ros.meter import IncompleteError, Measurement, Reading, VitalsMeter, measure
    from rppg_ros.reason_texts import why
    from rppg_ros.settings import SettingError
    from rppg_ros.sources.base import SourceError
    from rppg_ros.sources.images import ImageError
    from rppg_ros.types import Reason, Status, Vital
    from rppg_ros.vision.detect import DetectorError

# Recent onnxruntime (1.32) writes usage data to ~/.cache and sends it to a collector, unless this is set before its import.
# Nothing of ours imports it before this line. Who wants it sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.8.0"
_HOMES = {
    "DetectorError": "rppg_ros.vision.detect",
    "EngineError": "rppg_ros.inference.engine",
    "ImageError": "rppg_ros.sources.images",
    "IncompleteError": "rppg_ros.meter",
    "Measurement": "rppg_ros.meter",
    "Reading": "rppg_ros.meter",
    "Reason": "rppg_ros.types",
    "SettingError": "rppg_ros.settings",
    "SourceError": "rppg_ros.sources.base",
    "Status": "rppg_ros.types",
    "Vital": "rppg_ros.types",
    "VitalsMeter": "rppg_ros.meter",
    "measure": "rppg_ros.meter",
    "why": "rppg_ros.reason_texts",
}
__all__ = [
    "DetectorError",
    "EngineError",
    "ImageError",
    "IncompleteError",
    "Measurement",
    "Reading",
    "Reason",
    "SettingError",
    "SourceError",
    "Status",
    "Vital",
    "VitalsMeter",
    "measure",
    "why",
]


def __getattr__(name: str) -> Any:
    """The public names, imported when they are asked for: who wants the version alone need not wait for OpenCV."""
    if name not in _HOMES:
        raise AttributeError(f"module 'rppg_ros' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

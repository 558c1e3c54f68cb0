"""Heart and breath from RGB and thermal cameras: `VitalsMeter` in Python, nodes in ROS 2."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rppg_ros.meter import Measurement, Reading, VitalsMeter, measure

# Recent onnxruntime (1.32) writes usage data to ~/.cache and sends it to a collector, unless this is set before its import.
# Nothing of ours imports it before this line. Who wants it sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.4.0"
__all__ = ["Measurement", "Reading", "VitalsMeter", "measure"]


def __getattr__(name: str) -> Any:
    """The public names, imported when they are asked for: who wants the version alone need not wait for OpenCV."""
    if name not in __all__:
        raise AttributeError(f"module 'rppg_ros' has no attribute '{name}'")
    from rppg_ros import meter

    return getattr(meter, name)

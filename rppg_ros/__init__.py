"""Heart and breath from RGB and thermal cameras: `VitalsMeter` in Python, nodes in ROS 2."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rppg_ros.meter import Measurement, Reading, VitalsMeter, measure

__version__ = "0.4.0"
__all__ = ["Measurement", "Reading", "VitalsMeter", "measure"]


def __getattr__(name: str) -> Any:
    """The public names, imported when they are asked for: who wants the version alone need not wait for OpenCV."""
    if name not in __all__:
        raise AttributeError(f"module 'rppg_ros' has no attribute '{name}'")
    from rppg_ros import meter

    return getattr(meter, name)

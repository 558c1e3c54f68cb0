"""The measurement without ROS: the camera half, the vitals half, and both as one class. The nodes run these lines."""

from rppg_ros.meter.camera import CameraHalf, TrackedFrame
from rppg_ros.meter.meter import IncompleteError, Measurement, VitalsMeter, measure
from rppg_ros.meter.reading import Reading
from rppg_ros.meter.vitals import VitalsHalf

__all__ = [
    "CameraHalf",
    "IncompleteError",
    "Measurement",
    "Reading",
    "TrackedFrame",
    "VitalsHalf",
    "VitalsMeter",
    "measure",
]

"""The measurement without ROS: the camera half, the vitals half, and both as one class. The nodes run these lines."""

from rppg_ros.meter.camera import CameraHalf, TrackedFrame
from rppg_ros.meter.meter import Measurement, VitalsMeter, measure
from rppg_ros.meter.reading import Reading
from rppg_ros.meter.vitals import VitalsHalf

__all__ = ["CameraHalf", "Measurement", "Reading", "TrackedFrame", "VitalsHalf", "VitalsMeter", "measure"]

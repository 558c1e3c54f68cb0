"""Every setting, declared once: ROS parameters, flags, YAML keys, Python arguments and the reference page follow from it."""

from rppg_ros.settings.halves import CameraSettings, MeterSettings, VitalsSettings
from rppg_ros.settings.schema import Setting, SettingError, make, setting, settings_of

__all__ = [
    "CameraSettings",
    "MeterSettings",
    "Setting",
    "SettingError",
    "VitalsSettings",
    "make",
    "setting",
    "settings_of",
]

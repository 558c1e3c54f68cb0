"""The thermal view that the settings give."""

from __future__ import annotations

import numpy as np

from rppg_ros.settings.halves import CameraSettings
from rppg_ros.vision.registration import Homography, SameView
from rppg_ros.vision.view import ThermalView

MAX_ELEMENT = 1e5  # of a homography between images of pixels


def view_of(settings: CameraSettings) -> ThermalView:
    """What `thermal.homography` and `thermal.registered` say of the view; nothing is given where they say nothing.

    Raises
    ------
    ValueError : the homography cannot be inverted.
    """
    if any(settings.thermal_homography):
        return ThermalView(homography_of(settings.thermal_homography))
    return ThermalView(SameView() if settings.thermal_registered else None)


def homography_of(numbers: list[float]) -> Homography:
    """Homography of nine numbers, RGB to thermal pixels, row by row.

    Raises
    ------
    ValueError : the matrix cannot be inverted, or is absurdly large.
    """
    matrix = np.array(numbers, dtype=np.float64).reshape(3, 3)
    if np.abs(matrix).max() > MAX_ELEMENT or abs(np.linalg.det(matrix)) < 1e-12:
        raise ValueError(
            "'thermal.homography' is no homography between two images: it cannot be inverted, or is absurdly large"
        )
    return Homography(matrix)

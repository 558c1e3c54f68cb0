"""Whether the thermal image's degrees can be those of a face."""

from __future__ import annotations

from dataclasses import replace

from rppg_ros.types import NS_PER_S, FaceCrop, ThermalState
from rppg_ros.vision.thermal import Radiometry, can_be_skin, face_level, guessed_scale

LATELY_S = 2.0  # after the last face whose degrees were none


class SkinWatch:
    """Takes away degrees that no face has: the scale is wrong, or the place, and both make breath of anything.

    Attributes
    ----------
    is_float : whether the camera gives floating-point numbers; for the guess at its scale.
    """

    def __init__(self, radiometry: Radiometry) -> None:
        self._radiometry = radiometry
        self.is_float = False
        self.restart()

    def restart(self) -> None:
        """Forget what was seen."""
        self._complaint, self._seen_ns = "", 0

    def complaint(self, newest_ns: int | None) -> str:
        """Why the degrees can be none, at the time of the newest RGB image; empty: they can, or no face was seen lately."""
        lately = newest_ns is not None and newest_ns - self._seen_ns <= LATELY_S * NS_PER_S
        return self._complaint if lately else ""

    def only(self, stamp_ns: int, crops: list[FaceCrop]) -> list[FaceCrop]:
        """Crops of one frame, without the degrees that can be none."""
        levels = [face_level(c.thermal) for c in crops if c.thermal is not None and c.thermal_radiometric]
        if not levels:
            return crops
        self._seen_ns = stamp_ns
        if any(can_be_skin(level) for level in levels):  # one of several faces may be hidden from the thermal camera
            self._complaint = ""
            return crops
        guess = guessed_scale(levels[0], self._radiometry, self.is_float)
        hint = f"; with {guess} it would be a face" if guess else "; see thermal.scale, thermal.offset and thermal.unit"
        self._complaint = f"the face has {levels[0]:.0f} degrees Celsius: that is no skin{hint}"
        return [
            replace(c, thermal=None, thermal_stamp_ns=0, thermal_radiometric=False, thermal_state=ThermalState.NOT_SKIN)
            for c in crops
        ]

"""Engine without a network: POS or CHROM on the skin's mean colour, breath from the temperature under the nose."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from rppg_ros.inference.engine import Contribution, EngineError, Memory, WindowPlan
from rppg_ros.inference.overlap_add import edge_taper
from rppg_ros.types import FaceCrop, Vital
from rppg_ros.vision.skin import breath_temperature, skin_mean
from rppg_ros.vitals.filters import bandpass
from rppg_ros.vitals.projection import chrom, pos, window_length
from rppg_ros.vitals.registry import RESPIRATION_RATE

METHODS: dict[str, Callable[[np.ndarray, float], tuple[np.ndarray, np.ndarray]]] = {"pos": pos, "chrom": chrom}
CLOCK_HZ = 30.0
HOP_S = 0.5
BREATH_WINDOW_S = 14.0  # two slow breaths
BREATH_FIRST_S = 6.0  # less than a breath is a slope, and its size says nothing
BREATH_EDGE_S = 2.0  # of a window, where the filter has seen one side only
BREATH_TOP_HZ = 1.0
CHROM_BLOCKS = 4  # window lengths that CHROM looks at for each hop


class ClassicalEngine:
    """Training-free engine.

    Parameters
    ----------
    method : "pos" or "chrom".
    crop_size : side of the crops it asks for, pixels.

    Raises
    ------
    EngineError : unknown method.
    """

    vitals = (Vital.BVP, Vital.RSP)

    def __init__(self, method: str = "pos", crop_size: int = 72, crop_scale: float = 1.5) -> None:
        if method not in METHODS:
            raise EngineError(f"unknown method '{method}', known: {', '.join(METHODS)}")
        self.name = method
        self.crop_size = crop_size
        self.crop_scale = crop_scale
        self.least_crop = 1  # a mean is a mean
        self._project = METHODS[method]
        length = window_length(CLOCK_HZ)
        hop = round(HOP_S * CLOCK_HZ) if method == "pos" else length // 2
        self._look = length + hop - 1 if method == "pos" else CHROM_BLOCKS * (length // 2)
        longest = max(round(BREATH_WINDOW_S * CLOCK_HZ), self._look)
        hold_back = {Vital.BVP: length - 1, Vital.RSP: round(BREATH_EDGE_S * CLOCK_HZ)}
        self.plan = WindowPlan(CLOCK_HZ, length + hop - 1, longest, hop, hold_back)

    def rgb(self, crop: FaceCrop) -> np.ndarray:
        """Mean colour of the skin, (3,)."""
        return skin_mean(crop)

    def thermal(self, crop: FaceCrop) -> np.ndarray | None:
        """Temperature under the nose against the face, (1,)."""
        return breath_temperature(crop)

    def infer(self, rgb: np.ndarray, thermal: np.ndarray | None, memory: Memory) -> list[Contribution]:
        """Pulse of the newest part of the window; breath of all of it."""
        look = min(self._look, len(rgb))
        wave, weights = self._project(rgb[-look:], CLOCK_HZ)
        out = [Contribution(Vital.BVP, len(rgb) - look, wave, weights)]
        if thermal is not None and len(thermal) >= BREATH_FIRST_S * CLOCK_HZ:
            out.append(_breath(thermal[:, 0]))
        return out


def _breath(temperature: np.ndarray) -> Contribution:
    """Exhaled air warms, so respiration (positive with inhalation) is the falling temperature."""
    high_hz = min(BREATH_TOP_HZ, 0.45 * CLOCK_HZ)
    wave = -bandpass(temperature, CLOCK_HZ, RESPIRATION_RATE.low_hz, high_hz, order=1)
    taper = edge_taper(len(wave), math.ceil(BREATH_EDGE_S * CLOCK_HZ))
    return Contribution(Vital.RSP, 0, wave, taper)

"""An engine: the pulse in the mean green of a crop (Verkruysse et al. 2008)."""

import numpy as np

from rppg_ros.inference.engine import Contribution, EngineOptions, WindowPlan
from rppg_ros.inference.overlap_add import edge_taper
from rppg_ros.types import Vital
from rppg_ros.vitals.filters import bandpass
from rppg_ros.vitals.registry import HEART_RATE

CLOCK_HZ = 30.0
FIRST_S, LONGEST_S, EDGE_S = 4.0, 10.0, 1.0


class MeanGreen:
    """Keeps one number of each crop; a window of them, filtered, is the waveform."""

    name = "mean-green"
    vitals = (Vital.BVP,)
    crop_size = 36
    crop_scale = 1.5
    least_crop = 1

    def __init__(self, options: EngineOptions) -> None:
        first, longest, hop, self._edge = (
            round(seconds * CLOCK_HZ) for seconds in (FIRST_S, LONGEST_S, options.hop_s, EDGE_S)
        )
        self.plan = WindowPlan(CLOCK_HZ, first, longest, hop, hold_back={Vital.BVP: self._edge})

    def rgb(self, crop):
        return np.array([crop.rgb[..., 1].mean()], np.float32)

    def thermal(self, crop):
        return None

    def infer(self, rgb, thermal, memory):
        green = rgb[:, 0] / rgb.mean()
        wave = -bandpass(green, CLOCK_HZ, HEART_RATE.low_hz, HEART_RATE.high_hz)  # more blood, less green
        return [Contribution(Vital.BVP, 0, wave, edge_taper(len(wave), self._edge))]

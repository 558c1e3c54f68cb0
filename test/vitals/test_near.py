"""What a rate that was trusted before may do, and may not."""

import numpy as np
import pytest

from rppg_ros.types import Vital
from rppg_ros.vitals.rates import estimate_rate
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.spectrum import find_peak, spectrum

RATE_HZ = 15.0


@pytest.mark.parametrize(("vital", "one", "other"), [(Vital.BVP, 70, 103), (Vital.RSP, 12, 29)])
def test_the_last_rate_decides_between_two_and_makes_neither_surer(vital, one, other):
    spec = RATES[vital]
    t = np.arange(round(spec.window_s * RATE_HZ)) / RATE_HZ
    wave = np.sin(2 * np.pi * one / 60 * t) + 0.9 * np.sin(2 * np.pi * other / 60 * t + 1)
    alone = estimate_rate(wave, RATE_HZ, spec)
    near = {rate: estimate_rate(wave, RATE_HZ, spec, rate) for rate in (one, other)}
    peaks = {rate: find_peak(spectrum(wave, RATE_HZ), spec, rate / 60) for rate in (one, other)}
    assert [round(peak.hz * 60) for peak in peaks.values()] == [one, other]
    assert near[one].quality == pytest.approx(alone.quality)
    assert peaks[other].lead_db < 0 < peaks[one].lead_db and near[other].quality <= near[one].quality

"""What each rate is: its band, how much waveform it needs, how its signal is told from noise."""

from __future__ import annotations

from dataclasses import dataclass

from rppg_ros.types import Vital


@dataclass(frozen=True, slots=True)
class RateSpec:
    """One rate read off one waveform.

    Attributes
    ----------
    low_hz, high_hz : where the rate is searched.
    noise_high_hz : upper edge of the band that counts as noise (the second harmonic of fast rates lies above high_hz).
    min_window_s, window_s : least and usual length of waveform.
    peak_half_width_hz : of a harmonic, besides what the window's length blurs.
    harmonics : how many belong to the signal.
    """

    vital: Vital
    name: str
    low_hz: float
    high_hz: float
    noise_high_hz: float
    min_window_s: float
    window_s: float
    peak_half_width_hz: float
    harmonics: int

    @property
    def per_minute(self) -> tuple[float, float]:
        """Lowest and highest rate that is given, per minute."""
        return 60 * self.low_hz, 60 * self.high_hz


# Bands wider than the published ones at the top: estimators cut at 2.5 Hz turn 170 beats per minute into 80.
HEART_RATE = RateSpec(Vital.BVP, "heart_rate", 0.66, 3.34, 4.5, 8.0, 10.0, 0.1, 2)
RESPIRATION_RATE = RateSpec(Vital.RSP, "respiration_rate", 0.08, 0.75, 1.2, 30.0, 30.0, 0.02, 2)
RATES: dict[Vital, RateSpec] = {Vital.BVP: HEART_RATE, Vital.RSP: RESPIRATION_RATE}

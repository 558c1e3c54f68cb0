"""Reads a rate off an endless waveform as it grows, about once a second of its own time."""

from __future__ import annotations

import math

import numpy as np

from rppg_ros.types import NS_PER_S, Rate, Status, Waveform
from rppg_ros.vitals.rates import Calibration, Estimate, estimate_rate
from rppg_ros.vitals.registry import RateSpec

REMEMBER_S = 10.0  # how long a trusted rate speaks for the next
PERIOD_S = 1.0


class RateReader:
    """Waveform chunks of one face in, rates out.

    Parameters
    ----------
    spec : which rate.
    min_quality : below it there is no number, only LOW_QUALITY; may be changed.
    period_s : waveform time between rates.
    calibration : see estimate_rate.
    """

    def __init__(
        self,
        spec: RateSpec,
        min_quality: float,
        period_s: float = PERIOD_S,
        calibration: Calibration | None = None,
    ) -> None:
        self._calibration = calibration
        self._spec = spec
        self.min_quality = min_quality
        self._period_ns = round(period_s * NS_PER_S)
        self._samples = np.zeros(0)
        self._end_ns: int | None = None
        self._due_ns = 0
        self._trusted: tuple[int, float] | None = None
        self.quality = math.nan  # of the newest estimate

    def push(self, wave: Waveform) -> Rate | None:
        """Take the next chunk; one that does not follow the last starts anew. Returns a rate when one is due."""
        half_sample_ns = NS_PER_S / wave.rate_hz / 2
        if self._end_ns is None or abs(wave.start_ns - self._end_ns) > half_sample_ns:
            self._samples = np.zeros(0)
            self._due_ns = wave.start_ns
            self.quality = math.nan
        longest = math.ceil(self._spec.window_s * wave.rate_hz)
        self._samples = np.concatenate([self._samples, wave.samples])[-longest:]
        self._end_ns = wave.end_ns
        if wave.end_ns < self._due_ns:
            return None
        self._due_ns += self._period_ns * ((wave.end_ns - self._due_ns) // self._period_ns + 1)
        return self._read(wave)

    def _read(self, wave: Waveform) -> Rate:
        stamp_ns = wave.end_ns - round(NS_PER_S / wave.rate_hz)  # of the newest sample
        estimate = estimate_rate(self._samples, wave.rate_hz, self._spec, self._near(stamp_ns), self._calibration)
        window_s = len(self._samples) / wave.rate_hz
        if estimate is None:
            status = Status.WARMING_UP if window_s < self._spec.min_window_s - 1e-9 else Status.LOW_QUALITY
            return Rate.unknown(wave.vital, wave.face_id, stamp_ns, status, wave.model, window_s)
        self.quality = estimate.quality
        # So written that NaN fails: a calibration, a waveform or a threshold that is none gives no number.
        known = math.isfinite(estimate.per_minute) and math.isfinite(estimate.std)
        if not (known and estimate.quality >= self.min_quality):
            return self._rate(wave, stamp_ns, estimate, Status.LOW_QUALITY)
        self._trusted = (stamp_ns, estimate.per_minute)
        return self._rate(wave, stamp_ns, estimate, Status.OK)

    def _near(self, stamp_ns: int) -> float | None:
        if self._trusted is None or not 0 <= stamp_ns - self._trusted[0] <= REMEMBER_S * NS_PER_S:
            return None
        return self._trusted[1]

    @staticmethod
    def _rate(wave: Waveform, stamp_ns: int, estimate: Estimate, status: Status) -> Rate:
        known = status is Status.OK
        return Rate(
            wave.vital,
            wave.face_id,
            stamp_ns,
            estimate.per_minute if known else math.nan,
            estimate.std if known else math.nan,
            estimate.snr_db,
            0.0 if math.isnan(estimate.quality) else estimate.quality,
            status,
            estimate.window_s,
            wave.model,
        )

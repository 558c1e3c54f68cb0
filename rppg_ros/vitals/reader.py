"""Reads a rate off an endless waveform as it grows, about once a second of its own time: the belief looks, and says."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from rppg_ros.types import NS_PER_S, Rate, Reason, Status, Waveform
from rppg_ros.vitals.belief import WITHIN, Believed, RateBelief
from rppg_ros.vitals.observation import ObservationModel
from rppg_ros.vitals.reasons import explain
from rppg_ros.vitals.registry import RateSpec
from rppg_ros.vitals.spectral_evidence import GRIDS, features
from rppg_ros.vitals.spectrum import snr_db, spectrum
from rppg_ros.vitals.stopping import Stopping
from rppg_ros.vitals.witnesses import witnesses

PERIOD_S = 1.0


class Evidence(Protocol):
    """What was seen beside the waveform."""

    @property
    def frame_s(self) -> float:
        """Usual time from frame to frame, seconds; NaN: not known."""

    def on_clock(self, start_ns: int, rate_hz: float, count: int) -> np.ndarray | None:
        """(count, WIDTH) from start_ns on; None: not there."""


class RateReader:
    """Waveform chunks of one face in, rates out.

    Parameters
    ----------
    spec : which rate.
    min_quality : below it there is no number; may be changed.
    period_s : waveform time between rates.
    model : of what is seen; None: the shipped one.
    on_look : hears each look's stamp, ns, and its scores, (G, 3); for who wants to judge a whole session afterwards.
    """

    def __init__(
        self,
        spec: RateSpec,
        min_quality: float,
        period_s: float = PERIOD_S,
        model: ObservationModel | None = None,
        on_look: Callable[[int, np.ndarray], None] | None = None,
    ) -> None:
        self._spec, self._grid, self._model, self._on_look = spec, GRIDS[spec.vital], model, on_look
        self.min_quality = min_quality
        self._period_ns = round(period_s * NS_PER_S)
        self._end_ns: int | None = None
        self._due_ns = 0
        self._seen_ns: int | None = None
        self._stopping, self._stopped = Stopping(spec.vital, self._grid.window_s), False
        self._forget()
        self._restart()

    def _restart(self) -> None:
        self._samples = np.zeros(0)
        self.quality = math.nan  # of the newest look
        self._stopped = False
        self._stopping.restart()
        # Whoever comes after a gap may be somebody else: what the new waveform says by itself has to agree.
        self._alone = None if self._seen_ns is None else self._blank()

    def _forget(self) -> None:
        self._belief, self._seen_ns = self._blank(), None

    def _blank(self) -> RateBelief:
        return RateBelief(self._spec.vital, self._spec.per_minute, self._model)

    @property
    def end_ns(self) -> int | None:
        """End of the newest waveform; None before there was one."""
        return self._end_ns

    def push(self, wave: Waveform, evidence: Evidence | None = None) -> Rate | None:
        """Take the next chunk. Returns a rate when one is due.

        One that does not follow the last begins a new waveform; what is believed goes on and spreads, unless time runs back.
        """
        half_sample_ns = NS_PER_S / wave.rate_hz / 2
        if self._end_ns is None or abs(wave.start_ns - self._end_ns) > half_sample_ns:
            if self._end_ns is not None and wave.start_ns < self._end_ns:
                self._forget()
            self._restart()
            self._due_ns = wave.start_ns
        longest = math.ceil(self._grid.long_s * wave.rate_hz)
        self._samples = np.concatenate([self._samples, wave.samples])[-longest:]
        self._end_ns = wave.end_ns
        if wave.end_ns < self._due_ns:
            return None
        self._due_ns += self._period_ns * ((wave.end_ns - self._due_ns) // self._period_ns + 1)
        return self._read(wave, evidence)

    def _read(self, wave: Waveform, evidence: Evidence | None) -> Rate:
        stamp_ns = wave.end_ns - round(NS_PER_S / wave.rate_hz)  # of the newest sample
        window_s = len(self._samples) / wave.rate_hz
        young = window_s < self._grid.min_s - 1e-9
        if window_s < self._grid.look_s - 1e-9:
            return self._young(wave, stamp_ns, window_s)
        looked_s = min(window_s, self._grid.window_s)
        count = round(looked_s * wave.rate_hz)
        start_ns = wave.end_ns - round(count * NS_PER_S / wave.rate_hz)
        beside = None if evidence is None else evidence.on_clock(start_ns, wave.rate_hz, count)
        self._advance(stamp_ns)
        if np.isfinite(self._samples).all():
            heard = witnesses(wave.vital, self._samples, beside, wave.rate_hz)
            frame_s = math.nan if evidence is None else evidence.frame_s
            self._see(features(wave.vital, heard, wave.rate_hz, frame_s), stamp_ns)
        found = self._believed(window_s)
        return self._young(wave, stamp_ns, window_s) if young else self._rate(wave, stamp_ns, looked_s, found, beside)

    def _young(self, wave: Waveform, stamp_ns: int, window_s: float) -> Rate:
        if self._stopped:
            return Rate.unknown(
                wave.vital, wave.face_id, stamp_ns, Status.LOW_QUALITY, wave.model, window_s, (Reason.NO_SIGN_OF_LIFE,)
            )
        there = (round(window_s / self._grid.min_s, 3),)
        return Rate.unknown(
            wave.vital, wave.face_id, stamp_ns, Status.WARMING_UP, wave.model, window_s, (Reason.WARMING_UP,), there
        )

    def _see(self, look: np.ndarray, stamp_ns: int) -> None:
        scores = self._belief.see(look)
        if self._alone is not None:
            self._alone.see(look)
        if self._on_look is not None:
            self._on_look(stamp_ns, scores)

    def _believed(self, window_s: float) -> Believed:
        """What is believed; after a gap only as far as the new waveform by itself agrees, until that is long enough."""
        found = self._belief.read()
        if self._alone is None:
            return found
        own = self._alone.read()
        if own.quality >= found.quality or window_s >= self._grid.long_s:
            self._belief, self._alone = (self._alone if own.quality >= found.quality else self._belief), None
            return self._belief.read()
        return found if abs(own.per_minute - found.per_minute) <= WITHIN[self._spec.vital] else own

    def _advance(self, stamp_ns: int) -> None:
        if self._seen_ns is not None:
            for held in filter(None, (self._belief, self._alone)):
                held.advance((stamp_ns - self._seen_ns) / NS_PER_S)
        self._seen_ns = stamp_ns

    def _has_stopped(self, per_minute: float, rate_hz: float) -> bool:
        """Whether the rhythm that is believed is not there any more; after a while it is forgotten, and all begins anew."""
        self._stopped = False
        self._stopping.see(self._samples, rate_hz, per_minute)
        if self._stopping.ended:
            self._forget()
            self._restart()
            self._stopped = True
        return self._stopping.withheld or self._stopped

    def _rate(self, wave: Waveform, stamp_ns: int, window_s: float, found: Believed, beside: np.ndarray | None) -> Rate:
        low, high = self._spec.per_minute
        # So written that NaN fails: a model, a waveform or a threshold that is none gives no number.
        good = math.isfinite(found.std) and found.quality >= self.min_quality
        alive = bool(np.ptp(self._samples) > 0) and bool(np.isfinite(self._samples).all())
        known = alive and good and low <= found.per_minute <= high
        newest = self._samples[-round(window_s * wave.rate_hz) :]
        snr = snr_db(spectrum(newest, wave.rate_hz), self._spec, found.per_minute / 60) if alive else math.nan
        stopped = known and self._has_stopped(found.per_minute, wave.rate_hz)
        known = known and not stopped
        self.quality = found.quality if alive and not stopped else 0.0
        status = Status.OK if known else Status.LOW_QUALITY
        why = () if known else [(Reason.NO_SIGN_OF_LIFE, 1.0)] if stopped else explain(found, beside, wave.rate_hz)
        numbers = (found.per_minute, found.std) if known else (math.nan, math.nan)
        return Rate(
            wave.vital, wave.face_id, stamp_ns, *numbers, snr,
            self.quality if math.isfinite(self.quality) else 0.0, status, window_s, wave.model,
            tuple(reason for reason, _ in why), tuple(share for _, share in why),
            *((found.low, found.high) if known else (math.nan, math.nan)),
        )  # fmt: skip

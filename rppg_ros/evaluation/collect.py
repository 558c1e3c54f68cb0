"""Gathers what the pipeline gave for one recording, and lays it beside the truth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rppg_ros.datasets.base import Truth
from rppg_ros.evaluation.metrics import macc, snr_db
from rppg_ros.evaluation.protocols import (
    PROTOCOLS,
    TOOLBOX,
    Protocol,
    Reading,
    bridged,
    filtered,
    on_clock,
    protocol_rate,
    true_rate,
)
from rppg_ros.evaluation.results import Running, TaskResult, Wave, Whole, Windows
from rppg_ros.types import NS_PER_S, Rate, Status, Vital, Waveform
from rppg_ros.vitals.filters import standardise
from rppg_ros.vitals.reader import PERIOD_S
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.session import Session, overall_rate

MIN_WINDOW_SHARE = 0.9  # of a window that the waveform must cover; what is missing is bridged
SILENT = "SILENT"
"""Status of a second in which nothing was said at all."""
ROUND_S = 1e-3


@dataclass(slots=True)
class Collector:
    """Waveforms and rates of one recording, of one person: where several faces spoke, the better estimate counts."""

    waves: list[Waveform] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)

    def add(self, output: Waveform | Rate) -> None:
        """Take one output of the pipeline."""
        if isinstance(output, Rate):
            self.rates.append(output)
        else:
            self.waves.append(output)

    def tasks(
        self,
        truth: Truth,
        start_ns: int,
        end_ns: int,
        window_s: float,
        protocol: Protocol = PROTOCOLS[TOOLBOX],
        sessions: Mapping[Vital, Whole] | None = None,
    ) -> dict[Vital, TaskResult]:
        """Results of the vitals that were measured or are known.

        Parameters
        ----------
        start_ns, end_ns : stamps of the recording's first and last frame.
        window_s : of the protocol's windows; 0: the recording as a whole.
        protocol : by which its rates are read.
        sessions : what all of the recording comes to, see whole_of.
        """
        vitals = {wave.vital for wave in self.waves} | set(truth.waves) | set(truth.rates)
        found = {}
        for vital in sorted(vitals):
            wave = self._wave(vital, truth, start_ns, end_ns)
            windows = _windows(wave, vital, truth, (start_ns, end_ns), window_s, protocol)
            running = self._running(vital, truth, start_ns, end_ns)
            found[vital] = TaskResult(windows, running, wave, (sessions or {}).get(vital, Whole()))
        return found

    def _wave(self, vital: Vital, truth: Truth, start_ns: int, end_ns: int) -> Wave:
        pieces = [wave for wave in self.waves if wave.vital is vital]
        rate_hz = pieces[0].rate_hz if pieces else 30.0
        at_ns = start_ns + np.round(np.arange(_points(start_ns, end_ns, rate_hz)) * (NS_PER_S / rate_hz)).astype(
            np.int64
        )
        measured = np.full(len(at_ns), math.nan)
        for piece in pieces:
            _lay(measured, at_ns, piece)
        known = truth.waves.get(vital)
        true = np.zeros(0) if known is None else on_clock(known, at_ns)
        return Wave(rate_hz, 0.0, _standard(measured) if pieces else [], _standard(true))

    def _running(self, vital: Vital, truth: Truth, start_ns: int, end_ns: int) -> Running:
        """One estimate for each second: a number if there was one, else the last reason why not."""
        period_ns = round(PERIOD_S * NS_PER_S)
        best: dict[int, Rate] = {}
        for rate in self.rates:
            second = (rate.stamp_ns - start_ns) // period_ns
            if rate.vital is vital and start_ns <= rate.stamp_ns <= end_ns:
                held = best.get(second)
                if held is None or held.status is not Status.OK or rate.status is Status.OK:
                    best[second] = rate
        out = Running()
        for second in range(max(1, math.ceil((end_ns - start_ns) / period_ns))):
            said = best.get(second)
            stamp_ns = said.stamp_ns if said else start_ns + (second + 1) * period_ns
            span_ns = round((said.window_s if said and said.status is Status.OK else RATES[vital].window_s) * NS_PER_S)
            out.at_s.append(_seconds(stamp_ns - start_ns))
            out.measured.append(said.per_minute if said and said.status is Status.OK else math.nan)
            out.quality.append(said.quality if said else math.nan)
            out.status.append(said.status.name if said else SILENT)
            out.reasons.append("+".join(reason.name for reason in said.reasons) if said else "")
            out.low.append(said.low if said else math.nan)
            out.high.append(said.high if said else math.nan)
            out.truth.append(true_rate(truth, vital, max(start_ns, stamp_ns - span_ns), stamp_ns))
        return out


def whole_of(
    vital: Vital, session: Session | None, truth: Truth, least_quality: float, whole_ns: tuple[int, int]
) -> Whole:
    """A session beside the truth of the same span; without one, the truth of the whole recording, from first to last stamp."""
    if session is None:
        return Whole(truth=true_rate(truth, vital, *whole_ns))
    found = session.overall
    span_ns = [round(at_s * NS_PER_S) for at_s in (session.at_s[0] - RATES[vital].window_s, session.at_s[-1])]
    return Whole(
        overall_rate(vital, session, least_quality).per_minute,
        found.per_minute,
        found.low,
        found.high,
        found.quality,
        true_rate(truth, vital, span_ns[0], span_ns[1]),
    )


def _windows(
    wave: Wave, vital: Vital, truth: Truth, whole_ns: tuple[int, int], window_s: float, protocol: Protocol
) -> Windows:
    start_ns, end_ns = whole_ns
    whole_s = (end_ns - start_ns) / NS_PER_S
    length_s = window_s or whole_s
    out = Windows()
    for index in range(max(1, int(whole_s / length_s + 1e-6))):
        begin_s = index * length_s
        measured = _cut(wave.measured, wave.rate_hz, begin_s, length_s)
        true = _cut(wave.truth, wave.rate_hz, begin_s, length_s)
        span = start_ns + round(begin_s * NS_PER_S), start_ns + round((begin_s + length_s) * NS_PER_S)
        wanted = protocol_rate(true, wave.rate_hz, vital, protocol) if len(true) else true_rate(truth, vital, *span)
        out.start_s.append(_seconds(round(begin_s * NS_PER_S)))
        out.length_s.append(_seconds(round(length_s * NS_PER_S)))
        out.measured.append(protocol_rate(measured, wave.rate_hz, vital, protocol))
        out.truth.append(wanted)
        out.snr_db.append(_snr(measured, wave.rate_hz, protocol[vital], wanted))
        out.macc.append(_macc(measured, true, wave.rate_hz, protocol[vital]))
    return out


def _cut(samples: list[float], rate_hz: float, begin_s: float, length_s: float) -> np.ndarray:
    """A window of a waveform without holes; empty where too much is missing."""
    first = round(begin_s * rate_hz)
    cut = np.array(samples[first : first + round(length_s * rate_hz)], dtype=np.float64)
    wanted = MIN_WINDOW_SHARE * length_s * rate_hz
    return bridged(cut) if np.isfinite(cut).sum() >= wanted - 1 and len(cut) else np.zeros(0)


def _snr(measured: np.ndarray, rate_hz: float, reading: Reading, true_per_minute: float) -> float:
    if len(measured) < 2 * rate_hz or not math.isfinite(true_per_minute):
        return math.nan
    band = reading.band
    return snr_db(filtered(measured, rate_hz, reading), rate_hz, true_per_minute, (band.low_hz, band.high_hz))


def _macc(measured: np.ndarray, true: np.ndarray, rate_hz: float, reading: Reading) -> float:
    if len(measured) != len(true) or len(measured) < 2 * rate_hz:
        return math.nan
    return macc(filtered(measured, rate_hz, reading), filtered(true, rate_hz, reading))


def _lay(measured: np.ndarray, at_ns: np.ndarray, piece: Waveform) -> None:
    """Put a piece on the recording's clock; a clip's own clock starts at its first frame, anywhere between two points."""
    if not len(piece.samples):
        return
    stamps_ns = piece.start_ns + np.arange(len(piece.samples)) * (NS_PER_S / piece.rate_hz)
    half_ns = NS_PER_S / piece.rate_hz / 2
    inside = (at_ns >= stamps_ns[0] - half_ns) & (at_ns < stamps_ns[-1] + half_ns)
    since_ns = piece.start_ns
    measured[inside] = np.interp(at_ns[inside] - since_ns, stamps_ns - since_ns, piece.samples)


def _standard(samples: np.ndarray) -> list[float]:
    known = np.isfinite(samples)
    out = np.full(len(samples), math.nan)
    if known.any():
        out[known] = standardise(samples[known])
    return [float(value) for value in np.round(out, 4)]


def _points(start_ns: int, end_ns: int, rate_hz: float) -> int:
    return int((end_ns - start_ns) * rate_hz / NS_PER_S) + 1


def _seconds(span_ns: int) -> float:
    """Rounded: results are read by people."""
    return round(span_ns / NS_PER_S / ROUND_S) * ROUND_S if span_ns else 0.0

"""Turns what was witnessed in a window into a few numbers for each rate that could be: what the observation model looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rppg_ros.types import Vital
from rppg_ros.vitals.witnesses import WITNESSES

FLOOR = 1e-4  # of a power over the mean of its band: less says no more
AMPLITUDE_FLOOR = 1e-6


@dataclass(frozen=True, slots=True)
class RateGrid:
    """The rates that compete, and the windows they are looked for in.

    Attributes
    ----------
    low, high, step : of the rates, per minute: well beyond what is given, so that a rate outside is found outside.
    window_s, long_s : of the newest waveform that is looked at, and of a longer look at it.
    look_s : of waveform that is enough to look; min_s : to give a number. What is seen before that is believed, too.
    near : rates so near, per minute, are one peak.
    """

    vital: Vital
    low: float
    high: float
    step: float
    window_s: float
    long_s: float
    look_s: float
    min_s: float
    near: float

    @property
    def rates(self) -> np.ndarray:
        """(G,) per minute."""
        return np.arange(self.low, self.high + self.step / 2, self.step)


GRIDS: dict[Vital, RateGrid] = {
    Vital.BVP: RateGrid(Vital.BVP, 18.0, 260.0, 1.0, 10.0, 20.0, 6.0, 8.0, 9.0),
    Vital.RSP: RateGrid(Vital.RSP, 2.0, 70.0, 0.5, 30.0, 45.0, 20.0, 30.0, 2.5),
}


def feature_names(vital: Vital) -> list[str]:
    """What the columns of `features` are."""
    heard = WITNESSES[vital]
    names = [f"{name} {what}" for name in heard.body for what in ("power", "second", "half", "peak")]
    names += [f"own with {name}" for name in heard.body[1:]]
    names += [f"own {what}, long" for what in ("power", "second", "half", "peak")]
    if heard.parts:
        names += ["parts together", "parts amplitude", "green with red"]
    names += [f"{name} {what}" for name in heard.world for what in ("amplitude", "power", "peak", "half")]
    names += [f"no {name}" for name in heard.body[1:]]
    return [*names, "no evidence", "cycles a frame", "log rate", "short of window"]


def features(vital: Vital, heard: np.ndarray, rate_hz: float, frame_s: float = math.nan) -> np.ndarray:
    """(G, F) float32 of the newest window.

    Parameters
    ----------
    heard : (rows, n) of witnesses(); the newest long_s of it are used. frame_s : time from frame to frame; NaN: not known.
    """
    grid, who = GRIDS[vital], WITNESSES[vital]
    short = _Spectra(heard[:, -round(grid.window_s * rate_hz) :], rate_hz, grid)
    long = _Spectra(heard[:1, -round(grid.long_s * rate_hz) :], rate_hz, grid)
    bodies = len(who.body)
    columns: list[np.ndarray] = []
    for row in range(bodies):
        columns += short.of(row)
    columns += [short.together(0, row) for row in range(1, bodies)]
    columns += long.of(0)
    if who.parts:
        columns += short.parts(slice(bodies, bodies + who.parts))
        first = bodies + who.parts
        columns.append(short.together(first + who.world.index("green"), first + who.world.index("red")))
    for row in range(bodies + who.parts, who.rows):
        # What nods at half of a rate has its second harmonic there, in a skin that turns to and fro from the light.
        columns += [short.amplitude(row), short.power(row), short.peak(row), short.half(row)]
    n = len(grid.rates)
    columns += [np.full(n, float(short.missing[row])) for row in range(1, bodies)]
    evidence_gone = bool(short.missing[1:].all())
    cycles = np.zeros(n) if not math.isfinite(frame_s) else np.minimum(frame_s * grid.rates / 60, 1.0)
    short_of = 1 - min(1.0, heard.shape[1] / (grid.long_s * rate_hz))
    columns += [np.full(n, float(evidence_gone)), cycles, np.log(grid.rates / 60), np.full(n, short_of)]
    return np.stack(columns, axis=1).astype(np.float32)


class _Spectra:
    """Spectra of all rows of one window, looked at on the grid."""

    def __init__(self, heard: np.ndarray, rate_hz: float, grid: RateGrid) -> None:
        n = heard.shape[1]
        self.missing = ~np.isfinite(heard).all(axis=1)
        size = _fft_size(n, rate_hz, grid.step)
        taper = np.hanning(n + 2)[1:-1]
        clean = np.where(self.missing[:, None], 0.0, heard)
        self._lines = np.fft.rfft(_detrended(clean) * taper, size, axis=1) * (2 / taper.sum())
        self._grid = grid
        self._at = _places(grid, rate_hz, size)
        self._power = np.abs(self._lines) ** 2
        band = self._power[:, self._at.band].mean(axis=1)
        flat = band <= 1e-24
        self.missing |= flat
        self._level = np.where(flat, 1.0, band)

    def _log(self, row: int, at: np.ndarray) -> np.ndarray:
        if self.missing[row]:
            return np.zeros(len(at))
        found: np.ndarray = np.log(self._power[row, at] / self._level[row] + FLOOR)
        return found

    def power(self, row: int) -> np.ndarray:
        return self._log(row, self._at.one)

    def of(self, row: int) -> list[np.ndarray]:
        """Power at each rate, at twice and at half of it, and how far it is from the best nearby; all logs."""
        return [self.power(row), self._log(row, self._at.two), self.half(row), self.peak(row)]

    def half(self, row: int) -> np.ndarray:
        return self._log(row, self._at.half)

    def peak(self, row: int) -> np.ndarray:
        power = self.power(row)
        found: np.ndarray = power - _running_max(power, round(self._grid.near / self._grid.step))
        return found

    def amplitude(self, row: int) -> np.ndarray:
        """log10 of the amplitude at each rate, in the row's own unit; -6 is nothing."""
        if self.missing[row]:
            return np.full(len(self._at.one), math.log10(AMPLITUDE_FLOOR))
        found: np.ndarray = np.log10(np.sqrt(self._power[row, self._at.one]) + AMPLITUDE_FLOOR)
        return found

    def together(self, first: int, second: int) -> np.ndarray:
        """Cosine of the phase between two rows at each rate: near 1 all the time where both see the same."""
        if self.missing[first] or self.missing[second]:
            return np.zeros(len(self._at.one))
        a, b = self._lines[first, self._at.one], self._lines[second, self._at.one]
        cosine: np.ndarray = (a * b.conj()).real / np.maximum(np.abs(a) * np.abs(b), 1e-18)
        return cosine

    def parts(self, rows: slice) -> list[np.ndarray]:
        """How much of the power of several rows they have in common, -1/(K-1) to 1, and log10 of the amplitude of that."""
        n = len(self._at.one)
        if self.missing[rows].any():
            return [np.zeros(n), np.full(n, math.log10(AMPLITUDE_FLOOR))]
        lines = self._lines[rows][:, self._at.one]
        count = len(lines)
        each = (np.abs(lines) ** 2).sum(axis=0)
        common = (np.abs(lines.sum(axis=0)) ** 2 - each) / (count * (count - 1))
        share = common / np.maximum(each / count, 1e-24)
        return [share, np.log10(np.sqrt(np.maximum(common, 0)) + AMPLITUDE_FLOOR)]


@dataclass(frozen=True, slots=True)
class _Places:
    """Lines of a spectrum: at each rate of the grid, at twice and half of it, and those of the whole band."""

    one: np.ndarray
    two: np.ndarray
    half: np.ndarray
    band: slice


@lru_cache(maxsize=32)
def _places(grid: RateGrid, rate_hz: float, size: int) -> _Places:
    line = 60 * rate_hz / size
    last = size // 2
    one, two, half = (np.minimum(np.round(grid.rates * factor / line).astype(int), last) for factor in (1, 2, 0.5))
    return _Places(one, two, half, slice(int(one[0]), int(one[-1]) + 1))


@lru_cache(maxsize=32)
def _fft_size(n: int, rate_hz: float, step: float) -> int:
    return 1 << math.ceil(math.log2(max(n, 2 * 60 * rate_hz / step)))


def _detrended(rows: np.ndarray) -> np.ndarray:
    """Rows without their straight lines."""
    n = rows.shape[1]
    centred = rows - rows.mean(axis=1, keepdims=True)
    slope = np.linspace(-1, 1, n)
    found: np.ndarray = centred - (centred @ slope / max(float(slope @ slope), 1e-12))[:, None] * slope
    return found


def _running_max(values: np.ndarray, reach: int) -> np.ndarray:
    padded = np.pad(values, reach, constant_values=-np.inf)
    found: np.ndarray = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    return found

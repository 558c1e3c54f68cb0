"""What speaks for and against a rate: the engine's waveform, POS and CHROM on the same skin, its parts, light and movement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rppg_ros.types import Vital
from rppg_ros.vitals.projection import chrom, pos, window_length

PARTS = 4
COLOURS = 3 * PARTS  # of the evidence's columns: mean R, G, B of the parts of the skin
AROUND = slice(COLOURS, COLOURS + 3)
HEAD_X, HEAD_Y, ZOOM, BODY_Y, CLIPPED, DARK, THERMAL, SIDE, REPEATED = range(COLOURS + 3, COLOURS + 12)
WIDTH = COLOURS + 12
KNOWN = 0.8  # of a column: with fewer values it says nothing
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class VitalWitnesses:
    """Who is heard for a vital sign, in the order of their rows.

    Attributes
    ----------
    body : see the vital sign itself; the first is the engine's waveform. parts : so many rows more, of parts of the skin.
    world : see what is no vital sign.
    """

    body: tuple[str, ...]
    parts: int
    world: tuple[str, ...]

    @property
    def rows(self) -> int:
        return len(self.body) + self.parts + len(self.world)


WITNESSES: dict[Vital, VitalWitnesses] = {
    Vital.BVP: VitalWitnesses(
        ("own", "pos", "chrom"), PARTS, ("around", "red", "green", "blue", "head_x", "head_y", "body_y")
    ),
    Vital.RSP: VitalWitnesses(("own", "thermal", "body_y", "head_y", "zoom"), 0, ("around", "face", "head_x")),
}


def witnesses(vital: Vital, own: np.ndarray, evidence: np.ndarray | None, rate_hz: float) -> np.ndarray:
    """All that is heard for a vital sign, (rows, n) float64; NaN rows: not there.

    Parameters
    ----------
    own : (n,) the engine's waveform. evidence : (m, WIDTH) at its newest m points; None: there is none.
    """
    out = np.full((WITNESSES[vital].rows, len(own)), np.nan)
    out[0] = own
    if evidence is not None and len(evidence):
        fill = _of_pulse if vital is Vital.BVP else _of_breath
        fill(out[:, -len(evidence) :], np.asarray(evidence, np.float64), rate_hz)
    return out


def bridged(stamps_ns: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """Evidence (n, WIDTH) whose unknown values are interpolated, where a column knows most of its own: a thermal camera misses
    frames now and then. A column that knows less stays unknown."""
    unknown = ~np.isfinite(evidence)
    if not unknown.any():
        return evidence
    out = np.array(evidence, copy=True)
    since = (stamps_ns - stamps_ns[0]).astype(np.float64)
    for column in np.flatnonzero(unknown.any(axis=0)):
        there = ~unknown[:, column]
        if there.mean() >= KNOWN:
            out[:, column] = np.interp(since, since[there], evidence[there, column])
    return out


def _of_pulse(out: np.ndarray, evidence: np.ndarray, rate_hz: float) -> None:
    parts = evidence[:, :COLOURS].reshape(len(evidence), PARTS, 3)
    skin = parts.mean(axis=1)
    if len(skin) >= window_length(rate_hz):
        out[1], out[2] = pos(skin, rate_hz)[0], chrom(skin, rate_hz)[0]
        for i in range(PARTS):
            out[3 + i] = pos(parts[:, i], rate_hz)[0]
    world = 3 + PARTS
    out[world] = _light(evidence[:, AROUND])
    # Blood moves green more than blue, and blue more than red; white light moves them alike.
    out[world + 1 : world + 4] = np.log(np.maximum(skin.T, _TINY))
    out[world + 4 : world + 7] = evidence[:, [HEAD_X, HEAD_Y, BODY_Y]].T


def _of_breath(out: np.ndarray, evidence: np.ndarray, rate_hz: float) -> None:
    skin = evidence[:, :COLOURS].reshape(len(evidence), PARTS, 3).mean(axis=1)
    out[1] = -evidence[:, THERMAL]  # exhaled air warms; respiration is positive with inhalation
    out[2:5] = evidence[:, [BODY_Y, HEAD_Y, ZOOM]].T
    out[5], out[6] = _light(evidence[:, AROUND]), _light(skin)
    out[7] = evidence[:, HEAD_X]


def _light(colour: np.ndarray) -> np.ndarray:
    """Log of the brightness: a share of it is a share, however bright it is."""
    light: np.ndarray = np.log(np.maximum(colour.mean(axis=1), _TINY))
    return light

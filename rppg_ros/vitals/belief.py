"""How probable every rate is, carried through time: what the body can do between two looks, and what each look shows.

A hidden Markov model over the rate, as BeliefPPG (Bieri, Streli, Demirel, Holz, UAI 2023) has it for wrists, with hypotheses that
compete for the same evidence: a vital sign at each rate, a rhythm of the light or of movement at each rate, or nothing at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rppg_ros.types import Vital
from rppg_ros.vitals.observation import HYPOTHESES, ObservationModel, shipped_model
from rppg_ros.vitals.spectral_evidence import GRIDS, RateGrid

WITHIN: dict[Vital, float] = {Vital.BVP: 5.0, Vital.RSP: 2.0}
"""A rate is right within so much, per minute; quality is the belief that it is."""
LONGEST_S = 60.0  # without a look: after that nothing is known
CREDIBLE = 0.95
_KINDS = len(HYPOTHESES)


@dataclass(frozen=True, slots=True)
class Believed:
    """What is believed at one time.

    Attributes
    ----------
    per_minute : the rate with the most belief within WITHIN of it, and its mean there. std : of the belief there, per minute:
        of the rate if it is right. Tails that lie elsewhere are in the interval and the quality.
    low, high : credible interval (95 %) of the rate if there is a vital sign. quality : belief within WITHIN of per_minute.
    nothing, light, motion : belief that there is no rhythm, or one of the world. outside : of a rate out of what is given.
    """

    per_minute: float
    std: float
    low: float
    high: float
    quality: float
    nothing: float
    light: float
    motion: float
    outside: float


class RateBelief:
    """The belief about one rate of one face.

    Parameters
    ----------
    band : lowest and highest rate that is given, per minute.
    model : None: the shipped one.
    """

    def __init__(self, vital: Vital, band: tuple[float, float], model: ObservationModel | None = None) -> None:
        self._grid, self._band, self._vital = GRIDS[vital], band, vital
        self._model = model or shipped_model(vital)
        self._looks = 0
        self._belief = prior_of(self._model, self._grid)

    @property
    def probabilities(self) -> np.ndarray:
        """(1 + 3 G,): nothing, then each of HYPOTHESES at each rate of the grid; sums to one."""
        return self._belief

    def advance(self, seconds: float) -> None:
        """Time passes without a look."""
        if seconds > LONGEST_S:
            self._belief = prior_of(self._model, self._grid)
        for _ in range(round(min(seconds, LONGEST_S))):
            self._belief = predicted(self._belief, self._model, self._grid)
        if seconds >= self._grid.window_s:
            self._looks = 0  # the next window shares nothing with the last

    def see(self, features: np.ndarray) -> np.ndarray:
        """Take the next look, (G, F) of spectral_evidence.features; returns its scores, (G, 3)."""
        scores = self._model.scores(features)
        weight = self._model.again if self._looks else self._model.first
        self._belief = updated(self._belief, scores, weight)
        self._looks += 1
        return scores

    def read(self) -> Believed:
        """What is believed now."""
        return believed(self._belief, self._grid, self._band, WITHIN[self._vital])


def prior_of(model: ObservationModel, grid: RateGrid) -> np.ndarray:
    """(1 + 3 G,) before anything is seen."""
    each = np.repeat(model.prior[1:] / len(grid.rates), len(grid.rates))
    return np.concatenate([model.prior[:1], each])


def predicted(belief: np.ndarray, model: ObservationModel, grid: RateGrid) -> np.ndarray:
    """The belief a second later: rates wander, now and then jump, and what is behind a rhythm may become something else."""
    count = len(grid.rates)
    rhythms = belief[1:].reshape(_KINDS, count)
    masses = np.concatenate([belief[:1], rhythms.sum(axis=1)])
    stay = np.diag(model.switch)
    arrived = masses @ (model.switch - np.diag(stay))
    moved = rhythms @ _drift(grid, model.drift, model.jump) * stay[1:, None] + arrived[1:, None] / count
    return np.concatenate([[belief[0] * stay[0] + arrived[0]], moved.ravel()])


def updated(belief: np.ndarray, scores: np.ndarray, weight: float) -> np.ndarray:
    """The belief after a look with (G, 3) log likelihood ratios, taken with a weight."""
    likelihood = np.concatenate([[0.0], scores.T.ravel()]) * weight
    grown = belief * np.exp(likelihood - np.max(likelihood))
    total = grown.sum()
    return grown / total if total > 0 else belief


def believed(belief: np.ndarray, grid: RateGrid, band: tuple[float, float], within: float) -> Believed:
    """What a belief says."""
    rates, count = grid.rates, len(grid.rates)
    pulse, light, motion = belief[1:].reshape(_KINDS, count)
    reach = round(within / grid.step)
    mass = np.convolve(pulse, np.ones(2 * reach + 1), mode="same")
    best = int(np.argmax(mass))
    near = slice(max(0, best - reach), best + reach + 1)
    alive = float(pulse.sum())
    here = max(float(pulse[near].sum()), 1e-300)
    per_minute = float(pulse[near] @ rates[near] / here)
    spread = float(pulse[near] @ (rates[near] - per_minute) ** 2 / here)
    cumulated = np.cumsum(pulse) / max(alive, 1e-300)
    low, high = (float(np.interp(share, cumulated, rates)) for share in ((1 - CREDIBLE) / 2, (1 + CREDIBLE) / 2))
    outside = float(pulse[(rates < band[0]) | (rates > band[1])].sum())
    step_std = math.hypot(math.sqrt(spread), grid.step / math.sqrt(12))
    return Believed(
        per_minute, step_std, low, high, float(mass[best]), float(belief[0]), float(light.sum()), float(motion.sum()), outside
    )  # fmt: skip


def smoothed(looks: Sequence[np.ndarray | None], model: ObservationModel, vital: Vital) -> np.ndarray:
    """The belief at each second of a recording by what was seen before and after (forward and backward), (T, 1 + 3 G).

    Parameters
    ----------
    looks : scores (G, 3) second by second; None: a second without a look.
    """
    grid = GRIDS[vital]
    forward, belief, weights = [], prior_of(model, grid), weights_of(looks, model, grid)
    nothing_seen = np.zeros((len(grid.rates), _KINDS))
    seen = [nothing_seen if look is None else look for look in looks]
    for i, scores in enumerate(seen):
        belief = updated(predicted(belief, model, grid) if i else belief, scores, weights[i])
        forward.append(belief)
    later, out = np.ones_like(belief), [*forward]
    for i in range(len(seen) - 2, -1, -1):
        likelihood = np.concatenate([[0.0], seen[i + 1].T.ravel()]) * weights[i + 1]
        later = _looked_back(later * np.exp(likelihood - np.max(likelihood)), model, grid)
        later = later / later.max()
        both = forward[i] * later
        out[i] = both / both.sum()
    return np.array(out).reshape(len(looks), len(belief))


def weights_of(looks: Sequence[np.ndarray | None], model: ObservationModel, grid: RateGrid) -> list[float]:
    """How much each look counts: one whose window shares nothing with another's in full, as RateBelief counts it."""
    out, since = [], math.inf
    for look in looks:
        since += 1.0
        out.append(model.first if since >= grid.window_s else model.again)
        since = since if look is None else 0.0
    return out


def _looked_back(later: np.ndarray, model: ObservationModel, grid: RateGrid) -> np.ndarray:
    """The transpose of `predicted`."""
    count = len(grid.rates)
    rhythms = later[1:].reshape(_KINDS, count)
    stay = np.diag(model.switch)
    means = np.concatenate([later[:1], rhythms.mean(axis=1)])
    leave = (model.switch - np.diag(stay)) @ means
    back = rhythms @ _drift(grid, model.drift, model.jump).T * stay[1:, None] + leave[1:, None]
    return np.concatenate([[later[0] * stay[0] + leave[0]], back.ravel()])


@lru_cache(maxsize=8)
def _drift(grid: RateGrid, drift: float, jump: float) -> np.ndarray:
    """(G, G), rows sum to one: from a rate to the next second's."""
    distance = (grid.rates[:, None] - grid.rates[None]) / drift
    wander = np.exp(-(distance**2) / 2)
    wander = wander / wander.sum(axis=1, keepdims=True)
    found: np.ndarray = (1 - jump) * wander + jump / len(grid.rates)
    return found

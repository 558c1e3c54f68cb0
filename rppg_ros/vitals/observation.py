"""The observation model: how much more likely what was seen is under each hypothesis than if there were nothing at all.

A small network (three layers, the same for all rates; the second also hears what the first makes of all rates together) that
benchmarks/belief_fit.py learns together with the filter around it, on living and lifeless subjects; its files lie beside this
module.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from rppg_ros.types import Vital

HYPOTHESES = ("pulse", "light", "motion")
"""What can have a rhythm: the vital sign itself, the light (lamps, screens, keyframes), and movement. None of them: nothing."""
MOST = 20.0  # a likelihood's logarithm: no window is surer than that


@dataclass(frozen=True, slots=True)
class ObservationModel:
    """Weights of one vital sign's network, and of its filter.

    Attributes
    ----------
    layers : (out, in) weights and (out,) biases; between them everything below zero is cut off.
    context : (out of the second layer, 2 x out of the first) or None. What the mean over all rates, and the greatest of them,
        of the first layer's units add to the second's: whether a line stands out depends on the others.
    prior : (4,) before anything is seen: nothing, and each of HYPOTHESES. switch : (4, 4) from one to another within a second.
    drift : how far a rate wanders in a second, per minute; jump : share of it that may go anywhere.
    first : weight of a window that shares nothing with another; again : of one that overlaps the last by all but a second.
    """

    layers: tuple[tuple[np.ndarray, np.ndarray], ...]
    prior: np.ndarray
    switch: np.ndarray
    drift: float
    jump: float
    again: float
    first: float = 1.0
    context: np.ndarray | None = None

    def scores(self, features: np.ndarray) -> np.ndarray:
        """(G, 3) log likelihood ratios for (G, F) features.

        Raises
        ------
        ValueError : features of another model.
        """
        values = np.asarray(features, np.float32)
        if values.shape[1] != self.layers[0][0].shape[1]:
            raise ValueError(
                f"the observation model wants {self.layers[0][0].shape[1]} features, got {values.shape[1]}"
            )
        added: np.ndarray | float = 0.0
        for i, (weight, bias) in enumerate(self.layers):
            values = values @ weight.T + (bias + added)
            if i + 1 < len(self.layers):
                values = np.maximum(values, 0)
            added = self._context(values) if i == 0 else 0.0
        found: np.ndarray = np.clip(values.astype(np.float64), -MOST, MOST)
        return found

    def _context(self, units: np.ndarray) -> np.ndarray | float:
        """What the first layer's (G, units) add to the second layer, at all rates alike."""
        if self.context is None:
            return 0.0
        of_all: np.ndarray = np.concatenate([units.mean(axis=0), units.max(axis=0)]) @ self.context.T
        return of_all


def read_model(path: Path) -> ObservationModel:
    """From a file of benchmarks/belief_fit.py."""
    with np.load(path) as file:
        count = sum(name.startswith("weight") for name in file.files)
        layers = tuple((file[f"weight{i}"], file[f"bias{i}"]) for i in range(count))
        scalars = {name: float(file[name]) for name in ("drift", "jump", "again", "first") if name in file}
        context = file["context"] if "context" in file else None
        return ObservationModel(
            layers, file["prior"].astype(float), file["switch"].astype(float), **scalars, context=context
        )


@lru_cache(maxsize=2)
def shipped_model(vital: Vital) -> ObservationModel:
    """The one that comes with the package."""
    return read_model(Path(__file__).parent / f"belief_{vital}.npz")

"""How a face moves in itself: the jaw when it talks, smiles, brows, and the parallax of a head that turns.

Real people's faces move as much against themselves as in the crop (benchmarks/motion_statistics.py, docs/training.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rppg_ros.synthesis.maps import blob

RISE_S = (0.12, 0.4)  # of an expression
HOLD_S = (0.2, 2.5)
LEAST = 0.01  # pixels: less is not worth a warp
DEPTH = 0.45  # of the nose before the cheeks, in half widths of the face


@dataclass(frozen=True, slots=True)
class Deformation:
    """Displacements of the places of a face, pixels.

    Attributes
    ----------
    modes : (K, S, S, 2) float32, of one unit each. amounts : (T, K).
    """

    modes: np.ndarray
    amounts: np.ndarray

    def at(self, i: int) -> np.ndarray | None:
        """(S, S, 2) in a frame; None: nothing that could be seen."""
        if not self.amounts.shape[1] or float(np.abs(self.amounts[i]).max()) < LEAST:
            return None
        found: np.ndarray = np.tensordot(self.amounts[i].astype(np.float32), self.modes, axes=1)
        return found


def shapes(side: int, width: float, chin: float, rng: np.random.Generator) -> np.ndarray:
    """(5, S, S, 2): jaw, smile, brows, and what turning and nodding do to near and far places; one is a full movement.

    Parameters
    ----------
    width, chin : of the face, see Face.
    """
    y, x = (v.astype(np.float32) for v in np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j])
    height = 1.3 * width
    u, v = x / width, (y - (chin - height)) / height
    none = np.zeros_like(u)
    jaw = np.clip((v - 0.3) / 0.6, 0, 1) * np.exp(-((u / 0.9) ** 4)) * (v < 1.3)
    corner = [blob(u, v, side_ * 0.35, 0.5, 0.3, 0.25) for side_ in (-1, 1)]
    cheek = sum(blob(u, v, side_ * 0.45, 0.25, 0.3, 0.3) for side_ in (-1, 1))
    brow = np.exp(-(((v + 0.4) / 0.3) ** 2)) * np.exp(-((u / 0.9) ** 4))
    depth = np.sqrt(np.clip(1 - (0.9 * u) ** 2 - (0.8 * v) ** 2, 0, 1)) + DEPTH * blob(u, v, 0, 0.15, 0.15, 0.25)
    depth = np.where(np.hypot(u, v) < 1.1, depth - depth[np.hypot(u, v) < 1].mean(), 0)
    lift = rng.uniform(0.3, 1.0)
    return np.stack(
        [
            np.stack([none, jaw], axis=-1),
            np.stack([0.6 * (corner[1] - corner[0]), -lift * (cheek + 0.5 * (corner[0] + corner[1]))], axis=-1),
            np.stack([none, -brow], axis=-1),
            np.stack([depth, none], axis=-1),
            np.stack([none, depth], axis=-1),
        ]
    ).astype(np.float32)


def bursts(per_minute: float, times_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(T,) 0 to about 1: comes at once, stays a while, and goes."""
    curve = np.zeros(len(times_s))
    for _ in range(rng.poisson(per_minute * times_s[-1] / 60)):
        start, rise, hold = rng.uniform(0, times_s[-1]), rng.uniform(*RISE_S), rng.uniform(*HOLD_S)
        up = 1 / (1 + np.exp(-np.clip(8 * (times_s - start) / rise, -40, 40)))
        down = 1 / (1 + np.exp(-np.clip(8 * (times_s - start - hold) / rise, -40, 40)))
        curve = np.maximum(curve, rng.uniform(0.3, 1.0) * (up - down))
    return curve

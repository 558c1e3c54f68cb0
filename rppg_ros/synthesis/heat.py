"""What a thermal camera sees of a made-up face: warmth, breath at the nostrils, and the camera's own faults."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rppg_ros.synthesis.face import Face
from rppg_ros.synthesis.motion import Movement, shift_matrix, warp_matrices
from rppg_ros.synthesis.physiology import Vitals, at, wander
from rppg_ros.synthesis.surroundings import Surroundings

GRID_HZ = 100.0
OPEN_AIR_S = 0.25  # the skin under the nose takes so long to follow the air


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermalConfig:
    """What the thermal camera is like.

    Attributes
    ----------
    fps : 9 to 60. jitter_s, drop : as of the RGB camera.
    side_px : of the face's crop as the camera resolves it: a Lepton at two metres has 12.
    netd_c : noise of a pixel, degrees. fixed_pattern_c : noise that stays.
    breath_c : change at the nostrils for a unit of breath, degrees.
    drift_c : slow drift of the whole image. ffc_per_minute, ffc_c : flat-field corrections, jumps after a short freeze.
    ffc_s : how long the image freezes.
    shift, zoom : error of the registration with RGB, shares of the crop.
    """

    fps: float = 9.0
    jitter_s: float = 0.003
    drop: float = 0.0
    side_px: int = 24
    netd_c: float = 0.05
    fixed_pattern_c: float = 0.03
    breath_c: float = 0.4
    drift_c: float = 0.3
    ffc_per_minute: float = 0.5
    ffc_c: float = 0.3
    ffc_s: float = 0.6
    shift: float = 0.02
    zoom: float = 0.02


def thermal_frames(
    config: ThermalConfig,
    face: Face,
    around: Surroundings,
    move: Movement,
    vitals: Vitals,
    times_s: np.ndarray,
    size: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Crops (T, S, S) float32, degrees Celsius, at the thermal camera's own times (T,).

    Parameters
    ----------
    move : of head, body and room at those times.
    """
    side = len(face.warmth)
    seconds = float(times_s[-1]) + 1.0
    drift = config.drift_c * at(wander(int(seconds * GRID_HZ) + 2, 15.0, rng), times_s, GRID_HZ)
    jumps, shown = _corrections(config, times_s, rng)
    air = vitals.at("rsp", times_s - OPEN_AIR_S) * config.breath_c
    wrong = np.array([[1 + config.zoom * rng.normal(), 0, 0], [0, 1, 0], [0, 0, 1]])
    wrong[1, 1] = wrong[0, 0]
    wrong[:2, 2] = config.shift * side * rng.normal(size=2)
    pattern = rng.normal(0, config.fixed_pattern_c, (config.side_px, config.side_px)).astype(np.float32)
    level = (drift + jumps).astype(np.float32)
    matrices = warp_matrices(move, side)
    body = np.dstack([around.body_c * around.cover, around.cover])
    out = np.empty((len(times_s), size, size), np.float32)
    for i in range(len(times_s)):
        heat = face.warmth - np.float32(air[i]) * face.breath  # air that is breathed in is cool
        head = np.dstack([heat * face.cover, face.cover])
        image = _moved(around.room_c, shift_matrix(move.room[i], side), wrong, cv2.BORDER_REFLECT)
        for layer, matrix in ((body, shift_matrix(move.body[i], side)), (head, matrices[i])):
            part = _moved(layer, matrix, wrong, cv2.BORDER_REPLICATE)
            image = image * (1 - part[..., 1]) + part[..., 0]
        seen: np.ndarray = cv2.resize(image, (config.side_px, config.side_px), interpolation=cv2.INTER_AREA)
        seen += pattern + level[i] + config.netd_c * rng.standard_normal(seen.shape, np.float32)
        out[i] = cv2.resize(seen, (size, size), interpolation=cv2.INTER_LINEAR)
    return out[shown]


def _moved(layer: np.ndarray, matrix: np.ndarray, wrong: np.ndarray, border: int) -> np.ndarray:
    """A layer where it is in the crop, as a camera sees it that is registered wrongly."""
    place = (wrong @ np.vstack([matrix, [0, 0, 1]]))[:2]
    return cv2.warpAffine(layer, place, layer.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=border)


def _corrections(config: ThermalConfig, times_s: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Jumps (T,) of the level by flat-field corrections, and which frame (T,) is shown in each frame's place."""
    level, shown = np.zeros(len(times_s)), np.arange(len(times_s))
    for _ in range(rng.poisson(config.ffc_per_minute * times_s[-1] / 60)):
        start = rng.uniform(0, times_s[-1])
        level[times_s >= start] += config.ffc_c * rng.normal()
        first = int(np.searchsorted(times_s, start))
        frozen = (times_s >= start) & (times_s < start + config.ffc_s)
        shown[frozen] = max(first - 1, 0)
    return level, shown

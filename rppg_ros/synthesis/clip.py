"""A clip of a made-up person as the tracker would cut it: RGB and thermal crops with stamps, and the truth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rppg_ros.synthesis import camera as cameras
from rppg_ros.synthesis.camera import CameraConfig
from rppg_ros.synthesis.face import make_face
from rppg_ros.synthesis.film import Film
from rppg_ros.synthesis.haemodynamics import simulate
from rppg_ros.synthesis.heat import ThermalConfig, thermal_frames
from rppg_ros.synthesis.motion import movement
from rppg_ros.synthesis.physiology import Vitals
from rppg_ros.synthesis.scene import Scene
from rppg_ros.synthesis.skin import Skin, melanin_of
from rppg_ros.synthesis.surroundings import make_surroundings


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames as they arrive, and the truth.

    Attributes
    ----------
    times_s : (T,) acquisition, from 0.
    rgb : (T, S, S, 3) uint8.
    thermal_times_s, thermal : (U,) and (U, S, S) float32, degrees; None without a thermal camera.
    """

    times_s: np.ndarray
    rgb: np.ndarray
    vitals: Vitals
    thermal_times_s: np.ndarray | None = None
    thermal: np.ndarray | None = None


def make_clip(scene: Scene, seconds: float, size: int, seed: int, render: int = 0) -> Clip:
    """Film a scene. The same scene, length, size and seed give the same clip.

    Parameters
    ----------
    size : side of the crop, pixels.
    render : side at which it is filmed before the tracker reduces it; 0: three times the size, at most 128 (or the size).
    """
    rng = np.random.default_rng(seed)
    vitals = simulate(scene.body, seconds, rng)
    times_s = cameras.frame_times(scene.camera, seconds, rng)
    heat_s = _thermal_times(scene.thermal, seconds, rng)
    side = render or max(size, min(3 * size, 128))
    skin = Skin(melanin_of(scene.fitzpatrick))
    face = make_face(skin, side, rng, scene.photographed)
    around = make_surroundings(skin, face.width, face.chin, side, rng)
    every_s = np.union1d(times_s, heat_s)  # one head in front of both cameras
    moves = movement(scene.motion, every_s, vitals, rng)
    film = Film(scene, face, around, vitals, times_s, moves.at(np.searchsorted(every_s, times_s)), rng)
    again = rng.uniform(size=len(times_s)) < scene.camera.repeats
    frames = np.empty((len(times_s), size, size, 3), np.uint8)
    for i in range(len(times_s)):
        if i and again[i]:
            frames[i] = frames[i - 1]
            continue
        image = film.frame(i)
        frames[i] = image if side == size else cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    if scene.thermal is None:
        return Clip(times_s, frames, vitals)
    seen = moves.at(np.searchsorted(every_s, heat_s))
    heat = thermal_frames(scene.thermal, face, around, seen, vitals, heat_s, size, rng)
    return Clip(times_s, frames, vitals, heat_s, heat)


def _thermal_times(config: ThermalConfig | None, seconds: float, rng: np.random.Generator) -> np.ndarray:
    if config is None:
        return np.zeros(0)
    like = CameraConfig(fps=config.fps, jitter_s=config.jitter_s, drop=config.drop)
    return cameras.frame_times(like, seconds, rng)

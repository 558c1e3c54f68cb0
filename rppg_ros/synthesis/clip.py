"""A clip of a made-up person as the tracker would cut it: RGB and thermal crops with stamps, and the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from rppg_ros.synthesis import camera as cameras
from rppg_ros.synthesis import light as lights
from rppg_ros.synthesis.camera import CameraConfig
from rppg_ros.synthesis.codec import Codec
from rppg_ros.synthesis.face import Face, make_face
from rppg_ros.synthesis.haemodynamics import Body, simulate
from rppg_ros.synthesis.heat import ThermalConfig, thermal_frames
from rppg_ros.synthesis.light import LightConfig
from rppg_ros.synthesis.motion import MotionConfig, Movement, draw_hand, movement, warp_matrices
from rppg_ros.synthesis.physiology import Vitals
from rppg_ros.synthesis.skin import BLOOD, Skin, melanin_of

NOISE_BANK = 8
DELAY_STEPS = 4  # the pulse's delays over the face, in so many layers


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that a clip follows from, besides its seed.

    Attributes
    ----------
    fitzpatrick : skin type, 1 to 6.
    pulse_strength : change of blood for a unit of bvp, as a share of the channel with absorption 1.
    exposure : how bright the face is: linear light on white.
    thermal : None: no thermal camera.
    """

    body: Body = field(default_factory=Body)
    motion: MotionConfig = field(default_factory=MotionConfig)
    light: LightConfig = field(default_factory=LightConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
    fitzpatrick: float = 3.0
    pulse_strength: float = 0.008
    exposure: float = 0.8
    thermal: ThermalConfig | None = None


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
    face = make_face(skin, side, rng)
    every_s = np.union1d(times_s, heat_s)  # one head in front of both cameras
    moves = movement(scene.motion, every_s, vitals, rng)
    film = _Film(scene, face, skin, vitals, times_s, moves.at(np.searchsorted(every_s, times_s)), rng)
    frames = np.empty((len(times_s), size, size, 3), np.uint8)
    for i in range(len(times_s)):
        image = film.frame(i)
        frames[i] = image if side == size else cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    if scene.thermal is None:
        return Clip(times_s, frames, vitals)
    seen = moves.at(np.searchsorted(every_s, heat_s))
    heat = thermal_frames(scene.thermal, face, seen, vitals, heat_s, size, rng)
    return Clip(times_s, frames, vitals, heat_s, heat)


def _thermal_times(config: ThermalConfig | None, seconds: float, rng: np.random.Generator) -> np.ndarray:
    if config is None:
        return np.zeros(0)
    like = CameraConfig(fps=config.fps, jitter_s=config.jitter_s, drop=config.drop)
    return cameras.frame_times(like, seconds, rng)


class _Film:
    """Renders frame after frame of one person."""

    def __init__(self, scene: Scene, face: Face, skin: Skin, vitals: Vitals, times_s, move: Movement, rng) -> None:
        self._scene, self._face = scene, face
        self._move = move
        side = len(face.albedo)
        self._matrices = warp_matrices(self._move, side)
        self._toward, self._ambient = lights.direction(rng)
        self._light = lights.brightness(scene.light, times_s, rng) * cameras.gains(scene.camera, times_s, rng)
        self._light = (self._light * scene.exposure * rng.uniform(0.85, 1.15, 3)).astype(np.float32)
        self._noise = rng.normal(size=(NOISE_BANK, 2 * side, 2 * side, 3)).astype(np.float32)
        self._where = rng.integers(0, side, (len(times_s), 2))
        self._bank = rng.integers(0, NOISE_BANK, len(times_s))
        self._hand = 0.8 * skin.colour()
        self._off = np.all(face.normal == 0, axis=2)
        self._codec = Codec(scene.camera.codec, side) if scene.camera.codec.step else None
        self._layers(vitals, times_s)
        self._gloss = (rng.uniform(0.0, 0.15) * face.gloss)[..., None].astype(np.float32)

    def _layers(self, vitals: Vitals, times_s: np.ndarray) -> None:
        """The pulse's maps by delay, and its value in each frame: a frame costs a few sums."""
        delays = np.linspace(0, float(self._face.delay_s.max()), DELAY_STEPS)
        place = np.interp(self._face.delay_s, delays, np.arange(DELAY_STEPS))
        weights = [np.clip(1 - np.abs(place - i), 0, 1) for i in range(DELAY_STEPS)]
        blush = self._face.perfusion * self._scene.pulse_strength
        self._pulse = np.stack([vitals.at("bvp", times_s - delay) for delay in delays], axis=1).astype(np.float32)
        self._blush = np.stack([np.ravel(blush * w) for w in weights]).astype(np.float32)
        self._absorbed = (self._face.albedo * BLOOD).astype(np.float32)

    def frame(self, i: int) -> np.ndarray:
        """RGB uint8 (S, S, 3); frames are asked for in order, because a codec remembers."""
        scene, face, move = self._scene, self._face, self._move
        blood = (self._pulse[i] @ self._blush).reshape(*face.perfusion.shape, 1)
        albedo = face.albedo - self._absorbed * blood  # exp(-x) is 1 - x here
        if move.eyes[i] > 0.05:
            albedo = albedo + (move.eyes[i] * face.eyes)[..., None] * (0.85 * self._hand.astype(np.float32) - albedo)
        if move.mouth[i] > 0.05:
            albedo = albedo * (1 - 0.7 * move.mouth[i] * face.mouth)[..., None]
        shaded = (albedo + self._gloss) * self._shade(i)[..., None] * self._light[i]
        side = len(shaded)
        moved = cv2.warpAffine(
            shaded, self._matrices[i], (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        draw_hand(moved, move.hand[i], self._hand * self._light[i])
        y, x = self._where[i]
        image = cameras.expose(scene.camera, moved, self._noise[self._bank[i], y : y + side, x : x + side])
        return self._codec.pass_through(image) if self._codec else image

    def _shade(self, i: int) -> np.ndarray:
        """How much light meets each place; a head that turns shows the lamp another side."""
        turn, nod = np.deg2rad(self._move.turn[i]), np.deg2rad(self._move.nod[i])
        x, y, z = self._toward
        seen = np.array([x * np.cos(turn) - z * np.sin(turn), y * np.cos(nod) - z * np.sin(nod), z], np.float32)
        lit = np.clip(self._face.normal @ seen, 0, None)
        return np.where(self._off, 0.8, self._ambient + (1 - self._ambient) * 1.2 * lit).astype(np.float32)

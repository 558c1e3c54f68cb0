"""Films a made-up person frame by frame: room, body and head as layers that move each in their own way, then the camera."""

from __future__ import annotations

import cv2
import numpy as np

from rppg_ros.synthesis import camera as cameras
from rppg_ros.synthesis import light as lights
from rppg_ros.synthesis.codec import Codec
from rppg_ros.synthesis.expression import Deformation, shapes
from rppg_ros.synthesis.face import Face
from rppg_ros.synthesis.motion import Movement, draw_hand, shift_matrix, warp_map, warp_matrices
from rppg_ros.synthesis.physiology import Vitals
from rppg_ros.synthesis.scene import Scene
from rppg_ros.synthesis.skin import BLOOD, Skin, melanin_of
from rppg_ros.synthesis.surroundings import Surroundings

NOISE_BANK = 8
DELAY_STEPS = 4  # the pulse's delays over the face, in so many layers
FLAT_LIT = 0.8  # of the lamp's light on what has no shape: rooms and clothes


class Film:
    """Renders frame after frame of one person.

    Parameters
    ----------
    move : of head, body and room at the frames' times.
    """

    def __init__(
        self,
        scene: Scene,
        face: Face,
        around: Surroundings,
        vitals: Vitals,
        times_s: np.ndarray,
        move: Movement,
        rng: np.random.Generator,
    ) -> None:
        self._scene, self._face, self._move = scene, face, move
        self._side = side = len(face.albedo)
        self._matrices = warp_matrices(move, side)
        self._lamps = lights.lamps(scene.light, side, rng)
        self._light = lights.brightness(scene.light, times_s, rng) * cameras.gains(scene.camera, times_s, rng)
        self._light = (self._light * scene.exposure * rng.uniform(0.85, 1.15, 3)).astype(np.float32)
        self._noise = rng.normal(size=(NOISE_BANK, 2 * side, 2 * side, 3)).astype(np.float32)
        self._where = rng.integers(0, side, (len(times_s), 2))
        self._bank = rng.integers(0, NOISE_BANK, len(times_s))
        self._hand = (0.8 * Skin(melanin_of(scene.fitzpatrick)).colour()).astype(np.float32)
        self._codec = Codec(scene.camera.codec, side) if scene.camera.codec.step else None
        self._gloss = (rng.uniform(0.0, 0.15) * face.gloss)[..., None].astype(np.float32)
        self._cover = face.cover[..., None]
        self._edges = np.array(scene.edges) * side
        modes = shapes(side, face.width, face.chin, rng) * side
        self._shape = Deformation(modes, move.parts)
        y, x = np.mgrid[0:side, 0:side].astype(np.float32)
        self._grid = np.stack([x, y, np.ones_like(x)], axis=-1)
        self._pulses(vitals, times_s)
        self._flat_layers(around)

    def _pulses(self, vitals: Vitals, times_s: np.ndarray) -> None:
        """The pulse's maps by delay, and its value in each frame: a frame costs a few sums."""
        delays = np.linspace(0, float(self._face.delay_s.max()), DELAY_STEPS)
        place = np.interp(self._face.delay_s, delays, np.arange(DELAY_STEPS))
        weights = [np.clip(1 - np.abs(place - i), 0, 1) for i in range(DELAY_STEPS)]
        blush = self._face.perfusion * self._scene.pulse_strength
        self._pulse = np.stack([vitals.at("bvp", times_s - delay) for delay in delays], axis=1).astype(np.float32)
        self._blush = np.stack([np.ravel(blush * w) for w in weights]).astype(np.float32)
        self._absorbed = (self._face.albedo * BLOOD).astype(np.float32)

    def _flat_layers(self, around: Surroundings) -> None:
        """Room and body as lit; colours times cover, so that what a shift interpolates stays right at the edge."""
        lit = self._lamps.ambient + FLAT_LIT * self._lamps.lamp
        self._room = around.behind * lit
        cover = around.cover[..., None]
        self._body = np.concatenate([around.body * lit * cover, cover], axis=2)

    def frame(self, i: int) -> np.ndarray:
        """RGB uint8 (S, S, 3); frames are asked for in order, because a codec remembers."""
        move, light = self._move, self._light[i]
        image = self._moved(self._room, shift_matrix(move.room[i], self._side), cv2.BORDER_REFLECT)
        body = self._moved(self._body, shift_matrix(move.body[i], self._side), cv2.BORDER_REPLICATE)
        for moved in (body, self._moved_head(i)):
            image = image * (1 - moved[..., 3:]) + moved[..., :3]
        image *= self._lamps.field * light
        draw_hand(image, move.hand[i], self._hand * light)
        y, x = self._where[i]
        noise = self._noise[self._bank[i], y : y + self._side, x : x + self._side]
        seen = cameras.expose(self._scene.camera, image, noise)
        return self._within_picture(self._codec.pass_through(seen) if self._codec else seen, move.room[i])

    def _moved(self, layer: np.ndarray, matrix: np.ndarray, border: int) -> np.ndarray:
        return cv2.warpAffine(layer, matrix, (self._side, self._side), flags=cv2.INTER_LINEAR, borderMode=border)

    def _moved_head(self, i: int) -> np.ndarray:
        displaced, head = self._shape.at(i), self._head(i)
        if displaced is None:
            return self._moved(head, self._matrices[i], cv2.BORDER_REPLICATE)
        where = warp_map(self._matrices[i], displaced, self._grid)
        return cv2.remap(head, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def _head(self, i: int) -> np.ndarray:
        """(S, S, 4): lit head times its cover, and the cover."""
        face, move = self._face, self._move
        blood = (self._pulse[i] @ self._blush).reshape(*face.perfusion.shape, 1)
        albedo = face.albedo - self._absorbed * blood  # exp(-x) is 1 - x here
        closed, opened = float(move.eyes[i]), float(move.mouth[i])
        if closed > 0.05:
            albedo = albedo + (closed * face.eyes)[..., None] * (0.85 * self._hand - albedo)
        if opened > 0.05:
            albedo = albedo * (1 - 0.7 * opened * face.mouth)[..., None]
        lit = self._lit(i)[..., None] * self._lamps.lamp + self._lamps.ambient
        return np.concatenate([(albedo + self._gloss) * lit * self._cover, self._cover], axis=2)

    def _lit(self, i: int) -> np.ndarray:
        """How much of the lamp's light meets each place (S, S); a head that turns shows the lamp another side."""
        turn, nod = np.deg2rad(self._move.turn[i]), np.deg2rad(self._move.nod[i])
        x, y, z = self._lamps.toward
        seen = np.array([x * np.cos(turn) - z * np.sin(turn), y * np.cos(nod) - z * np.sin(nod), z], np.float32)
        return np.clip(self._face.normal @ seen, 0, None)

    def _within_picture(self, image: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """What lies beyond the picture repeats its edge, as in a tracker's crop; the edge moves as the room does."""
        if not self._edges.any():
            return image
        moved = self._edges + self._side * np.array([shift[0], shift[1], -shift[0], -shift[1]])
        left, top, right, bottom = np.where(self._edges > 0, np.rint(moved).clip(0, self._side // 3), 0).astype(int)
        inside = image[top : self._side - bottom, left : self._side - right]
        return cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REPLICATE)

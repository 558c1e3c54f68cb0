"""What a video codec does to a face: blocks predicted from the frame before, small changes thrown away.

A model, not a codec: each frame is coded as its difference from the decoded frame before, in YCbCr with half-size chroma,
by an 8 x 8 DCT whose coefficients are quantised with a dead zone, as H.264 does for inter frames; every so often comes a
frame coded by itself. No motion is searched for: moving edges cost more here than there. What it shares with the real ones
is what matters to a pulse: a change of less than the dead zone does not exist until it has added up, and then it comes in a jump.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

BLOCK = 8
DEAD_ZONE = {True: 1 / 3, False: 1 / 6}  # rounding offset of intra and inter coefficients (the usual of H.264 encoders)
CHROMA_STEP = 0.8  # chroma is quantised a little finer than luma
MENDED = 0.6  # of the way to the next keyframe: by then nothing is left of a keyframe's coarseness


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecConfig:
    """How hard it compresses.

    Attributes
    ----------
    step : of the quantiser of 8 x 8 blocks, grey levels; 0: none. At QP q that of H.264 is 2^((q - 4) / 6): 6 at 20, 20 at 30.
    block : side of a block in pixels of the picture that is filmed: 8, or less to stand for a picture of higher resolution;
        the step is then smaller with it, so that a change of a whole block's brightness fares the same.
    intra_every : frames between those coded by themselves (keyframes).
    starved : how much coarser a keyframe is than the frames long after it, share of the step. An encoder that holds its bit
        rate pays for a keyframe with its quality and mends it over the next frames: faces change with the rhythm of the
        keyframes, which at one a second is a heart rate of 60.
    """

    step: float = 0.0
    block: int = BLOCK
    intra_every: int = 60
    starved: float = 0.0

    def __post_init__(self) -> None:
        if self.step < 0 or self.block < 2 or self.intra_every < 1 or self.starved < 0:
            raise ValueError("a codec needs step >= 0, block >= 2, intra_every >= 1 and starved >= 0")


class Codec:
    """Codes and decodes frame after frame; remembers the last decoded one.

    Parameters
    ----------
    side : of the frames, which are square, pixels.
    """

    def __init__(self, config: CodecConfig, side: int) -> None:
        self._config = config
        self._side = side
        self._luma = _Plane(side, config.block)
        self._chroma = _Plane((side + 1) // 2, config.block)
        self._count = 0
        self._last: list[np.ndarray] = []

    def pass_through(self, image: np.ndarray) -> np.ndarray:
        """The decoded frame, RGB uint8 (S, S, 3), of an RGB uint8 one."""
        full = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
        half = cv2.resize(full[..., 1:], (self._chroma.side,) * 2, interpolation=cv2.INTER_AREA)
        planes = [full[..., 0].astype(np.float32), *half.astype(np.float32).transpose(2, 0, 1)]
        intra = self._count % self._config.intra_every == 0
        before = [np.full_like(plane, 128.0) for plane in planes] if intra else self._last
        step = self._step(self._count % self._config.intra_every)
        self._last = [
            self._coded(plane, last, step if i == 0 else CHROMA_STEP * step, intra)
            for i, (plane, last) in enumerate(zip(planes, before, strict=True))
        ]
        self._count += 1
        return self._picture()

    def _step(self, since_intra: int) -> float:
        """Of the quantiser, so many frames after a keyframe."""
        hunger = max(0.0, 1 - since_intra / (MENDED * self._config.intra_every))
        return self._config.step * self._config.block / BLOCK * (1 + self._config.starved * hunger)

    def _coded(self, plane: np.ndarray, last: np.ndarray, step: float, intra: bool) -> np.ndarray:
        coder = self._luma if len(plane) == self._side else self._chroma
        return np.clip(last + coder.quantised(plane - last, step, DEAD_ZONE[intra]), 0, 255)

    def _picture(self) -> np.ndarray:
        side = (self._side,) * 2
        colours = [cv2.resize(plane, side, interpolation=cv2.INTER_LINEAR) for plane in self._last[1:]]
        return cv2.cvtColor(np.rint(np.dstack([self._last[0], *colours])).astype(np.uint8), cv2.COLOR_YCrCb2RGB)


class _Plane:
    """Block transform of planes of one size, as one matrix for all blocks: a few small products instead of many tiny ones."""

    def __init__(self, side: int, block: int) -> None:
        self.side = side
        blocks = -(-side // block)
        dct = cv2.dct(np.eye(block, dtype=np.float32), flags=cv2.DCT_ROWS).T
        whole = np.kron(np.eye(blocks, dtype=np.float32), dct)
        edge = np.minimum(np.arange(blocks * block), side - 1)  # a ragged last block goes on as the last row does
        self._analysis = np.ascontiguousarray(whole @ np.eye(side, dtype=np.float32)[edge])
        self._synthesis = np.ascontiguousarray(whole.T[:side])

    def quantised(self, plane: np.ndarray, step: float, rounding: float) -> np.ndarray:
        """A difference (S, S) as the decoder sees it."""
        coefficients = self._analysis @ plane @ self._analysis.T
        levels = np.floor(np.abs(coefficients) * (1 / step) + rounding)
        return self._synthesis @ np.copysign(levels * step, coefficients) @ self._synthesis.T

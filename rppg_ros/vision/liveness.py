"""Whether a camera still shows the world: an image that repeats, or means nothing, is no sample, whatever its stamp says."""

from __future__ import annotations

from collections import deque

import numpy as np

STRIDE = 16  # pixels; a coarse look decides for nearly all images
ROWS, ROW_STRIDE = 48, 8  # so many are enough to tell noise, however large the image; and no more than each eighth
MAX_DEAD_SHARE = 0.5  # of pixels that are not finite, or at the end of the range
MIN_ALIKE = 0.1  # correlation of neighbouring pixels; a lens makes it 0.5 and more, noise alone has none

RING = 128  # images that are remembered: a driver may go round its buffers
DIGESTED = (120, 160)  # rows and columns of an image, at least, or all

REPEATED = "the image is the same as the last one"


class Liveness:
    """Judges the images of one camera, in order. It keeps none of them: whoever gives them may use their memory again."""

    def __init__(self) -> None:
        self._count = 0
        self._at: dict[int, int] = {}  # when an image was last seen, by its digest
        self._digests: deque[int] = deque(maxlen=RING)
        self._lag = 0

    def complaint(self, image: np.ndarray) -> str:
        """Why the next image is no sample; empty if it is one. (H, W) or (H, W, 3), any real dtype, contiguous or not."""
        lag = self._lag_of(_digest(image))
        before, self._lag = self._lag, lag
        if lag == 1:
            return REPEATED
        # Once may be chance, or a film that is played to and fro; a ring of buffers keeps its length.
        return f"the images repeat those of {lag} images ago" if lag and lag == before else _meaningless(image)

    def _lag_of(self, digest: int) -> int:
        """How many images ago the same one came; 0: not lately."""
        self._count += 1
        lag = self._count - self._at.get(digest, self._count)
        if len(self._digests) == RING:
            oldest = self._digests[0]
            if self._at.get(oldest) == self._count - RING:
                del self._at[oldest]
        self._digests.append(digest)
        self._at[digest] = self._count
        return lag


def _digest(image: np.ndarray) -> int:
    """Of so many pixels, evenly over the image, that no sensor's noise gives the same twice."""
    rows, columns = (max(1, side // most) for side, most in zip(image.shape[:2], DIGESTED, strict=True))
    return hash((image.shape, image.dtype.str, image[::rows, ::columns].tobytes()))


def _meaningless(image: np.ndarray) -> str:
    """Why an image shows nothing; empty if it may show something."""
    coarse = image[::STRIDE, ::STRIDE]
    if image.dtype.kind == "f" and not np.isfinite(coarse).all():
        dead = 1 - float(np.isfinite(image).mean())
        if dead > MAX_DEAD_SHARE:
            return "most pixels are no numbers"
    if coarse.min() == coarse.max() and image.min() == image.max():
        return f"all pixels are {image.flat[0]:g}"
    if image.ndim == 2 and image.dtype.kind == "u":
        full = float((image == np.iinfo(image.dtype).max).mean())
        if full > MAX_DEAD_SHARE:
            return "most pixels are saturated"
    green = image if image.ndim == 2 else image[..., 1]
    return "neighbouring pixels have nothing in common: noise" if _neighbours_alike(green) < MIN_ALIKE else ""


def _neighbours_alike(image: np.ndarray) -> float:
    """Correlation of each pixel with the one beside it; 1 where that cannot be told."""
    values = np.asarray(image[:: max(ROW_STRIDE, len(image) // ROWS)], dtype=np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        values = np.where(finite, values, values[finite].mean() if finite.any() else 0.0)
    values = values - values.mean()
    power = float(np.square(values).mean())
    if power == 0:
        return 1.0
    beside = float((values[:, 1:] * values[:, :-1]).mean()) if values.shape[1] > 1 else power
    return float(beside / power)

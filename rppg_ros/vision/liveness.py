"""Whether a camera still shows the world: an image that repeats, or means nothing, is no sample, whatever its stamp says."""

from __future__ import annotations

import numpy as np

STRIDE = 16  # pixels; a coarse look decides for nearly all images
ROWS, ROW_STRIDE = 48, 8  # so many are enough to tell noise, however large the image; and no more than each eighth
MAX_DEAD_SHARE = 0.5  # of pixels that are not finite, or at the end of the range
MIN_ALIKE = 0.1  # correlation of neighbouring pixels; a lens makes it 0.5 and more, noise alone has none

REPEATED = "the image is the same as the last one, to the last bit"


class Liveness:
    """Judges the images of one camera, in order."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None

    def complaint(self, image: np.ndarray) -> str:
        """Why the next image is no sample; empty if it is one. (H, W) or (H, W, 3), any real dtype."""
        repeated = self._repeats(image)
        self._last = image
        return REPEATED if repeated else _meaningless(image)

    def _repeats(self, image: np.ndarray) -> bool:
        last = self._last
        if last is None or last.shape != image.shape or last.dtype != image.dtype:
            return False
        if not np.array_equal(last[::STRIDE, ::STRIDE], image[::STRIDE, ::STRIDE]):
            return False
        # NaN is not equal to itself; bytes are.
        return bool(np.array_equal(last.view(np.uint8), image.view(np.uint8))) if _plain(last, image) else False


def _plain(*images: np.ndarray) -> bool:
    return all(image.flags.c_contiguous for image in images)


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

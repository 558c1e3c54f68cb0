"""A source's frames as arrays that the camera half takes."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np

from rppg_ros.sources.base import RGB, SourceError, StreamFrame
from rppg_ros.sources.images import ImageError, rgb_image


def image_of(frame: StreamFrame) -> np.ndarray:
    """RGB uint8 (H, W, 3), or a thermal camera's raw values (H, W).

    Raises
    ------
    SourceError : the image is not what its encoding says.
    """
    if frame.stream == RGB:
        try:
            return _rgb(frame)
        except ImageError as error:
            raise SourceError(f"frame of {frame.stamp_ns} ns: {error}") from None
    if frame.image.ndim != 2:
        raise SourceError(f"frame of {frame.stamp_ns} ns: a thermal image has one channel, not {frame.image.shape}")
    return frame.image


def _rgb(frame: StreamFrame) -> np.ndarray:
    if frame.encoding == "rgb8":
        return frame.image
    if frame.encoding == "bgr8":
        return cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB)
    image = np.ascontiguousarray(frame.image)
    height, width = image.shape[:2]
    plain = dict(height=height, width=width, encoding=frame.encoding, step=0, is_bigendian=0, data=image.tobytes())
    return rgb_image(SimpleNamespace(**plain))

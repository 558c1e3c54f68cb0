"""Recorded image messages as arrays that their encoding describes."""

from __future__ import annotations

import re
import sys
from typing import Any

import cv2
import numpy as np

from rppg_ros.sources.base import RGB, SourceError
from rppg_ros.sources.image_size import HEADER, too_large

# sensor_msgs/image_encodings: channels of each name; 16 bits where the name ends so, else 8.
CHANNELS = {
    "mono": 1,
    "bayer_rggb": 1,
    "bayer_bggr": 1,
    "bayer_gbrg": 1,
    "bayer_grbg": 1,
    "rgb": 3,
    "bgr": 3,
    "rgba": 4,
    "bgra": 4,
}
PACKED = {"yuv422": 2, "uyvy": 2, "yuv422_yuy2": 2, "yuyv": 2}
OPENCV = re.compile(r"(8U|8S|16U|16S|32S|32F|64F)C([1-4])")
DEPTHS = {"8U": "u1", "8S": "i1", "16U": "u2", "16S": "i2", "32S": "i4", "32F": "f4", "64F": "f8"}
THERMAL_ENCODINGS = {np.dtype("uint8"): "mono8", np.dtype("uint16"): "16UC1", np.dtype("float32"): "32FC1"}


def image_array(message: Any) -> tuple[np.ndarray, str]:
    """Pixels of a sensor_msgs/Image without row padding, in this machine's byte order, and their encoding.

    Returns
    -------
    (H, W) or (H, W, C) array, a view on the message where that is possible, and the message's encoding.

    Raises
    ------
    SourceError : empty, truncated, or of an encoding that is not known.
    """
    kind, channels = _layout(message.encoding)
    kind = kind.newbyteorder(">" if message.is_bigendian else "<")
    height, width, row = message.height, message.width, message.width * channels * kind.itemsize
    step = message.step or row
    data = np.asarray(message.data, np.uint8)
    # The last row need not be padded.
    if not height or not width or step < row or data.size < step * (height - 1) + row:
        raise SourceError(f"{width}x{height} {message.encoding} with step {step} does not fit {data.size} bytes")
    rows = np.lib.stride_tricks.as_strided(data, (height, row), (step, 1), writeable=False)
    pixels = np.ascontiguousarray(rows).view(kind).reshape((height, width, channels)[: 2 + (channels > 1)])
    pixels = np.require(pixels, requirements="A")  # where CDR put it, 16-bit data may lie at odd addresses
    native = message.is_bigendian == (sys.byteorder == "big") or kind.itemsize == 1
    return pixels if native else pixels.astype(kind.newbyteorder("=")), message.encoding


def decoded_array(message: Any, stream: str) -> tuple[np.ndarray, str]:
    """Pixels of a sensor_msgs/CompressedImage and their encoding: bgr8, or a thermal camera's counts.

    Raises
    ------
    SourceError : it cannot be decoded, or a thermal image has colours.
    """
    data = np.asarray(message.data, np.uint8)
    why = too_large(data[:HEADER].tobytes())
    if why:
        raise SourceError(why)
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR if stream == RGB else cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        raise SourceError(f"format '{message.format}', {data.size} bytes, cannot be decoded")
    return image, "bgr8" if stream == RGB else thermal_encoding(image)


def thermal_encoding(image: np.ndarray) -> str:
    """Encoding of a thermal image.

    Raises
    ------
    SourceError : it has colours or a depth that no thermal camera gives.
    """
    if image.ndim != 2:
        raise SourceError(f"thermal images have one channel, this has {image.shape[2]}: a palette destroys the signal")
    if image.dtype not in THERMAL_ENCODINGS:
        raise SourceError(f"thermal images are 8 or 16 bits or 32-bit float, not {image.dtype}")
    return THERMAL_ENCODINGS[image.dtype]


def _layout(encoding: str) -> tuple[np.dtype, int]:
    """Type of one value, and values per pixel."""
    if encoding in PACKED:
        return np.dtype(np.uint8), PACKED[encoding]
    name = encoding.removesuffix("16").removesuffix("8")
    if name in CHANNELS and name != encoding:
        return np.dtype(np.uint16 if encoding.endswith("16") else np.uint8), CHANNELS[name]
    generic = OPENCV.fullmatch(encoding)
    if generic is None:
        raise SourceError(f"encoding '{encoding}' is not known")
    return np.dtype(DEPTHS[generic[1]]), int(generic[2])

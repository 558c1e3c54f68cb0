"""sensor_msgs images to arrays: the one seam to cv_bridge, with rosbags-image in its place where that does not import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from rppg_ros.sources.image_size import HEADER, too_large

MONO = frozenset({"mono8", "8UC1"})
THERMAL = {"mono16": np.uint16, "16UC1": np.uint16, "32FC1": np.float32, "mono8": np.uint8, "8UC1": np.uint8}
# OpenCV's own names say nothing of colour; images that come under them are OpenCV's order.
ALIASES = {
    "8UC3": "bgr8", "8UC4": "bgra8", "8UC1": "mono8", "16UC1": "mono16", "uyvy": "yuv422", "UYVY": "yuv422",
    "yuyv": "yuv422_yuy2", "YUYV": "yuv422_yuy2", "yuy2": "yuv422_yuy2", "NV12": "nv12", "NV21": "nv21",
}  # fmt: skip
# Brightness of all pixels, and then colours of four pixels each, at half the height.
HALF_PLANES = {"nv12": cv2.COLOR_YUV2RGB_NV12, "nv21": cv2.COLOR_YUV2RGB_NV21}
SIXTEEN_BITS = ("16uc1", "mono16")
DEPTH_TRANSPORT = "compresseddepth"
BYTES_PER_PIXEL = {
    "rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1, "mono16": 2, "yuv422": 2, "yuv422_yuy2": 2,
    "bayer_rggb8": 1, "bayer_bggr8": 1, "bayer_gbrg8": 1, "bayer_grbg8": 1,
    "bayer_rggb16": 2, "bayer_bggr16": 2, "bayer_gbrg16": 2, "bayer_grbg16": 2, "rgb16": 6, "bgr16": 6,
    "16UC1": 2, "32FC1": 4,
}  # fmt: skip


MAX_SHOWN = 80  # characters of a format


class ImageError(ValueError):
    """An image message that cannot be read; says what is wrong with it."""


try:
    from cv_bridge import CvBridge
except Exception:  # apt's cv_bridge is built for numpy 1 and fails in several ways under numpy 2
    from rosbags.image.image import image_to_cvimage

    class CvBridge:  # type: ignore[no-redef]
        """The part of cv_bridge's API that is used here."""

        def imgmsg_to_cv2(self, img_msg: Any, desired_encoding: str = "passthrough") -> np.ndarray:
            """Array of a raw image message in another encoding."""
            return image_to_cvimage(img_msg, None if desired_encoding == "passthrough" else desired_encoding)


@dataclass(frozen=True, slots=True)
class _Plain:
    """A raw image without row padding, in this machine's byte order."""

    height: int
    width: int
    encoding: str
    step: int
    data: Any
    is_bigendian: int = 0


_BRIDGE = CvBridge()


def rgb_image(message: Any) -> np.ndarray:
    """RGB uint8 (H, W, 3) of an Image or CompressedImage; a view on the message where it is rgb8 already.

    Raises
    ------
    ImageError : empty, truncated, or of an encoding that is no colour or grey image.
    """
    if hasattr(message, "format"):
        return cv2.cvtColor(_decode(message, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    encoding = ALIASES.get(message.encoding, message.encoding)
    if encoding in HALF_PLANES:
        return _of_half_planes(message, encoding)
    plain = _plain(message)
    if plain.encoding == "32FC1":
        raise ImageError("encoding '32FC1' is no colour image; is this a depth or thermal topic?")
    try:
        if plain.encoding == "mono16":  # cv_bridge and its stand-in disagree on this one
            grey = np.frombuffer(plain.data, np.uint16).reshape(plain.height, plain.width)
            return cv2.cvtColor((grey >> 8).astype(np.uint8), cv2.COLOR_GRAY2RGB)
        converted: np.ndarray = _BRIDGE.imgmsg_to_cv2(plain, "rgb8")
        return converted
    except Exception as error:  # the bridge's own classes differ between its two versions
        raise ImageError(f"encoding '{message.encoding}' cannot be shown as rgb8: {error}") from None


def thermal_image(message: Any) -> np.ndarray:
    """Raw counts (H, W) uint8, uint16 or float32 of a thermal Image, or of a CompressedImage (8 or 16-bit PNG, TIFF).

    Raises
    ------
    ImageError : empty, truncated, or of an encoding that is no single-channel image.
    """
    if hasattr(message, "format"):
        _refuse_what_lost_its_counts(message.format.lower())
        image = _decode(message, cv2.IMREAD_UNCHANGED)
        if image.ndim != 2:
            raise ImageError(f"compressed thermal image has {image.shape[2]} channels; a palette destroys the signal")
        return image
    if message.encoding not in THERMAL:
        raise ImageError(f"encoding '{message.encoding}' is not thermal; known: {', '.join(THERMAL)}")
    plain = _plain(message)
    return np.frombuffer(plain.data, THERMAL[message.encoding]).reshape(plain.height, plain.width)


def _refuse_what_lost_its_counts(form: str) -> None:
    """ImageError for transports that a thermal camera's 16 bits do not survive, or that are another's."""
    if DEPTH_TRANSPORT in form.replace("_", ""):
        raise ImageError(
            f"format '{form[:MAX_SHOWN]}': compressedDepth is for depth cameras; give `compressed` with PNG, or raw images"
        )
    if any(bits in form for bits in SIXTEEN_BITS) and ("jpeg" in form or "jpg" in form):
        raise ImageError(
            f"format '{form[:MAX_SHOWN]}': JPEG has 8 bits, and a thermal image's counts have 16; set the publisher to PNG"
        )


def _of_half_planes(message: Any, encoding: str) -> np.ndarray:
    height, width, step = message.height, message.width, message.step or message.width
    if not height or not width or height % 2 or width % 2:
        raise ImageError(f"{encoding} image of {width}x{height}: width and height are even numbers above 0")
    rows = height * 3 // 2
    # The last row need not be padded.
    if step < width or len(message.data) < step * (rows - 1) + width:
        raise ImageError(f"{width}x{height} {encoding} with step {step} needs more than {len(message.data)} bytes")
    packed = np.frombuffer(_unpad(np.frombuffer(message.data, np.uint8), rows, step, width), np.uint8)
    shown: np.ndarray = cv2.cvtColor(packed.reshape(rows, width), HALF_PLANES[encoding])
    return shown


def _decode(message: Any, flags: int) -> np.ndarray:
    data = np.frombuffer(message.data, np.uint8)
    why = too_large(data[:HEADER].tobytes())
    if why:
        raise ImageError(why)
    try:
        image = cv2.imdecode(data, flags) if len(data) else None
    except cv2.error:
        image = None
    if image is None:
        raise ImageError(f"compressed image (format '{message.format}', {len(data)} bytes) cannot be decoded")
    return image


def _plain(message: Any) -> _Plain:
    encoding = ALIASES.get(message.encoding, message.encoding)
    depth = BYTES_PER_PIXEL.get(encoding)
    if depth is None:
        raise ImageError(
            f"encoding '{message.encoding}' is not known; known: {', '.join([*BYTES_PER_PIXEL, *HALF_PLANES])}"
        )
    height, width, row = message.height, message.width, message.width * depth
    step = message.step or row
    if not height or not width:
        raise ImageError(f"empty image ({width}x{height})")
    # The last row need not be padded.
    if step < row or len(message.data) < step * (height - 1) + row:
        raise ImageError(f"{width}x{height} {encoding} with step {step} needs more than {len(message.data)} bytes")
    data = message.data
    if step != row or len(data) != row * height:
        data = _unpad(np.frombuffer(data, np.uint8), height, step, row)
    if message.is_bigendian and encoding in ("mono16", "32FC1") or message.is_bigendian and encoding.endswith("16"):
        data = np.frombuffer(data, f"u{4 if encoding == '32FC1' else 2}").byteswap().tobytes()
    return _Plain(height, width, encoding, row, data)


def _unpad(data: np.ndarray, height: int, step: int, row: int) -> bytes:
    rows = np.lib.stride_tricks.as_strided(data, (height, row), (step, 1), writeable=False)
    return np.ascontiguousarray(rows).tobytes()

"""A source's frames as image messages."""

from __future__ import annotations

import array
from collections.abc import Sequence

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from rppg_ros.nodes.images import rgb_image, thermal_image
from rppg_ros.nodes.messages import to_array
from rppg_ros.sources.base import RGB, StreamFrame

TO_RGB = {"bgr8": cv2.COLOR_BGR2RGB, "mono8": cv2.COLOR_GRAY2RGB}
FROM_RGB = {"bgr8": cv2.COLOR_RGB2BGR, "mono8": cv2.COLOR_RGB2GRAY}


def image_message(frame: StreamFrame, header: Header, encoding: str) -> Image:
    """Image: RGB frames in `encoding`, thermal frames and those of a bag as they are."""
    if not isinstance(frame.image, np.ndarray):
        return _recorded(frame.image, header)
    pixels, name = frame.image, frame.encoding
    if frame.stream == RGB and name != encoding:
        pixels, name = _from_rgb(_to_rgb(pixels, name), encoding), encoding
    out = Image(header=header, height=pixels.shape[0], width=pixels.shape[1], encoding=name)
    out.step = int(pixels.nbytes // pixels.shape[0])
    out.data = to_array(pixels.view(np.uint8) if pixels.flags.c_contiguous else pixels.copy().view(np.uint8), "B")
    return out


def compressed_message(frame: StreamFrame, header: Header, quality: int) -> CompressedImage:
    """CompressedImage: JPEG of RGB, PNG of thermal."""
    raw = not isinstance(frame.image, np.ndarray)
    if frame.stream == RGB:
        rgb = rgb_image(frame.image) if raw else _to_rgb(frame.image, frame.encoding)
        _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
        name = "bgr8; jpeg compressed bgr8"
    else:
        pixels = thermal_image(frame.image) if raw else frame.image
        _, data = cv2.imencode(".png" if pixels.dtype != np.float32 else ".tiff", pixels)
        name = f"{frame.encoding}; {'png' if pixels.dtype != np.float32 else 'tiff'} compressed "
    return CompressedImage(header=header, format=name, data=to_array(data, "B"))


def camera_info(frame: StreamFrame, header: Header, matrix: Sequence[float]) -> CameraInfo:
    """CameraInfo of an undistorted camera."""
    image = frame.image
    height, width = image.shape[:2] if isinstance(image, np.ndarray) else (image.height, image.width)
    k = [float(value) for value in matrix]
    p = [*k[0:3], 0.0, *k[3:6], 0.0, *k[6:9], 0.0]
    return CameraInfo(
        header=header,
        height=height,
        width=width,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=k,
        r=np.eye(3).ravel(),
        p=p,
    )


def _recorded(message: object, header: Header) -> Image:
    out = Image(header=header, height=message.height, width=message.width, encoding=message.encoding)
    out.is_bigendian, out.step = message.is_bigendian, message.step
    out.data = array.array("B", np.asarray(message.data, np.uint8).tobytes())
    return out


def _to_rgb(pixels: np.ndarray, encoding: str) -> np.ndarray:
    return pixels if encoding == "rgb8" else cv2.cvtColor(pixels, TO_RGB[encoding])


def _from_rgb(pixels: np.ndarray, encoding: str) -> np.ndarray:
    return pixels if encoding == "rgb8" else cv2.cvtColor(pixels, FROM_RGB[encoding])

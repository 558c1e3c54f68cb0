"""A source's frames as image messages."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from rppg_ros.nodes.messages import to_array
from rppg_ros.sources.base import RGB, StreamFrame
from rppg_ros.sources.images import rgb_image

CONVERSIONS = {
    "rgb8": {"bgr8": cv2.COLOR_RGB2BGR, "mono8": cv2.COLOR_RGB2GRAY},
    "bgr8": {"rgb8": cv2.COLOR_BGR2RGB, "mono8": cv2.COLOR_BGR2GRAY},
}


def image_message(frame: StreamFrame, header: Header, encoding: str) -> Image:
    """Image: colour frames in `encoding`; thermal frames, and those that a bag has in another encoding, as they are."""
    pixels, name = frame.image, frame.encoding
    if frame.stream == RGB and name != encoding and name in CONVERSIONS:
        pixels, name = cv2.cvtColor(pixels, CONVERSIONS[name][encoding]), encoding
    out = Image(header=header, height=pixels.shape[0], width=pixels.shape[1], encoding=name)
    out.is_bigendian = int(sys.byteorder == "big")
    out.step = int(pixels.nbytes // pixels.shape[0])
    out.data = to_array(np.ascontiguousarray(pixels).view(np.uint8), "B")
    return out


def compressed_message(frame: StreamFrame, header: Header, quality: int) -> CompressedImage:
    """CompressedImage: JPEG of RGB, PNG of thermal."""
    if frame.stream == RGB:
        bgr = frame.image if frame.encoding == "bgr8" else _bgr(image_message(frame, header, "rgb8"))
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        name = "bgr8; jpeg compressed bgr8"
    else:
        kind = "png" if frame.image.dtype != np.float32 else "tiff"
        _, data = cv2.imencode(f".{kind}", frame.image)
        name = f"{frame.encoding}; {kind} compressed "
    return CompressedImage(header=header, format=name, data=to_array(data, "B"))


def camera_info(frame: StreamFrame, header: Header, matrix: Sequence[float]) -> CameraInfo:
    """CameraInfo of an undistorted camera."""
    height, width = frame.image.shape[:2]
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


def _bgr(message: Image) -> np.ndarray:
    return cv2.cvtColor(rgb_image(message), cv2.COLOR_RGB2BGR)

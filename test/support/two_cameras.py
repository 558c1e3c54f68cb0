"""A made-up person before an RGB camera and a thermal camera of another field of view."""

import functools

import cv2
import numpy as np

from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.types import Frame
from rppg_ros.vision.detect import HaarDetector

THERMAL_SIZE = (160, 120)


@functools.cache
def pairs(seconds=2.0):
    """(RGB image, thermal image in degrees) of moments 0.1 s apart, with the face's box."""
    found, rgb = [], None
    for frame in DemoSource(DemoScene(seconds=seconds, fps=10, thermal_fps=9, drop=0.0)):
        if frame.stream == "rgb":
            rgb = frame.image
        elif rgb is not None:
            found.append((rgb, frame.image.astype(np.float32) / 100 - 273.15))
    boxes = [HaarDetector().detect(rgb, 40)[0].box for rgb, _ in found]
    return [(*pair, box) for pair, box in zip(found, boxes, strict=True)]


def narrowed(thermal, share, left, top):
    """What a camera sees that shows only this share of the width and the height; and its (3, 3) RGB to thermal matrix."""
    height, width = thermal.shape
    x, y = round(left * width), round(top * height)
    part = thermal[y : y + round(share * height), x : x + round(share * width)]
    zoom = THERMAL_SIZE[0] / part.shape[1]
    matrix = np.array([[zoom * width / 640, 0, -x * zoom], [0, zoom * height / 480, -y * zoom], [0, 0, 1]])
    return cv2.resize(part, THERMAL_SIZE, interpolation=cv2.INTER_AREA), matrix


def frames(thermal_of=lambda thermal: thermal):
    """(RGB frame, thermal frame, box), half a second apart."""
    return [
        (Frame((i + 1) * 500_000_000, rgb), Frame((i + 1) * 500_000_000, thermal_of(thermal), True), box)
        for i, (rgb, thermal, box) in enumerate(pairs())
    ]

"""Which OpenCV the tests run with."""

import cv2

OPENCV = tuple(int(part) for part in cv2.__version__.split(".")[:2])

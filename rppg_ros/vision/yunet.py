"""YuNet, OpenCV Zoo's face detector: finds most faces that Haar loses, at less cost; its file has to be fetched."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import cv2
import numpy as np

from rppg_ros.cache import models_folder
from rppg_ros.types import Box
from rppg_ros.vision.detection import CONFIRM_SIZES, LONG_SIDE_PX, Detection, DetectorError, around, reduced

PULLED = "face_detection_yunet_2023mar.onnx"  # as models/official_files.yaml has it
PULLED_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"


class YuNetDetector:
    """OpenCV Zoo's YuNet network.

    Parameters
    ----------
    model : path of its .onnx file.

    Raises
    ------
    DetectorError : no such file, or not a YuNet model of this OpenCV.
    """

    certain = True

    def __init__(self, model: str, min_confidence: float = 0.5) -> None:
        if not Path(model).is_file():
            raise DetectorError(f"face detector '{model}': no such file")
        try:
            self._net = cv2.FaceDetectorYN.create(model, "", (LONG_SIDE_PX, LONG_SIDE_PX), min_confidence)
            self._net.detect(np.zeros((LONG_SIDE_PX, LONG_SIDE_PX, 3), np.uint8))
        except cv2.error as error:
            raise DetectorError(
                f"face detector '{model}': not a YuNet model that OpenCV {cv2.__version__} reads ({error.err}); files"
                " from 2023 on need OpenCV 4.8"
            ) from None

    def detect(self, rgb: np.ndarray, min_face_px: float) -> list[Detection]:
        """See Detector."""
        small, factor = reduced(rgb)
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        self._net.setInputSize((bgr.shape[1], bgr.shape[0]))
        _, rows = self._net.detect(bgr)
        faces: np.ndarray = np.zeros((0, 15)) if rows is None else rows
        found = [Detection(Box(*(float(v) * factor for v in row[:4])), float(row[14])) for row in faces]
        return sorted((d for d in found if d.box.width >= min_face_px), key=lambda detection: -detection.confidence)

    def confirm(self, rgb: np.ndarray, box: Box) -> Detection | None:
        """See Detector."""
        part, corner = around(rgb, box)
        found = self.detect(np.ascontiguousarray(part), box.width * CONFIRM_SIZES[0])
        if not found:
            return None
        best = found[0].box
        return Detection(best._replace(x=best.x + corner[0], y=best.y + corner[1]), found[0].confidence)


def pulled() -> Path | None:
    """YuNet's file as `rppg-ros models pull yunet` keeps it; None: it is not there, or not whole."""
    folder = models_folder()
    path = None if folder is None else folder / PULLED
    with contextlib.suppress(OSError):
        if path is not None and hashlib.sha256(path.read_bytes()).hexdigest() == PULLED_SHA256:
            return path
    return None

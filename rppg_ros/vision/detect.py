"""Finds faces in one image: OpenCV's YuNet when a model file is given, else OpenCV's Haar cascade; or a plug-in does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from rppg_ros.plugins import Group, lacking, make, not_callable
from rppg_ros.types import Box

AUTO, HAAR, YUNET = "auto", "haar", "yunet"
LONG_SIDE_PX = 320  # images are searched at this size: a face of 1/8 of the width is still 40 pixels
FINE_SIDE_PX = 640  # and by Haar now and then at this one, for faces of 1/16
FINE_EVERY = 8  # searches, while faces are found in the small image; else every other one
CASCADE = "haarcascade_frontalface_default.xml"
CASCADE_FOLDERS = ("/usr/share/opencv4/haarcascades", "/usr/share/opencv/haarcascades")
HAAR_MIN_PX = 24  # the cascade's own size
# YuNet's box (hairline to chin, cheek to cheek) in units of Haar's square; medians over the same faces in recordings.
HAAR_TO_FACE = {"width": 0.84, "height": 1.18, "down": 0.03}
CONFIRM_REACH = 0.85  # box sides around the centre of an expected face
CONFIRM_SIDE_PX = 130
CONFIRM_SIZES = (0.65, 1.5)  # of the expected size
HAAR_WEIGHT_HALF = 2.0  # last-stage weight at which the confidence is 1/2; background rarely gets above it


class Steps(NamedTuple):
    """How patiently Haar searches: the zoom from one size to the next, and the overlapping hits that make a face."""

    zoom: float
    neighbours: int


COARSE, FINE = Steps(1.15, 6), Steps(1.1, 6)
CONFIRM = Steps(1.08, 2)


class DetectorError(ValueError):
    """A detector's file is missing or unreadable; names it."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face: its box in image pixels, and the detector's confidence, 0..1."""

    box: Box
    confidence: float


class Detector(Protocol):
    """Something that finds faces."""

    @property
    def certain(self) -> bool:
        """Whether one sight of a face is enough."""

    def detect(self, rgb: np.ndarray, min_face_px: float) -> list[Detection]:
        """All faces of an RGB uint8 (H, W, 3) image, the surest first."""

    def confirm(self, rgb: np.ndarray, box: Box) -> Detection | None:
        """The face that is expected about here, looked for with more patience; None if it is not seen."""


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """What whoever asks for a detector may choose; a detector takes from it what it has a use for.

    Attributes
    ----------
    model : path of a model file; "": none.
    min_confidence : least confidence of a detection, 0..1.
    """

    model: str = ""
    min_confidence: float = 0.5


DetectorFactory = Callable[[DetectorOptions], Detector]


def make_detector(name: str = AUTO, model: str = "", min_confidence: float = 0.5) -> Detector:
    """Detector by name.

    Parameters
    ----------
    name : "yunet" needs a model; "haar"; "auto" is YuNet when a model is given, else Haar; or a plug-in's.
    model : path of its model file.

    Raises
    ------
    DetectorError : unknown detector, a model that is missing or unusable, or a plug-in that does not give a detector.
    """
    return make(GROUP, name, DetectorOptions(model, min_confidence), lambda made: lacking(made, Detector))


def detector_names() -> tuple[str, ...]:
    """Names that `make_detector` takes, those of plug-ins last. Imports no plug-in."""
    return GROUP.names()


def _around(image: np.ndarray, box: Box) -> tuple[np.ndarray, tuple[int, int]]:
    """View on the surroundings of a box, and their left top corner."""
    x, y = box.centre
    reach = max(box.width, box.height) * CONFIRM_REACH
    left, top = max(int(x - reach), 0), max(int(y - reach), 0)
    return image[top : max(int(y + reach), top + 1), left : max(int(x + reach), left + 1)], (left, top)


def _reduced(image: np.ndarray, long_side: int = LONG_SIDE_PX) -> tuple[np.ndarray, float]:
    """Image with its long side at most `long_side`, and the factor back to the full image."""
    factor = max(image.shape[:2]) / long_side
    if factor <= 1:
        return image, 1.0
    size = (round(image.shape[1] / factor), round(image.shape[0] / factor))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), factor


class HaarDetector:
    """Viola-Jones cascade: frontal faces, no model file needed; not certain on one sight.

    The small image shows nine of ten faces of 80 pixels in a VGA image and six of ten of 60; the large one nearly all, at
    more than twice the cost. So searches take turns: every other one is fine while nothing is found, else one in eight.

    Raises
    ------
    DetectorError : OpenCV came without its cascades.
    """

    certain = False

    def __init__(self, min_confidence: float = 0.5) -> None:
        self._min_confidence = min_confidence
        self._cascade = cv2.CascadeClassifier(str(_cascade_file()))
        if self._cascade.empty():
            raise DetectorError(f"{_cascade_file()}: not a cascade that this OpenCV reads")
        self._searches = 0
        self._seen_coarse = 0
        self._fine_next = False

    def detect(self, rgb: np.ndarray, min_face_px: float) -> list[Detection]:
        """See Detector."""
        self._searches += 1
        repeated, fine = self._fine_next, self._fine_next or self._searches % FINE_EVERY == 0
        found = self._search(rgb, min_face_px, *((FINE_SIDE_PX, FINE) if fine else (LONG_SIDE_PX, COARSE)))
        if fine:  # who looks for a second sight of a face must not look coarsely
            self._fine_next = not repeated and len(found) > self._seen_coarse
        else:
            self._seen_coarse = len(found)
            self._fine_next = not found
        return found

    def _search(self, rgb: np.ndarray, min_face_px: float, long_side: int, steps: Steps) -> list[Detection]:
        # Reducing first and taking the grey of a few pixels is cheaper than the other way round.
        small, factor = _reduced(rgb, long_side)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        least = max(HAAR_MIN_PX, round(min_face_px / HAAR_TO_FACE["width"] / factor))
        squares, _, weights = self._cascade.detectMultiScale3(
            grey, *steps, minSize=(least, least), outputRejectLevels=True
        )
        found = [
            Detection(_face_box(*(float(v) * factor for v in square)), _haar_confidence(float(weight)))
            for square, weight in zip(squares, np.ravel(weights), strict=True)
        ]
        found = [detection for detection in found if detection.confidence >= self._min_confidence]
        return sorted(found, key=lambda detection: -detection.confidence)

    def confirm(self, rgb: np.ndarray, box: Box) -> Detection | None:
        """See Detector. A known place and size allow finer steps and fewer neighbours at less cost."""
        part, corner = _around(rgb, box)
        small, factor = _reduced(part, CONFIRM_SIDE_PX)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        expected = box.width / HAAR_TO_FACE["width"] / factor
        least, most = (max(HAAR_MIN_PX, round(expected * ratio)) for ratio in CONFIRM_SIZES)
        squares, _, weights = self._cascade.detectMultiScale3(
            grey, *CONFIRM, minSize=(least, least), maxSize=(most, most), outputRejectLevels=True
        )
        if not len(squares):
            return None
        best = int(np.argmax(weights))
        found = _face_box(*(float(v) * factor for v in squares[best]))
        confidence = _haar_confidence(float(np.ravel(weights)[best]))
        return Detection(found._replace(x=found.x + corner[0], y=found.y + corner[1]), confidence)


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
        small, factor = _reduced(rgb)
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        self._net.setInputSize((bgr.shape[1], bgr.shape[0]))
        _, rows = self._net.detect(bgr)
        faces: np.ndarray = np.zeros((0, 15)) if rows is None else rows
        found = [Detection(Box(*(float(v) * factor for v in row[:4])), float(row[14])) for row in faces]
        return sorted((d for d in found if d.box.width >= min_face_px), key=lambda detection: -detection.confidence)

    def confirm(self, rgb: np.ndarray, box: Box) -> Detection | None:
        """See Detector."""
        part, corner = _around(rgb, box)
        found = self.detect(np.ascontiguousarray(part), box.width * CONFIRM_SIZES[0])
        if not found:
            return None
        best = found[0].box
        return Detection(best._replace(x=best.x + corner[0], y=best.y + corner[1]), found[0].confidence)


def _haar(options: DetectorOptions) -> Detector:
    return HaarDetector(options.min_confidence)


def _yunet(options: DetectorOptions) -> Detector:
    if not options.model:
        raise DetectorError("detector 'yunet' needs a model: give the path of its .onnx file (detector.model)")
    return YuNetDetector(options.model, options.min_confidence)


def _auto(options: DetectorOptions) -> Detector:
    return _yunet(options) if options.model else _haar(options)


_OWN: Mapping[str, DetectorFactory] = MappingProxyType({AUTO: _auto, HAAR: _haar, YUNET: _yunet})
GROUP: Group[DetectorFactory] = Group("rppg_ros.detectors", "detector", _OWN, DetectorError, not_callable)


def _cascade_file() -> Path:
    folders = [getattr(getattr(cv2, "data", None), "haarcascades", None), *CASCADE_FOLDERS]
    for folder in filter(None, folders):
        if (Path(folder) / CASCADE).is_file():
            return Path(folder) / CASCADE
    raise DetectorError(
        f"this OpenCV came without {CASCADE}: install opencv-python or opencv-data, or give a YuNet file (detector.model)"
    )


def _face_box(x: float, y: float, width: float, height: float) -> Box:
    wide, high = width * HAAR_TO_FACE["width"], height * HAAR_TO_FACE["height"]
    return Box(x + (width - wide) / 2, y + (height - high) / 2 + HAAR_TO_FACE["down"] * height, wide, high)


def _haar_confidence(weight: float) -> float:
    return max(weight, 0.0) / (max(weight, 0.0) + HAAR_WEIGHT_HALF)

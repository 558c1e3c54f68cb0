"""Finds faces in one image: YuNet where its model file is given or was pulled, else OpenCV's Haar cascade; or a plug-in does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rppg_ros.plugins import Group, lacking, make, not_callable
from rppg_ros.vision.detection import LONG_SIDE_PX, Detection, Detector, DetectorError
from rppg_ros.vision.haar import HaarDetector
from rppg_ros.vision.yunet import YuNetDetector, pulled

__all__ = [
    "LONG_SIDE_PX", "Detection", "Detector", "DetectorError", "DetectorOptions", "HaarDetector", "YuNetDetector",
    "detector_names", "make_detector", "model_of",
]  # fmt: skip

AUTO, HAAR, YUNET = "auto", "haar", "yunet"


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
    name : "yunet" needs a model; "haar"; "auto" is YuNet when a model is given or was pulled, else Haar; or a plug-in's.
    model : path of its model file.

    Raises
    ------
    DetectorError : unknown detector, a model that is missing or unusable, or a plug-in that does not give a detector.
    """
    return make(GROUP, name, DetectorOptions(model, min_confidence), lambda made: lacking(made, Detector))


def detector_names() -> tuple[str, ...]:
    """Names that `make_detector` takes, those of plug-ins last. Imports no plug-in."""
    return GROUP.names()


def model_of(name: str, model: str) -> str:
    """Path of the file that a detector of that name takes when it is given that model; "": none."""
    return model or (str(pulled() or "") if name in (AUTO, YUNET) else "")


def _haar(options: DetectorOptions) -> Detector:
    return HaarDetector(options.min_confidence)


def _yunet(options: DetectorOptions) -> Detector:
    model = options.model or pulled()
    if not model:
        raise DetectorError(
            "detector 'yunet' needs a model: `rppg-ros models pull yunet`, or the path of its .onnx file (detector.model)"
        )
    return YuNetDetector(str(model), options.min_confidence)


def _auto(options: DetectorOptions) -> Detector:
    if options.model:
        return _yunet(options)
    found = pulled()
    if found is not None:
        with contextlib.suppress(DetectorError):  # an OpenCV before 4.8
            return YuNetDetector(str(found), options.min_confidence)
    return _haar(options)


_OWN: Mapping[str, DetectorFactory] = MappingProxyType({AUTO: _auto, HAAR: _haar, YUNET: _yunet})
GROUP: Group[DetectorFactory] = Group("rppg_ros.detectors", "detector", _OWN, DetectorError, not_callable)

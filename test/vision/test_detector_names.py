"""Detectors by name."""

import pytest

from rppg_ros.vision.detect import (
    DetectorError,
    DetectorOptions,
    HaarDetector,
    YuNetDetector,
    detector_names,
    make_detector,
)
from support.distributions import install

NONE = """
class Blind:
    certain = True

    def __init__(self, options):
        self.options = options

    def detect(self, rgb, min_face_px):
        return []

    def confirm(self, rgb, box):
        return None

class Half:
    def __init__(self, options):
        pass

    detect = Blind.detect
"""


def test_our_own(monkeypatch):
    made = []
    monkeypatch.setattr(YuNetDetector, "__init__", lambda self, *given: made.append(given))
    assert detector_names() == ("auto", "haar", "yunet")
    assert isinstance(make_detector(), HaarDetector) and isinstance(make_detector("haar", "a.onnx"), HaarDetector)
    for name in ("auto", "yunet"):
        assert isinstance(make_detector(name, "a.onnx", 0.25), YuNetDetector)
    assert made == [("a.onnx", 0.25)] * 2
    with pytest.raises(DetectorError, match="'yunet' needs a model"):
        make_detector("yunet")
    with pytest.raises(DetectorError, match="no detector 'hare'; there are: auto, haar, yunet; did you mean 'haar'"):
        make_detector("hare")


def test_a_plugin(plugin_folder):
    points = {"rppg_ros.detectors": {"blind": "no_faces:Blind", "half": "no_faces:Half"}}
    install(plugin_folder, "acme", points, {"no_faces": NONE})
    assert detector_names() == ("auto", "haar", "yunet", "blind", "half")
    assert make_detector("blind", "a.onnx", 0.25).options == DetectorOptions("a.onnx", 0.25)
    with pytest.raises(DetectorError, match="'half' of acme 1.0 .* lacks certain, confirm$"):
        make_detector("half")

"""Detectors by name."""

import pytest

from rppg_ros.evaluation.config import plain
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.vision import detect
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


def test_auto_takes_a_file_that_was_pulled(monkeypatch, tmp_path):
    """And Haar where this OpenCV cannot read it; a file that is given goes before it."""
    monkeypatch.setattr(detect, "pulled", lambda: tmp_path / "pulled.onnx")
    made = []
    monkeypatch.setattr(YuNetDetector, "__init__", lambda self, *given: made.append(given))
    assert isinstance(make_detector(), YuNetDetector) and isinstance(make_detector("yunet"), YuNetDetector)
    assert isinstance(make_detector("auto", "a.onnx"), YuNetDetector) and isinstance(
        make_detector("haar"), HaarDetector
    )
    assert [given[0] for given in made] == [str(tmp_path / "pulled.onnx")] * 2 + ["a.onnx"]
    assert detect.model_of("auto", "") == detect.model_of("yunet", "") == str(tmp_path / "pulled.onnx")
    assert (detect.model_of("haar", ""), detect.model_of("auto", "a.onnx")) == ("", "a.onnx")

    def old(self, *given):
        raise DetectorError("needs OpenCV 4.8")

    monkeypatch.setattr(YuNetDetector, "__init__", old)
    assert isinstance(make_detector(), HaarDetector)
    with pytest.raises(DetectorError, match="needs OpenCV 4.8"):
        make_detector("yunet")


def test_an_evaluation_says_which_file_it_took(monkeypatch, tmp_path):
    pulled = tmp_path / "pulled.onnx"
    pulled.write_bytes(b"net")
    assert plain(EvaluationSettings())["detector_model"] == ""
    monkeypatch.setattr(detect, "pulled", lambda: pulled)
    assert plain(EvaluationSettings())["detector_model"].startswith("pulled.onnx (sha256 ")
    assert plain(EvaluationSettings(detector_name="haar"))["detector_model"] == ""


def test_a_plugin(plugin_folder):
    points = {"rppg_ros.detectors": {"blind": "no_faces:Blind", "half": "no_faces:Half"}}
    install(plugin_folder, "acme", points, {"no_faces": NONE})
    assert detector_names() == ("auto", "haar", "yunet", "blind", "half")
    assert make_detector("blind", "a.onnx", 0.25).options == DetectorOptions("a.onnx", 0.25)
    with pytest.raises(DetectorError, match="'half' of acme 1.0 .* lacks certain, confirm$"):
        make_detector("half")

"""A camera's compression: what chroma is kept, with OpenCV of any age."""

import cv2
import numpy as np
import pytest

from rppg_ros.synthesis.camera import CHROMA_OPTIONS, CameraConfig, expose

# Red and blue columns of equal luma: half-size chroma mixes them.
STRIPES = np.tile(np.array([[[0.3, 0.1, 0.1], [0.1, 0.1, 0.7]]], np.float32), (32, 16, 1))
CHOICE = hasattr(cv2, CHROMA_OPTIONS["444"])


def contrast(chroma):
    image = expose(CameraConfig(jpeg_quality=95, chroma=chroma), STRIPES, np.zeros_like(STRIPES))
    return int(image[..., 0].max()) - int(image[..., 0].min())


@pytest.mark.skipif(not CHOICE, reason="OpenCV has this choice from 4.7 on")
def test_whole_chroma_keeps_what_half_mixes():
    assert contrast("444") > 1.5 * contrast("420")


def test_without_the_choice_chroma_is_half(monkeypatch):
    before = contrast("420")
    for name in CHROMA_OPTIONS.values():
        monkeypatch.delattr(cv2, name, raising=False)
    assert contrast("420") == before
    with pytest.raises(RuntimeError, match="chroma 444 needs OpenCV 4.7 or later; this is "):
        contrast("444")

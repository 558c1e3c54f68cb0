"""The detector that reads YuNet's files, on a network of our own in their shape that knows one picture."""

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is installed for tests only")

from rppg_ros.types import Box  # noqa: E402
from rppg_ros.vision.detect import LONG_SIDE_PX, YuNetDetector, make_detector  # noqa: E402
from support.face_network import write_face_network  # noqa: E402
from support.opencv import OPENCV  # noqa: E402

pytestmark = pytest.mark.skipif(OPENCV < (4, 8), reason="OpenCV reads YuNet files from 2023 on from 4.8 on")

WIDE, HIGH = 64, 80


def picture():
    """Red on grey, (80, 64, 3) RGB: in green and blue there is nothing to see."""
    red = cv2.resize(np.random.default_rng(4).uniform(0, 255, (6, 5)), (WIDE, HIGH), interpolation=cv2.INTER_CUBIC)
    flat = np.full((HIGH, WIDE), 128.0)
    return np.clip(np.dstack([red, flat, flat]), 0, 255).astype(np.uint8)


def scene(*places, size=(240, 320), scale=1):
    """Grey RGB image with the picture at these (x, y), enlarged."""
    image = np.full((*size, 3), 128, np.uint8)
    for x, y in places:
        image[y : y + HIGH * scale, x : x + WIDE * scale] = picture().repeat(scale, axis=0).repeat(scale, axis=1)
    return image


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    return make_detector("yunet", write_face_network(tmp_path_factory.mktemp("net") / "picture.onnx", picture()))


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("place", [(0, 0), (96, 40), (240, 144)])
def test_a_face_is_found_where_it_is_at_any_image_size(detector, place, scale):
    """Images larger than the search are reduced for it; boxes come back in pixels of the image."""
    x, y = (scale * v for v in place)
    (found,) = detector.detect(scene((x, y), size=(240 * scale, LONG_SIDE_PX * scale), scale=scale), 40)
    np.testing.assert_allclose(found.box, Box(x, y, WIDE * scale, HIGH * scale), atol=0.01 * scale)
    assert found.confidence == pytest.approx(1, abs=0.05)


def test_large_and_small_faces_have_strides_of_their_own(detector):
    (found,) = detector.detect(scene((96, 32), scale=2), 40)
    np.testing.assert_allclose(found.box, Box(96, 32, 2 * WIDE, 2 * HIGH), atol=0.01)


def test_colours_are_told_apart(detector):
    assert detector.detect(scene((96, 40)), 40)
    assert not detector.detect(scene((96, 40))[..., ::-1].copy(), 40)


def test_the_surest_comes_first_and_the_small_are_left_out(detector):
    image = scene((16, 40), (200, 120))
    image[40:75, 16:80] = 128  # a good part of it is hidden
    first, second = detector.detect(image, 40)
    assert first.box.x == pytest.approx(200, abs=0.01) and second.box.x == pytest.approx(16, abs=8)
    assert 1 >= first.confidence > second.confidence >= 0.5
    assert detector.detect(image, WIDE - 1) and not detector.detect(image, WIDE + 1)


def test_confidence_below_the_least_is_no_face(tmp_path):
    path = write_face_network(tmp_path / "picture.onnx", picture())
    image = scene((16, 40))
    image[40:75, 16:80] = 128  # a good part of it is hidden
    (found,) = YuNetDetector(path).detect(image, 40)
    assert not YuNetDetector(path, found.confidence + 0.01).detect(image, 40)
    assert YuNetDetector(path, found.confidence - 0.01).detect(image, 40)


def test_an_expected_face_is_confirmed_in_pixels_of_the_whole_image(detector):
    image = scene((416, 296), size=(480, 640))
    expected = Box(420, 290, WIDE, HIGH)
    assert not detector.detect(image, 20), "half as large in the search of the whole image"
    found = detector.confirm(image, expected)
    assert abs(found.box.x - 416) <= 4 and abs(found.box.y - 296) <= 4
    assert found.confidence > 0.5
    assert detector.confirm(image, Box(100, 100, WIDE, HIGH)) is None
    assert detector.confirm(image, Box(420, 290, 2 * WIDE, 2 * HIGH)) is None, "too small for what is expected"

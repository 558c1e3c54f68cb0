"""Sizes (22): 4K, tiny, odd and changing images; the face is found where it is, or there is none, and nothing dies."""

import cv2
import numpy as np
import pytest

from rppg_ros import VitalsMeter
from rppg_ros.sources.base import RGB
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.types import NS_PER_S, Rate, Status

SCENE = DemoScene(seconds=1.5, fps=15.0, thermal_fps=0.0, jitter_s=0.0, drop=0.0, motion_px=0.5)
PERIOD_NS = NS_PER_S // 15


@pytest.fixture(scope="module")
def film():
    return [frame.image for frame in DemoSource(SCENE) if frame.stream == RGB]


def last_box(images):
    """Box of the face in the last of pictures that come one after the other; None: no face."""
    meter, box = VitalsMeter(engine="pos", seed=1), None
    for index, image in enumerate(images):
        for frame in meter.camera.push(RGB, NS_PER_S + index * PERIOD_NS, image):
            box = frame.crops[0].box if frame.crops else None
    return box


def fitted(picture, size):
    """A picture in the middle of a larger or smaller one, and its scale and corner there."""
    scale = min(size[0] / picture.shape[1], size[1] / picture.shape[0])
    inner = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    whole = np.full((size[1], size[0], 3), 60, np.uint8)
    top, left = (size[1] - inner.shape[0]) // 2, (size[0] - inner.shape[1]) // 2
    whole[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return whole, scale, np.array([left, top])


@pytest.fixture(scope="module")
def reference(film):
    return last_box(film)


@pytest.mark.parametrize("size", [(3840, 2160), (2160, 3840), (1920, 1080), (641, 479), (320, 240)])
def test_the_face_is_found_at_any_size(film, reference, size):
    box = last_box(fitted(picture, size)[0] for picture in film)
    _, scale, corner = fitted(film[0], size)
    centre = [np.array([one.x + one.width / 2, one.y + one.height / 2]) for one in (reference, box)]
    assert np.abs(centre[1] - centre[0] * scale - corner).max() < 0.25 * reference.width * scale


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 5), (16, 16), (64, 64), (64, 1)])
def test_tiny_images_give_no_number(film, size):
    meter, outputs = VitalsMeter(engine="pos", seed=1), []
    for index, picture in enumerate(film * 3):
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], 3)
        outputs += meter.outputs(RGB, NS_PER_S + index * PERIOD_NS, small)
    outputs += meter.flush()
    assert not [o for o in outputs if isinstance(o, Rate) and o.status is Status.OK]


def test_a_size_that_changes_from_frame_to_frame_is_survived(film):
    sizes = [(640, 480), (64, 64), (1280, 960), (2, 2), (641, 483)]
    images = [cv2.resize(picture, sizes[i % 5], interpolation=cv2.INTER_AREA) for i, picture in enumerate(film)]
    assert last_box([*images, *film]) is not None

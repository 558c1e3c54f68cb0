import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros.vision.crop import projected_crop, square_crop


def ramp(height=240, width=320):
    """Image whose value at any place is 0.5 x + 0.25 y (pixel i covers i to i + 1)."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return (0.5 * x + 0.25 * y).astype(np.float32)


@given(st.floats(100, 220), st.floats(90, 150), st.floats(10, 170), st.sampled_from([9, 36, 72]))
@settings(max_examples=60)
def test_a_ramp_is_cut_exactly_at_any_sub_pixel_place(cx, cy, side, size):
    crop = square_crop(ramp(), (cx, cy), side, size)
    places = (np.arange(size) + 0.5) * side / size - side / 2
    expected = 0.5 * (cx + places[None, :]) + 0.25 * (cy + places[:, None])
    # OpenCV warps know 1/32 pixel of the (perhaps reduced) image, that is 1/64 of a crop pixel or less.
    assert crop.shape == (size, size)
    assert np.abs(crop - expected).max() < 0.75 * max(side / size / 64, 1 / 32) + 0.005


def test_moving_a_fine_pattern_does_not_flicker():
    """The mean of a crop of stripes finer than its pixels stays put while the crop moves: no aliasing."""
    y, x = np.mgrid[0:300, 0:300]
    stripes = (127 + 100 * np.sin(2 * np.pi * x / 3.1)).astype(np.float32)
    pixels = [square_crop(stripes, (150 + d, 150), 216, 36)[10:26, 10:26] for d in np.arange(0, 3, 0.1)]
    assert np.std(pixels) < 6  # nearest-pixel sampling gives 70


def test_outside_repeats_the_edge_and_colour_keeps_its_type():
    image = np.full((50, 60, 3), (10, 20, 30), np.uint8)
    crop = square_crop(image, (0.0, 0.0), 40, 72)
    assert crop.dtype == np.uint8 and crop.shape == (72, 72, 3)
    assert np.array_equal(crop[0, 0], (10, 20, 30))


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0])
def test_a_homography_to_a_smaller_camera_lands_at_the_same_place(scale):
    small = cv2.resize(ramp(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    crop = projected_crop(small, (160.3, 120.7), 80, 36, np.diag([scale, scale, 1.0]))
    assert np.abs(crop - square_crop(ramp(), (160.3, 120.7), 80, 36)).max() < 0.1

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.types import Box
from rppg_ros.vision.registration import (
    FACE_M,
    Calibration,
    Camera,
    Homography,
    SameView,
    pose_inverted,
    rotation_of,
)

RGB, THERMAL = (480, 640, 3), (120, 160)
K_RGB = np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])
K_THERMAL = np.array([[150.0, 0, 80], [0, 150, 60], [0, 0, 1]])


def seen(matrix, x, y):
    point = matrix @ (x, y, 1.0)
    return point[:2] / point[2]


def test_the_same_view_and_alike_cameras_agree():
    by_view = SameView().matrix(RGB, THERMAL)
    by_lens = Calibration(Camera(K_RGB), Camera(K_THERMAL)).matrix(RGB, THERMAL)
    np.testing.assert_allclose(by_lens / by_lens[2, 2], by_view, atol=1e-9)


def test_a_homography_is_what_it_is():
    shift = np.array([[0.25, 0, 10], [0, 0.25, 0], [0, 0, 1]])
    assert Homography(shift).matrix(RGB, THERMAL, Box(0, 0, 9, 9)) is shift


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_k_is_scaled_to_the_images_size(factor):
    full = Calibration(Camera(K_RGB, 640, 480), Camera(K_THERMAL, 160, 120))
    shape = (round(480 * factor), round(640 * factor), 3)
    matrix = full.matrix(shape, THERMAL)
    np.testing.assert_allclose(seen(matrix, 640 * factor, 480 * factor), (160, 120))
    unsized = Calibration(Camera(K_RGB), Camera(K_THERMAL)).matrix(shape, THERMAL)
    np.testing.assert_allclose(seen(unsized, 640, 480), (160, 120))


@given(st.floats(0.4, 3.0), st.floats(-0.2, 0.2), st.floats(-0.1, 0.1))
def test_a_near_face_lies_where_both_pinholes_see_it(distance_m, right_m, down_m):
    """A point of the face's plane, projected into both cameras by hand."""
    width_px = K_RGB[0, 0] * FACE_M / distance_m
    rotation = rotation_of((0.0, 0.03, 0.01, 1.0))
    translation = np.array([-0.05, 0.01, 0.02])
    point = np.array([right_m, down_m, distance_m])
    in_rgb = K_RGB @ point
    in_thermal = K_THERMAL @ (rotation @ point + translation)
    calibration = Calibration(Camera(K_RGB), Camera(K_THERMAL), rotation, translation)
    assert calibration.complete and not Calibration(Camera(K_RGB), Camera(K_THERMAL)).complete
    matrix = calibration.matrix(RGB, THERMAL, Box(100, 100, width_px, width_px))
    np.testing.assert_allclose(
        seen(matrix, *(in_rgb[:2] / in_rgb[2])), in_thermal[:2] / in_thermal[2], rtol=1e-9, atol=1e-6
    )


def test_without_a_box_or_a_translation_the_scene_is_far():
    far = Calibration(Camera(K_RGB), Camera(K_THERMAL), None, np.array([0.1, 0, 0])).matrix(RGB, THERMAL)
    np.testing.assert_allclose(seen(far, 320, 240), (80, 60))


@given(st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_a_quaternion_of_any_length_is_a_rotation(q):
    rotation = rotation_of(q)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_a_quarter_turn_about_z_takes_x_to_y():
    half = np.sqrt(0.5)
    np.testing.assert_allclose(rotation_of((0, 0, half, half)) @ (1, 0, 0), (0, 1, 0), atol=1e-12)
    np.testing.assert_allclose(rotation_of((half, 0, 0, half)) @ (0, 1, 0), (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(rotation_of((0, half, 0, half)) @ (0, 0, 1), (1, 0, 0), atol=1e-12)


@pytest.mark.parametrize("q", [(0, 0, 0, 0), (np.nan, 0, 0, 1), (np.inf, 0, 0, 1)])
def test_what_is_no_rotation_is_refused(q):
    with pytest.raises(ValueError, match="no rotation"):
        rotation_of(q)


def test_a_pose_inverted_takes_the_childs_origin_to_zero():
    rotation, position = rotation_of((0.1, 0.2, -0.1, 1.0)), np.array([0.05, -0.02, 0.01])
    translation, back = pose_inverted(position, rotation)
    np.testing.assert_allclose(back @ position + translation, 0, atol=1e-12)
    np.testing.assert_allclose(back @ (position + rotation[:, 0]) + translation, (1, 0, 0), atol=1e-12)

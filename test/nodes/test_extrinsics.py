import numpy as np
import pytest

from rppg_ros.nodes.extrinsics import Pose, pose_from, tf_lookup


def test_zeros_say_nothing():
    assert pose_from([0.0] * 7) is None


def test_a_camera_to_the_right_sees_the_face_to_the_left():
    pose = pose_from([0.05, 0, 0, 0, 0, 0, 1])
    np.testing.assert_allclose(pose.translation, (-0.05, 0, 0))
    np.testing.assert_allclose(pose.rotation, np.eye(3))


@pytest.mark.parametrize("numbers", [[0.1, 0, 0, 0, 0, 0, 0], [50.0, 0, 0, 0, 0, 0, 1], [float("nan")] * 7])
def test_what_is_no_pose_is_named(numbers):
    with pytest.raises(ValueError, match=r"thermal\.extrinsics"):
        pose_from(numbers)


def test_rounding_is_no_other_pose():
    a, b = (Pose(np.array([x, 0, 0]), np.eye(3), "TF") for x in (0.05, 0.05 + 1e-9))
    assert a.key == b.key != Pose(np.array([0.06, 0, 0]), np.eye(3), "TF").key


def test_without_tf2_there_is_no_lookup():
    try:
        import tf2_ros  # noqa: F401
    except ImportError:
        assert tf_lookup(None) is None
    else:
        pytest.skip("tf2_ros is installed here")

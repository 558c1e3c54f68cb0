from types import SimpleNamespace

import numpy as np
import pytest

from rppg_ros.nodes.extrinsics import Pose, TfLookup, pose_from, tf_lookup


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


class FakeTf2:
    """What is used of tf2_ros."""

    class TransformException(Exception):  # noqa: N818 (its name there)
        pass

    class TransformListener:
        def __init__(self, buffer, node):
            buffer.listener, self.closed = self, False

        def unregister(self):
            self.closed = True

    class Buffer:
        known = {("thermal", "rgb"): ((0.05, 0.0, 0.01), (0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)))}

        def lookup_transform(self, target, source, time):
            if (target, source) not in self.known:
                raise FakeTf2.TransformException
            (x, y, z), (qx, qy, qz, qw) = self.known[target, source]
            translation = SimpleNamespace(x=x, y=y, z=z)
            rotation = SimpleNamespace(x=qx, y=qy, z=qz, w=qw)
            return SimpleNamespace(transform=SimpleNamespace(translation=translation, rotation=rotation))


def test_tf_takes_points_of_the_rgb_camera_to_the_thermal_one():
    lookup = TfLookup(None, FakeTf2)
    pose = lookup.find("rgb", "thermal")
    np.testing.assert_allclose(pose.rotation @ (1, 0, 0) + pose.translation, (0.05, 1.0, 0.01), atol=1e-12)
    assert pose.source == "TF"
    assert lookup.find("rgb", "elsewhere") is None, "not known yet"
    assert lookup.find("rgb", "rgb") is None and lookup.find("", "thermal") is None
    lookup.close()
    assert lookup._listener.closed

"""Settings as ROS parameters: start values, changes while running, and what is said of those that cannot be."""

import re

import pytest
from rclpy.node import Node
from rclpy.parameter import Parameter

from rppg_ros.nodes.face_tracker import FaceTrackerNode
from rppg_ros.nodes.params import ParameterError, Parameters, StrictParameters, check_flags
from rppg_ros.nodes.vitals import VitalsNode
from rppg_ros.nodes.vitals_pipeline import make_nodes
from rppg_ros.settings.nodes import VideoSourceSettings
from support.graph import context, overrides


class Plain(StrictParameters, Node):
    """A node without a lifecycle."""

    def __init__(self, **kwargs):
        super().__init__("plain", **kwargs)
        self.parameters = Parameters(self, VideoSourceSettings)


@pytest.fixture
def made():
    """Makes nodes, and destroys them at the end."""
    context()
    nodes = []

    def make(cls, **given):
        nodes.append(cls(parameter_overrides=overrides(**given)))
        return nodes[-1]

    yield make
    for node in nodes:
        if getattr(node, "active", False):
            node.trigger_deactivate()
        node.destroy_node()


def change(node, **values):
    (result,) = node.set_parameters(overrides(**values))
    return result.successful, result.reason


def test_start_values_are_read_with_their_type(made):
    got = made(Plain, rate=0, source=0, camera_matrix=[1.0, 0.0, 2.0, 0.0, 1.0, 2.0, 0.0, 0.0, 1.0]).parameters.read()
    assert got.rate == 0.0 and isinstance(got.rate, float) and got.source == "0" and got.camera_matrix[2] == 2.0
    assert got == made(Plain, rate=0.0, source="0", camera_matrix=got.camera_matrix).parameters.read()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"rate": 9999.0}, "parameter 'rate' cannot be 9999.0: it must be a float from 0 to 1000"),
        ({"rate": "fast"}, "parameter 'rate' cannot be 'fast'"),
        ({"jpeg_quality": 0}, "parameter 'jpeg_quality' cannot be 0: it must be an int from 1 to 100"),
        ({"encoding": "purple"}, "parameter 'encoding' cannot be 'purple': it must be one of: rgb8, bgr8, mono8"),
        ({"camera_matrix": [1.0]}, "parameter 'camera_matrix' cannot be"),
        ({"sorce": "demo:"}, "unknown parameter 'sorce'; did you mean 'source'?"),
    ],
)
def test_start_values_that_cannot_be_are_named(given, says):
    context()
    with pytest.raises(ParameterError) as caught:
        Plain(parameter_overrides=overrides(**given))
    assert str(caught.value).startswith(says)


def test_another_nodes_setting_is_no_misspelling_at_start_and_refused_later(made):
    """A section `/**` of a parameter file reaches every node."""
    node = made(Plain, detector__rate=3.0)
    assert not node.has_parameter("detector.rate")
    assert change(node, detector__rate=3.0) == (
        False,
        "unknown parameter 'detector.rate' of plain: it is a parameter of face_tracker",
    )


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["-p", "max_faces:=1"], "unknown parameter 'max_faces': it is a parameter of face_tracker"),
        (["--param", "detector.rate:=1.0", "-p", "rate:=2.0"], "'detector.rate': it is a parameter of face_tracker"),
    ],
)
def test_another_nodes_setting_on_the_command_line_is_refused(made, flags, says):
    with pytest.raises(ParameterError, match=re.escape(says)):
        check_flags(["vitals", "--ros-args", *flags], [made(Plain)])


@pytest.mark.parametrize(
    "flags",
    [["-p", "rate:=1.0"], ["-p", "other:max_faces:=1"], ["-p", "use_sim_time:=true"], ["-r", "max_faces:=x"], []],
)
def test_what_is_ours_or_for_another_node_is_not(made, flags):
    check_flags(["vitals", "--ros-args", *flags], [made(Plain)])


def test_rclpys_own_parameters_are_no_misspelling(made):
    assert made(Plain, use_sim_time=True).get_parameter("use_sim_time").value is True


def test_a_node_without_a_lifecycle_refuses_every_change_with_a_reason(made):
    node = made(Plain)
    assert change(node, rate=2.0) == (
        False,
        "parameter 'rate' is read when the node starts: start it with another value",
    )
    assert change(node, rate=1.0)[0], "the value that it has is no change"


def test_an_unknown_name_is_refused_with_the_nearest_one(made):
    node = made(VitalsNode)
    assert change(node, hopp=1.0) == (False, "unknown parameter 'hopp'; did you mean 'hop'?")
    result = node.set_parameters_atomically([Parameter("hop", value=2.0), Parameter("modle", value="x")])
    assert (result.successful, node.get_parameter("hop").value) == (False, 1.0)


def test_what_is_read_at_configure_changes_before_it_and_not_after(made):
    node = made(VitalsNode, autostart=False)
    assert change(node, engine="chrom")[0]
    node.trigger_configure()
    assert node.half.engine.name == "chrom"
    refused, reason = change(node, engine="pos")
    assert not refused and "deactivate it and clean it up" in reason
    assert node.get_parameter("engine").value == "chrom"
    node.trigger_cleanup()
    assert change(node, engine="pos")[0]
    node.trigger_configure()
    assert node.half.engine.name == "pos"


def test_live_settings_act_at_once(made):
    node = made(VitalsNode)
    node.autostart()
    assert change(node, heart_rate__min_quality=0.25) == (True, "")
    assert change(node, queue_size=3)[0] and change(node, stale_after=1.0)[0]
    assert node.half.settings.heart_rate_min_quality == 0.25
    assert (node.worker.queue_size, node.settings.stale_after) == (3, 1.0)
    tracker = made(FaceTrackerNode)
    tracker.autostart()
    assert change(tracker, max_faces=2)[0] and change(tracker, detector__rate=8.0)[0]
    assert (tracker.camera.settings.max_faces, tracker.settings.detector_rate) == (2, 8.0)
    assert change(tracker, detector__rate=5)[0] and tracker.settings.detector_rate == 5.0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"heart_rate__min_quality": 1.5}, "'heart_rate.min_quality' cannot be 1.5: it must be a float from 0 to 0.99"),
        ({"heart_rate__min_quality": "high"}, "min_quality"),
        ({"queue_size": 0}, "'queue_size' cannot be 0: it must be an int from 1 to 100"),
    ],
)
def test_impossible_live_values_are_refused_with_a_reason(made, values, says):
    node = made(VitalsNode)
    node.autostart()
    before = node.settings
    successful, reason = change(node, **values)
    assert not successful and says in reason and node.settings == before


def test_a_setting_that_fails_at_configure_can_be_put_right(made):
    node = made(VitalsNode, model="/no/such.onnx")
    node.autostart()
    assert not node.active and "/no/such.onnx" in node.problem
    assert change(node, model="")[0]
    node.autostart()
    assert node.active and not node.problem


def test_in_one_process_each_node_takes_its_own_of_the_command_line():
    context()
    both = overrides(engine="chrom", detector__rate=7.0)
    vitals, tracker = make_nodes(both, both)
    assert (vitals.settings.engine, tracker.settings.detector_rate) == ("chrom", 7.0)
    for node in (vitals, tracker):
        node.destroy_node()
    with pytest.raises(ParameterError, match="did you mean 'engine'"):
        make_nodes((), overrides(engnie="pos"))


def test_the_tracker_cuts_what_the_engine_wants_also_after_another_configure():
    context()
    vitals, tracker = make_nodes((), overrides(model="mmrphys-rgb"))
    for node in (vitals, tracker):
        node.autostart()
    assert tracker.camera.tracker.request == vitals.half.request
    first = vitals.half.request
    vitals.trigger_deactivate()
    vitals.trigger_cleanup()
    assert change(vitals, model="")[0]
    vitals.autostart()
    assert tracker.camera.tracker.request == vitals.half.request != first
    for node in (vitals, tracker):
        node.trigger_deactivate()
        node.destroy_node()

"""Launch files: what can be checked without `launch`, and loading them for real where it is installed."""

import ast
import os
import re
import sys
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

import pytest

from rppg_ros.nodes.managed import EXIT_BAD_SETTING
from rppg_ros.settings.nodes import TrackerNodeSettings, VitalsNodeSettings
from rppg_ros.settings.schema import settings_of

ROOT = Path(__file__).parents[2]
LAUNCH_FILES = sorted((ROOT / "launch").glob("*.launch.py"))


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_launch_files_name_what_is_installed(path):
    text = path.read_text()
    ast.parse(text)
    built = (ROOT / "CMakeLists.txt").read_text()
    for executable in re.findall(r'executable="(\w+)"', text):
        assert re.search(rf"\b{executable}\b", built)
    for name in re.findall(r'"(\w+\.(?:yaml|xml))"', text):
        assert (ROOT / "config" / name).is_file()
    for name in re.findall(r'"(\w+\.launch\.py)"', text):
        assert (ROOT / "launch" / name).is_file()


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_launch_loads_them(path):
    pytest.importorskip("launch_ros", reason="launch and launch_ros are not on PyPI; they come with ROS from apt")
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    description = get_launch_description_from_python_launch_file(str(path))
    arguments = [e for e in description.entities if isinstance(e, DeclareLaunchArgument)]
    assert arguments and all(argument.description for argument in arguments)
    launch_context = LaunchContext()
    for argument in arguments:
        argument.visit(launch_context)


def environment_of(dds_profile, **environment):
    """What a node that pipeline.launch.py starts finds in its environment, of what it was started with."""
    from launch import LaunchContext
    from launch.actions import OpaqueFunction
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    description = get_launch_description_from_python_launch_file(str(ROOT / "launch/pipeline.launch.py"))
    context = LaunchContext()
    context.launch_configurations["dds_profile"] = dds_profile
    context.environment.update(environment)
    dds = next(entity for entity in description.entities if isinstance(entity, OpaqueFunction))
    for action in dds.visit(context) or []:
        action.visit(context)
    return context.environment


def test_a_dds_profile_reaches_the_nodes_and_nothing_widens_it():
    pytest.importorskip("launch_ros", reason="launch and launch_ros are not on PyPI; they come with ROS from apt")
    profile = str(ROOT / "config" / "fastdds_loopback.xml")
    found = environment_of(profile, ROS_STATIC_PEERS="192.0.2.1", ROS_LOCALHOST_ONLY="1")
    assert found["FASTRTPS_DEFAULT_PROFILES_FILE"] == found["FASTDDS_DEFAULT_PROFILES_FILE"] == profile
    assert found["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SYSTEM_DEFAULT"
    assert not {"ROS_STATIC_PEERS", "ROS_LOCALHOST_ONLY"} & set(found)
    assert environment_of("none", ROS_STATIC_PEERS="192.0.2.1")["ROS_STATIC_PEERS"] == "192.0.2.1"


@pytest.mark.parametrize(
    ("profile", "environment", "message"),
    [
        ("/nowhere/profile.xml", {}, "no file /nowhere/profile.xml"),
        ("loopback", {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}, "RMW_IMPLEMENTATION=rmw_cyclonedds_cpp"),
    ],
)
def test_a_dds_profile_that_would_do_nothing_is_refused(profile, environment, message):
    pytest.importorskip("launch_ros", reason="launch and launch_ros are not on PyPI; they come with ROS from apt")
    with pytest.raises(RuntimeError, match=message):
        environment_of(profile, **environment)


@pytest.mark.parametrize(
    "environment",
    [{"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}, {"FASTRTPS_DEFAULT_PROFILES_FILE": "/etc/ours.xml"}],
)
def test_the_default_profile_gives_way_to_what_the_environment_says(environment):
    pytest.importorskip("launch_ros", reason="launch and launch_ros are not on PyPI; they come with ROS from apt")
    assert environment_of("shared_memory", **environment) == environment_of("none", **environment)


@pytest.mark.parametrize("name", ["fastdds_shared_memory.xml", "fastdds_loopback.xml"])
def test_shared_memory_holds_all_that_fast_dds_keeps_of_a_subscriber_that_died(name):
    """512 messages (its port_queue_capacity) of 65,500 bytes (its maxMessageSize), and the allocator's own."""
    profile = ElementTree.parse(ROOT / "config" / name).getroot()
    space = {"dds": "http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles"}
    transports = {
        one.find("dds:transport_id", space).text: one for one in profile.iterfind(".//dds:transport_descriptor", space)
    }
    used = [one.text for one in profile.iterfind(".//dds:userTransports/dds:transport_id", space)]
    assert set(used) == set(transports)
    (shared,) = [one for one in transports.values() if one.find("dds:type", space).text == "SHM"]
    assert int(shared.find("dds:segment_size", space).text) >= 512 * (65_500 + 64)


def started_by(name, **arguments):
    """Executable to the parameters that a launch file gives it over those of the file; of the nodes of its own."""
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument, OpaqueFunction
    from launch.launch_description_sources import get_launch_description_from_python_launch_file
    from launch_ros.actions import Node
    from launch_ros.utilities import evaluate_parameters

    context = LaunchContext()
    context.launch_configurations.update(arguments)
    found = {}

    def walk(entities):
        for entity in entities:
            if isinstance(entity, OpaqueFunction | DeclareLaunchArgument):
                walk(entity.visit(context) or [])
            elif isinstance(entity, Node):
                given = evaluate_parameters(context, entity._Node__parameters)
                plain = [one for one in given if isinstance(one, dict)]
                found[entity._Node__node_executable] = {key: value for one in plain for key, value in one.items()}
            elif type(entity).__name__ == "IncludeLaunchDescription":
                included = ROOT / "launch" / "pipeline.launch.py"
                walk(get_launch_description_from_python_launch_file(str(included)).entities)

    walk(get_launch_description_from_python_launch_file(str(ROOT / "launch" / name)).entities)
    return found


@pytest.fixture(autouse=True)
def own_environment():
    """A launch file's actions change that of this process."""
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture
def launch(monkeypatch):
    pytest.importorskip("launch_ros", reason="launch and launch_ros are not on PyPI; they come with ROS from apt")
    monkeypatch.setenv("AMENT_PREFIX_PATH", sys.prefix)
    return started_by


def test_arguments_reach_the_nodes_whose_settings_they_are(launch):
    found = launch(
        "pipeline.launch.py", engine="chrom", provider="cuda", detector="haar", image_transport="compressed",
        thermal_image_transport="raw",
    )  # fmt: skip
    both = {"use_sim_time": False, "autostart": True}
    assert found["vitals"] == {**both, "engine": "chrom", "provider": "cuda"}
    assert found["face_tracker"] == {
        **both, "detector.name": "haar", "image_transport": "compressed", "thermal.image_transport": "raw",
    }  # fmt: skip
    assert set(found) == {"vitals", "face_tracker"}
    settings = set(settings_of(VitalsNodeSettings)) | set(settings_of(TrackerNodeSettings)) | {"use_sim_time"}
    assert {name for own in found.values() for name in own} <= settings


@pytest.mark.parametrize(
    ("arguments", "executables"),
    [
        ({}, {"face_tracker", "vitals"}),
        ({"composed": "true"}, {"vitals_pipeline"}),
        ({"use_composition": "True"}, {"vitals_pipeline"}),
        ({"composed": "true", "use_composition": "False"}, {"face_tracker", "vitals"}),
        ({"monitor": "true"}, {"face_tracker", "vitals", "monitor"}),
    ],
)
def test_which_processes_there_are(launch, arguments, executables):
    assert set(launch("pipeline.launch.py", **arguments)) == executables


def test_the_cart_is_one_process_and_a_page(launch):
    assert set(launch("clinical_cart.launch.py")) == {"vitals_pipeline", "monitor"}
    assert set(launch("clinical_cart.launch.py", monitor="false")) == {"vitals_pipeline"}


@pytest.mark.parametrize("simulated", [True, False])
def test_the_demo_publishes_the_clock_that_its_nodes_follow(launch, simulated):
    found = launch("demo.launch.py", use_sim_time=str(simulated).lower())
    assert found["video_source"]["publish_clock"] is simulated
    assert found["vitals"]["use_sim_time"] is simulated


def test_launch_knows_the_exit_code_of_a_wrong_setting():
    """Launch files cannot import the package on every installation, so the number stands there too."""
    text = (ROOT / "launch" / "pipeline.launch.py").read_text()
    assert f"EXIT_BAD_SETTING = {EXIT_BAD_SETTING} " in text

"""Launch files: what can be checked without `launch`, and loading them for real where it is installed."""

import ast
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rppg_ros.nodes.managed import EXIT_BAD_SETTING

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


def test_launch_knows_the_exit_code_of_a_wrong_setting():
    """Launch files cannot import the package on every installation, so the number stands there too."""
    text = (ROOT / "launch" / "pipeline.launch.py").read_text()
    assert f"EXIT_BAD_SETTING = {EXIT_BAD_SETTING} " in text

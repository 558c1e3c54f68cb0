"""Launch and parameter files: what can be checked without `launch`, and loading them for real where it is installed."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from rclpy.node import Node
from rclpy.parameter import Parameter

from rppg_ros.nodes import tracker_params, video_source, vitals
from rppg_ros.nodes.params import declare
from support.graph import context

ROOT = Path(__file__).parents[2]
LAUNCH_FILES = sorted((ROOT / "launch").glob("*.launch.py"))
PARAMETER_FILES = sorted((ROOT / "config").glob("*.yaml"))
TABLES = {"face_tracker": tracker_params.TABLE, "vitals": vitals.TABLE, "video_source": video_source.TABLE}


@pytest.mark.parametrize("path", PARAMETER_FILES, ids=lambda path: path.name)
def test_every_parameter_is_declared_and_in_its_range(path):
    context()
    sections = yaml.safe_load(path.read_text())
    assert sections
    for key, section in sections.items():
        name = key.removeprefix("/**/")
        given = section["ros__parameters"]
        assert set(given) <= {param.name for param in TABLES[name]}, f"{path.name}: {key}"
        node = Node(name, parameter_overrides=[Parameter(p, value=v) for p, v in given.items()])
        declare(node, TABLES[name])
        assert all(node.get_parameter(p).value == v for p, v in given.items())
        node.destroy_node()


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_launch_files_name_what_is_installed(path):
    text = path.read_text()
    ast.parse(text)
    built = (ROOT / "CMakeLists.txt").read_text()
    for executable in re.findall(r'executable="(\w+)"', text):
        assert re.search(rf"\b{executable}\b", built)
    for name in re.findall(r'"(\w+\.yaml)"', text):
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

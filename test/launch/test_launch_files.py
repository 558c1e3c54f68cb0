"""Launch files: what can be checked without `launch`, and loading them for real where it is installed."""

import ast
import re
from pathlib import Path

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


def test_launch_knows_the_exit_code_of_a_wrong_setting():
    """Launch files cannot import the package on every installation, so the number stands there too."""
    text = (ROOT / "launch" / "pipeline.launch.py").read_text()
    assert f"EXIT_BAD_SETTING = {EXIT_BAD_SETTING} " in text

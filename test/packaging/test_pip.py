"""`pip install .` into a fresh virtual environment beside a sourced ROS, and its messages over DDS."""

import os
import sys
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PRINT_SHARE = "from ament_index_python import get_package_share_directory as f; print(f('rppg_ros'))"
PRINT_REQUIRES = "import importlib.metadata as m; print(*m.requires('rppg_ros'), sep='\\n')"


def link_all(source: Path, target: Path, without: tuple[str, ...]) -> None:
    """Link everything in one folder into another, but for names that start with one of these."""
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if not path.name.startswith(without) and not (target / path.name).exists():
            (target / path.name).symlink_to(path)


@pytest.fixture(scope="module")
def ros(wheels_prefix, tmp_path_factory) -> Path:
    """The wheels' ROS as apt would have it: nothing of pip about it, and without the messages we build."""
    prefix = tmp_path_factory.mktemp("ros")
    (site,) = wheels_prefix.glob("lib/python3*/site-packages")
    wheels = tuple(path.name for path in site.glob("ros_*.dist-info"))
    link_all(site, prefix / site.relative_to(wheels_prefix), ("rppg_ros", "__editable__", *wheels))
    link_all(wheels_prefix / "lib", prefix / "lib", ("librppg_ros", "rppg_ros", site.parent.name))
    link_all(wheels_prefix / "share", prefix / "share", ("rppg_ros",))
    link_all(wheels_prefix / "include", prefix / "include", ("rppg_ros",))
    return prefix


@pytest.fixture(scope="module")
def ros_env(ros, plain_env) -> dict[str, str]:
    """The variables that sourcing a ROS sets."""
    (site,) = ros.glob("lib/python3*/site-packages")
    return plain_env | {
        "AMENT_PREFIX_PATH": str(ros),
        "CMAKE_PREFIX_PATH": str(ros),
        "PYTHONPATH": str(site),
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, [ros / "lib", *site.glob("ros_*.libs")])),
    }


def test_installs_everything_and_messages_travel(tmp_path, sources, ros, ros_env, spin_one_message, run):
    """Both ways to install in one test: in two, each worker would compile for itself."""
    for mode in ("plain", "editable"):
        environment = tmp_path / mode
        venv.create(environment, with_pip=False, symlinks=True)
        installed_and_used(mode, sources, environment, ros, ros_env, spin_one_message, run)


def installed_and_used(mode, sources, environment, ros, ros_env, spin_one_message, run):
    python = environment / "bin/python"
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    what = [str(sources)] if mode == "plain" else ["--editable", str(sources)]
    run([sys.executable, "-m", "pip", "--python", str(python), "install", *options, *what], env=ros_env)

    for executable in ("face_tracker", "vitals", "video_source", "evaluation_recorder"):
        assert os.access(environment / "lib/rppg_ros" / executable, os.X_OK), executable
    assert os.access(environment / "bin/rppg-ros", os.X_OK)
    for folder in ("launch", "config"):
        installed = {path.name for path in (environment / "share/rppg_ros" / folder).iterdir()} - {"__pycache__"}
        assert installed == {path.name for path in (sources / folder).iterdir()}

    came_from = run([str(python), str(spin_one_message)], cwd=environment, env=ros_env).splitlines()[-1]
    package = sources / "rppg_ros" if mode == "editable" else environment / "lib"
    assert package in Path(came_from).parents
    if mode == "plain":
        files = {
            path for path in (sources / "rppg_ros").rglob("*") if path.suffix in (".py", ".onnx", ".yaml", ".jinja")
        }
        site = Path(came_from).parents[2]
        assert not [path for path in files if not (site / path.relative_to(sources)).is_file()]

    env = ros_env | {"AMENT_PREFIX_PATH": f"{environment}:{ros}"}
    assert run([str(python), "-c", PRINT_SHARE], env=env).strip() == str(environment / "share/rppg_ros")
    requires = run([str(python), "-c", PRINT_REQUIRES], env=ros_env).splitlines()
    assert not [name for name in requires if name.startswith("ros-")], "a ROS was sourced, and needs no wheels"

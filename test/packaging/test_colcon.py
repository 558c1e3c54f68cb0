"""`colcon build` of the package: what it installs, and its messages over DDS."""

import os
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def names(folder: Path, pattern: str = "*") -> set[str]:
    """Files below a folder, relative to it, without caches and generated messages."""
    found = {path.relative_to(folder) for path in folder.rglob(pattern) if path.is_file()}
    return {str(name) for name in found if "__pycache__" not in name.parts and name.parts[0] != "msg"}


@pytest.fixture(scope="module")
def built(sources, wheels_prefix, plain_env, run) -> Path:
    """Install folder of a colcon build; an editable install has been made in the sources before."""
    if not shutil.which("colcon", path=plain_env["PATH"]):
        pytest.skip("colcon is not installed")
    (sources / "rppg_ros/msg").mkdir()
    (sources / "rppg_ros/msg/__init__.py").write_text("raise ImportError('this is the editable install')\n")
    (sources / "rppg_ros/rppg_ros_s__stale.so").touch()
    run([str(sources / "scripts/colcon_build.sh"), str(wheels_prefix)], cwd=sources, env=plain_env)
    return sources / "install"


def test_installs_everything_and_messages_travel(built, sources, wheels_prefix, plain_env, spin_one_message, run):
    prefix = built / "rppg_ros"
    for executable in ("face_tracker", "vitals", "video_source"):
        assert os.access(prefix / "lib/rppg_ros" / executable, os.X_OK), executable
    assert os.access(prefix / "bin/rppg-ros", os.X_OK)
    for folder in ("launch", "config"):
        assert names(prefix / "share/rppg_ros" / folder) == names(sources / folder)
    (package,) = prefix.glob("lib/python3*/site-packages/rppg_ros")
    assert names(package, "*.py") == names(sources / "rppg_ros", "*.py")
    assert not list(package.glob("*stale*"))
    assert (prefix / "share/ament_index/resource_index/rosidl_interfaces/rppg_ros").is_file()

    env = plain_env | {"PATH": f"{wheels_prefix / 'bin'}:{plain_env['PATH']}", "AMENT_PREFIX_PATH": str(wheels_prefix)}
    command = f". '{built}/setup.bash' && python '{spin_one_message}'"
    came_from = run(["bash", "-c", command], cwd=sources.parent, env=env).splitlines()[-1]
    assert Path(came_from).parent == package / "msg"
    assert (sources / "rppg_ros/rppg_ros_s__stale.so").exists(), "colcon touched the source tree"

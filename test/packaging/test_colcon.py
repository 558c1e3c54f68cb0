"""`colcon build` of the package: what it installs, and its messages over DDS."""

import os
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def names(folder: Path, pattern: str = "*") -> set[str]:
    """Files below a folder, relative to it, without caches and generated messages."""
    found = {path.relative_to(folder) for path in folder.rglob(pattern) if path.is_file()}
    return {
        str(name) for name in found if "__pycache__" not in name.parts and name.parts[0] not in ("msg", "srv", "action")
    }


@pytest.fixture(scope="module")
def edited_sources(sources) -> Path:
    """Sources in which an editable install has been made."""
    (sources / "rppg_ros/msg/__pycache__").mkdir(parents=True)
    (sources / "rppg_ros/msg/__init__.py").write_text("raise ImportError('this is the editable install')\n")
    (sources / "rppg_ros/msg/__pycache__/stale.cpython-311.pyc").touch()
    (sources / "rppg_ros/rppg_ros_s__stale.so").touch()
    return sources


def test_installs_everything_and_messages_travel(edited_sources, wheels_prefix, plain_env, spin_one_message, run):
    """Both ways to install in one test: in two, each worker would compile for itself."""
    if not shutil.which("colcon", path=plain_env["PATH"]):
        pytest.skip("colcon is not installed")
    for option in (None, "--symlink-install"):
        built_and_used(option, edited_sources, wheels_prefix, plain_env, spin_one_message, run)


def built_and_used(option, edited_sources, wheels_prefix, plain_env, spin_one_message, run):
    sources, install = edited_sources, edited_sources / f"install{option or ''}"
    # Compiled once for both. What ament copied would be in the way of its links; a user removes the build folder.
    shutil.rmtree(sources / "build/rppg_ros/ament_cmake_python", ignore_errors=True)
    words = ["--install-base", str(install), "--build-base", str(sources / "build"), *filter(None, [option])]
    command = [str(sources / "scripts/colcon_build.sh"), str(wheels_prefix), *words]
    run(command, cwd=sources, env=plain_env)

    prefix = install / "rppg_ros"
    for executable in ("face_tracker", "vitals", "video_source"):
        assert os.access(prefix / "lib/rppg_ros" / executable, os.X_OK), executable
    assert os.access(prefix / "bin/rppg-ros", os.X_OK)
    for folder in ("launch", "config"):
        assert names(prefix / "share/rppg_ros" / folder) == names(sources / folder)
    (package,) = prefix.glob("lib/python3*/site-packages/rppg_ros")
    assert names(package, "*.py") == names(sources / "rppg_ros", "*.py")
    assert (package / "types.py").is_symlink() == bool(option)
    assert not [path for path in package.rglob("*") if "stale" in path.name]
    assert (prefix / "share/ament_index/resource_index/rosidl_interfaces/rppg_ros").is_file()

    env = plain_env | {"PATH": f"{wheels_prefix / 'bin'}:{plain_env['PATH']}", "AMENT_PREFIX_PATH": str(wheels_prefix)}
    command = f". '{install}/setup.bash' && python '{spin_one_message}'"
    came_from = run(["bash", "-c", command], cwd=sources.parent, env=env).splitlines()[-1]
    assert Path(came_from).parent == package / "msg"
    assert (sources / "rppg_ros/msg/__init__.py").read_text().startswith("raise"), "the source tree was changed"

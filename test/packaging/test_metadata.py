"""Facts that are written down in more than one place agree; the sources name no machine."""

import re
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

import rppg_ros

ROOT = Path(__file__).parents[2]
# rosdep's keys, where they are not python3- and PyPI's name.
ROSDEP = {
    "opencv-python": "python3-opencv",
    "onnxruntime": "python3-onnxruntime-pip",
    "rosbags": "python3-rosbags-pip",
    "rosbags-image": "python3-rosbags-pip",
    "pyyaml": "python3-yaml",
    "scikit-image": "python3-skimage",
}
# rosdep knows no key for these; README names apt's packages.
NO_KEY = {"av": "python3-av"}
PINNED = re.compile(r"ros-[a-z0-9-]+(\[fastrtps\])?==\d+\.\d+\.\d+")


def requirement_lines(name: str) -> set[str]:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return {line.strip(" \\") for line in lines if line.strip() and not line.startswith(("#", "-r"))}


def setup_list(name: str) -> list[str]:
    """A list of setup.py, with the lists that it takes in, unread: setup.py would run."""
    block = re.search(rf"^{name} = \[(.*?)\]$", (ROOT / "setup.py").read_text(), re.DOTALL | re.MULTILINE).group(1)
    taken = [line for other in re.findall(r"\*(\w+)", block) for line in setup_list(other)]
    return taken + re.findall(r'"([^"]+)"', block)


def bare(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement).group().lower()


def pyproject_build_requires() -> set[str]:
    block = re.search(r"^requires = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE)
    return set(re.findall(r'"([^"]+)"', block.group(1)))


def tracked_text_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode()
    return [ROOT / name for name in filter(None, listed.split("\0")) if (ROOT / name).is_file()]


def test_one_version():
    assert ElementTree.parse(ROOT / "package.xml").findtext("version") == rppg_ros.__version__


def test_setup_py_reads_its_version_from_the_package():
    assert not re.search(r"version=[\"']", (ROOT / "setup.py").read_text())


def test_build_requirements_are_the_same_in_both_places():
    assert requirement_lines("build.txt") == pyproject_build_requires()


def test_what_runs_needs_the_same_from_pip_and_from_rosdep():
    asked = {tag.text for tag in ElementTree.parse(ROOT / "package.xml").iter("exec_depend") if "python3-" in tag.text}
    needed = {bare(line) for line in setup_list("RUNTIME")}
    assert asked == {ROSDEP.get(name, f"python3-{name}") for name in needed - NO_KEY.keys()}
    assert needed >= NO_KEY.keys()
    assert all(f"apt install {package}" in (ROOT / "README.md").read_text() for package in NO_KEY.values())


def test_tests_install_what_the_extras_ask_for():
    listed = {bare(line): line for line in requirement_lines("test.txt")}
    asked = [*setup_list("TRAINING"), *setup_list("EVALUATION")]
    assert not [line for line in asked if bare(line) not in listed]
    assert not [line for line in asked if listed[bare(line)] != line and "==" not in listed[bare(line)]]


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "requirements").glob("*.txt")))
def test_ros_wheels_are_pinned(name):
    loose = [line for line in requirement_lines(name) if line.startswith("ros-") and not PINNED.fullmatch(line)]
    assert not loose, f"requirements/{name}: {loose}"


def test_every_message_is_built():
    listed = set(re.findall(r'"msg/(\w+\.msg)"', (ROOT / "CMakeLists.txt").read_text()))
    assert listed == {path.name for path in (ROOT / "msg").glob("*.msg")}


def test_no_file_names_a_machine():
    places = {str(ROOT), str(ROOT.parent), str(Path.home())} - {"/", "/tmp", "/home", "/opt", tempfile.gettempdir()}
    named = re.compile("|".join(rf"(?<![\w.$}}~])({re.escape(place)})/" for place in sorted(places)))
    found = []
    for path in tracked_text_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in named.finditer(text)]
    assert not found

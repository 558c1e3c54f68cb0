"""What setup.py, requirements/ and package.xml say of the same package agrees; floors are no higher than a robot's versions."""

import runpy
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
LOWEST = runpy.run_path(str(ROOT / "scripts/lowest.py"))
PIP_NAMES = {
    "cv-bridge": "rosbags-image",  # stands in for it where ROS does not come from apt
    "opencv": "opencv-python",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
}
NO_ROSDEP_KEY = {"av"}
"""A robot's owner installs these by hand: README."""
BESIDE_TESTS = {"colcon-common-extensions", "setuptools"}
"""Named for the tests only in requirements/: no extra of ours."""


def pins(lines) -> dict[str, tuple[int, ...]]:
    """Name, in small letters, to the version after == or >=; () without one."""
    found = {}
    for line in lines:
        name, _, rest = line.replace(">=", "==").partition("==")
        found[name.lower()] = tuple(int(part) for part in rest.partition(",")[0].split(".") if part)
    return found


def floors(*extras: str) -> dict[str, tuple[int, ...]]:
    """Floors of setup.py; without the ROS that comes in wheels."""
    found = pins(LOWEST["lowest"](LOWEST["declared"](extras)))
    return {name: version for name, version in found.items() if not name.startswith("ros-")}


def required(name: str) -> dict[str, tuple[int, ...]]:
    """Lines of a file in requirements/."""
    lines = (line.split("#")[0].strip() for line in (ROOT / "requirements" / name).read_text().splitlines())
    return pins(line for line in lines if line and not line.startswith("-r"))


def ros_keys(tag: str) -> set[str]:
    """pip's names of the Python packages that package.xml names."""
    keys = {element.text for element in ElementTree.parse(ROOT / "package.xml").iter(tag)}
    plain = {key.removeprefix("python3-").removesuffix("-pip") for key in keys if key.startswith("python3-")}
    plain |= {"cv-bridge"} & {key.replace("_", "-") for key in keys}
    return {PIP_NAMES.get(name, name) for name in plain}


def test_package_xml_names_what_setup_py_does():
    assert ros_keys("exec_depend") == set(floors()) - NO_ROSDEP_KEY


def test_package_xml_tests_with_what_setup_py_does():
    assert ros_keys("test_depend") <= set(floors("test"))


def test_a_robots_versions_are_named_and_high_enough():
    noble, lowest = required("noble.txt"), floors("test") | floors()
    assert set(noble) == ros_keys("exec_depend") | ros_keys("test_depend") | NO_ROSDEP_KEY
    too_high = {name: (lowest[name], pinned) for name, pinned in noble.items() if pinned and pinned < lowest[name]}
    assert not too_high


def test_requirements_of_tests_are_those_of_the_extra():
    wanted = {name: floor for name, floor in floors("test").items() if floors().get(name) != floor}
    listed = {name: version for name, version in required("test.txt").items() if name not in BESIDE_TESTS}
    assert set(listed) == set(wanted)
    assert listed["torch"] >= wanted["torch"], "pinned, but not lower"
    assert {**listed, "torch": ()} == {**wanted, "torch": ()}


def test_the_highest_floor_of_a_name_counts():
    lines = [
        "numpy>=1.26",
        "torch>=2.4,<3",
        "numpy<2",
        "NumPy >= 1.9",
        "ros-rclpy[fastrtps]==7.1.6",
        "a>=1; python_version<'3.11'",
    ]
    assert list(LOWEST["lowest"](lines, but=["Torch"])) == [
        "numpy==1.26",
        "ros-rclpy[fastrtps]==7.1.6",
        "a==1;python_version<'3.11'",
    ]
    assert list(LOWEST["lowest"](["numpy>=1.9", "numpy>=1.26"])) == ["numpy==1.26"]


@pytest.mark.parametrize(
    ("line", "message"), [("numpy<2", "no lowest version of numpy"), ("a @ file:x", "not a requirement")]
)
def test_what_has_no_floor_is_named(line, message):
    with pytest.raises(ValueError, match=message):
        list(LOWEST["lowest"]([line]))

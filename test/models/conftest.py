"""Official checkpoints for the tests: the real ones where the reference folder is present, and imitations."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

torch.set_num_threads(1)  # more threads wait for each other where tests share few cores

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"


@pytest.fixture(scope="session")
def checkpoints() -> Path:
    """Folder of the authors' files."""
    return _reference() / "checkpoints"


@pytest.fixture(scope="session")
def golden_case():
    """Name of a golden case to (its description, input clip, official outputs)."""

    def load(name: str):
        folder = _reference() / "golden"
        (case,) = (c for c in json.loads((folder / "index.json").read_text()) if c["name"] == name)
        with np.load(folder / f"{name}.npz") as outputs:
            return case, torch.from_numpy(_clip(case)), dict(outputs)

    return load


@pytest.fixture
def save_official(tmp_path):
    """Write a network as its authors would have: their names, prefixed by DataParallel."""

    def save(network, names: dict[str, str], file_name: str, **extra):
        state = network.state_dict()
        tensors = {f"module.{official}": state[ours] for official, ours in names.items()}
        path = tmp_path / file_name
        torch.save(tensors | {f"module.{name}": tensor for name, tensor in extra.items()}, path)
        return path

    return save


def _reference() -> Path:
    if not REFERENCE.is_dir():
        pytest.skip("no reference data: folder 'shared' is not beside the repository")
    return REFERENCE


def _clip(case: dict) -> np.ndarray:
    frames, side = case["frames"] + 1, case["size"]
    generator = np.random.default_rng(case["seed"])
    noise = generator.integers(0, 256, (1, case["channels"], frames, side, side), dtype=np.uint8)
    t = (np.arange(frames) / 30).reshape(1, 1, -1, 1, 1)
    signal = 20 * np.sin(2 * np.pi * 1.2 * t) + 20 * np.sin(2 * np.pi * 0.25 * t)
    return (0.5 * noise.astype(np.float32) + 64 + signal).astype(np.float32)

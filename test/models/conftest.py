"""Official checkpoints for the tests: the real ones where the reference folder is present, and imitations."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from support import official_cases, official_layouts  # noqa: E402
from support.reference import ORIGINS, REFERENCE  # noqa: E402

torch.set_num_threads(1)  # more threads wait for each other where tests share few cores


@pytest.fixture(scope="session", params=ORIGINS)
def origin(request) -> str:
    """Whose checkpoints: "made" ones have the official names, tensors and layouts, and random weights; see support.reference."""
    return request.param


@pytest.fixture(scope="session")
def checkpoints(origin, tmp_path_factory) -> Path:
    """Folder of the authors' files, or of files like theirs."""
    if origin == "official":
        return REFERENCE.resolve() / "checkpoints"
    folder = tmp_path_factory.mktemp("checkpoints")
    for file_name in official_layouts.FILES:
        official_layouts.write_checkpoint(folder, file_name)
    return folder


@pytest.fixture(scope="session")
def golden_case(origin, checkpoints):
    """Name of a golden case to (its description, input clip, outputs wanted).

    Wanted is what the official code makes of an official file, or what the reference implementation makes of an imitation.
    """

    def load(name: str):
        if origin == "official":
            case, clip, wanted = official_cases.official_case(REFERENCE / "golden", name)
        else:
            case, clip, wanted = official_cases.made_case(checkpoints, name)
        return case, torch.from_numpy(clip), wanted

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

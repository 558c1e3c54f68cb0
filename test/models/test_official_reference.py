"""The stand-ins for official files are worth what they stand in for: checked against the authors' own files, where these are."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from support.official_cases import MADE, official_case, reference_outputs  # noqa: E402
from support.official_layouts import FILES, paths  # noqa: E402

PARITY = 1e-5
UNUSED = "module.rBP_head."


def test_the_reference_implementation_computes_what_the_official_code_computes(reference_dir):
    names = [case["name"] for case in json.loads((reference_dir / "golden" / "index.json").read_text())]
    assert set(names) == MADE.keys(), "every official case has a stand-in"
    for name in names:
        case, clip, official = official_case(reference_dir / "golden", name)
        found = reference_outputs(reference_dir / "checkpoints" / case["checkpoint"], case, clip)
        assert found.keys() == official.keys()
        for task, wave in official.items():
            assert np.abs(found[task] - wave).max() < PARITY * np.abs(wave).max(), f"{name}, {task}"


def test_imitations_hold_the_tensors_of_the_official_files(reference_dir):
    for file in (reference_dir / "checkpoints").glob("*.pth"):
        stored = torch.load(file, map_location="cpu", weights_only=True)
        shapes = {name: tuple(tensor.shape) for name, tensor in stored.items() if not name.startswith(UNUSED)}
        ours = [path.shapes for path in paths(FILES[file.name])]
        assert {f"module.{name}": shape for part in ours for name, shape in part.items()} == shapes, file.name

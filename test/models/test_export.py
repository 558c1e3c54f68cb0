"""An exported file computes what the network computes at lengths the card allows, and carries the card."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
ort = pytest.importorskip("onnxruntime")

from rppg_ros.inference.card import ModelCard  # noqa: E402
from rppg_ros.models.export import ExportError, export  # noqa: E402
from rppg_ros.models.importer import import_checkpoint  # noqa: E402
from rppg_ros.models.registry import build  # noqa: E402
from rppg_ros.models.verify import MAX_RELATIVE_ERROR  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402


def small_card(**changes) -> ModelCard:
    card = ModelCard(
        name="small",
        family="mmrphys",
        variant="SEF_RGB_TSFM",
        tasks=(Vital.BVP, Vital.RSP),
        channels=("rgb",),
        size=9,
        frames=40,
        pad_frames=1,
        dynamic_frames=True,
        frames_multiple=4,
        min_frames=8,
        rate_hz=30.0,
        outputs={Vital.BVP: "bvp", Vital.RSP: "rsp"},
    )
    return dataclasses.replace(card, **changes)


@pytest.fixture
def network():
    torch.manual_seed(4)
    return build("mmrphys", size="S").eval()


def test_card_and_graph_survive(network, tmp_path):
    path = tmp_path / "models" / "small.onnx"
    checks = export(network, small_card(), path)
    assert max(check.error for check in checks) <= MAX_RELATIVE_ERROR
    assert {check.signal for check in checks} == {"random", "smooth"}
    assert len({check.shape[2] for check in checks}) == 2
    assert ModelCard.read(path) == small_card()
    assert [p.name for p in path.parent.iterdir()] == ["small.onnx"]


@pytest.mark.parametrize("cameras", [("rgb",), ("rgb", "thermal")])
def test_a_branch_that_sees_flow_is_exported(cameras, tmp_path):
    torch.manual_seed(5)
    network = build("mmrphys", size="S", cameras=cameras, rsp_step=2).eval()
    card = small_card(channels=cameras, frames=48, frames_multiple=8, min_frames=16)
    checks = export(network, card, tmp_path / "flow.onnx")
    assert max(check.error for check in checks) <= MAX_RELATIVE_ERROR and len({c.shape[2] for c in checks}) == 2


@pytest.mark.parametrize(("batch", "frames"), [(1, 8), (1, 40), (3, 64), (1, 204)])
def test_any_window_and_batch(network, tmp_path, batch, frames):
    path = tmp_path / "small.onnx"
    export(network, small_card(), path)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    clip = np.random.default_rng(5).uniform(0, 255, (batch, 3, frames + 1, 9, 9)).astype(np.float32)
    bvp, rsp = session.run(["bvp", "rsp"], {"frames": clip})
    with torch.no_grad():
        expected = network(torch.from_numpy(clip))
    for found, task in ((bvp, Vital.BVP), (rsp, Vital.RSP)):
        assert found.shape == (batch, frames)
        peak = expected[task].abs().max().item()
        np.testing.assert_allclose(found, expected[task].numpy(), rtol=0, atol=MAX_RELATIVE_ERROR * peak)


def test_golden_through_onnx(golden_case, checkpoints, tmp_path):
    case, clip, official = golden_case("mmrphys_SEF_RGB_TSFM_SCAMPS")
    imported = import_checkpoint(checkpoints / case["checkpoint"], "mmrphys")
    path = tmp_path / "sef.onnx"
    export(imported.network, imported.card, path)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for name, found in zip(["bvp", "rsp"], session.run(["bvp", "rsp"], {"frames": clip.numpy()}), strict=True):
        assert np.abs(found - official[name]).max() / np.abs(official[name]).max() < MAX_RELATIVE_ERROR


def test_fixed_window(network, tmp_path):
    path = tmp_path / "fixed.onnx"
    export(network, small_card(dynamic_frames=False), path)
    (frames,) = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_inputs()
    assert frames.shape[1:] == [3, 41, 9, 9]


class _Moody(torch.nn.Module):
    """A network whose traced graph freezes what really depends on the call."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return {task: wave * float(self.calls) for task, wave in self.network(x).items()}


def test_a_graph_that_disagrees_is_not_kept(network, tmp_path):
    path = tmp_path / "small.onnx"
    path.write_bytes(b"the good one from yesterday")
    with pytest.raises(ExportError, match="differs from the network by"):
        export(_Moody(network), small_card(), path)
    assert path.read_bytes() == b"the good one from yesterday"
    assert [p.name for p in tmp_path.iterdir()] == ["small.onnx"]

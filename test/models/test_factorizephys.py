"""FactorizePhys computes what the official code computes, attention included, in torch and in ONNX."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
ort = pytest.importorskip("onnxruntime")

from rppg_ros.models import checkpoint, official_factorizephys  # noqa: E402
from rppg_ros.models.checkpoint import CheckpointError  # noqa: E402
from rppg_ros.models.export import export  # noqa: E402
from rppg_ros.models.importer import import_checkpoint  # noqa: E402
from rppg_ros.models.registry import build  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402

PARITY = 1e-4


@pytest.mark.parametrize("name", ["factorizephys_FSAM_infer_PURE", "factorizephys_Base_PURE"])
def test_golden(name, golden_case, checkpoints):
    case, clip, official = golden_case(name)
    imported = import_checkpoint(checkpoints / case["checkpoint"], "factorizephys")
    assert imported.card.tasks == (Vital.BVP,) and imported.card.frames == 160
    assert _error(imported.network, clip, official) < PARITY


def test_golden_residual(golden_case, checkpoints):
    """This case runs a TSFM file as if it were FSAM_Res, so the network is built by hand."""
    case, clip, official = golden_case("factorizephys_FSAMRes_infer_PURE")
    path = checkpoints / case["checkpoint"]
    tensors = checkpoint.load_tensors(path)
    layout = official_factorizephys.layout(tensors, path)
    assert layout.config.variant == "RGB_TSFM" and not layout.config.attend_at_inference
    network = build("factorizephys", attention="fsam", axis="code", residual=True).eval()
    checkpoint.fit(network, tensors, layout, path)
    assert _error(network, clip, official) < PARITY


def _error(network, clip, official) -> float:
    with torch.no_grad():
        bvp = network(clip)[Vital.BVP].numpy()
    return np.abs(bvp - official["bvp"]).max() / np.abs(official["bvp"]).max()


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        ({"attention": "none"}, 51_840),
        ({}, 52_168),
        ({"cameras": ("thermal",), "attention": "none"}, 51_408),
        ({"cameras": ("rgb", "thermal")}, 52_384),
        ({"size": "big", "attention": "none"}, 55_872),
        ({"size": "big"}, 56_200),
    ],
)
def test_published_parameter_counts(config, parameters):
    assert sum(p.numel() for p in build("factorizephys", **config).parameters()) == parameters


@pytest.mark.parametrize("late_head", [False, True])
@pytest.mark.parametrize(
    ("file_name", "variant", "config"),
    [
        ("UBFC_FactorizePhys_FSAM_Res_Epoch9.pth", "RGB_FSAM_Res", {"axis": "code"}),
        ("UBFC_FactorizePhys_FSAM_Epoch9.pth", "RGB_FSAM", {"axis": "code", "residual": False}),
        ("PURE_FactorizePhys_FSAM_K-TAB_Epoch9.pth", "RGB_FSAM", {"axis": "channel", "residual": False}),
        ("PURE_FactorizePhys_FSAM_TK-AB_Epoch9.pth", "RGB_FSAM", {"axis": "channel_time", "residual": False}),
        ("UBFC_FactorizePhys_Base_HighRes.pth", "RGB_Base_128", {"size": "big", "attention": "none"}),
    ],
)
def test_weights_land_where_they_belong(late_head, file_name, variant, config, save_official):
    torch.manual_seed(8)
    original = build("factorizephys", **config).eval()
    path = save_official(original, official_factorizephys.names(original.config, late_head), file_name)
    imported = import_checkpoint(path, "factorizephys")
    assert imported.card.variant == variant and imported.card.training_data == file_name[:4]
    clip = 255 * torch.rand(1, 3, 9, original.config.pixels, original.config.pixels)
    with torch.no_grad():
        expected = original(clip, attend=original.config.attention.value != "none")[Vital.BVP]
        assert expected.shape == (1, 8)
        assert torch.equal(imported.network(clip)[Vital.BVP], expected)


@pytest.mark.parametrize("axis", ["time", "code"])
def test_attention_survives_export_at_other_lengths(axis, save_official, tmp_path):
    torch.manual_seed(9)
    original = build("factorizephys", axis=axis).eval()
    names = official_factorizephys.names(original.config)
    path = save_official(original, names, "X_FactorizePhys_FSAM_Res.pth")
    card = import_checkpoint(path, "factorizephys", frames=24).card
    export(original, card, tmp_path / "m.onnx")
    session = ort.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    clip = np.random.default_rng(1).uniform(0, 255, (2, 3, 33, 72, 72)).astype(np.float32)
    (found,) = session.run(["bvp"], {"frames": clip})
    with torch.no_grad():
        expected = original(torch.from_numpy(clip))[Vital.BVP].numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=PARITY * np.abs(expected).max())


def test_trains_with_tsfm():
    torch.manual_seed(10)
    network = build("factorizephys", attention="tsfm", attend_at_inference=False)
    target = torch.sin(torch.arange(12.0))[None]
    network(255 * torch.rand(1, 3, 13, 72, 72), {Vital.BVP: target})[Vital.BVP].square().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def test_what_does_not_fit_is_refused(checkpoints):
    with pytest.raises(CheckpointError, match="not a FactorizePhys checkpoint"):
        import_checkpoint(checkpoints / "UBFC-rPPG_MMRPhys_SFSAM_Label_Epoch9.pth", "factorizephys")
    with pytest.raises(CheckpointError, match="its tensors take 72 pixels, not 128"):
        import_checkpoint(checkpoints / "PURE_MMRPhys_Base_Epoch9.pth", "factorizephys", size=128)
    with pytest.raises(ValueError, match="takes \\(B, 3, T\\+1, 72, 72\\)"):
        build("factorizephys")(torch.zeros(1, 3, 9, 36, 36))
    with pytest.raises(ValueError, match="attend_at_inference must be off"):
        build("factorizephys", attention="tsfm")

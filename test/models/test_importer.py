"""Official files become the right variant, and foreign or damaged ones are refused by name."""

import os

import pytest

torch = pytest.importorskip("torch")

from rppg_ros.models import official_mmrphys  # noqa: E402
from rppg_ros.models.checkpoint import CheckpointError  # noqa: E402
from rppg_ros.models.importer import import_checkpoint  # noqa: E402
from rppg_ros.models.registry import build  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402

SEF = "SCAMPS_MMRPhysSEF_BVP_RSP_RGBx180x9_SFSAM_Label_Epoch0.pth"


def save(save_official, file_name, extra=None, dropped=(), **config):
    network = build("mmrphys", **config)
    names = official_mmrphys.names(network.config)
    kept = {official: ours for official, ours in names.items() if official not in dropped}
    return network, save_official(network, kept, file_name, **(extra or {}))


@pytest.mark.parametrize(
    ("file_name", "variant", "expected"),
    [
        (
            SEF,
            "SEF_RGB_TSFM",
            {"size": 9, "frames": 180, "rate_hz": 30.0, "channels": ("rgb",), "training_data": "SCAMPS"},
        ),
        (
            "BP4D_MMRPhysMEF_BVP_RSP_RGBx180x36_FSAM_Fold1_Epoch4.pth",
            "MEF_RGB_FSAM",
            {"size": 36, "rate_hz": 25.0, "training_data": "BP4D Fold1"},
        ),
        (
            "BP4D_MMRPhysSNF_BVP_RSP_RGBTx180x9_Base_Fold2_Epoch4.pth",
            "SNF_RGBT_Base",
            {"size": 9, "channels": ("rgb", "thermal"), "frames_multiple": 4},
        ),
        ("BP4D_MMRPhysSEF_BVP_RSP_Tx180x9_Base_Fold1_Epoch4.pth", "SEF_T_Base", {"channels": ("thermal",)}),
        (
            "UBFC-rPPG_MMRPhys_SFSAM_Label_Epoch9.pth",
            "LEF_RGB_BVP_TSFM",
            {"size": 72, "frames": 160, "tasks": (Vital.BVP,), "frames_multiple": 1, "pad_frames": 1},
        ),
    ],
)
def test_released_files_are_recognised(file_name, variant, expected, checkpoints):
    card = import_checkpoint(checkpoints / file_name, "mmrphys").card
    assert card.variant == variant
    assert {name: getattr(card, name) for name in expected} == expected
    assert file_name in card.source and len(card.sha256) == 64 and "MIT" in card.licence


@pytest.mark.parametrize(
    "config",
    [
        {"size": "S"},
        {"size": "S", "attention": "none"},
        {"size": "S", "cameras": ("rgb", "thermal"), "fusion": "NF"},
        {"size": "L", "tasks": ("bvp",)},
        {"size": "L", "tasks": ("bvp",), "padded_entry": True},
        {"size": "L", "stepped_rsp": True},
        {"size": "S", "cameras": ("rgb", "thermal"), "fusion": "LF"},
        {"size": "L", "cameras": ("rgb", "thermal"), "fusion": "LF", "attention": "none"},
    ],
)
def test_weights_land_where_they_belong(config, save_official):
    torch.manual_seed(3)
    original, path = save(save_official, "X_MMRPhysSEF_x_SFSAM_Label.pth", **config)
    pixels = original.config.pixels
    imported = import_checkpoint(path, "mmrphys", size=pixels).network
    assert imported.config.variant == original.config.variant
    assert imported.config.padded_entry == original.config.padded_entry
    channels = 4 if len(original.config.cameras) == 2 else 3
    clip = 255 * torch.rand(1, channels, 9, pixels, pixels)
    with torch.no_grad():
        ours, theirs = original.eval()(clip), imported(clip)
    assert all(torch.equal(ours[task], theirs[task]) for task in ours)


def test_the_early_layout_is_found_by_its_layers(save_official):
    original, path = save(save_official, "PURE_MMRPhys_SFSAM_Label_Epoch9.pth", tasks=("bvp",), padded_entry=True)
    stored = torch.load(path, weights_only=True)
    assert "module.bvp_feature_extractor.bvp_feature_extractor.5.conv_block_3d.0.weight" in stored
    assert "module.rppg_head.conv_layer.2.conv_block_3d.0.weight" not in stored
    config = import_checkpoint(path, "mmrphys").network.config
    assert config.padded_entry and config.pixels == 72


def test_options_override_the_file_name(save_official):
    _, path = save(save_official, SEF, size="S")
    card = import_checkpoint(path, "mmrphys", size=36, frames=120, rate_hz=20.0, name="mine").card
    assert (card.size, card.frames, card.rate_hz, card.name) == (36, 120, 20.0, "mine")


def test_window_that_the_breathing_branch_cannot_take(save_official):
    _, path = save(save_official, SEF, size="S")
    with pytest.raises(ValueError, match="'frames' is 150, but must be a multiple of 4"):
        import_checkpoint(path, "mmrphys", frames=150)


def test_unknown_resolution_asks_for_it(save_official):
    _, path = save(save_official, "mine.pth", size="S")
    with pytest.raises(CheckpointError, match=r"mine.pth: neither .* give --size \(9, 36, 72\)"):
        import_checkpoint(path, "mmrphys")
    with pytest.raises(CheckpointError, match="no size 64"):
        import_checkpoint(path, "mmrphys", size=64)


@pytest.mark.parametrize(
    ("file_name", "pixels"),
    [("iBVP_MultiTask_72x72_SFSAM_Label.pth", 72), ("X_MMRPhysMEF_whatever.pth", 36), ("x_9x9_Base.pth", 9)],
)
def test_size_in_the_name(file_name, pixels, save_official):
    _, path = save(save_official, file_name, size={72: "L", 36: "M", 9: "S"}[pixels])
    assert import_checkpoint(path, "mmrphys").card.size == pixels


def test_options_change_how_weights_run_but_not_whether_they_fit(save_official):
    _, path = save(save_official, SEF, size="S")
    assert import_checkpoint(path, "mmrphys").network.config.axis.value == "code"
    assert import_checkpoint(path, "mmrphys", options={"axis": "time"}).network.config.axis.value == "time"
    with pytest.raises(CheckpointError, match="as SEF_RGB_Base it has no place for tensors"):
        import_checkpoint(path, "mmrphys", options={"attention": "none"})
    with pytest.raises(ValueError, match="phasenet has no official checkpoints"):
        import_checkpoint(path, "phasenet")


def test_missing_tensor_is_named(save_official):
    name = "rBr_head.conv_block.4.conv_block_3d.0.weight"
    _, path = save(save_official, SEF, dropped={name}, size="S")
    with pytest.raises(CheckpointError, match=f"{SEF}: as SEF_RGB_TSFM it lacks tensors: '{name}'"):
        import_checkpoint(path, "mmrphys")


def test_unknown_tensor_is_named(save_official):
    _, path = save(save_official, SEF, extra={"rSpO2_head.weight": torch.zeros(3)}, size="S")
    with pytest.raises(CheckpointError, match="has unknown tensors: 'rSpO2_head.weight'"):
        import_checkpoint(path, "mmrphys")


def test_blood_pressure_head_is_passed_over_only_where_it_belongs(save_official):
    head = {"rBP_head.conv.weight": torch.zeros(3)}
    thermal = {"cameras": ("rgb", "thermal"), "fusion": "NF"}
    _, path = save(save_official, "BP4D_MMRPhysSNF_x.pth", extra=head, size="S", **thermal)
    assert import_checkpoint(path, "mmrphys").card.variant == "SNF_RGBT_FSAM"
    _, path = save(save_official, SEF, extra=head, size="S")
    with pytest.raises(CheckpointError, match="has unknown tensors: 'rBP_head.conv.weight'"):
        import_checkpoint(path, "mmrphys")


def test_misshapen_tensor_is_named(save_official):
    bad = {"rppg_head.final_layer.2.weight": torch.zeros(1, 8, 3, 4, 4)}
    _, path = save(save_official, SEF, extra=bad, size="S")
    with pytest.raises(CheckpointError, match=r"'rppg_head.final_layer.2.weight' is \(1, 8, 3, 4, 4\)"):
        import_checkpoint(path, "mmrphys")


def test_factorizephys_under_an_mmrphys_name(checkpoints):
    with pytest.raises(CheckpointError, match="its layers are those of FactorizePhys"):
        import_checkpoint(checkpoints / "PURE_MMRPhys_Base_Epoch9.pth", "mmrphys")


def test_foreign_files(tmp_path):
    text = tmp_path / "notes.pth"
    text.write_text("hello")
    with pytest.raises(CheckpointError, match="notes.pth: "):
        import_checkpoint(text, "mmrphys")
    with pytest.raises(CheckpointError, match="absent.pth: no such file"):
        import_checkpoint(tmp_path / "absent.pth", "mmrphys")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="list.pth: holds a list, not a state_dict"):
        import_checkpoint(tmp_path / "list.pth", "mmrphys")
    torch.save({"epoch": 3}, tmp_path / "epoch.pth")
    with pytest.raises(CheckpointError, match="epoch.pth: entry 'epoch' is a int"):
        import_checkpoint(tmp_path / "epoch.pth", "mmrphys")
    torch.save({"encoder.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="not an MMRPhys checkpoint"):
        import_checkpoint(tmp_path / "other.pth", "mmrphys")
    with pytest.raises(ValueError, match="no model family 'physnet'"):
        import_checkpoint(tmp_path / "other.pth", "physnet")


class _RunsCode:
    """Pickles to a call of os.mkdir."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def test_a_file_that_carries_code_is_refused_and_does_not_run(tmp_path):
    path, trap = tmp_path / "trap.pth", tmp_path / "sprung"
    torch.save({"weight": torch.zeros(1), "extra": _RunsCode(trap)}, path)
    with pytest.raises(CheckpointError, match="trap.pth: refused"):
        import_checkpoint(path, "mmrphys")
    assert not trap.exists()

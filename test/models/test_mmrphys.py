"""MMRPhys computes what the official code computes, and refuses what it cannot take."""

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rppg_ros.models.attention import Attention, Axis  # noqa: E402
from rppg_ros.models.importer import import_checkpoint  # noqa: E402
from rppg_ros.models.mmrphys import Fusion, MMRPhys, MMRPhysConfig, Size  # noqa: E402
from rppg_ros.models.registry import build  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402

PARITY = 1e-4
GOLDEN = [
    "mmrphys_LEF_RGB_TSFM_SCAMPS",
    "mmrphys_SEF_RGB_TSFM_SCAMPS",
    "mmrphys_MEF_RGB_FSAM_BP4D1",
    "mmrphys_SEF_T_Base_BP4D1",
    "mmrphys_LNF_RGBT_TSFM_BP4D1",
    "mmrphys_SNF_RGBT_Base_BP4D2",
    "mmrphys_LEF_RGBT_TSFM_BP4D1",
    "mmrphys_LEF_BVP_TSFM_UBFC",
    "mmrphys_LEF_RGB_TSFM_SCAMPS_attention",
]


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name, golden_case, checkpoints, capsys):
    case, clip, official = golden_case(name)
    network = import_checkpoint(checkpoints / case["checkpoint"], "mmrphys").network
    attend = case["attention_at_inference"]
    with torch.no_grad():
        waveforms = network(clip, _targets(case["frames"]) if attend else None, attend=attend)
    assert {task.value for task in waveforms} == official.keys()
    errors = {task.value: _relative_error(waveforms[task], official[task.value]) for task in waveforms}
    with capsys.disabled():
        print(f"\n  {name}: " + ", ".join(f"{task} {error:.1e}" for task, error in errors.items()), end="")
    assert max(errors.values()) < PARITY


def _targets(frames: int) -> dict[Vital, torch.Tensor]:
    t = torch.arange(frames) / 30
    return {
        Vital.BVP: torch.sin(2 * math.pi * 1.2 * t)[None],
        Vital.RSP: torch.sin(2 * math.pi * 0.25 * t)[None],
    }


def _relative_error(ours: torch.Tensor, official: np.ndarray) -> float:
    return float(np.abs(ours.numpy() - official).max() / np.abs(official).max())


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        ({"attention": "none"}, 87_600),
        ({"attention": "fsam"}, 88_256),
        ({"attention": "tsfm"}, 88_256),
        ({"cameras": ("thermal",), "attention": "none"}, 86_304),
        ({"cameras": ("rgb", "thermal")}, 88_904),
        ({"cameras": ("rgb", "thermal"), "fusion": "NF", "attention": "none"}, 86_736),
        ({"cameras": ("rgb", "thermal"), "fusion": "NF"}, 87_392),
        ({"tasks": ("bvp",)}, 37_480),
        ({"tasks": ("bvp",), "attention": "none"}, 37_152),
    ],
)
def test_published_parameter_counts(config, parameters):
    assert sum(p.numel() for p in build("mmrphys", **config).parameters()) == parameters


@pytest.mark.parametrize(
    ("size", "cameras", "axis"),
    list(itertools.product("SML", [("rgb",), ("rgb", "thermal")], ["time", "code"])),
)
def test_trains_with_attention(size, cameras, axis):
    torch.manual_seed(0)
    network = build("mmrphys", size=size, cameras=cameras, axis=axis, dropout=0.0)
    side, channels = Size(size).pixels, 3 if len(cameras) == 1 else 4
    targets = {task: torch.sin(torch.arange(16.0) * 0.9).repeat(2, 1) for task in Vital}
    waveforms = network(255 * torch.rand(2, channels, 17, side, side), targets)
    assert all(waveforms[task].shape == (2, 16) for task in Vital)
    sum(w.square().mean() for w in waveforms.values()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_scale_of_pixels_does_not_matter():
    torch.manual_seed(0)
    network = build("mmrphys", size="S").eval()
    clip = 255 * torch.rand(1, 3, 17, 9, 9)
    with torch.no_grad():
        plain, dimmed = network(clip), network(0.25 * clip + 30)
    for task in Vital:
        torch.testing.assert_close(plain[task], dimmed[task], rtol=1e-3, atol=1e-3)


def test_a_clip_does_not_depend_on_its_batch():
    torch.manual_seed(0)
    network = build("mmrphys", size="S", attention="fsam").eval()
    clips = 255 * torch.rand(2, 3, 17, 9, 9)
    with torch.no_grad():
        together, alone = network(clips, attend=True), network(clips[:1], attend=True)
    torch.testing.assert_close(together[Vital.BVP][:1], alone[Vital.BVP], rtol=1e-4, atol=1e-4)


def test_no_fusion_keeps_the_cameras_apart():
    torch.manual_seed(0)
    network = build("mmrphys", size="S", cameras=("rgb", "thermal"), fusion="NF").eval()
    clip = 255 * torch.rand(1, 4, 17, 9, 9)
    other_thermal = torch.cat([clip[:, :3], 255 * torch.rand(1, 1, 17, 9, 9)], dim=1)
    with torch.no_grad():
        first, second = network(clip), network(other_thermal)
    assert torch.equal(first[Vital.BVP], second[Vital.BVP])
    assert not torch.allclose(first[Vital.RSP], second[Vital.RSP])


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 1, 17, 9, 9), r"takes \(B, 3, T\+1, 9, 9\), not \(1, 1, 17, 9, 9\)"),
        ((1, 3, 17, 36, 36), r"not \(1, 3, 17, 36, 36\)"),
        ((3, 17, 9, 9), "takes"),
        ((1, 3, 16, 9, 9), "multiple of 4, not 15"),
    ],
)
def test_wrong_clips_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        build("mmrphys", size="S").eval()(torch.zeros(shape))


def test_tsfm_without_a_target_is_refused():
    with pytest.raises(ValueError, match="needs the target"):
        build("mmrphys", size="S")(torch.rand(1, 3, 17, 9, 9))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"fusion": Fusion.NONE}, "needs cameras rgb and thermal"),
        ({"cameras": ("thermal", "rgb")}, "cameras must be"),
        ({"tasks": ()}, "tasks must name"),
        ({"size": Size.S, "padded_entry": True}, "size L only"),
        ({"rsp_step": -1}, "0 or more"),
        ({"rsp_step": 2, "stepped_rsp": True}, "exclude each other"),
        ({"rsp_step": 2, "cameras": ("thermal",)}, "early fusion with RGB"),
        ({"rsp_step": 2, "tasks": (Vital.BVP,)}, "and the task rsp"),
        ({"rsp_step": 2, "cameras": ("rgb", "thermal"), "fusion": Fusion.LATE}, "early fusion with RGB"),
    ],
)
def test_impossible_configurations(config, message):
    with pytest.raises(ValueError, match=message):
        MMRPhysConfig(**config)


def test_variant_names():
    assert MMRPhysConfig().variant == "LEF_RGB_TSFM"
    one_task = MMRPhysConfig(size=Size.S, tasks=(Vital.BVP,), attention=Attention.NONE, axis=Axis.CODE)
    assert one_task.variant == "SEF_RGB_BVP_Base"
    assert MMRPhys(one_task).config is one_task
    assert MMRPhysConfig(size=Size.M, attention=Attention.NONE, rsp_step=2).variant == "MEF_RGB_Slow2_Base"


def test_build_names_what_it_does_not_know():
    with pytest.raises(ValueError, match="no model family 'physnet'; there are: mmrphys, factorizephys"):
        build("physnet")
    with pytest.raises(ValueError, match="no option 'depth'"):
        build("mmrphys", depth=3)
    with pytest.raises(ValueError, match="'XL'"):
        build("mmrphys", size="XL")

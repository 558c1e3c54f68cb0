"""EfficientPhys: published sizes, segments, and its authors' files."""

import pytest

torch = pytest.importorskip("torch")

from rppg_ros.models import fsam, official_efficientphys  # noqa: E402
from rppg_ros.models.checkpoint import CheckpointError  # noqa: E402
from rppg_ros.models.importer import import_checkpoint  # noqa: E402
from rppg_ros.models.registry import build  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402


@pytest.mark.parametrize(
    ("config", "parameters"),
    [({"attention": "sasn"}, 2_163_081), ({"attention": "fsam"}, 140_655), ({"attention": "sasn", "pixels": 36}, None)],
)
def test_published_parameter_counts(config, parameters):
    network = build("efficientphys", **config)
    if parameters:
        assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("attention", ["sasn", "fsam"])
@pytest.mark.parametrize(("cameras", "channels"), [(("rgb",), 3), (("thermal",), 1), (("rgb", "thermal"), 4)])
def test_gives_a_sample_for_each_frame(attention, cameras, channels):
    network = build("efficientphys", attention=attention, cameras=cameras, pixels=36).eval()
    with torch.no_grad():
        bvp = network(255 * torch.rand(2, channels, 41, 36, 36))[Vital.BVP]
    assert bvp.shape == (2, 40) and torch.isfinite(bvp).all()


def test_segments_do_not_see_each_other():
    torch.manual_seed(0)
    network = build("efficientphys", pixels=36, frame_depth=10).eval()
    clip = 255 * torch.rand(1, 3, 31, 36, 36)
    changed = clip.clone()
    changed[:, :, 15] = 0
    with torch.no_grad():
        moved = (network(clip)[Vital.BVP] - network(changed)[Vital.BVP])[0].abs()
    assert moved[10:20].max() > 0 and moved[:10].max() == 0 and moved[20:].max() == 0


def test_fsam_factorises_whole_segments():
    torch.manual_seed(1)
    attention = build("efficientphys", attention="fsam", pixels=36, frame_depth=5).attention
    x = torch.rand(2, 8, 10, 3, 4)
    found = attention._factorised(x, None)
    segment = x[1, :, 5:].transpose(0, 1).reshape(1, 5, -1)
    expected = fsam.factorise(segment, attention.steps).reshape(5, 8, 3, 4).transpose(0, 1)
    torch.testing.assert_close(found[1, :, 5:], expected)


def test_factorising_matters():
    torch.manual_seed(2)
    meant, released = (build("efficientphys", attention="fsam", factorise=f).eval() for f in (True, False))
    released.load_state_dict(meant.state_dict())
    clip = 255 * torch.rand(1, 3, 21, 72, 72)
    with torch.no_grad():
        assert not torch.allclose(meant(clip)[Vital.BVP], released(clip)[Vital.BVP], rtol=1e-2)


@pytest.mark.parametrize(
    ("config", "variant"),
    [
        ({"attention": "sasn"}, "RGB_SASN_72"),
        ({"attention": "sasn", "pixels": 36}, "RGB_SASN_36"),
        ({"attention": "sasn", "pixels": 96}, "RGB_SASN_96"),
        ({"attention": "fsam", "factorise": False}, "RGB_FSAM_72"),
        ({"attention": "fsam", "factorise": False, "cameras": ("rgb", "thermal")}, "RGBT_FSAM_72"),
    ],
)
def test_weights_land_where_they_belong(config, variant, save_official):
    torch.manual_seed(3)
    original = build("efficientphys", **config).eval()
    names = official_efficientphys.names(original.config)
    path = save_official(original, names, "PURE_EfficientPhys_Epoch9.pth")
    imported = import_checkpoint(path, "efficientphys")
    assert imported.card.variant == variant and imported.card.training_data == "PURE"
    assert imported.card.frames == 160 and imported.card.frames_multiple == 20 and imported.card.pad_frames == 1
    pixels, channels = original.config.pixels, 4 if len(original.config.cameras) == 2 else 3
    clip = 255 * torch.rand(1, channels, 21, pixels, pixels)
    with torch.no_grad():
        assert torch.equal(imported.network(clip)[Vital.BVP], original(clip)[Vital.BVP])


def test_the_papers_idea_by_an_option(save_official):
    original = build("efficientphys", attention="fsam")
    path = save_official(original, official_efficientphys.names(original.config), "PURE_EfficientPhys_FSAM.pth")
    assert not import_checkpoint(path, "efficientphys").network.config.factorise
    assert import_checkpoint(path, "efficientphys", options={"factorise": "true"}).network.config.factorise


def test_what_does_not_fit_is_refused(save_official, tmp_path):
    network = build("efficientphys")
    path = save_official(network, official_efficientphys.names(network.config), "PURE_EfficientPhys.pth")
    with pytest.raises(CheckpointError, match="its tensors take 72 pixels, not 36"):
        import_checkpoint(path, "efficientphys", size=36)
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="not an EfficientPhys checkpoint, it lacks tensor 'motion_conv1.weight'"):
        import_checkpoint(tmp_path / "other.pth", "efficientphys")
    with pytest.raises(ValueError, match="multiple of 20, not 30"):
        network(torch.zeros(1, 3, 31, 72, 72))
    with pytest.raises(ValueError, match="too few"):
        build("efficientphys", pixels=5)

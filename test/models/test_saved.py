"""Our own checkpoints: written, read back, refused when they are not ours; and streaming graphs made of them."""

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

from rppg_ros.inference.card import ModelCard  # noqa: E402
from rppg_ros.models.checkpoint import CheckpointError  # noqa: E402
from rppg_ros.models.export import ExportError, export  # noqa: E402
from rppg_ros.models.registry import FAMILIES, build  # noqa: E402
from rppg_ros.models.saved import Provenance, card_of, load, save, untrained  # noqa: E402
from rppg_ros.models.verify import MAX_RELATIVE_ERROR  # noqa: E402

SMALL = {
    "mmrphys": {"size": "S", "cameras": ("rgb", "thermal"), "fusion": "LF", "axis": "code"},
    "factorizephys": {"attention": "none", "attend_at_inference": False},
    "efficientphys": {"attention": "fsam", "pixels": 36, "factorise": False},
    "phasenet": {"causal": True, "pixels": 8},
    "physfsunet": {"pixels": 16, "raw_share": 0.3},
}
ABOUT = Provenance(frames=64, rate_hz=25.0, training_data="synthetic", licence="MIT", scores={"mae": 1.5})


@pytest.mark.parametrize("family", FAMILIES)
def test_comes_back_as_it_was(family, tmp_path):
    torch.manual_seed(1)
    network = build(family, **SMALL[family]).eval()
    path = tmp_path / "deep" / "best.pt"
    save(network, family, ABOUT, path)
    saved = load(path)
    assert (saved.family, saved.provenance, len(saved.sha256)) == (family, ABOUT, 64)
    assert saved.network.config == network.config and not saved.network.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(saved.network.state_dict()[name], tensor)
    assert [p.name for p in path.parent.iterdir()] == ["best.pt"]


def test_a_checkpoint_from_before_an_option_was_there(tmp_path):
    network = build("mmrphys", size="S").eval()
    save(network, "mmrphys", ABOUT, tmp_path / "old.pt")
    raw = torch.load(tmp_path / "old.pt", weights_only=True)
    about = json.loads(raw["about"])
    del about["config"]["rsp_step"]
    torch.save(raw | {"about": json.dumps(about)}, tmp_path / "old.pt")
    assert load(tmp_path / "old.pt").network.config == network.config


@pytest.mark.parametrize("step", [2, 50])
def test_an_untrained_network_has_a_window_that_it_takes(step):
    saved = untrained("mmrphys", 0, {"size": "S", "rsp_step": step})
    assert card_of(saved).frames % (4 * step) == 0 and card_of(saved).frames >= saved.network.config.min_frames


@pytest.mark.parametrize("windowed", [False, True])
def test_a_causal_network_streams_unless_asked_otherwise(windowed, tmp_path):
    saved = untrained("phasenet", 0, SMALL["phasenet"])
    card = card_of(saved, windowed=windowed)
    assert bool(card.state) != windowed and card.frames == (128 if windowed else 5)
    assert card.training_data == "untrained"
    checks = export(saved.network, card, tmp_path / "m.onnx")
    assert max(check.error for check in checks) <= MAX_RELATIVE_ERROR and len(checks) == 4
    assert ModelCard.read(tmp_path / "m.onnx") == card


def test_a_streaming_graph_that_forgets_is_not_kept(tmp_path):
    saved = untrained("phasenet", 0, SMALL["phasenet"])
    card = card_of(saved)
    original = saved.network.stream

    def forgetful(x, state):
        waves, after = original(x, state)
        return waves, [0 * tensor for tensor in after]

    saved.network.stream = forgetful
    with pytest.raises(ExportError, match="differs from the network"):
        export(saved.network, card, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_the_same_seed_gives_the_same_untrained_network():
    one, same, other = (untrained("phasenet", seed, SMALL["phasenet"]).network for seed in (5, 5, 6))
    assert torch.equal(one.stem.weight, same.stem.weight) and not torch.equal(one.stem.weight, other.stem.weight)


def test_what_is_not_ours_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="absent.pt: no such file"):
        load(tmp_path / "absent.pt")
    torch.save({"weight": torch.zeros(1)}, tmp_path / "official.pth")
    with pytest.raises(CheckpointError, match="not one of our checkpoints; `rppg-ros models import` reads official"):
        load(tmp_path / "official.pth")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(CheckpointError, match="text.pt: "):
        load(tmp_path / "text.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw | {"rppg_ros.checkpoint": 99}, "of version 99, newer than this rppg_ros reads"),
        (lambda raw: raw | {"about": "{}"}, "damaged: "),
        (lambda raw: raw | {"weights": {}}, "damaged: "),
        (lambda raw: raw | {"about": raw["about"].replace("phasenet", "physnet")}, "no model family 'physnet'"),
    ],
)
def test_damage_is_named(change, message, tmp_path):
    path = tmp_path / "m.pt"
    save(build("phasenet", **SMALL["phasenet"]), "phasenet", ABOUT, path)
    torch.save(change(torch.load(path, weights_only=True)), path)
    with pytest.raises(CheckpointError, match=message):
        load(path)

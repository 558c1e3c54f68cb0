"""Maps of a network at work: where its features follow the wave, what its masks weigh."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rppg_ros import weights  # noqa: E402
from rppg_ros.commands.main import main  # noqa: E402
from rppg_ros.models.inside import _csim, _weights, look_inside  # noqa: E402
from rppg_ros.models.saved import Provenance, save, untrained  # noqa: E402
from rppg_ros.models.summed import Summed  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402

RATE_HZ, FRAMES = 30.0, 120
WAVE = torch.sin(2 * torch.pi * 1.2 * torch.arange(FRAMES) / RATE_HZ)


def clip(channels, frames, side, where=(slice(None), slice(None))):
    """Noise, and in some places the wave."""
    noise = torch.randn(1, channels, frames, side, side, generator=torch.Generator().manual_seed(1))
    out = 128 + noise
    beat = torch.sin(2 * torch.pi * 1.2 * torch.arange(frames) / RATE_HZ)
    out[:, :, :, where[0], where[1]] += 20 * beat[None, None, :, None, None]
    return out


@pytest.mark.parametrize(
    ("family", "options", "kinds"),
    [
        ("mmrphys", {"size": "S", "attention": "none"}, ["before the last"] * 2),
        ("mmrphys", {"size": "S", "attention": "tsfm"}, ["before TSFM", "weights of TSFM", "before the last"] * 2),
        (
            "mmrphys",
            {"size": "M", "attention": "fsam", "tasks": ["bvp"]},
            ["before FSAM", "weights of FSAM", "before the last"],
        ),
        ("factorizephys", {}, ["before FSAM", "weights of FSAM", "before the last"]),
        ("efficientphys", {"attention": "sasn", "pixels": 36}, ["mask", "last features", "mask"]),
        ("efficientphys", {"attention": "fsam", "pixels": 36}, ["last features", "before FSAM", "weights of FSAM"]),
        ("phasenet", {"pixels": 16}, ["before the spatial filter", "mask of the spatial filter"]),
        ("phasenet", {"pixels": 16, "causal": True}, ["before the spatial filter", "mask of the spatial filter"]),
        ("physfsunet", {"pixels": 32}, ["mask"] * 4 + ["before the decoder"]),
    ],
    ids=str,
)
def test_every_family_shows_its_ideas(family, options, kinds):
    network = untrained(family, 1, options).network
    config = network.config
    frames = clip(3, FRAMES + config.pad_frames, config.pixels)
    before = network(frames)[Vital.BVP]
    waves = dict.fromkeys(config.tasks, WAVE)
    maps = look_inside(network, frames, waves, RATE_HZ)
    assert [any(kind in one.name for one in [m]) for kind, m in zip(kinds, maps, strict=True)] == [True] * len(maps), (
        maps
    )
    for one in maps:
        assert np.isfinite(one.places).all() and one.places.min() >= 0 and one.places.ndim == 2
        assert one.mask == ("mask" in one.name or "weights" in one.name)
        assert one.places.mean() == pytest.approx(1, abs=1e-3) if one.mask else one.places.max() <= 1 + 1e-6
        assert 0 <= one.left < one.right <= 1 and one.left == pytest.approx(1 - one.right, abs=0.06), "in the middle"
    torch.testing.assert_close(network(frames)[Vital.BVP], before)  # nothing of it stays behind


def test_features_follow_the_wave_where_it_is():
    """Half of the crop pulses: the map is there, and on that side."""
    network = untrained("mmrphys", 3, {"size": "M", "attention": "none", "tasks": ["bvp"]}).network
    wave = torch.cos(2 * torch.pi * 1.2 * (torch.arange(FRAMES) + 0.5) / RATE_HZ)
    for side, where in (("left", slice(0, 18)), ("right", slice(18, 36))):
        (found,) = look_inside(network, clip(3, FRAMES + 1, 36, (slice(None), where)), {Vital.BVP: wave}, RATE_HZ)
        half = found.places.shape[1] // 2
        halves = {"left": found.places[:, : half - 1].mean(), "right": found.places[:, half + 1 :].mean()}
        assert halves[side] > 1.5 * min(halves.values())
        assert 0.05 < found.left < 0.4 and 0.6 < found.right < 0.95, "convolutions without padding see less of the rim"


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("mmrphys", {"size": "M", "attention": "none", "tasks": ["bvp"]}),
        ("mmrphys", {"size": "L", "attention": "none", "tasks": ["bvp"]}),
        ("factorizephys", {"attention": "none", "attend_at_inference": False}),
    ],
)
def test_places_lie_where_what_they_see_lies(family, options):
    """The middle of what a place sees, by gradients: norms spread a little of everything everywhere."""
    from rppg_ros.models.inside_places import grids

    network = untrained(family, 2, options).network
    layer = network.branches["bvp"] if family == "mmrphys" else network
    seen = []
    layer.final.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    frames = clip(3, 25, network.config.pixels).requires_grad_(True)
    network(frames)
    grid, side = grids(network)["branches.bvp" if family == "mmrphys" else ""], network.config.pixels
    for column in (0, seen[0].shape[-1] // 2, seen[0].shape[-1] - 1):
        (gradient,) = torch.autograd.grad(seen[0][0, 0, 12, 2, column], frames, retain_graph=True)
        columns = gradient.abs().sum(dim=(0, 1, 2, 3))
        strong = torch.where(columns > 0.25 * columns.max())[0].float() + 0.5
        assert float(strong.mean()) == pytest.approx(grid.first + column * grid.step, abs=0.06 * side)


def test_similarity_forgives_a_lag_of_half_a_second_that_all_share():
    later = torch.roll(WAVE, 9)[None, None, :, None, None].repeat(1, 2, 1, 3, 4)
    assert _csim(-later, WAVE, RATE_HZ) == pytest.approx(1, abs=0.02) and _csim(later, WAVE, RATE_HZ).shape == (3, 4)
    noise = torch.randn(1, 2, FRAMES, 3, 4, generator=torch.Generator().manual_seed(2))
    assert _csim(noise, WAVE, RATE_HZ).max() < 0.4
    assert _csim(torch.ones(1, 2, FRAMES, 3, 4), WAVE, RATE_HZ).max() == 0, "what does not change follows nothing"
    quarter = later[:, :, ::4]
    assert _csim(quarter, WAVE, RATE_HZ) == pytest.approx(1, abs=0.1), "fewer steps than the wave has"


def test_weights_are_over_their_mean():
    mask = torch.tensor([[1.0, 3.0], [0.0, 0.0]])[None, None, None].repeat(1, 2, 5, 1, 1)
    assert _weights(mask).tolist() == [[1.0, 3.0], [0.0, 0.0]]
    assert _weights(mask - 1).min() == 0


def test_a_picture_by_the_command(tmp_path, capsys):
    out = tmp_path / "a" / "inside.png"
    words = ["models", "inside", "mmrphys-rgbt", "demo:seconds=28,fps=15,thermal_fps=9,seed=3", "-o", str(out)]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "pulse: features before the last layers" in said and str(out) in said.replace("\n", "")
    assert out.stat().st_size > 10_000
    assert out.stat().st_mode & 0o077 == 0, "it shows a face"
    model = str(weights.resolve("mmrphys-rgbt"))
    for wrong, message in (
        (
            [*words, "--start", "60"],
            "from 60 s on nowhere 12.9 s of one face, as this network needs; faces are there from 0.",
        ),
        ([*words, "--start", "-5"], "--start -5: must be a second of the clip, 0 or more"),
        ([*words, "--start", "nan"], "--start nan: must be"),
        ([*words, "--truth", "a.csv"], "--truth: the demo has its own"),
        ([*words[:-1], str(tmp_path)], "must be a file that ends in .png"),
        (["models", "inside", "absent", "demo:seconds=5"], "absent: no such file; shipped models are: mmrphys-rgb"),
        (["models", "inside", model, "demo:seconds=5"], "give the checkpoint (mmrphys-rgbt.pt)"),
    ):
        assert main(wrong) == 2
        assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("*.png"))


def test_without_truth_the_networks_own_wave_stands_in(tmp_path, capsys):
    from support import dataset_folders as folders
    from support.recordings import person_film

    video = tmp_path / "film.avi"
    folders.video(video, film=person_film(2.0))
    made = untrained("mmrphys", 1, {"size": "S", "attention": "none"})
    save(Summed(made.network, 30.0), "mmrphys", Provenance(frames=32, rate_hz=30.0), tmp_path / "a.pt")
    assert main(["models", "inside", str(tmp_path / "a.pt"), str(video), "-o", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_an_evaluations_report_holds_them(tmp_path, capsys):
    from support import dataset_people as people

    root = people.pure(tmp_path / "pure", subjects=(1, 2))
    made = untrained("mmrphys", 1, {"size": "S", "attention": "none"})
    save(made.network, "mmrphys", Provenance(frames=32, rate_hz=30.0), tmp_path / "a.pt")
    assert main(["models", "export", str(tmp_path / "a.pt"), "-o", str(tmp_path / "a.onnx")]) == 0
    words = ["evaluate", "--dataset", "pure", str(root), "--inside", "1", "-o", str(tmp_path / "run")]
    assert main([*words, "--model", str(tmp_path / "a.onnx")]) == 0
    assert [path.name for path in (tmp_path / "run" / "inside").iterdir()] == ["1-01-01.png"]
    report = (tmp_path / "run" / "report.html").read_text()
    assert report.count('alt="maps of') == 1 and "Inside the network" in report
    assert main([*words[:-1], str(tmp_path / "other"), "--engine", "pos"]) == 2
    assert "--inside: the engine is no network" in capsys.readouterr().err
    (tmp_path / "a.pt").unlink()
    assert main([*words[:-1], str(tmp_path / "third"), "--model", str(tmp_path / "a.onnx")]) == 2
    assert "its checkpoint is not beside it: a.pt or best.pt" in capsys.readouterr().err

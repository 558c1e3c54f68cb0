"""A training run: its file, the same weights for the same seed, stopped and resumed, and what it leaves behind."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import yaml

torch = pytest.importorskip("torch")
pytest.importorskip("lightning", reason="lightning is in the extra 'training'")

from rppg_ros.commands.main import main  # noqa: E402
from rppg_ros.models.saved import load, save  # noqa: E402
from rppg_ros.training.config import TrainConfig  # noqa: E402
from rppg_ros.training.module import Learner, make_loss, rate_error  # noqa: E402
from rppg_ros.training.recording_set import TrainingError  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402
from rppg_ros.weights import checkpoint  # noqa: E402
from support import dataset_folders as folders  # noqa: E402
from support.recordings import person_film  # noqa: E402

TINY = {
    "family": "mmrphys", "options": {"size": "S", "attention": "none"}, "frames": 32, "epochs": 2, "steps": 3, "batch": 2,
    "val_windows": 2, "workers": 0, "threads": 1, "accelerator": "cpu", "learning_rate": 1e-3,
}  # fmt: skip

PURE = {"dataset": "pure", "folder": "/data/pure", "share": 0.4}


@pytest.fixture
def config_file(tmp_path):
    def write(**changes):
        path = tmp_path / "run.yaml"
        path.write_text(yaml.safe_dump(TINY | changes))
        return str(path)

    return write


def weights(path):
    return load(path).network.state_dict()


@pytest.mark.slow
def test_a_run_leaves_a_checkpoint_that_exports(config_file, tmp_path, capsys):
    folder = tmp_path / "run"
    assert main(["train", config_file(), "-o", str(folder)]) == 0
    saved = load(folder / "best.pt")
    assert saved.family == "mmrphys" and saved.provenance.frames == 32
    assert "synthetic" in saved.provenance.training_data and "held_out_loss" in saved.provenance.scores
    assert list((folder / "curves").glob("events*"))
    assert main(["models", "export", str(folder / "best.pt"), "-o", str(tmp_path / "m.onnx")]) == 0
    assert main(["train", config_file(seed=4), "-o", str(folder)]) == 2
    assert "holds a run with other settings (seed was 0, is 4); give another folder" in capsys.readouterr().err
    assert main(["train", config_file(cache=str(tmp_path / "crops")), "-o", str(folder)]) == 0


@pytest.mark.slow
def test_it_goes_on_after_the_last_epoch_though_an_earlier_one_was_better(config_file, tmp_path, monkeypatch):
    monkeypatch.setattr(
        Learner, "on_validation_epoch_end", lambda self: self.log("val/loss", float(self.current_epoch))
    )
    assert main(["train", config_file(epochs=3), "-o", str(tmp_path / "run")]) == 0
    kept = {
        name: torch.load(tmp_path / "run" / f"{name}.ckpt", map_location="cpu", weights_only=False)
        for name in ("best", "last")
    }
    assert (kept["best"]["epoch"], kept["last"]["epoch"]) == (0, 2)
    assert load(tmp_path / "run" / "best.pt").provenance.scores["held_out_loss"] == 0.0


@pytest.mark.slow
def test_a_run_that_starts_from_a_checkpoint_takes_its_weights_and_its_terms(config_file, tmp_path):
    assert main(["train", config_file(epochs=1, steps=1), "-o", str(tmp_path / "first")]) == 0
    first = load(tmp_path / "first" / "best.pt")
    bound = replace(first.provenance, training_data="pure (100%)", licence="research only", source="elsewhere")
    start = tmp_path / "start.pt"
    save(first.network, first.family, bound, start)
    words = ["train", config_file(start=str(start), learning_rate=1e-12), "-o", str(tmp_path / "run")]
    assert main(words) == 0
    start.unlink()
    assert main(words) == 0  # it is not needed any more
    found = load(tmp_path / "run" / "best.pt")
    for name, tensor in first.network.state_dict().items():
        torch.testing.assert_close(found.network.state_dict()[name], tensor, rtol=0, atol=1e-6)
    said = found.provenance
    assert said.licence == "Apache-2.0; what it started from: research only"
    assert said.training_data.endswith("; before that pure (100%)") and said.source.endswith(
        " steps of 2, after elsewhere"
    )


@pytest.mark.slow
def test_a_part_can_learn_alone(config_file, tmp_path):
    options = {"size": "S", "attention": "none", "dropout": 0.5, "level": True}
    assert main(["train", config_file(options=options, epochs=1, steps=1), "-o", str(tmp_path / "first")]) == 0
    start = tmp_path / "first" / "best.pt"
    only = {
        "only": ["level"],
        "loss": "none",
        "level_weight": 1.0,
        "lifeless": 0.5,
        "ema_decay": 0.0,
        "learning_rate": 0.1,
    }
    words = ["train", config_file(options=options, start=str(start), **only), "-o", str(tmp_path / "run")]
    assert main(words) == 0
    before, after = weights(start), weights(tmp_path / "run" / "best.pt")
    moved = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert moved and all(".level." in name for name in moved)
    learner = Learner(TrainConfig(**TINY | {"options": options} | only)).train()
    training = {name for name, module in learner.network.named_modules() if module.training}
    assert training and all("level" in name.split(".") for name in training), "no dropout where nothing learns"
    with pytest.raises(TrainingError, match="SEF_RGB_Base has no part called level"):
        Learner(TrainConfig(**TINY | only))


@pytest.mark.slow
def test_a_run_starts_from_a_shipped_model_by_its_name(config_file, tmp_path):
    name = "mmrphys-rgbt"
    options = {"size": "S", "attention": "none", "fusion": "NF", "cameras": ["rgb", "thermal"]}
    words = [
        "train",
        config_file(start=name, options=options, learning_rate=1e-12, epochs=1),
        "-o",
        str(tmp_path / "run"),
    ]
    assert main(words) == 0
    shipped = load(checkpoint(name))
    for key, tensor in weights(tmp_path / "run" / "best.pt").items():
        torch.testing.assert_close(tensor, shipped.network.state_dict()[key], rtol=0, atol=1e-6)
    assert load(tmp_path / "run" / "best.pt").provenance.source.endswith(f"after {shipped.provenance.source}")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_the_same_seed_gives_the_same_weights(workers, config_file, tmp_path):
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        path = config_file(seed=seed, workers=workers, epochs=1, steps=2)
        assert main(["train", path, "-o", str(tmp_path / name)]) == 0
        found.append(weights(tmp_path / name / "best.pt"))
    for key, tensor in found[0].items():
        torch.testing.assert_close(found[1][key], tensor, rtol=0, atol=1e-6)
    assert any(not torch.equal(found[0][key], found[2][key]) for key in found[0])


@pytest.mark.slow
def test_a_stopped_run_goes_on(config_file, tmp_path, monkeypatch, capsys):
    from rppg_ros.training.module import Learner

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    words = ["train", config_file(epochs=3), "-o"]
    assert main([*words, str(whole)]) == 0
    step, seen = Learner.training_step, []

    def interrupted(self, batch, index):
        if self.current_epoch == 1 and index == 1:
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(Learner, "training_step", interrupted)
    assert main([*words, str(stopped)]) == 130
    assert f"run it again with -o {stopped} to go on" in capsys.readouterr().err
    monkeypatch.setattr(
        Learner, "training_step", lambda self, b, i: seen.append((self.current_epoch, i)) or step(self, b, i)
    )
    assert main([*words, str(stopped)]) == 0
    assert seen == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]
    for key, tensor in weights(whole / "best.pt").items():
        torch.testing.assert_close(weights(stopped / "best.pt")[key], tensor, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 3}, "unknown field 'depth'; there are: family"),
        ({"family": "physnet"}, "no model family 'physnet'"),
        ({"loss": "l1"}, "'loss' must be one of none, pearson, mse, multitask, hybrid, hybrid_logits, not 'l1'"),
        ({"hardness": [0.9, 0.1]}, r"hardness: must rise, not \[0.9, 0.1\]"),
        ({"val_hardness": [0.9, 0.1]}, "val_hardness: must rise"),
        ({"lifeless": 1.0}, "lifeless: must be below 1"),
        ({"ema_decay": 1.0}, "ema_decay: must be below 1"),
        (
            {"passes": True, "rhythm": 0.1, "recordings": [{**PURE, "share": 1.0}]},
            "lifeless, rhythm: are of made-up windows",
        ),
        ({"passes": True}, "passes: are over recordings alone, whose shares must be 1 together, not 0"),
        ({"keep": "last", "recordings": [{**PURE, "val": True}]}, "keep: 'last' holds nothing out"),
        (
            {"labels": "difference", "family": "phasenet", "options": {"causal": True}},
            "labels: 'difference' is for networks",
        ),
        ({"frames": 30}, "frames: SEF_RGB_Base takes multiples of 4 from"),
        ({"epochs": "many"}, "'epochs' must be an integer from 1 to 1000000, not 'many'"),
        ({"hardness": 1}, "'hardness' must be a list of 2, not 1"),
        ({"steps": 0}, "'steps' must be an integer from 1 to 1000000, not 0"),
        ({"loss": "none"}, "loss: 'none' leaves nothing to learn by without level_weight"),
        ({"stepz": 5}, "unknown field 'stepz'; did you mean 'steps'"),
        ({"learning_rate": float("nan")}, "'learning_rate' must be a number from 1e-12 to 10.0, not nan"),
        ({"ema_decay": 1.5}, "'ema_decay' must be a number from 0.0 to 1.0, not 1.5"),
        ({"seed": 200}, "'seed' must be an integer from 0 to 199, not 200"),
        ({"rate_hz": 1000}, "'rate_hz' must be a number from 1.0 to 240.0, not 1000"),
        ({"skip_frames": 32}, "skip_frames must be below frames, not 32"),
        ({"skip_frames": 30}, "skip_frames: 30 of 32 frames leave less than 1 s"),
        ({"recordings": "pure"}, "'recordings' must be a list, not 'pure'"),
        ({"recordings": [{"root": "x"}]}, r"unknown field 'recordings\[0\].root'; there are: dataset, folder, share"),
        ({"recordings": [PURE, {**PURE, "dataset": "pur"}]}, r"recordings\[1\]: dataset: no dataset 'pur'; there are"),
        (
            {"recordings": [{**PURE, "share": "half"}]},
            r"'recordings\[0\].share' must be a number from 0.0 to 1.0, not 'half'",
        ),
        (
            {"recordings": [{**PURE, "share": 1.5}]},
            r"'recordings\[0\].share' must be a number from 0.0 to 1.0, not 1.5",
        ),
        ({"recordings": [{**PURE, "share": 0}]}, r"recordings\[0\]: share: is 0 and val is not set"),
        ({"recordings": [{**PURE, "val": 1}]}, r"'recordings\[0\].val' must be true or false, not 1"),
        ({"recordings": [{"dataset": "pure", "share": 1}]}, r"recordings\[0\]: folder: is missing"),
        ({"recordings": [PURE] * 3}, "recordings: their shares must be 1 at most together, not 1.2"),
    ],
)
def test_bad_settings_are_named(changes, message, config_file):
    with pytest.raises(TrainingError, match=f"run.yaml: {message}"):
        TrainConfig.read(config_file(**changes))


def test_recordings_are_settings_like_others(config_file):
    config = TrainConfig.read(config_file(recordings=[PURE, {**PURE, "share": 0, "val": True, "only": "01-*"}]))
    assert [chosen.share for chosen in config.recordings] == [0.4, 0.0] and config.recordings[1].val
    unasked = {"only": "", "part": (0.0, 1.0), "subjects": [], "but": [], "conditions": {}}
    assert config.plain()["recordings"][0] == {**PURE, **unasked, "val": False}
    assert TrainConfig.read(config_file(**config.plain())) == config


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(TrainingError, match="absent.yaml: not readable"):
        TrainConfig.read(tmp_path / "absent.yaml")
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(TrainingError, match="list.yaml: holds no settings"):
        TrainConfig.read(tmp_path / "list.yaml")


def test_a_learning_rate_may_be_written_as_people_do(config_file):
    assert TrainConfig.read(config_file(learning_rate="2e-3")).learning_rate == 0.002


@pytest.mark.parametrize("loss", ["pearson", "multitask", "hybrid", "hybrid_logits"])
def test_losses_are_least_for_the_truth(loss):
    made = make_loss(TrainConfig(**{**TINY, "loss": loss}))
    t = torch.arange(256) / 30
    truth = {vital: torch.sin(6.28 * hz * t)[None].repeat(2, 1) for vital, hz in ((Vital.BVP, 1.2), (Vital.RSP, 0.3))}
    other = {vital: torch.sin(6.28 * 1.7 * t + 1)[None].repeat(2, 1) for vital in truth}
    assert made(truth, truth, 1) < made(other, truth, 1)


@pytest.mark.parametrize("loss", ["pearson", "multitask", "hybrid", "hybrid_logits"])
def test_clips_without_truth_do_not_count(loss):
    made = make_loss(TrainConfig(**{**TINY, "loss": loss}))
    waves = {vital: torch.randn(3, 256, requires_grad=True) for vital in Vital}
    targets = {vital: torch.randn(3, 256) for vital in Vital}
    targets[Vital.BVP][1, 7] = targets[Vital.RSP][:] = torch.nan
    found = made(waves, targets, 1)
    left = {Vital.BVP: [0, 2]}
    torch.testing.assert_close(
        found, made({k: waves[k][i] for k, i in left.items()}, {k: targets[k][i] for k, i in left.items()}, 1)
    )
    found.backward()
    assert waves[Vital.BVP].grad[0].abs().sum() > 0 and not waves[Vital.BVP].grad[1].any()
    assert not waves[Vital.RSP].grad.any(), "a gradient, of 0: ranks wait for it"
    targets[Vital.BVP][:] = torch.nan
    assert made(waves, targets, 1) == 0


def test_held_out_scores_count_clips_not_batches(monkeypatch):
    """A task that a batch does not know leaves its score to the other batches."""
    learner = Learner(TrainConfig(**TINY))
    t = torch.arange(32) / 30
    wave = torch.sin(6.28 * 1.5 * t)
    monkeypatch.setattr(type(learner.network), "forward", lambda _, clip: {k: wave.repeat(len(clip), 1) for k in Vital})
    logged = {}
    monkeypatch.setattr(learner, "log", lambda name, value, **options: logged.update({name: value}))
    learner._trainer = SimpleNamespace(strategy=SimpleNamespace(reduce=lambda sums, reduce_op: sums))
    right, wrong, unknown = wave[None], -wave[None], torch.full((1, 32), torch.nan)
    learner.on_validation_epoch_start()
    for bvp in ([right, right, unknown], [wrong], [unknown]):
        clips = torch.zeros(len(bvp), 1)
        learner.validation_step((clips, {"bvp": torch.cat(bvp), "rsp": torch.cat([right] * len(bvp))}), 0)
    learner.on_validation_epoch_end()
    assert logged["val/bvp_r"] == pytest.approx(1 / 3, abs=1e-4) and logged["val/rsp_r"] == pytest.approx(1, abs=1e-4)
    assert logged["val/loss"] == pytest.approx(-4 / 3, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_on_recordings(workers, config_file, tmp_path):
    """Half of the windows are of people in PURE's layout, of whom nothing is known but the pulse."""
    film = person_film(2.0)
    for name in ("01-01", "02-01"):
        folders.pure(tmp_path / "pure", folder=name, film=film)
    chosen = {"dataset": "pure", "folder": str(tmp_path / "pure"), "share": 0.5, "val": True}
    words = ["train", config_file(recordings=[chosen], workers=workers, epochs=1), "-o", str(tmp_path / "run")]
    assert main(words) == 0
    about = load(tmp_path / "run" / "best.pt").provenance
    assert "pure (50%)" in about.training_data and "terms of the recordings" in about.licence
    assert len(list((tmp_path / "run" / "crops").glob("pure_*/rgb.npy"))) == 2


@pytest.mark.slow
def test_two_processes_learn_together(config_file, tmp_path):
    """Over gloo, as `devices: 2` says; the second is started by lightning from this command line."""
    path = config_file(devices=2, epochs=1, steps=2, val_windows=3)
    command = [sys.executable, "-m", "rppg_ros.commands.main", "train", path, "-o", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "GLOBAL_RANK: 1, MEMBER: 2/2" in done.stderr and done.stdout.count("makes a model of it") == 1
    assert "2 steps of 2" in load(tmp_path / "run" / "best.pt").provenance.source


@pytest.mark.parametrize("steps", [1, 2, 3, 9, 10, 11, 20, 30])
def test_any_number_of_steps_has_a_schedule(steps, monkeypatch):
    learner = Learner(TrainConfig(**TINY | {"epochs": 1, "steps": steps}))
    found = learner.configure_optimizers()
    optimiser, schedule = found["optimizer"], found["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step() if len(rates) < steps else None
    assert 0 < max(rates) <= 1e-3 and (steps < 20 or rates[-1] < 1e-5)


def test_rate_error():
    t = torch.arange(300) / 30
    a, b = (torch.sin(6.28319 * bpm / 60 * t)[None] for bpm in (70, 76))
    assert rate_error(a, b, 30.0, Vital.BVP) == pytest.approx(6, abs=0.5)
    assert rate_error(a[:, :60], b[:, :60], 30.0, Vital.BVP) != rate_error(a[:, :60], b[:, :60], 30.0, Vital.BVP)


def test_the_runs_of_the_shipped_models_can_begin(tmp_path, monkeypatch, capsys):
    from rppg_ros.commands.train import RUNS

    assert {"phasenet-causal", "mmrphys-rgb", "mmrphys-rgbt"} <= set(RUNS)
    for path in RUNS.values():
        assert TrainConfig.read(path).network().tasks
    monkeypatch.chdir(tmp_path)
    assert main(["train", "mmrphys-rgb", "-o", str(tmp_path / "run")]) == 2  # what it starts from is not there
    assert "start: runs/mmrphys-rgb-5/best.pt: no such file" in capsys.readouterr().err

"""The papers' protocols: read, divided by subject, trained and evaluated on small data sets, and the table beside the paper's."""

import json

import pytest
import yaml

torch = pytest.importorskip("torch")
pytest.importorskip("lightning", reason="lightning is in the extra 'training'")

from rppg_ros.commands.main import main  # noqa: E402
from rppg_ros.evaluation.results import Results  # noqa: E402
from rppg_ros.models.saved import load  # noqa: E402
from rppg_ros.training.paper import Paper, papers  # noqa: E402
from rppg_ros.training.recording_set import RecordingSet, TrainingError, natural  # noqa: E402
from rppg_ros.training.reproduce import _apart, _folds  # noqa: E402
from support import dataset_people as people  # noqa: E402

SMALL = [
    *("--set", "epochs=1"),
    *("--set", "frames=32"),
    *("--set", "workers=0"),
    *("--set", "threads=1"),
    *("--set", "accelerator=cpu"),
]
OWN = {
    "title": "own",
    "protocol": "whole",
    "settings": {"family": "mmrphys", "options": {"size": "S", "attention": "none"}, "frames": 32, "passes": True},
    "experiments": [{"name": "a", "train": [{"dataset": "pure"}], "test": [{"dataset": "ubfc2"}]}],
}


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for name in ("pure", "ubfc2", "bp4d"):
        getattr(people, name)(root / name)
    return root


def own(tmp_path, **changes):
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(OWN | changes))
    return path


def test_every_paper_of_the_package_can_be_read():
    found = {name: Paper.read(path) for name, path in papers().items()}
    assert {"factorizephys", "efficientphys-fsam", "mmrphys", "phase-net", "physfsunet"} <= set(found)
    for paper in found.values():
        for experiment in paper.experiments:
            config = paper.config(experiment)
            assert config.ema_decay == 0 and not config.flip, "no paper averages weights or mirrors faces"
    fsun = found["physfsunet"].config(found["physfsunet"].experiments[0])
    assert (fsun.loss, fsun.theta, fsun.sigma, fsun.optimiser) == ("hybrid", 1.5, 3.0, "adamw")
    pairs = {one.name: one for one in found["factorizephys"].experiments}
    assert pairs["UBFC to PURE"].paper["heart_rate"]["mae"] == 0.48
    assert found["factorizephys"].config(pairs["SCAMPS to PURE"]).epochs == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("paper", "experiment", "more", "tested"),
    [
        ("factorizephys", "PURE to UBFC", [], {"subject8", "subject9", "subject10"}),
        ("phase-net", "UBFC", ["--set", "options={pixels: 16}"], {"subject10"}),
        ("physfsunet", "PURE to UBFC", ["--set", "options={pixels: 16}"], {"subject8", "subject9", "subject10"}),
        ("mmrphys-multitask", "BP4D+ in thirds", ["--set", "options={size: S}"], {"F001_T1", "F002_T1", "M001_T1"}),
    ],
)
def test_a_paper_on_small_folders(paper, experiment, more, tested, roots, tmp_path, capsys):
    words = ["reproduce", paper, "--data", str(roots), "--only", experiment, *SMALL, *more, "-o", str(tmp_path)]
    assert main(words) == 0
    said = capsys.readouterr().out
    table = (tmp_path / "table.md").read_text()
    assert table in said and "Not the paper's own protocol: epochs=1" in table
    line = next(line for line in table.splitlines() if line.startswith(f"| {experiment} | heart_rate | "))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[2] == str(len(tested)) and float(cells[3]) >= 0
    assert (tmp_path / "cost.png").stat().st_size > 5000
    folder = tmp_path / "".join(c if c.isalnum() else "-" for c in experiment)
    results = Results.load(folder / "results.json")
    assert {recording.name for recording in results.recordings} == tested
    assert not any(recording.error for recording in results.recordings)
    models = sorted(folder.rglob("model.onnx"))
    assert len(models) == (3 if "thirds" in experiment else 1)
    before = [model.stat().st_mtime_ns for model in models]
    assert main(words) == 0, "run again, all is there"
    assert [model.stat().st_mtime_ns for model in models] == before


def test_what_is_asked_for_and_not_there(roots, tmp_path, capsys):
    out = ["-o", str(tmp_path / "out")]
    assert main(["reproduce", "phase-net", "--data", str(roots), "--list", *out]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "UBFC: ubfc2" in said and "others to MMPD: ubfc2, pure, buaa, mmpd (not given: buaa, mmpd)" in said
    for words, message in (
        (["phase-net", "--data", f"scamps={roots}"], "the paper uses no 'scamps', but buaa, mmpd, pure, ubfc2"),
        (["phase-net", "--data", str(roots / "x")], "no such folder"),
        (["phase-net", "--data", str(tmp_path)], "holds no folder named buaa or mmpd"),
        (["phase-net", "--only", "SCAMPS"], "no experiment's name holds 'SCAMPS'; there are: UBFC, PURE"),
        (["phase-net", "--only", "BUAA", "--data", str(roots)], "no experiment has all of its data sets"),
        (["phase-nets"], "phase-nets: "),
        (["phase-net", "--data", str(roots), "--set", "epochs"], "write NAME=VALUE"),
        (["phase-net", "--data", str(roots), "--set", "options={pixels: 16"], "--set options={pixels: 16: not YAML"),
        (["phase-net", "--data", str(roots), "--set", "options=5"], "options: must be a mapping"),
        (["phase-net", "--data", str(roots), "--set", "recordings=[]"], "those follow from the paper's file"),
        (["phase-net", "--data", str(roots), "--set", "epoch=1"], "unknown field 'epoch'; did you mean 'epochs'"),
    ):
        assert main(["reproduce", *words, *out]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol": "mine"}, "protocol: no 'mine'; there are: rppg-toolbox"),
        ({"settings": OWN["settings"] | {"epochs": 0}}, "a: 'epochs' must be an integer from 1"),
        ({"settings": OWN["settings"] | {"options": 5}}, "a: options: must be a mapping"),
        ({"experiments": []}, "experiments: need names"),
        ({"experiments": [OWN["experiments"][0] | {"name": ""}]}, "experiments: '' is no name"),
        ({"experiments": [OWN["experiments"][0] | {"name": "a|b"}]}, "is no name"),
        (
            {"experiments": [OWN["experiments"][0] | {"name": n} for n in ("a b", "A-b")]},
            "experiments: need names, each its own",
        ),
        ({"experiments": [OWN["experiments"][0] | {"folds": 1}]}, "a: folds: must be 0, or 2 and more"),
        (
            {"experiments": [OWN["experiments"][0] | {"settings": {"cache": "x"}}]},
            "a: settings: recordings and cache follow",
        ),
        ({"experiments": [OWN["experiments"][0] | {"test": [{"dataset": "pur"}]}]}, "dataset: no dataset 'pur'"),
        (
            {"experiments": [OWN["experiments"][0] | {"test": [{"dataset": "pure", "part": [0.8, 0.2]}]}]},
            "part: must rise",
        ),
        ({"experiments": OWN["experiments"] * 2}, "experiments: need names, each its own"),
        ({"experiments": [OWN["experiments"][0] | {"folds": 3}]}, "a: folds are within one data set"),
        ({"experiments": [OWN["experiments"][0] | {"paper": {"heart_rate": {"mea": 1}}}]}, "a: paper: no rate"),
        ({"experiments": [OWN["experiments"][0] | {"test": []}]}, "a: train and test must name recordings"),
        ({"peers": {"other": {"mae": 1}}}, "peers: other must have mae, latency_ms, parameters"),
        ({"peer": {}}, "unknown field 'peer'; did you mean 'peers'"),
    ],
)
def test_a_protocol_that_is_wrong_is_refused_by_name(changes, message, tmp_path):
    path = own(tmp_path, **changes)
    with pytest.raises(TrainingError, match=message.replace("[", r"\[")) as found:
        Paper.read(path)
    assert str(path) in str(found.value)


def one(tmp_path, **changes):
    base = {"name": "a", "train": [{"dataset": "ubfc2"}], "test": [{"dataset": "ubfc2"}]}
    return Paper.read(own(tmp_path, experiments=[base | changes])).experiments[0]


def test_experiments_settings_come_before_the_papers_and_the_users_before_both(tmp_path):
    paper = Paper.read(
        own(tmp_path, experiments=[OWN["experiments"][0] | {"settings": {"options": {"size": "M"}, "frames": 64}}])
    )
    config = paper.config(paper.experiments[0])
    assert (config.options, config.frames) == ({"size": "M", "attention": "none"}, 64)
    config = paper.config(paper.experiments[0], over={"options": {"attention": "fsam"}, "frames": 36})
    assert (config.options, config.frames) == ({"size": "M", "attention": "fsam"}, 36)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "a: ubfc2/subject10 is in train and in test"),
        ({"train": [{"dataset": "ubfc2", "but": ["subject9"]}], "test": [{"dataset": "ubfc2", "subjects": ["subject9"]}],
          "val": [{"dataset": "ubfc2", "subjects": ["subject9"]}]}, "a: ubfc2/subject9 is in val and in test"),
        ({"train": [{"dataset": "ubfc2", "but": ["subject9"]}], "test": [{"dataset": "ubfc2", "subjects": ["subject9"]}],
          "val": [{"dataset": "ubfc2", "subjects": ["subject8"]}]}, "a: ubfc2/subject8 is in train and in val"),
    ],
)  # fmt: skip
def test_nobody_is_trained_on_and_tested(changes, message, roots, tmp_path):
    experiment, where = one(tmp_path, **changes), {"ubfc2": str(roots / "ubfc2")}
    with pytest.raises(TrainingError, match=message):
        _apart("a", _folds(experiment, where)[0], where)


def test_who_is_tested_does_not_choose_the_epoch_either(roots, tmp_path):
    where = {"ubfc2": str(roots / "ubfc2")}
    fold = _folds(one(tmp_path, leave_one_out=True, val=[{"dataset": "ubfc2"}]), where)[0]
    assert fold.val[0].but == ["subject8"]
    with pytest.raises(TrainingError, match="a: needs 4 subjects, there are 3"):
        _folds(one(tmp_path, folds=4), where)


def parts(root, **changes):
    return RecordingSet(dataset="ubfc2", folder=str(root / "ubfc2"), share=1.0, **changes)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["subject8", "subject9", "subject10"]),
        ({"part": (0.0, 0.72)}, ["subject8", "subject9"]),
        ({"part": (0.72, 1.0)}, ["subject10"]),
        ({"subjects": ["subject9"]}, ["subject9"]),
        ({"but": ["subject9"]}, ["subject8", "subject10"]),
        ({"part": (0.0, 0.7), "but": ["subject8"]}, ["subject9"]),
        ({"only": "*1?"}, ["subject10"]),
    ],
)
def test_a_part_of_the_subjects(changes, names, roots):
    assert sorted((ref.name for ref in parts(roots, **changes).refs()), key=natural) == names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"subjects": ["subject7"]},
            "subjects: .* has no subject 'subject7'; there are: subject8, subject9, subject10",
        ),
        ({"but": ["8"]}, "but: .* has no subject '8'"),
        ({"but": ["subject8", "subject9", "subject10"]}, "leave none of 3 recordings"),
        ({"conditions": {"light": ["dark"]}}, "conditions: recordings of .* have no 'light'; they have: none"),
    ],
)
def test_a_part_that_is_not_there_is_named(changes, message, roots):
    with pytest.raises(TrainingError, match=message):
        parts(roots, **changes).refs()


def test_parts_must_rise():
    with pytest.raises(TrainingError, match="part: must rise"):
        RecordingSet(dataset="pure", folder="x", share=1.0, part=(0.5, 0.5))


def test_each_subject_is_tested_once_by_a_network_that_never_saw_it(roots, tmp_path):
    one = {"name": "a", "train": [{"dataset": "ubfc2"}], "test": [{"dataset": "ubfc2"}], "leave_one_out": True}
    experiment = Paper.read(own(tmp_path, experiments=[one])).experiments[0]
    folds = _folds(experiment, {"ubfc2": str(roots / "ubfc2")})
    assert [fold.test[0].subjects for fold in folds] == [["subject8"], ["subject9"], ["subject10"]]
    assert all(fold.train[0].but == fold.test[0].subjects for fold in folds)


@pytest.mark.slow
def test_an_epoch_is_a_pass_and_the_last_weights_stay(roots, tmp_path):
    """Also: a network that learns a wave's steps gives the wave."""
    chosen = {"dataset": "pure", "folder": str(roots / "pure"), "share": 1.0}
    run = {
        "family": "mmrphys", "options": {"size": "S", "attention": "none"}, "frames": 32, "batch": 2, "epochs": 2,
        "workers": 0, "threads": 1, "accelerator": "cpu", "passes": True, "keep": "last", "ema_decay": 0.0, "loss": "mse",
        "labels": "difference", "optimiser": "adam", "schedule": "constant", "clip_norm": 0.0, "recordings": [chosen],
    }  # fmt: skip
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(run))
    assert main(["train", str(path), "-o", str(tmp_path / "run")]) == 0
    saved = load(tmp_path / "run" / "best.pt")
    assert "held_out_loss" not in saved.provenance.scores
    # three recordings of 3 s at 30 Hz: two windows of 32 (and a frame more) in each, 6 in a pass, 3 steps of 2
    assert "6 steps of 2" in saved.provenance.source
    assert type(saved.network).__name__ == "Summed"
    model = tmp_path / "m.onnx"
    assert main(["models", "export", str(tmp_path / "run" / "best.pt"), "-o", str(model)]) == 0
    again = tmp_path / "again.yaml"
    again.write_text(
        yaml.safe_dump(run | {"start": str(tmp_path / "run" / "best.pt"), "epochs": 1, "schedule": "one_cycle"})
    )
    assert main(["train", str(again), "-o", str(tmp_path / "again")]) == 0
    assert json.loads((tmp_path / "again" / "settings.json").read_text())["passes"] is True

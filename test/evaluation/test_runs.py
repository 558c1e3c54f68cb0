"""Whole runs: the same again bit for bit, stopped and resumed, spread over processes and a cluster, bad recordings."""

import json
import math
import shutil

import numpy as np
import pytest

from rppg_ros.commands import evaluate as cli
from rppg_ros.commands.main import main
from rppg_ros.datasets.base import DatasetError, Recording, Trace, Truth
from rppg_ros.evaluation.config import engine_for, plain, settings_id
from rppg_ros.evaluation.results import Results, ResultsError, recording_from_json, recording_to_json
from rppg_ros.evaluation.runner import evaluate
from rppg_ros.evaluation.spread import run_on_cluster
from rppg_ros.evaluation.work import EvaluationError, RecordingRef, RunFolder, find_recordings, work
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.types import NS_PER_S, Vital
from support.recordings import bag_of_a_person, flat_video, person


@pytest.fixture(scope="module")
def measured():
    return evaluate(
        person(seconds=25, heart_rate=66.0, conditions={"light": "day"}, width=320, fps=15.0),
        EvaluationSettings(model="", window=12.0),
    )


POS = EvaluationSettings(model="")


@pytest.fixture
def folder(tmp_path):
    """Three quick recordings without a face."""
    for name, seconds in (("a", 2.0), ("b", 3.0), ("c", 4.0)):
        flat_video(tmp_path / f"{name}.avi", seconds)
    return tmp_path


def test_by_default_the_models_are_measured_that_the_robot_runs():
    shipped = EvaluationSettings()
    assert [engine_for(shipped, thermal).name for thermal in (True, False)] == ["mmrphys-rgbt", "mmrphys-rgb"]
    assert engine_for(EvaluationSettings(thermal_enabled=False), True).name == "mmrphys-rgb"
    assert engine_for(EvaluationSettings(engine="chrom")).name == "chrom"
    assert plain(shipped)["model"].startswith("mmrphys-rgbt.onnx (sha256 ")
    assert engine_for(POS).name == "pos"


def test_a_person_is_measured(measured):
    assert (measured.dataset, measured.name, measured.subject) == ("made-up", "one", "seed1")
    assert measured.conditions == {"light": "day"} and not measured.error
    assert measured.duration_s == pytest.approx(25, abs=0.3) and 350 < measured.frames < 380
    task = measured.tasks[Vital.BVP]
    assert len(task.windows.measured) == 2 and task.windows.start_s == [0.0, 12.0]
    np.testing.assert_allclose(task.windows.measured, task.windows.truth, atol=5.1)
    assert min(task.windows.macc) > 0.8 and min(task.windows.snr_db) > 3
    running = task.running
    assert 25 <= len(running.at_s) <= 26 and running.at_s == sorted(running.at_s)
    given = [(m, t) for m, t in zip(running.measured, running.truth, strict=True) if math.isfinite(m)]
    assert len(given) >= 12 and max(abs(m - t) for m, t in given) < 3
    assert running.status[0] == "WARMING_UP" and running.status.count("OK") == len(given)
    assert len(task.wave.measured) == len(task.wave.truth) == pytest.approx(25 * 30, abs=10)
    whole = task.whole
    assert abs(whole.measured - whole.truth) < 2 and whole.measured == whole.believed and whole.quality > 0.8
    assert whole.low < whole.truth < whole.high and abs(whole.truth - 66) < 3
    known = np.isfinite(task.wave.measured) & np.isfinite(task.wave.truth)
    assert np.corrcoef(np.array(task.wave.measured)[known], np.array(task.wave.truth)[known])[0, 1] > 0.7


def test_the_same_frames_give_the_same_result_bit_for_bit(measured):
    again = evaluate(
        person(seconds=25, heart_rate=66.0, conditions={"light": "day"}, width=320, fps=15.0),
        EvaluationSettings(model="", window=12.0),
    )
    assert json.dumps(recording_to_json(again)) == json.dumps(recording_to_json(measured))


def test_results_survive_their_file(measured, tmp_path):
    plain = json.loads(json.dumps(recording_to_json(measured)))
    assert json.dumps(recording_to_json(recording_from_json(plain))) == json.dumps(recording_to_json(measured))
    Results("pos", {"a": 1}, (measured,)).save(tmp_path / "r.json")
    assert Results.load(tmp_path / "r.json").recordings[0].tasks[Vital.BVP].running.status == (
        measured.tasks[Vital.BVP].running.status
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("[", "not readable"),
        ("{}", "holds no results"),
        ('{"rppg_ros.evaluation": 9}', "newer than this"),
        ('{"rppg_ros.evaluation": 1, "engine": "pos"}', "damaged"),
    ],
)
def test_other_files_are_named(text, message, tmp_path):
    path = tmp_path / "r.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ResultsError, match=f"r.json: .*{message}"):
        Results.load(path)


def test_a_broken_recording_does_not_stop_a_run():
    def broken():
        raise DatasetError("p1/vid.avi: not a readable video")

    good = person(seconds=1)
    unlabelled = Recording("d", "n", "s", {}, good.open, Truth)
    assert evaluate(Recording("d", "n", "s", {}, broken, good.truth), POS).error == ("p1/vid.avi: not a readable video")
    assert evaluate(unlabelled, POS).error == "n: no ground truth"


def test_a_truth_of_another_time_is_an_error_or_unknown_never_invented():
    good = person(seconds=2)
    late = Trace(np.arange(300) * NS_PER_S // 30 + 900 * NS_PER_S, np.sin(np.arange(300)))
    found = evaluate(Recording("d", "n", "s", {}, good.open, lambda: Truth({Vital.BVP: late})), POS)
    assert found.error.startswith("n: ground truth lies outside the recording: bvp wave from 899.9")
    both = Truth({Vital.BVP: late}, {Vital.RSP: Trace([0], [15.0])})
    found = evaluate(Recording("d", "n", "s", {}, good.open, lambda: both), POS)
    assert not found.error and found.caution == "the ground truth of bvp wave lies outside the recording"
    task = found.tasks[Vital.BVP]
    assert all(math.isnan(rate) for rate in (*task.running.truth, *task.windows.truth))


def contents(folder):
    return {p.name: p.read_text() for p in sorted(folder.rglob("*")) if p.suffix in (".json", ".csv")}


def test_a_stopped_run_goes_on_and_equals_one_that_was_not(folder, tmp_path, monkeypatch, capsys):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    videos = [str(p) for p in sorted(folder.glob("*.avi"))]
    assert main(["evaluate", *videos, "-o", str(whole)]) == 0
    real, calls = cli._spread, []

    def interrupted(refs, config, args):
        for count, done in enumerate(real(refs, config, args)):
            if count == 1:
                raise KeyboardInterrupt
            yield done

    monkeypatch.setattr(cli, "_spread", interrupted)
    assert main(["evaluate", *videos, "-o", str(stopped)]) == 130
    assert f"run it again with -o {stopped} to go on" in capsys.readouterr().err
    assert not (stopped / "results.json").exists() and len(list((stopped / "recordings").iterdir())) == 1
    monkeypatch.setattr(cli, "_spread", lambda refs, config, args: calls.append(len(refs)) or real(refs, config, args))
    assert main(["evaluate", *videos, "-o", str(stopped)]) == 0
    assert calls == [2] and "1 of 3 recordings are there from before" in capsys.readouterr().out
    assert contents(stopped) == contents(whole)


def test_processes_give_what_one_gives(folder, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    videos = [str(p) for p in sorted(folder.glob("*.avi"))]
    assert main(["evaluate", *videos, "-o", str(one)]) == 0
    assert main(["evaluate", *videos, "-o", str(two), "--jobs", "2"]) == 0
    assert contents(one) == contents(two)


@pytest.mark.slow
def test_a_cluster_of_two_workers(folder):
    distributed = pytest.importorskip("distributed", reason="dask is in the extra 'evaluation'")
    refs = find_recordings([str(folder)])
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        found = dict((ref.key, done) for ref, done in run_on_cluster(refs, POS, cluster.scheduler_address))
    assert found == {ref.key: work(ref, POS) for ref in refs}


def test_a_scheduler_that_is_not_there(folder, monkeypatch):
    pytest.importorskip("distributed", reason="dask is in the extra 'evaluation'")
    monkeypatch.setattr("rppg_ros.evaluation.spread.CONNECT_S", 0.5)
    with pytest.raises(EvaluationError, match="scheduler tcp://127.0.0.1:1: "):
        list(run_on_cluster(find_recordings([str(folder)]), POS, "tcp://127.0.0.1:1"))


def test_a_failed_recording_is_tried_again_and_told_by_the_exit_code(folder, capsys):
    (folder / "b.csv").unlink()
    words = ["evaluate", str(folder), "-o", str(folder / "out")]
    assert main(words) == 1
    assert "b.avi: no ground truth" in " ".join(capsys.readouterr().out.split())
    (folder / "b.csv").write_text("time_s,hr\n0,70\n")
    assert main(words) == 0


def test_another_runs_folder_is_not_touched(folder, capsys):
    words = ["evaluate", str(folder / "a.avi"), "-o", str(folder / "out")]
    assert main(words) == 0
    before = contents(folder / "out")
    assert main([*words, "--window", "1"]) == 2
    assert "holds a run with other settings (window was 0.0, is 1.0)" in capsys.readouterr().err
    assert contents(folder / "out") == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to evaluate"),
        (["nowhere"], "nowhere: no such file or folder"),
        ([".", "--only", "zzz"], "no recording's name holds 'zzz'"),
        ([".", "--truth", "a.csv"], "--truth is of one recording, here are 3"),
        ([".", "--model", "absent.onnx"], "absent.onnx"),
        ([".", "--truth-topic", "hr"], "--truth-topic hr: write NAME=TOPIC"),
        ([".", "--dataset", "cohface"], "no dataset 'cohface'"),
        (["--compare", "x.json", "y.json"], "x.json: no such file"),
    ],
)
def test_errors_are_one_line_and_exit_2(words, message, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert main(["evaluate", *words]) == 2
    errors = capsys.readouterr().err
    assert message in errors and errors.startswith("rppg-ros evaluate: ") and errors.count("\n") == 1


def test_a_named_truth_topic(tmp_path, capsys):
    bag_of_a_person(tmp_path / "bags", seconds=2, width=320)
    words = ["evaluate", str(tmp_path / "bags"), "-o", str(tmp_path / "out"), "--truth-topic"]
    assert main([*words, "bvp=/ground_truth/bvp"]) == 0
    assert set(Results.load(tmp_path / "out" / "results.json").recordings[0].tasks) == {Vital.BVP}
    assert main([*words[:-2], str(tmp_path / "other"), words[-1], "bvp=/nowhere"]) == 1
    assert "/nowhere" in capsys.readouterr().out


def test_a_dataset_by_its_name(tmp_path, capsys):
    bag = bag_of_a_person(tmp_path / "bags", seconds=2, width=320)
    assert main(["evaluate", str(tmp_path / "bags"), "-o", str(tmp_path / "out")]) == 0
    (found,) = Results.load(tmp_path / "out" / "results.json").recordings
    assert found.key == "made-up/one"
    shutil.rmtree(bag)
    lost = work(RecordingRef(bag), POS)
    assert "made-up_one" in lost["error"]
    assert work(RecordingRef(str(tmp_path), "pure", "01-01"), POS)["error"].startswith(str(tmp_path))


def test_a_shelf_ignores_half_a_file(folder):
    (ref,) = find_recordings([str(folder / "a.avi")])
    settings = plain(POS)
    run_folder = RunFolder(folder / "out", settings)
    kept = run_folder.put(ref, work(ref, POS))
    assert run_folder.get(ref).duration_s == kept.duration_s
    (path,) = (folder / "out" / "recordings").iterdir()
    path.write_text(path.read_text()[:40])
    assert run_folder.get(ref) is None
    assert settings_id(settings) == settings_id(dict(reversed(settings.items())))


def test_a_changed_model_is_another_run(tmp_path):
    model = tmp_path / "m.onnx"
    model.write_bytes(b"1")
    before = plain(EvaluationSettings(model=str(model)))
    model.write_bytes(b"2")
    assert plain(EvaluationSettings(model=str(model))) != before

"""evaluate (25): odd truths fail one recording; full disks and interrupts end a run with one line, never with a traceback."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rppg_ros.commands import evaluate as cli
from rppg_ros.commands.main import main
from rppg_ros.datasets.base import Trace, Truth
from rppg_ros.datasets.traces import read_csv
from rppg_ros.evaluation import runner, spread
from rppg_ros.evaluation.results import Results, ResultsError
from rppg_ros.evaluation.truth import SLACK_NS, TruthError, check_span, possible_truth
from rppg_ros.evaluation.whole_files import whole_file, write_whole
from rppg_ros.evaluation.work import EvaluationError, find_recordings
from rppg_ros.inference.engine import EngineError
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.types import NS_PER_S, Vital
from support.recordings import flat_video

POS = EvaluationSettings(model="")
PATIENCE_S = 240.0

ODD = {
    "empty": ("", "its columns are: none"),
    "only a header": ("time_s,heart_rate\n", "holds no values"),
    "text in numbers": ("time_s,heart_rate\n0,60\n1,fast\n", "line 3 is not of numbers"),
    "one column": ("heart_rate\n60\n", "needs a time column"),
    "binary": ("\0\1\2\xff\xfe" * 100, ""),
    "no text": (b"\xff\xfe\x80" * 100, "not readable"),
    "nothing but NaN": ("time_s,heart_rate\nnan,nan\n", "line 2 has no time"),
    "values of NaN": ("time_s,heart_rate\n0,nan\n1,nan\n", "no ground truth"),
    "infinite values": ("time_s,heart_rate\n0,inf\n1,-inf\n", "no ground truth"),
    "times of 1e300": ("time_s,heart_rate\n1e300,60\n", "line 2 has a time beyond"),
    "stamps of 1e400": ("stamp_ns,heart_rate\n1e400,60\n", "line 2 has no time"),
    "stamps of 30 digits": ("stamp_ns,heart_rate\n" + "9" * 30 + ",60\n", "line 2 has a time beyond"),
    "a cell of 200 kB": ("time_s,heart_rate\n0," + "6" * 200_000 + "\n", "not readable: field larger"),
    "530 a minute": ("time_s,heart_rate\n0,60\n1,530\n", "rate of 530 at stamp 1000000000 ns; 10 to 350 per minute"),
    "a device's code for none": ("time_s,heart_rate\n0,0\n1,-1\n", "no ground truth"),
    "waves of 1e300": ("time_s,bvp\n0,1e300\n1,2\n2,3\n", "bvp wave of 1e+300"),
    "another time": ("time_s,heart_rate\n5000,60\n5001,61\n", "from 5000.000 to 5001.000 s after its first frame"),
    "another clock": ("stamp_ns,heart_rate\n1700000000000000000,60\n", "lies outside the recording"),
}

S = 1_000_000_000


@pytest.fixture
def folder(tmp_path):
    """Two quick recordings without a face."""
    for name in ("a", "b"):
        flat_video(tmp_path / f"{name}.avi", 2.0)
    return tmp_path


def found_in(folder):
    return {Path(one.name).stem: one for one in Results.load(folder / "out" / "results.json").recordings}


@pytest.mark.parametrize(("content", "says"), ODD.values(), ids=ODD)
def test_an_odd_truth_fails_its_recording_and_no_other(content, says, folder, capsys):
    (folder / "a.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["evaluate", str(folder), "-o", str(folder / "out"), "--engine", "pos", "--model", "none"]) == 1
    found = found_in(folder)
    assert says in found["a"].error and len(found["a"].error) < 600 and not found["b"].error
    assert str(folder / "a.") in found["a"].error, "the file is named"
    assert "Traceback" not in capsys.readouterr().err


def test_an_unsorted_truth_is_sorted(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("time_s,heart_rate\n2,62\n0,60\n1,50\n1,61\n")
    found = read_csv(path, 0).rates[Vital.BVP]
    assert found.stamps_ns.tolist() == [0, NS_PER_S, 2 * NS_PER_S] and found.values.tolist() == [60.0, 61.0, 62.0]


@pytest.mark.parametrize("vital", Vital)
def test_rates_at_the_edge_of_what_is_possible(vital):
    least, most = {Vital.BVP: (10.0, 350.0), Vital.RSP: (1.0, 150.0)}[vital]
    assert possible_truth(Truth({}, {vital: Trace([0, 1], [least, most])})).rates[vital].values.tolist() == [
        least,
        most,
    ]
    for wrong in (least - 0.01, most + 0.01):
        with pytest.raises(TruthError, match=f"{vital} rate of"):
            possible_truth(Truth({}, {vital: Trace([0, 1], [least, wrong])}))


def test_a_truth_that_touches_the_recording_is_of_its_time():
    before, after = (
        Truth({}, {Vital.BVP: Trace([at], [60.0])}) for at in (10 * S - SLACK_NS - 1, 20 * S + SLACK_NS + 1)
    )
    for edge in (10 * S - SLACK_NS, 10 * S, 20 * S, 20 * S + SLACK_NS):
        assert check_span(Truth({}, {Vital.BVP: Trace([edge], [60.0])}), 10 * S, 20 * S) == ""
    for outside in (before, after):
        with pytest.raises(TruthError, match="lies outside the recording"):
            check_span(outside, 10 * S, 20 * S)


def test_an_engine_that_raises_fails_its_recordings(folder, monkeypatch, capsys):
    class Raising:
        def __getattr__(self, name):
            raise ZeroDivisionError(f"no {name} today")

    monkeypatch.setattr(runner, "meter_for", lambda *_: Raising())
    assert main(["evaluate", str(folder), "-o", str(folder / "out"), "--engine", "pos", "--model", "none"]) == 1
    assert {one.error for one in found_in(folder).values()} == {"ZeroDivisionError: no run today"}
    assert "Traceback" not in capsys.readouterr().err


def test_our_own_errors_are_told_without_their_class():
    assert runner.told(EngineError("model x: no such file")) == "model x: no such file"
    assert runner.told(KeyError("x")) == "KeyError: 'x'" and runner.told(ValueError()) == "ValueError: no reason given"
    assert len(runner.told(ValueError("x" * 10_000))) < 600


def test_a_changed_truth_is_evaluated_again(folder, capsys):
    words = ["evaluate", str(folder), "-o", str(folder / "out"), "--engine", "pos", "--model", "none"]
    assert main(words) == 0
    (folder / "a.csv").write_text("time_s,heart_rate\n0,90\n1,90\n2,90\n")
    assert main(words) == 0
    assert "1 of 2 recordings are there from before" in capsys.readouterr().out
    assert set(found_in(folder)["a"].tasks[Vital.BVP].running.truth) == {90.0}
    flat_video(folder / "b.avi", 3.0)
    assert main(words) == 0
    assert "1 of 2 recordings are there from before" in capsys.readouterr().out
    assert found_in(folder)["b"].duration_s > 2.5
    (folder / "b.csv").unlink()
    assert main(words) == 1 and "no ground truth" in found_in(folder)["b"].error, "a truth that is gone is no truth"


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="/dev/full is Linux's")
def test_a_full_disk_is_named(tmp_path):
    (tmp_path / ".results.json.partial").symlink_to("/dev/full")
    (tmp_path / "results.json").write_text("old")
    with pytest.raises(OSError, match=r"cannot be written: No space left on device: '.*results.json'") as caught:
        write_whole(tmp_path / "results.json", "x")
    assert caught.value.errno == errno.ENOSPC and (tmp_path / "results.json").read_text() == "old"
    assert os.listdir(tmp_path) == ["results.json"], "nothing half is left behind"


@pytest.mark.parametrize(
    "name",
    [
        "settings.json", "recordings/a.avi", "results.json", "summary.json", "windows.csv", "running.csv",
        "whole.csv", "recordings.csv", "summary.csv", "report.html",
    ],
)  # fmt: skip
def test_a_disk_that_is_full_at_any_time_ends_the_run_in_one_line(name, folder, monkeypatch, capsys):
    if name == "report.html":
        pytest.importorskip("plotly", reason="without plotly there is no report")
    real = os.fsync

    def full(descriptor):
        if name.rpartition("/")[2] in Path(os.readlink(f"/proc/self/fd/{descriptor}")).name:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    words = ["evaluate", str(folder / "a.avi"), "-o", str(folder / "out"), "--engine", "pos", "--model", "none"]
    assert main(words) == 2
    errors = capsys.readouterr().err
    assert "No space left on device" in errors and name.rpartition("/")[2] in errors and errors.count("\n") == 1
    monkeypatch.undo()
    assert main(words) == 0, "there is space again: it goes on"


def test_a_folder_that_cannot_be_written_is_named(folder, capsys):
    (folder / "file").write_text("")
    assert main(["evaluate", str(folder), "-o", str(folder / "file" / "out"), "--model", "none"]) == 2
    errors = capsys.readouterr().err
    assert str(folder / "file") in errors and errors.count("\n") == 1
    with pytest.raises(OSError, match="nowhere"), whole_file(folder / "nowhere" / "x") as file:
        file.write("x")


@pytest.mark.parametrize("content", ["[]", "3", "[" * 100_000, '{"a":', ""])
def test_damaged_files_of_a_run_are_named(content, folder, capsys):
    out = folder / "out"
    out.mkdir()
    (out / "settings.json").write_text(content)
    assert main(["evaluate", str(folder), "-o", str(out), "--model", "none"]) == 2
    assert f"{out / 'settings.json'}: damaged" in capsys.readouterr().err
    for text in (content, '{"rppg_ros.evaluation": "x"}', '{"rppg_ros.evaluation": 1, "recordings": [3]}'):
        (out / "results.json").write_text(text)
        with pytest.raises(ResultsError, match=r"results\.json: "):
            Results.load(out / "results.json")


def test_results_that_are_none_are_made_again(folder):
    words = ["evaluate", str(folder / "a.avi"), "-o", str(folder / "out"), "--engine", "pos", "--model", "none"]
    assert main(words) == 0
    (kept,) = (folder / "out" / "recordings").iterdir()
    whole = json.loads(kept.read_text())
    for damaged in ("", "[]", "[" * 100_000, json.dumps(whole | {"result": 3}), json.dumps(whole | {"files": ""})):
        kept.write_text(damaged)
        assert main(words) == 0 and json.loads(kept.read_text()) == whole


def killed(ref, settings):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_of_jobs_that_is_killed_is_told(folder, monkeypatch):
    monkeypatch.setattr(spread, "work", killed)
    with pytest.raises(EvaluationError, match="a process of --jobs was ended from outside"):
        list(spread.run_here(find_recordings([str(folder)]), POS, 2))


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_an_ended_run_goes_on_where_it_was(ending, folder, monkeypatch, capsys):
    """A process of its own that stops at the second recording until it is ended."""
    out = folder / "out"
    script = (
        "import sys, time\nfrom rppg_ros.commands.main import main\nfrom rppg_ros.evaluation import spread\n"
        "real, seen = spread.work, []\n"
        "def work(*given):\n    seen.append(1)\n    if len(seen) > 1:\n        print('second', flush=True)\n"
        "        time.sleep(600)\n    return real(*given)\n"
        "spread.work = work\nsys.exit(main(sys.argv[1:]))"
    )
    words = ["evaluate", str(folder), "-o", str(out), "--engine", "pos", "--model", "none"]
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while "second" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(ending)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == (cli.EXIT_INTERRUPTED if ending == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in errors and not (out / "results.json").exists()
    assert main(words) == 0
    assert "1 of 2 recordings are there from before" in capsys.readouterr().out

"""Summaries, tables, report and comparison, from results made by hand."""

import csv
import json
import math
import re

import numpy as np
import pytest

from rppg_ros.evaluation.compare import bootstrap, compare, comparison_table
from rppg_ros.evaluation.metrics import mae
from rppg_ros.evaluation.output import write_run
from rppg_ros.evaluation.report import ReportError, write_report
from rppg_ros.evaluation.results import RecordingResult, Results, Running, TaskResult, Wave, Whole, Windows
from rppg_ros.evaluation.summary import OVERALL, RECORDINGS, RUNNING, WHOLE, WINDOWS, summarise
from rppg_ros.types import Vital

EVIL = "<img src=x onerror=alert(1)> & co"


def recording(index, error=2.0, vitals=(Vital.BVP,), subject="", failed="", windows=3, given=1.0, dataset="d"):
    rng = np.random.default_rng(index)
    tasks = {}
    for vital in vitals if not failed else ():
        truth = rng.uniform(60, 90, windows).tolist()
        measured = (np.array(truth) + rng.normal(0, error, windows)).tolist()
        count = 20
        run = np.where(rng.uniform(size=count) < given, 70 + rng.normal(0, error, count), math.nan).tolist()
        wave = np.sin(np.arange(600) / 4).tolist()
        tasks[vital] = TaskResult(
            Windows(
                [10.0 * i for i in range(windows)], [10.0] * windows, measured, truth, [3.0] * windows, [0.8] * windows
            ),
            Running(
                [float(i) for i in range(count)],
                run,
                rng.uniform(size=count).tolist(),
                ["OK" if math.isfinite(v) else "LOW_QUALITY" for v in run],
                [70.0] * count,
            ),
            Wave(30.0, 0.0, wave, wave),
            Whole(71.0 if index % 2 else math.nan, 71.0, 66.0, 75.0, 0.9 if index % 2 else 0.4, 70.0),
        )
    return RecordingResult(
        dataset,
        f"r{index}",
        subject or f"s{index % 4}",
        {"light": "low" if index % 2 else EVIL},
        30.0,
        900,
        failed,
        tasks,
    )


def results(count=8, engine="pos", **options):
    return Results(engine, {"window_s": 10.0, "note": EVIL}, tuple(recording(i, **options) for i in range(count)))


def row_of(rows, protocol, group=OVERALL, value="", vital=Vital.BVP):
    (found,) = [r for r in rows if (r.vital, r.protocol, r.group, r.value) == (vital, protocol, group, value)]
    return found


def test_summary_counts_what_it_should():
    rows = summarise(results(vitals=tuple(Vital)))
    overall = row_of(rows, WINDOWS)
    assert (overall.recordings, overall.values["mae"].n) == (8, 24)
    assert row_of(rows, RECORDINGS).values["mae"].n == 8
    assert row_of(rows, RUNNING, vital=Vital.RSP).values["mae"].n == 160
    assert row_of(rows, WINDOWS, "light", "low").recordings == 4
    assert row_of(rows, WINDOWS, "subject", "s1").recordings == 2
    assert not [r for r in rows if r.group == "dataset"], "one dataset needs no table"
    every = [w for r in results(vitals=tuple(Vital)).recordings for w in [r.tasks[Vital.BVP].windows]]
    expected = mae(sum((w.measured for w in every), []), sum((w.truth for w in every), []))
    assert overall.values["mae"] == expected
    assert overall.values["snr_db"].value == 3.0 and overall.values["macc"].value == pytest.approx(0.8)


def test_a_recordings_rate_is_the_mean_of_its_windows():
    (one,) = results(1).recordings
    windows = one.tasks[Vital.BVP].windows
    row = row_of(summarise(results(1)), RECORDINGS)
    assert row.values["mae"].value == pytest.approx(abs(np.mean(windows.measured) - np.mean(windows.truth)))


def test_a_whole_recording_counts_where_it_is_sure_enough():
    row = row_of(summarise(results(8)), WHOLE)
    assert (row.recordings, row.values["mae"].n, row.values["mae"].value) == (8, 4, 1.0)
    assert row.values["coverage"].value == 0.5


def test_coverage_counts_the_seconds_without_a_number():
    row = row_of(summarise(results(given=0.5)), RUNNING)
    assert 0.35 < row.values["coverage"].value < 0.65
    assert math.isfinite(row.values["mae_at_25_percent_coverage"].value)
    assert math.isnan(row.values["mae_at_75_percent_coverage"].value)


@pytest.fixture
def console():
    from rich.console import Console

    return Console(file=open("/dev/null", "w"), width=200)  # noqa: SIM115


@pytest.mark.parametrize(
    "made",
    [
        results(),
        results(vitals=tuple(Vital)),
        results(0),
        results(1),
        results(3, failed="p1: broken"),
        results(2, windows=0),
        results(4, given=0.0),
        results(40),
    ],
    ids=["some", "both", "none", "one", "failed", "no windows", "never given", "many"],
)
def test_everything_is_written(made, tmp_path, console):
    pytest.importorskip("plotly", reason="plotly is in the extra 'evaluation'")
    write_run(made, tmp_path, console)
    names = {p.name for p in tmp_path.iterdir()}
    tables = {f"{name}.csv" for name in ("windows", "running", "whole", "recordings", "summary")}
    assert names == {"results.json", "summary.json", "report.html"} | tables
    json.loads((tmp_path / "summary.json").read_text())
    with (tmp_path / "recordings.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(made.recordings)
    page = (tmp_path / "report.html").read_text()
    assert page.count("<article>") <= 14 * 2


def test_the_report_asks_nobody_for_anything_and_takes_names_as_text(tmp_path, console):
    pytest.importorskip("plotly", reason="plotly is in the extra 'evaluation'")
    write_run(results(), tmp_path, console)
    page = (tmp_path / "report.html").read_text()
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"""<[^>]*\b(?:src|href)\s*=|url\(|@import|https?://""", outside)
    assert not re.findall(r"<script[^>]+src", page)
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; co" in page
    for text in ("Heart rate, beats/min", "Worst recordings first", "limits of agreement", "Settings of the run"):
        assert text in page


def test_the_worst_come_first(tmp_path):
    pytest.importorskip("plotly", reason="plotly is in the extra 'evaluation'")
    from rppg_ros.evaluation.figures import worst_first

    made = [recording(i, error=e) for i, e in enumerate((1.0, 30.0, 5.0))]
    silent = RecordingResult(
        "d", "silent", "s", {}, tasks={Vital.BVP: TaskResult(Windows([0.0], [9.0], [math.nan], [60.0], [1.0], [1.0]))}
    )
    assert [r.name for r in worst_first([*made, silent], Vital.BVP)] == ["silent", "r1", "r2", "r0"]


def test_without_plotly_the_numbers_are_there_all_the_same(tmp_path, console, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "plotly", None)
    write_run(results(), tmp_path, console)
    assert (tmp_path / "results.json").is_file() and not (tmp_path / "report.html").exists()
    with pytest.raises(ReportError, match=r"pip install 'rppg_ros\[evaluation\]'"):
        write_report(results(), [], tmp_path / "report.html")


class TestCompare:
    """Paired differences."""

    def test_a_run_with_itself(self):
        for d in compare(results(), results()).differences:
            assert (d.mean, d.low, d.high, d.wins, d.losses) == (0, 0, 0, 0, 0)
            assert math.isnan(d.p)

    def test_a_better_run(self):
        found = compare(results(24, error=6.0), results(24, "chrom", error=1.0))
        d = next(d for d in found.differences if d.protocol == WINDOWS)
        assert d.mean < 0 and d.high < 0 and d.mae_b < d.mae_a
        assert d.mean == pytest.approx(d.mae_b - d.mae_a)
        assert (d.n, d.subjects) == (72, 4) and d.wins == 4

    def test_only_pairs_that_both_gave_count(self):
        found = compare(results(given=0.5), results(given=1.0))
        d = next(d for d in found.differences if d.protocol == RUNNING)
        assert d.only_a == 0 and 0 < d.only_b == 160 - d.n

    def test_recordings_of_one_run_are_listed(self):
        found = compare(results(3), results(5))
        assert (found.only_a, found.only_b) == ((), ("d/r3", "d/r4"))
        assert comparison_table(found)

    def test_windows_of_other_lengths_are_not_compared(self):
        other = Results("pos", {"window_s": 30.0}, results().recordings)
        found = compare(results(), other)
        assert "not compared" in found.note
        assert WINDOWS not in {d.protocol for d in found.differences}

    def test_nothing_in_common(self):
        found = compare(results(2), results(2, dataset="other"))
        assert not found.differences and comparison_table(found)

    def test_bootstrap_draws_subjects(self):
        """Forty alike values of each of ten subjects say no more than ten values."""
        rng = np.random.default_rng(0)
        offsets = rng.normal(0, 1, 10)
        low, high = bootstrap({str(i): [o] * 40 for i, o in enumerate(offsets)})
        plain_low, plain_high = bootstrap({str(i): [o] for i, o in enumerate(offsets)})
        assert (low, high) == (plain_low, plain_high)
        assert high - low == pytest.approx(2 * 1.96 * offsets.std() / math.sqrt(10), rel=0.15)
        assert all(math.isnan(x) for x in bootstrap({"one": [1.0, 2.0]}))

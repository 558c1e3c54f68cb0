"""A labelled bag replayed over real DDS: the live figures are the offline ones."""

import math

import numpy as np
import pytest

from rppg_ros.datasets.bags import open_recording
from rppg_ros.evaluation.results import Results
from rppg_ros.evaluation.runner import evaluate
from rppg_ros.nodes.evaluation_recorder import EvaluationRecorder
from rppg_ros.nodes.params import ParameterError
from rppg_ros.nodes.video_source import VideoSource
from rppg_ros.nodes.vitals_pipeline import make_nodes
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.types import Vital
from support.graph import context, overrides, spinning, wait_for
from support.recordings import bag_of_a_person, flat_video

LIVE_TOLERANCE_PER_MINUTE = 0.5


def replay(recorder, source):
    """Play `source` into tracker and vitals until the recorder is done."""
    nodes = [recorder, *make_nodes(), VideoSource(parameter_overrides=overrides(source=source, rate=0.0))]
    for node in nodes[1:-1]:
        node.autostart()
    with spinning(*nodes):
        wait_for(lambda: recorder.done, 90, "the end of the replay")


@pytest.mark.slow
def test_live_figures_are_the_offline_ones(tmp_path):
    context()
    bag = bag_of_a_person(tmp_path, seconds=24, heart_rate=78.0)
    params = overrides(recording=bag, output=str(tmp_path / "out"), exit_at_end=False, quiet_after=3.0)
    recorder = EvaluationRecorder(parameter_overrides=params)
    replay(recorder, bag)
    assert not recorder.error
    (live,) = Results.load(tmp_path / "out" / "results.json").recordings
    offline = evaluate(open_recording(bag), EvaluationSettings(model=""))
    assert (live.key, live.subject, live.frames) == ("made-up/one", "seed1", offline.frames)
    a, b = live.tasks[Vital.BVP].running, offline.tasks[Vital.BVP].running
    both = [(x, y) for x, y in zip(a.measured, b.measured, strict=True) if math.isfinite(x) and math.isfinite(y)]
    assert len(both) >= 8
    assert max(abs(x - y) for x, y in both) < LIVE_TOLERANCE_PER_MINUTE
    np.testing.assert_allclose(a.truth, b.truth, atol=0.2)
    assert np.nanmean(np.abs(np.subtract(a.measured, a.truth))) < 2
    windows = live.tasks[Vital.BVP].windows
    assert abs(windows.measured[0] - offline.tasks[Vital.BVP].windows.measured[0]) < LIVE_TOLERANCE_PER_MINUTE
    assert windows.macc[0] > 0.7
    assert (tmp_path / "out" / "recordings.csv").is_file()


def test_a_file_without_times_is_laid_beside_its_truth(tmp_path):
    context()
    video = flat_video(tmp_path / "still.avi")
    params = overrides(recording=video, output=str(tmp_path / "out"), exit_at_end=False, quiet_after=1.0)
    recorder = EvaluationRecorder(parameter_overrides=params)
    replay(recorder, video)
    (live,) = recorder.results.recordings
    running = live.tasks[Vital.BVP].running
    assert set(running.status) <= {"NO_FACE", "SILENT"} and all(math.isnan(rate) for rate in running.measured)
    assert running.truth[-1] == pytest.approx(61, abs=1)


@pytest.mark.parametrize(
    ("recording", "message"),
    [("", "'recording' is empty"), ("nowhere.mp4", "no ground truth"), ("{dir}", "parameter 'recording': ")],
)
def test_what_cannot_be_read_is_said(recording, message, tmp_path):
    context()
    with pytest.raises(ParameterError, match=message):
        EvaluationRecorder(parameter_overrides=overrides(recording=recording.format(dir=tmp_path)))

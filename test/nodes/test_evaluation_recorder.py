"""A labelled bag replayed over real DDS: the live figures are the offline ones."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from rppg_ros.datasets.bags import open_recording
from rppg_ros.evaluation.results import Results
from rppg_ros.evaluation.runner import evaluate
from rppg_ros.nodes import evaluation_recorder, qos, video_gate, video_source
from rppg_ros.nodes.evaluation_recorder import EvaluationRecorder
from rppg_ros.nodes.params import ParameterError
from rppg_ros.nodes.video_source import VideoSource
from rppg_ros.nodes.vitals_pipeline import make_nodes
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.types import Vital
from support.graph import PATIENCE_S, context, overrides, settle, spinning, wait_for
from support.recordings import bag_of_a_person, flat_video

LIVE_TOLERANCE_PER_MINUTE = 0.5


@pytest.fixture
def replay(monkeypatch):
    """Plays into tracker and vitals, then lets the recorder's time pass; no node thinks another too slow before."""
    now = SimpleNamespace(s=0.0)
    monkeypatch.setattr(evaluation_recorder, "time", SimpleNamespace(monotonic=lambda: now.s))
    monkeypatch.setattr(video_gate, "PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(video_source, "SETTLE_S", 0.0)

    def replay(recorder, recording):
        vitals, tracker = pipeline = make_nodes()
        params = overrides(source=recording, rate=0.0, wait_for_subscribers=PATIENCE_S)
        source, given = VideoSource(parameter_overrides=params), []
        publish, heard = vitals._publish, recorder._collector
        vitals._publish = lambda outputs: (given.extend(outputs), publish(outputs))
        for node in pipeline:
            node.seconds = lambda: 0.0
            node.autostart()
        images = source._images["rgb"]
        source._heard = lambda: tracker.inputs["rgb"]._profile is qos.CAMERAS and images.get_subscription_count() == 1
        with spinning(recorder, *pipeline, source) as executor:
            wait_for(lambda: source.done, what="the end of the recording")
            executor.create_task(vitals.trigger_deactivate)  # as when frames stop: what was held back is given
            wait_for(lambda: vitals.worker is None, what="the last results")
            settle(executor)
            wait_for(lambda: len(heard.waves) + len(heard.rates) == len(given), what="the recorder's hearing all")
            assert not recorder.done
            now.s = recorder.parameters.read().quiet_after
            wait_for(lambda: recorder.done, what="the results")
        assert source.error == "" and tracker.meters["rgb"].total == source._meter.total

    return replay


@pytest.mark.slow
def test_live_figures_are_the_offline_ones(tmp_path, replay):
    context()
    bag = bag_of_a_person(tmp_path, seconds=16, heart_rate=78.0, fps=15.0, width=320)
    params = overrides(recording=bag, output=str(tmp_path / "out"), exit_at_end=False, quiet_after=3.0)
    recorder = EvaluationRecorder(parameter_overrides=params)
    replay(recorder, bag)
    assert not recorder.error
    (live,) = Results.load(tmp_path / "out" / "results.json").recordings
    offline = evaluate(open_recording(bag), EvaluationSettings(model=""))
    assert (live.key, live.subject, live.frames) == ("made-up/one", "seed1", offline.frames)
    a, b = live.tasks[Vital.BVP].running, offline.tasks[Vital.BVP].running
    both = [(x, y) for x, y in zip(a.measured, b.measured, strict=True) if math.isfinite(x) and math.isfinite(y)]
    assert len(both) >= 5
    assert max(abs(x - y) for x, y in both) < LIVE_TOLERANCE_PER_MINUTE
    np.testing.assert_allclose(a.truth, b.truth, atol=0.2)
    assert np.nanmean(np.abs(np.subtract(a.measured, a.truth))) < 2
    windows = live.tasks[Vital.BVP].windows
    assert abs(windows.measured[0] - offline.tasks[Vital.BVP].windows.measured[0]) < LIVE_TOLERANCE_PER_MINUTE
    assert windows.macc[0] > 0.7
    assert (tmp_path / "out" / "recordings.csv").is_file()


def test_a_file_without_times_is_laid_beside_its_truth(tmp_path, replay):
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

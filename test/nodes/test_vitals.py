"""The vitals node over real DDS: crops in from another node, waveforms, rates and diagnostics out."""

import math

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import State
from std_msgs.msg import Header

from rppg_ros import msg
from rppg_ros.nodes.messages import crops_message, from_time, to_header
from rppg_ros.nodes.params import ParameterError
from rppg_ros.nodes.vitals import VitalsNode
from support.graph import context, overrides, wait_for
from support.people import START_NS, S, crops
from support.tiny_models import write_streaming_model
from support.vitals_graph import stream_of, vitals_graph


@pytest.fixture
def graph():
    yield from vitals_graph()


def test_pulse_and_breath_come_out(graph):
    node, got, send, _ = graph()
    send(stream_of(bpm=75, breaths=15, seconds=40))
    wait_for(lambda: any(m.status == 0 for m in got["respiration_rate"]), what="a respiration rate")
    wait_for(lambda: got["bvp"][-1].header.stamp.sec - START_NS // S >= 36, what="the whole waveform")
    wait_for(lambda: not node.worker.pending, what="the engine")
    heart = [m for m in got["heart_rate"] if m.status == msg.HeartRate.STATUS_OK]
    assert all(m.value == pytest.approx(75, abs=2) and 0 < m.std < 3 and m.quality > 0.6 for m in heart)
    assert all(m.header.frame_id == "camera_optical" and m.face_id == "abcde" and m.model == "pos" for m in heart)
    breath = [m for m in got["respiration_rate"] if m.status == msg.RespirationRate.STATUS_OK]
    assert all(m.value == pytest.approx(15, abs=1) for m in breath)
    warming = [m for m in got["heart_rate"] if m.status == msg.HeartRate.STATUS_WARMING_UP]
    assert warming and all(math.isnan(m.value) for m in warming)
    chunks = got["bvp"]
    ends = [from_time(m.header.stamp) + round(len(m.samples) * 1e9 / m.rate_hz) for m in chunks]
    starts = [from_time(m.header.stamp) for m in chunks]
    assert np.abs(np.array(ends[:-1]) - np.array(starts[1:])).max() < 10
    assert starts[0] == START_NS, "the stamp of the first sample is the first frame's"
    samples, count = got["bvp/sample"], sum(len(m.samples) for m in chunks)
    wait_for(lambda: len(samples) >= count, what="the last samples")
    assert len(samples) == count
    assert samples[7].value == pytest.approx(chunks[0].samples[7])


def test_a_streaming_network_runs_in_the_node(graph, tmp_path):
    pytest.importorskip("onnx", reason="onnx is installed for tests only")
    node, got, send, _ = graph(model=write_streaming_model(tmp_path / "m.onnx"))
    send(stream_of(bpm=75, seconds=20))
    wait_for(lambda: got["bvp"] and got["bvp"][-1].header.stamp.sec - START_NS // S >= 19, what="the whole waveform")
    heart = [m for m in got["heart_rate"] if m.status == msg.HeartRate.STATUS_OK]
    assert len(heart) >= 5 and all(m.value == pytest.approx(75, abs=2) and m.model == "rise" for m in heart)
    starts = [from_time(m.header.stamp) for m in got["bvp"]]
    assert {len(m.samples) for m in got["bvp"]} == {5} and starts[0] == START_NS
    assert np.abs(np.diff(starts) - 5e9 / 30).max() < 10
    silent = [m for m in got["respiration_rate"] if m.face_id]
    assert {m.status for m in silent} <= {msg.RespirationRate.STATUS_UNSUPPORTED}


def test_scalar_samples_only_for_subscribers(graph):
    node, got, send, _ = graph({"bvp": msg.Bvp, "heart_rate": msg.HeartRate, "respiration_rate": msg.RespirationRate})
    published = []
    node._samples[list(node._samples)[0]].publish = published.append
    send(stream_of(seconds=6))
    wait_for(lambda: len(got["bvp"]) > 3, what="waveforms")
    assert not published


def test_no_face_is_nan_with_a_reason(graph):
    _, got, send, _ = graph()
    send([(START_NS + i * 33_000_000, []) for i in range(70)])
    wait_for(lambda: len(got["heart_rate"]) == 3, what="one rate a second of camera time")
    for topic in ("heart_rate", "respiration_rate"):
        assert all(m.status == m.STATUS_NO_FACE and math.isnan(m.value) and m.face_id == "" for m in got[topic])


def test_silence_is_stale(graph):
    node, got, send, _ = graph(stale_after=0.5)
    send(stream_of(seconds=3))
    assert not any(m.status == m.STATUS_STALE for m in got["heart_rate"])
    node.seconds = lambda: 0.6
    wait_for(lambda: any(m.status == m.STATUS_STALE for m in got["heart_rate"]), what="a stale rate")
    stale = [m for m in got["heart_rate"] if m.status == m.STATUS_STALE]
    assert math.isnan(stale[0].value) and stale[0].face_id == "abcde"
    assert from_time(stale[0].header.stamp) <= START_NS + 3 * S, "stamped with the last frame, not with now"


def test_a_broken_message_harms_nothing(graph):
    node, got, send, publisher = graph()
    broken = crops_message(to_header(START_NS - S, "c"), list(crops(seconds=0.1))[:1])
    broken.faces[0].size = 99
    publisher.publish(broken)
    send(stream_of(bpm=75, seconds=14))
    wait_for(lambda: any(m.status == 0 for m in got["heart_rate"]), what="a heart rate")
    wait_for(lambda: any("99" in s.message for d in got["/diagnostics"] for s in d.status), what="a diagnostic")
    assert node.unusable == 1


def test_lifecycle_makes_and_destroys_the_subscription(graph):
    node, got, send, publisher = graph()
    for _ in range(2):
        node.on_executor(node.trigger_deactivate)
        wait_for(lambda: publisher.get_subscription_count() == 0, what="no subscription")
        node.on_executor(node.trigger_activate)
        wait_for(lambda: publisher.get_subscription_count() == 1, what="subscription again")
    node.on_executor(lambda: (node.trigger_deactivate(), node.trigger_cleanup()))
    wait_for(lambda: node._state_machine.current_state[0] == State.PRIMARY_STATE_UNCONFIGURED, what="clean-up")
    node.on_executor(node.autostart)
    wait_for(lambda: publisher.get_subscription_count() == 1, what="subscription after clean-up")
    wait_for(lambda: all(p.get_subscription_count() for p in node._rates.values()), what="listeners")
    send(stream_of(bpm=75, seconds=14))
    wait_for(lambda: any(m.status == 0 for m in got["heart_rate"]), what="a heart rate")


def test_a_missing_model_is_one_clear_line(graph):
    node, got, _, _ = graph(model="/no/such/model.onnx")
    assert not node.active
    assert "/no/such/model.onnx" in node.problem
    wait_for(lambda: got["/diagnostics"], what="diagnostics")
    status = got["/diagnostics"][-1].status[0]
    assert status.level == DiagnosticStatus.ERROR and "/no/such/model.onnx" in status.message


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"engnie": "pos"}, "engnie.*did you mean 'engine'"),
        ({"max_gap": 99.0}, "max_gap"),
        ({"queue_size": "many"}, "queue_size"),
    ],
)
def test_wrong_parameters_are_named(params, name):
    context()
    with pytest.raises(ParameterError, match=name):
        VitalsNode(parameter_overrides=overrides(**params))


def test_parameters_are_described_and_ranged():
    context()
    node = VitalsNode()
    for name in ("model", "hop", "queue_size", "heart_rate.min_quality", "autostart"):
        assert node.describe_parameter(name).description
    assert node.describe_parameter("hop").floating_point_range[0].to_value == 10.0
    node.destroy_node()


def test_headers_without_a_stamp_are_an_error(graph):
    _, got, send, publisher = graph()
    for _ in range(5):
        publisher.publish(msg.FaceCrops(header=Header(frame_id="c")))
    wait_for(lambda: any("stamp" in s.message for d in got["/diagnostics"] for s in d.status), what="a diagnostic")
    assert not got["heart_rate"]
    assert rclpy.ok()

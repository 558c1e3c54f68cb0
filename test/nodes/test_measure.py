"""measure_vitals over real DDS, from another node: what it comes to for people who can be measured, and who cannot."""

import json
import math

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient

from rppg_ros import msg
from rppg_ros.action import MeasureVitals
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import from_time
from rppg_ros.nodes.vitals import VitalsNode
from rppg_ros.srv import LastMeasurement
from support.graph import overrides, wait_for
from support.people import START_NS, S
from support.vitals_graph import TOPICS, stream_of, vitals_graph


class Client:
    """Sends goals and keeps the answers."""

    def __init__(self, node, got, send, publisher):
        self.node, self.got, self.send, self.publisher = node, got, send, publisher
        self.asking = publisher.handle and node  # both spin on one executor
        self.actions = ActionClient(node, MeasureVitals, "measure_vitals")
        self.last_of = node.create_client(LastMeasurement, "last_measurement")
        self.feedback, self.results = [], []
        node.create_subscription(msg.Measurement, "measurement", self.results.append, qos.LATCHED)
        wait_for(self.actions.server_is_ready, what="the action server")

    def ask(self, **goal):
        sent = self.actions.send_goal_async(
            MeasureVitals.Goal(**goal), feedback_callback=lambda told: self.feedback.append(told.feedback)
        )
        wait_for(sent.done, what="the goal's answer")
        self.handle = sent.result()
        assert self.handle.accepted
        future = self.handle.get_result_async()
        return future

    def answer(self, future):
        wait_for(future.done, what="the result")
        return future.result().status, future.result().result.measurement

    def last(self, face_id=""):
        future = self.last_of.call_async(LastMeasurement.Request(face_id=face_id))
        wait_for(future.done, what="the last measurement")
        return future.result()


@pytest.fixture
def client():
    graphs = vitals_graph()
    build = next(graphs)

    def start(**params):
        node, got, send, publisher = build(TOPICS, **params)
        made = []
        node.on_executor(lambda: made.append(Client(node, got, send, publisher)))
        wait_for(lambda: made, what="the client")
        return made[0]

    yield start
    next(graphs, None)


def nobody(seconds, fps=30.0, start_s=0.0):
    return [(START_NS + round((start_s + i / fps) * S), []) for i in range(int(seconds * fps))]


def test_a_person_is_measured_once(client):
    asked = client()
    assert not asked.last().success
    future = asked.ask()
    asked.send(stream_of(bpm=75, breaths=15, seconds=62))
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_SUCCEEDED and found.complete and found.face_id == "abcde"
    assert found.heart_rate.value == pytest.approx(75, abs=2) and found.heart_rate.status == msg.HeartRate.STATUS_OK
    assert found.respiration_rate.value == pytest.approx(15, abs=1)
    assert found.heart_rate.low <= 75 <= found.heart_rate.high and found.heart_rate.quality >= 0.8
    assert "heart rate 75 beats/min" in found.message and "breaths/min (1" in found.message
    lasted = (from_time(found.header.stamp) - from_time(found.start)) / S
    assert 30 <= lasted <= 61 and found.header.frame_id == "camera_optical"
    assert len(found.bvp.samples) > 0.7 * lasted * found.bvp.rate_hz and np.std(found.bvp.samples) > 0.3
    wait_for(lambda: len(asked.feedback) > 20, what="feedback")
    progress = [one.progress for one in asked.feedback]
    assert progress == sorted(progress) and 0 <= progress[0] < 0.2 and progress[-1] > 0.4
    assert math.isnan(asked.feedback[0].heart_rate.value) and asked.feedback[-1].heart_rate.value == pytest.approx(
        75, abs=2
    )
    wait_for(lambda: asked.results, what="the topic")
    told = [asked.results[0], asked.last().measurement, asked.last("abcde").measurement]
    assert {str(one) for one in told} == {str(found)}, "NaN equals nothing"
    assert not asked.last("other").success


def test_the_heart_alone_ends_early_when_it_is_sure(client):
    asked = client()
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, seconds=50.0)
    asked.send(stream_of(bpm=75, seconds=40))
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_SUCCEEDED and found.complete
    assert 8 <= (from_time(found.header.stamp) - from_time(found.start)) / S < 30
    assert found.respiration_rate.status == msg.RespirationRate.STATUS_UNSUPPORTED and not found.rsp.samples


def test_nobody_in_view(client):
    asked = client()
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, seconds=12.0)
    asked.send(nobody(14))
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_SUCCEEDED and not found.complete and found.face_id == ""
    assert found.heart_rate.status == msg.HeartRate.STATUS_NO_FACE and math.isnan(found.heart_rate.value)
    assert "not measurable: no face in view" in found.message
    assert asked.feedback[-1].advice == "look at the camera"
    assert list(asked.feedback[-1].hindrances) == [msg.HeartRate.REASON_NO_FACE]


def test_a_face_of_wax(client):
    asked = client()
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, seconds=25.0)
    still = [(stamp, [crop]) for stamp, (crop,) in stream_of(bpm=0.0001, seconds=27, thermal=False)]
    asked.send(still)
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_SUCCEEDED and not found.complete
    assert found.heart_rate.status == msg.HeartRate.STATUS_LOW_QUALITY and found.heart_rate.reasons
    assert "heart rate not measurable: " in found.message


def test_a_person_who_leaves_is_measured_by_what_was_seen(client):
    asked = client()
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, seconds=30.0, certainty=1.0)
    asked.send(stream_of(bpm=66, seconds=20) + nobody(12, start_s=20))
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_SUCCEEDED and found.face_id == "abcde"
    assert found.heart_rate.value == pytest.approx(66, abs=3)


def test_one_face_of_two(client):
    asked = client()
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, face_id="other", seconds=20.0)
    two = [
        (stamp, first + second)
        for (stamp, first), (_, second) in zip(
            stream_of(bpm=60, seconds=22), stream_of(bpm=90, seconds=22, face="other", seed=5), strict=True
        )
    ]
    asked.send(two)
    _, found = asked.answer(future)
    assert found.face_id == "other" and found.heart_rate.value == pytest.approx(90, abs=2)


def test_a_cart_begins_by_itself_with_each_person_once(client):
    asked = client(measure__on_sight=12.0)
    for face, start_s in (("abcde", 0), ("fghij", 31)):
        asked.send(stream_of(bpm=66, seconds=30, face=face, start_s=start_s))
    wait_for(lambda: len(asked.results) == 2, what="both measurements")
    assert [one.face_id for one in asked.results] == ["abcde", "fghij"]
    assert all(one.heart_rate.value == pytest.approx(66, abs=3) for one in asked.results)
    assert asked.last().measurement.face_id == "fghij" and asked.last("abcde").success


def test_what_it_came_to_is_written_where_the_user_says(client, tmp_path):
    asked = client(export__to=str(tmp_path / "out"), export__formats="fhir,csv", export__subject="Patient/1")
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, seconds=12.0)
    asked.send(stream_of(bpm=66, seconds=14))
    _, found = asked.answer(future)
    asked.node.on_executor(lambda: (asked.node.trigger_deactivate(), asked.node.trigger_cleanup()))
    wait_for(lambda: not asked.node.configured, what="the clean-up, which waits for the disk")
    (path,) = (tmp_path / "out").glob("*-abcde.fhir.json")
    observation = json.loads(path.read_text())["entry"][0]["resource"]
    assert observation["subject"] == {"reference": "Patient/1"}
    assert observation["valueQuantity"]["value"] == pytest.approx(found.heart_rate.value, abs=0.1)
    assert len((tmp_path / "out" / "measurements.csv").read_text().splitlines()) == 2


def test_a_place_that_cannot_be_is_said_at_once(client):
    asked = VitalsNode(parameter_overrides=overrides(export__to="ftp://host/x"))
    try:
        asked.autostart()
        assert not asked.active and "ftp://host/x" in asked.problem
    finally:
        asked.destroy_node()


def test_a_face_that_never_comes(client):
    asked = client()
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, face_id="never", seconds=10.0)
    asked.send(stream_of(bpm=66, seconds=12))
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_SUCCEEDED and found.heart_rate.status == msg.HeartRate.STATUS_NO_FACE
    assert "no face in view" in found.message and asked.feedback[-1].progress > 0.5


def test_a_clock_that_jumps_back_begins_it_anew(client):
    """A recording that is played again: what was seen before is of another time, and perhaps of somebody else."""
    asked = client()
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, seconds=20.0, certainty=1.0)
    asked.send(stream_of(bpm=66, seconds=16, start_s=100))
    asked.send(stream_of(bpm=90, seconds=23, face="other"))
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_SUCCEEDED and found.face_id == "other"
    assert found.heart_rate.value == pytest.approx(90, abs=3)
    assert (from_time(found.header.stamp) - from_time(found.start)) / S < 22


def test_a_pause_of_the_camera_before_it_does_not_count(client):
    asked = client()
    asked.send(stream_of(bpm=66, seconds=3))
    asked.node.age = lambda: 30.0
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, seconds=12.0)
    wait_for(lambda: asked.node._measurements.running == 1, what="the measurement")
    del asked.node.age
    asked.send(stream_of(bpm=66, seconds=14, start_s=60))
    _, found = asked.answer(future)
    assert found.heart_rate.value == pytest.approx(66, abs=3)
    assert from_time(found.start) >= START_NS + 59 * S


def test_it_can_be_cancelled(client):
    asked = client()
    future = asked.ask()
    asked.send(stream_of(bpm=66, seconds=5))
    cancelled = asked.handle.cancel_goal_async()
    wait_for(cancelled.done, what="the cancel's answer")
    asked.send([(crop[0], crop[1]) for crop in stream_of(bpm=66, seconds=4, start_s=5)])
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_CANCELED and found.message.startswith("cancelled")
    assert asked.node._measurements.running == 0 and asked.node.half._maker.looks is None, "nothing is kept any more"


@pytest.mark.parametrize(
    ("goal", "told"),
    [
        ({"vitals": 8}, "vitals is 8"),
        ({"seconds": -1.0}, "seconds must be 0 or more"),
        ({"seconds": math.nan}, "seconds must be 0 or more"),
        ({"seconds": 1e9}, "1800 at most"),
        ({"certainty": 2.0}, "certainty must be from 0 to 1"),
    ],
)
def test_what_cannot_be_asked_for(client, goal, told):
    asked = client()
    status, found = asked.answer(asked.ask(**goal))
    assert status == GoalStatus.STATUS_ABORTED and told in found.message
    missing = asked.last("nobody").measurement
    for rate in (found.heart_rate, found.respiration_rate, missing.heart_rate, missing.respiration_rate):
        assert math.isnan(rate.value) and rate.status != msg.HeartRate.STATUS_OK, "no number where nothing was measured"


def test_it_ends_with_the_node(client):
    asked = client()
    future = asked.ask()
    asked.send(stream_of(bpm=66, seconds=3))
    asked.node.on_executor(asked.node.trigger_deactivate)
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_ABORTED and found.message.startswith("the node was deactivated")
    status, found = asked.answer(asked.ask())
    assert status == GoalStatus.STATUS_ABORTED and found.message == "vitals is not active"


def test_a_recording_that_is_played_slowly_has_its_time(client):
    """By the node's clock its time is over; but the camera goes on."""
    asked = client()
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, seconds=14.0, certainty=1.0)
    asked.send(stream_of(bpm=66, seconds=5))
    asked.node.seconds, asked.node.age = (lambda: 100.0), (lambda: 0.1)
    asked.node._measurements.tick()
    assert asked.node._measurements.running == 1
    del asked.node.age
    asked.node.seconds = lambda: 0.0
    asked.send(stream_of(bpm=66, seconds=11, start_s=5))
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_SUCCEEDED and found.heart_rate.value == pytest.approx(66, abs=3)


def test_a_clock_that_jumps_back_all_the_time_ends_it(client):
    asked = client()
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, seconds=30.0, certainty=1.0)
    asked.send(stream_of(bpm=66, seconds=13, start_s=100))
    asked.send(stream_of(bpm=66, seconds=13))
    wait_for(lambda: asked.node._measurements._running[0].measuring.restarts, what="the jump")
    asked.node.seconds = lambda: 100.0
    asked.node.on_executor(asked.node._measurements.tick)
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_ABORTED and found.message.startswith("the camera's clock jumps back")


def test_a_silent_camera_does_not_hold_it_up(client):
    asked = client()
    future = asked.ask(vitals=MeasureVitals.Goal.HEART_RATE, seconds=10.0)
    asked.node.seconds = lambda: 20.0
    asked.node.on_executor(asked.node._check_stale)
    status, found = asked.answer(future)
    assert status == GoalStatus.STATUS_ABORTED and found.message.startswith("no camera images")

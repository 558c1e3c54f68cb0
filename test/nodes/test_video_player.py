"""Pace, overload and ends of the player, without ROS; back-pressure with it."""

import threading
import time

import numpy as np
import pytest

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import to_header
from rppg_ros.nodes.video_gate import AcknowledgedGate
from rppg_ros.nodes.video_player import MAX_LAG_S, Player
from rppg_ros.sources.base import SourceError, StreamFrame
from support.graph import context, spinning, wait_for

S = 1_000_000_000
PIXEL = np.zeros((1, 1, 3), np.uint8)


class Steps:
    """Frames at given times; a source as simple as can be."""

    name = "steps"
    absolute = live = False

    def __init__(self, times_s, ends_with=None):
        self.times_s, self.ends_with = times_s, ends_with

    def __iter__(self):
        for t in self.times_s:
            yield StreamFrame("rgb", round(t * S), PIXEL, "rgb8")
        if self.ends_with:
            raise self.ends_with

    def close(self):
        pass


class OpenGate:
    """Lets all through; knows when it was asked to drain."""

    def __init__(self):
        self.calls = []

    def wait(self, stamp_ns, stopping):
        self.calls.append(stamp_ns)

    def drain(self, stopping):
        self.calls.append("drain")


def played(source, send=lambda frame, stamp_ns: None, rate=1.0, gate=None):
    player = Player(lambda: source, send, lambda: 100 * S, rate, gate or OpenGate())
    player.start()
    assert player.finished.wait(10)
    player.stop()
    return player


def test_overload_delays_but_does_not_burst():
    """One second's stall: what was missed is neither sent at once nor forgotten in the lag."""
    sent = []

    def send(frame, stamp_ns):
        if len(sent) == 10:
            time.sleep(1.0)
        sent.append(time.monotonic())

    player = played(Steps(np.arange(40) * 0.02), send)
    assert player.lag_s == pytest.approx(1.0, abs=0.15)
    after = np.array(sent[11:]) - sent[10]
    assert np.sum(after < 0.1) <= MAX_LAG_S / 0.02, "a burst"
    assert sent[-1] - sent[0] == pytest.approx(39 * 0.02 + 1.0, abs=0.15)


def test_pace_does_not_drift():
    sent = []
    player = played(Steps(np.arange(100) * 0.011), lambda frame, stamp_ns: sent.append(time.monotonic()))
    late_s = np.array(sent) - sent[0] - np.arange(100) * 0.011
    assert np.median(np.abs(late_s)) < 0.005 and player.lag_s < 0.1 and player.position_s == pytest.approx(99 * 0.011)


def test_without_a_pace_the_last_frames_are_waited_for():
    gate = OpenGate()
    played(Steps([0.0, 0.5]), rate=0.0, gate=gate)
    assert gate.calls == [100 * S, 100 * S + S // 2, "drain"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_every_end_is_told():
    assert played(Steps([])).error == "steps: no frames", "a loop over nothing would take a core"
    assert played(Steps([0.0], SourceError("f.png: cannot be read"))).error == "f.png: cannot be read"
    assert played(Steps([0.0], KeyError("k"))).error == "KeyError: 'k'"
    assert played(Steps([0.0])).error == ""


def test_the_gate_follows_heart_rate_also_after_a_jump_back():
    context()
    from rclpy.node import Node

    node, vitals = Node("gate"), Node("vitals_stand_in")
    warnings = []
    gate = AcknowledgedGate(node, warnings.append)
    rates = vitals.create_publisher(msg.HeartRate, "heart_rate", qos.VITALS)
    crops = vitals.create_publisher(msg.FaceCrops, "face_crops", qos.CROPS)
    stopping = threading.Event()

    def tell(stamp_s):
        rates.publish(msg.HeartRate(header=to_header(stamp_s * S, "")))

    def waited_s(stamp_s):
        began = time.monotonic()
        gate.wait(stamp_s * S, stopping)
        return time.monotonic() - began

    with spinning(node, vitals):
        wait_for(
            lambda: (
                node.count_publishers("heart_rate")
                and rates.get_subscription_count()
                and crops.get_subscription_count()
            ),
            10,
            "discovery",
        )
        for _ in range(2):  # the second time is a loop
            assert waited_s(30) < 0.3, "nobody is behind yet"
            tell(29)
            wait_for(lambda: gate.ahead_of_heart_s == 1.0, 5, "the first rate")
            later = threading.Timer(0.5, tell, (36,))
            later.start()
            assert 0.3 < waited_s(40) < 1.9
            later.join()
            crops.publish(msg.FaceCrops(header=to_header(40 * S, "")))
            wait_for(lambda: not gate.in_flight, 5, "the answer to all frames")
    assert warnings == []


def test_the_first_frames_go_one_by_one_until_vitals_answers():
    """A subscriber that was seen a moment ago may not hear yet; what is sent then is lost to it."""
    context()
    from rclpy.node import Node

    from rppg_ros import msg
    from rppg_ros.nodes import qos, video_gate
    from rppg_ros.nodes.messages import to_header

    node, vitals = Node("gate"), Node("vitals_stand_in")
    gate = video_gate.AcknowledgedGate(node, lambda text: None)
    rates = vitals.create_publisher(msg.HeartRate, "heart_rate", qos.VITALS)
    stopping = threading.Event()

    def waited_s(stamp_s):
        began = time.monotonic()
        gate.wait(stamp_s * S, stopping)
        return time.monotonic() - began

    with spinning(node, vitals):
        wait_for(lambda: node.count_publishers("heart_rate") and rates.get_subscription_count(), 10, "discovery")
        assert waited_s(1) < 0.3
        assert waited_s(2) > 0.9 * video_gate.GREETING_S
        rates.publish(msg.HeartRate(header=to_header(2 * S, "")))
        wait_for(lambda: gate.ahead_of_heart_s is not None, 5, "the answer")
        assert sum(waited_s(stamp) for stamp in (3, 4, 5)) < 0.3

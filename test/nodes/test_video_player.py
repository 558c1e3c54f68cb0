"""Pace, overload and ends of the player, without ROS; back-pressure with it."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from rclpy.node import Node

from rppg_ros import msg
from rppg_ros.nodes import qos, video_gate
from rppg_ros.nodes.messages import to_header
from rppg_ros.nodes.video_player import MAX_LAG_S, Player
from rppg_ros.sources.base import SourceError, StreamFrame
from support.graph import PATIENCE_S, context, spinning, wait_for
from support.virtual_clock import VirtualClock

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


def played(source, send=lambda frame, stamp_ns: None, rate=1.0, gate=None, clock=None):
    player = Player(lambda: source, send, lambda: 100 * S, rate, gate or OpenGate(), clock=clock or VirtualClock())
    player.start()
    assert player.finished.wait(PATIENCE_S)
    player.stop()
    return player


def sent_at(times_s, rate=1.0, stall_s=0.0):
    """When the frames were sent, from the first on, where sending the tenth takes so long; and the player."""
    clock, sent = VirtualClock(), []

    def send(frame, stamp_ns):
        if len(sent) == 10:
            clock.now_s += stall_s
        sent.append(clock.now_s)

    player = played(Steps(times_s), send, rate, clock=clock)
    return np.array(sent) - sent[0], player


def test_a_long_stall_delays_but_does_not_burst():
    """One second's stall: what was missed is neither sent at once nor forgotten in the lag."""
    sent_s, player = sent_at(np.arange(40) * 0.02, stall_s=1.0)
    np.testing.assert_allclose(np.diff(sent_s), [0.02] * 9 + [1.02, 0.0] + [0.02] * 28, atol=1e-9)
    assert player.lag_s == pytest.approx(0.98)


def test_a_short_stall_is_caught_up():
    due_s = np.arange(40) * 0.02
    sent_s, player = sent_at(due_s, stall_s=MAX_LAG_S)
    stalled_until_s = 0.2 + MAX_LAG_S
    np.testing.assert_allclose(
        sent_s, np.where(np.arange(40) < 10, due_s, np.maximum(due_s, stalled_until_s)), atol=1e-9
    )
    assert player.lag_s == 0


@pytest.mark.parametrize("rate", [0.5, 1.0, 4.0])
def test_pace_does_not_drift(rate):
    sent_s, player = sent_at(np.arange(100) * 0.011, rate)
    np.testing.assert_allclose(sent_s, np.arange(100) * 0.011 / rate, atol=1e-9)
    assert player.lag_s == pytest.approx(0, abs=1e-9) and player.position_s == pytest.approx(99 * 0.011)


def test_who_gives_no_clock_gets_the_one_on_the_wall():
    """At least the time asked for; a slow machine may take longer."""
    began = time.monotonic()
    player = Player(lambda: Steps([0.0, 0.2]), lambda frame, stamp_ns: None, lambda: 0, 1.0, OpenGate())
    player.start()
    assert player.finished.wait(PATIENCE_S) and time.monotonic() - began > 0.19


def test_who_waits_is_woken_by_stop():
    began, sent = threading.Event(), []
    gate = OpenGate()
    player = Player(lambda: Steps([0.0, 1e6]), lambda *frame: (sent.append(frame), began.set()), lambda: 0, 1.0, gate)
    player.start()
    assert began.wait(PATIENCE_S)
    player.stop()
    assert player.finished.wait(PATIENCE_S) and len(sent) == 1


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


@pytest.fixture
def gate(monkeypatch):
    """A gate that waits as long as it must, its node, publishers that stand in for both nodes, and its warnings."""
    monkeypatch.setattr(video_gate, "PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(video_gate, "GREETING_S", PATIENCE_S)
    context()
    node, others, warnings = Node("gate"), Node("others"), []
    gate = video_gate.AcknowledgedGate(node, warnings.append)
    rates = others.create_publisher(msg.HeartRate, "heart_rate", qos.VITALS)

    def tell_rate(stamp_s):
        rates.publish(msg.HeartRate(header=to_header(stamp_s * S, "")))

    with spinning(node, others):
        wait_for(lambda: node.count_publishers("heart_rate") and rates.get_subscription_count(), what="discovery")
        yield SimpleNamespace(gate=gate, node=node, others=others, tell_rate=tell_rate, warnings=warnings)


def go(gate, stamp_s):
    """A frame that is not held back: this would take PATIENCE_S else, and then be warned of."""
    gate.wait(stamp_s * S, threading.Event())


def held(gate, stamp_s):
    """A frame that is held back, in a thread that ends when it may go."""
    waiter = threading.Thread(target=go, args=(gate, stamp_s), daemon=True)
    waiter.start()
    wait_for(lambda: gate._changed._waiters or not waiter.is_alive(), what="the frame's coming to the gate")
    assert waiter.is_alive(), "it was let through"
    return waiter


def test_the_gate_follows_heart_rate_also_after_a_jump_back(gate):
    crops = gate.others.create_publisher(msg.FaceCrops, "face_crops", qos.CROPS)
    wait_for(lambda: gate.node.count_publishers("face_crops") and crops.get_subscription_count(), what="discovery")
    for _ in range(2):  # the second time is a loop
        go(gate.gate, 30)
        gate.tell_rate(29)
        wait_for(lambda: gate.gate.ahead_of_heart_s == 1.0, what="the first rate")
        frame = held(gate.gate, 40)
        gate.tell_rate(33)
        wait_for(lambda: gate.gate.ahead_of_heart_s == 7.0, what="a rate that is still far behind")
        assert frame.is_alive()
        gate.tell_rate(36)
        frame.join(PATIENCE_S)
        assert not frame.is_alive()
        crops.publish(msg.FaceCrops(header=to_header(40 * S, "")))
        wait_for(lambda: not gate.gate.in_flight, what="the answer to all frames")
    assert gate.warnings == []


def test_the_first_frames_go_one_by_one_until_vitals_answers(gate):
    """A subscriber that was seen a moment ago may not hear yet; what is sent then is lost to it."""
    go(gate.gate, 1)
    frame = held(gate.gate, 2)
    gate.tell_rate(1)
    frame.join(PATIENCE_S)
    assert not frame.is_alive()
    for stamp_s in (3, 4, 5):
        go(gate.gate, stamp_s)
    assert gate.warnings == []


def test_who_never_answers_is_waited_for_only_so_long(gate, monkeypatch):
    monkeypatch.setattr(video_gate, "GREETING_S", 1e-3)
    monkeypatch.setattr(video_gate, "PATIENCE_S", 1e-3)
    crops = gate.others.create_publisher(msg.FaceCrops, "face_crops", qos.CROPS)
    wait_for(lambda: gate.node.count_publishers("face_crops") and crops.get_subscription_count(), what="discovery")
    for stamp_s in range(1, 4 * video_gate.MAX_IN_FLIGHT):
        go(gate.gate, stamp_s)
    assert gate.gate._greeted == video_gate.GREETINGS and len(gate.warnings) >= 1
    assert all("no answer on face_crops or heart_rate" in text for text in gate.warnings)

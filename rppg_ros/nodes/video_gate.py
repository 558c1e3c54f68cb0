"""Back-pressure for playing as fast as possible: what the nodes publish says how far they are."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rclpy.node import Node

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import from_time
from rppg_ros.types import NS_PER_S

MAX_IN_FLIGHT = 6  # RGB frames ahead of the newest face_crops; images wait in queues of 10
MAX_AHEAD_S = 6.0  # stamps ahead of the newest heart_rate: what engines hold back, and windows still worked on
GREETINGS = 12  # first frames that go one by one until vitals answers: those sent before it listens are lost
GREETING_S = 0.4  # wall time for the answer to one of them; pairing holds the first ones back for a thermal frame
PATIENCE_S = 2.0  # wall time without an answer after which the next frame goes anyway


class AcknowledgedGate:
    """Holds frames back while face_crops and heart_rate (of whoever publishes them) lag behind.

    Parameters
    ----------
    warn : called when nobody answered in time.
    """

    def __init__(self, node: Node, warn: Callable[[str], None]) -> None:
        self._node = node
        self._warn = warn
        self._changed = threading.Condition()
        self._in_flight: list[int] = []
        self._last_ns = 0
        self._heart_ns: int | None = None
        self._greeted = 0
        self._answered = False
        self._deaf = False
        node.create_subscription(msg.FaceCrops, "face_crops", self._on_crops, qos.CROPS)
        node.create_subscription(msg.HeartRate, "heart_rate", self._on_rate, qos.VITALS)

    def wait(self, stamp_ns: int, stopping: threading.Event) -> None:
        """See video_player.Gate."""
        with self._changed:
            if stamp_ns <= self._last_ns:  # the recording began again
                self._in_flight.clear()
                self._heart_ns = None
            self._greet(stopping)
            self._last_ns = stamp_ns
            # A subscriber that never answered in time is asked again only now and then, not for each frame.
            patience_s = 0.05 if self._deaf else PATIENCE_S
            answered = self._changed.wait_for(lambda: stopping.is_set() or self._ready(), timeout=patience_s)
            if not answered and not self._deaf:
                self._warn(f"no answer on face_crops or heart_rate for {PATIENCE_S} s; playing on")
            self._deaf = not answered
            if not answered:
                self._in_flight.clear()
            if self._followed():
                self._in_flight.append(stamp_ns)

    def drain(self, stopping: threading.Event) -> None:
        """See video_player.Gate."""
        with self._changed:
            if not self._deaf:
                self._changed.wait_for(
                    lambda: stopping.is_set() or not self._in_flight or not self._followed(), timeout=PATIENCE_S
                )

    @property
    def in_flight(self) -> int:
        """RGB frames that were sent and not answered."""
        return len(self._in_flight)

    @property
    def ahead_of_heart_s(self) -> float | None:
        """Stamps between the newest frame and the newest heart rate; None before the first."""
        return None if self._heart_ns is None else (self._last_ns - self._heart_ns) / NS_PER_S

    def connected(self) -> bool:
        """Whether, where there is a face_tracker, somebody takes its crops and gives rates, as far as this node can see."""
        others = self._node.count_subscribers("face_crops") - 1  # this gate is one
        return not self._followed() or (others > 0 and self._node.count_publishers("heart_rate") > 0)

    def _greet(self, stopping: threading.Event) -> None:
        """Wait a moment for the answer to the frame before, as long as there never was one."""
        if self._answered or self._greeted >= GREETINGS or not self._node.count_publishers("heart_rate"):
            return
        if self._last_ns:
            self._greeted += 1
            self._changed.wait_for(lambda: stopping.is_set() or self._answered, timeout=GREETING_S)

    def _followed(self) -> bool:
        return self._node.count_publishers("face_crops") > 0

    def _ready(self) -> bool:
        if self._followed() and self.in_flight >= MAX_IN_FLIGHT:
            return False
        ahead_s = self.ahead_of_heart_s
        behind = ahead_s is not None and ahead_s > MAX_AHEAD_S
        return not (behind and self._node.count_publishers("heart_rate"))

    def _on_crops(self, message: msg.FaceCrops) -> None:
        stamp_ns = from_time(message.header.stamp)
        with self._changed:
            if stamp_ns <= self._last_ns:  # else an answer from before the recording began again
                self._in_flight = [sent for sent in self._in_flight if sent > stamp_ns]
            self._changed.notify_all()

    def _on_rate(self, message: msg.HeartRate) -> None:
        stamp_ns = from_time(message.header.stamp)
        with self._changed:
            self._answered = True
            if stamp_ns <= self._last_ns:
                self._heart_ns = max(stamp_ns, self._heart_ns or 0)
            self._changed.notify_all()

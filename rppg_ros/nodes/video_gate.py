"""Back-pressure for playing as fast as possible: what the nodes publish says how far they are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rclpy.node import Node

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import from_time
from rppg_ros.types import NS_PER_S

MAX_IN_FLIGHT = 6  # RGB frames ahead of the newest face_crops; images wait in queues of 10
MAX_AHEAD_S = 6.0  # stamps ahead of the newest heart_rate: what engines hold back, and windows still worked on
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
        self._heart_ns: int | None = None
        self._deaf = False
        node.create_subscription(msg.FaceCrops, "face_crops", self._on_crops, qos.CROPS)
        node.create_subscription(msg.HeartRate, "heart_rate", self._on_rate, qos.VITALS)

    def wait(self, stamp_ns: int, stopping: threading.Event) -> None:
        """See video_player.Gate."""
        with self._changed:
            if self._in_flight and stamp_ns <= self._in_flight[-1]:  # the recording began again
                self._in_flight.clear()
                self._heart_ns = None
            # A subscriber that never answered in time is asked again only now and then, not for each frame.
            patience_s = 0.05 if self._deaf else PATIENCE_S
            answered = self._changed.wait_for(lambda: stopping.is_set() or self._ready(stamp_ns), timeout=patience_s)
            if not answered and not self._deaf:
                self._warn(f"no answer on face_crops or heart_rate for {PATIENCE_S} s; playing on")
            self._deaf = not answered
            if not answered:
                self._in_flight.clear()
            self._in_flight.append(stamp_ns)

    def drain(self, stopping: threading.Event) -> None:
        """Wait until the last frames are answered, or patience ends."""
        end = time.monotonic() + PATIENCE_S
        with self._changed:
            self._changed.wait_for(
                lambda: stopping.is_set() or not self._in_flight or not self._followed(),
                timeout=max(0.0, end - time.monotonic()),
            )

    def _followed(self) -> bool:
        return self._node.count_publishers("face_crops") > 0

    def _ready(self, stamp_ns: int) -> bool:
        if self._followed() and len(self._in_flight) >= MAX_IN_FLIGHT:
            return False
        behind = self._heart_ns is not None and stamp_ns - self._heart_ns > MAX_AHEAD_S * NS_PER_S
        return not (behind and self._node.count_publishers("heart_rate"))

    def _on_crops(self, message: msg.FaceCrops) -> None:
        stamp_ns = from_time(message.header.stamp)
        with self._changed:
            self._in_flight = [sent for sent in self._in_flight if sent > stamp_ns]
            self._changed.notify_all()

    def _on_rate(self, message: msg.HeartRate) -> None:
        stamp_ns = from_time(message.header.stamp)
        with self._changed:
            self._heart_ns = max(stamp_ns, self._heart_ns or 0)
            self._changed.notify_all()

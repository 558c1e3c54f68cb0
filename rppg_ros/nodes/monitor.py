"""monitor node: one web page for the one who stands beside, fed by the topics of vitals; see rppg_ros.monitor."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeGuard

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.node import Node

from rppg_ros import action, msg
from rppg_ros.monitor.board import Board, Event, rate_event
from rppg_ros.monitor.conditions import Limits
from rppg_ros.monitor.server import MonitorServer, ServerError
from rppg_ros.nodes import qos
from rppg_ros.nodes.face_topics import RATE_TOPICS
from rppg_ros.nodes.managed import ManagedNode, run_nodes
from rppg_ros.nodes.messages import RATE_TYPES, WAVEFORM_TYPES, rate_from, waveform_from
from rppg_ros.settings.nodes import MonitorSettings
from rppg_ros.types import Vital
from rppg_ros.vitals.session import LONGEST_S

MAX_ID = 64  # characters
ALL = action.MeasureVitals.Goal.HEART_RATE | action.MeasureVitals.Goal.RESPIRATION_RATE
PERIOD_S = 1.0  # of what vitals says
NOT_READY = "nobody measures: is the node vitals up and active?"


class MonitorNode(ManagedNode):
    """Lifecycle node: the page is served while it is configured, and fed while it is active."""

    settings: MonitorSettings

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("monitor", MonitorSettings, **kwargs)
        self.board: Board | None = None
        self.server: MonitorServer | None = None
        self._lock = threading.Lock()  # a page that opens asks on the server's thread
        self._client: Any = None
        self._goal: Any = None
        self._asking = False  # a goal is on its way
        self._heard_s = 0.0
        self._watch = self.create_timer(1.0, self.guarded("silence", self._check_silence))
        self._listeners: list[Any] = []

    def setup(self) -> None:
        """Serve the page."""
        limits = {
            Vital.BVP: Limits(*self.settings.heart_rate_limits),
            Vital.RSP: Limits(*self.settings.respiration_rate_limits),
        }
        self.board = Board(limits)
        self.server = MonitorServer(
            self.settings.host, self.settings.port, self.settings.token, self._snapshot, self._on_command
        )
        try:
            self.server.begin()
        except ServerError:
            self.server = None
            raise
        self._client = ActionClient(self, action.MeasureVitals, "measure_vitals")
        self.get_logger().info(f"the page is at {self.server.url}")

    def start(self) -> None:
        """Listen."""
        self._heard_s = self.seconds()
        for vital in Vital:
            on_wave, on_rate = partial(self._on_wave, vital), partial(self._on_rate, vital)
            self._listen(WAVEFORM_TYPES[vital], vital.value, on_wave)
            self._listen(RATE_TYPES[vital], RATE_TOPICS[vital], on_rate)
        self._listen(msg.Faces, "faces", self._on_faces)
        self._listen(msg.Measurement, "measurement", self._on_measurement, qos.LATCHED)

    def stop(self, hurry: bool = False) -> None:
        """Listen no longer."""
        for listener in self._listeners:
            self.destroy_subscription(listener)
        self._listeners = []

    def teardown(self) -> None:
        """Close the page."""
        if self._client is not None:
            self._client.destroy()
        if self.server is not None:
            self.server.end()
        self.board = self.server = self._client = self._goal = None

    def apply(self, settings: MonitorSettings) -> None:
        """Nothing of it changes while it runs."""

    def destroy_node(self) -> None:
        if self.server is not None:
            self.server.end()
        super().destroy_node()

    def _listen(self, kind: type, topic: str, callback: Callable[[Any], None], profile: Any = qos.VITALS) -> None:
        self._listeners.append(self.create_subscription(kind, topic, self.guarded(topic, callback), profile))

    def _on_wave(self, vital: Vital, message: Any) -> None:
        self._tell(lambda board: board.take_wave(waveform_from(message, vital)))

    def _on_rate(self, vital: Vital, message: Any) -> None:
        self._heard_s = self.seconds()
        self._tell(lambda board: board.silence(False))
        self._tell(lambda board: board.take_rate(rate_from(message, vital)))

    def _on_faces(self, message: msg.Faces) -> None:
        targets = [face.face_id for face in message.faces if face.target]
        self._tell(lambda board: board.take_targets(targets))

    def _on_measurement(self, message: msg.Measurement) -> None:
        self._tell(lambda board: board.take_result({"message": message.message, "complete": message.complete}))

    def _tell(self, take: Callable[[Board], list[Event]]) -> None:
        if self.board is None or self.server is None:
            return
        with self._lock:
            events = take(self.board)
        self.server.send(events)

    def _check_silence(self) -> None:
        """A node that measures says something every second, be it that nobody is there."""
        if not self.active:
            return
        silent = self.seconds() - self._heard_s > self.settings.stale_after + PERIOD_S
        self._tell(lambda board: board.silence(silent))
        if silent and self._client is not None and not self._client.server_is_ready():
            self._goal, self._asking = None, False

    def _snapshot(self) -> list[Event]:
        board = self.board
        if board is None:
            return []
        with self._lock:
            return board.snapshot()

    def _on_command(self, command: Event) -> None:
        """On the server's thread."""
        if self.executor is not None:
            self.executor.create_task(self.guarded("the page", self._obey), command)

    def _obey(self, command: Event) -> None:
        if command.get("do") == "measure":
            self._measure(command)
        elif command.get("do") == "stop" and self._goal is not None:
            self._goal.cancel_goal_async()

    def _measure(self, command: Event) -> None:
        if self._client is None or not self._client.server_is_ready():
            self._refuse(NOT_READY)
            return
        if self._asking or self._goal is not None:
            self._refuse("a measurement goes on already: stop it first")
            return
        face, seconds, vitals = command.get("face"), command.get("seconds"), command.get("vitals")
        if not (_is_name(face) and _is_duration(seconds) and isinstance(vitals, int) and 0 <= vitals <= ALL):
            self._refuse(f"a measurement takes 0 to {LONGEST_S:g} seconds")
            return
        goal = action.MeasureVitals.Goal(face_id=face, seconds=float(seconds), vitals=vitals)
        self._asking = True
        sent = self._client.send_goal_async(goal, feedback_callback=self._on_feedback)
        sent.add_done_callback(self.guarded("measure_vitals", self._on_accepted))

    def _on_accepted(self, future: Any) -> None:
        self._asking, goal = False, future.result()
        if not goal.accepted:
            self._refuse("the measurement was refused")
            return
        self._goal = goal
        self._goal.get_result_async().add_done_callback(self.guarded("measure_vitals", self._on_done))

    def _on_done(self, future: Any) -> None:
        """What it came to is told by the topic `measurement`, but for one that never began."""
        self._goal = None
        answer = future.result()
        if answer.status == GoalStatus.STATUS_ABORTED and not answer.result.measurement.header.stamp.sec:
            self._refuse(answer.result.measurement.message)

    def _on_feedback(self, message: Any) -> None:
        told = message.feedback
        rates = {
            vital.value: rate_event(rate_from(getattr(told, RATE_TOPICS[vital]), vital))
            for vital in Vital
            if getattr(told, RATE_TOPICS[vital]).header.stamp.sec
        }
        event = {"progress": round(told.progress, 3), "face": told.face_id, "advice": told.advice, "rates": rates}
        self._tell(lambda board: board.take_feedback(event))

    def _refuse(self, text: str) -> None:
        self._tell(lambda board: board.refused(text))


def _is_name(face: object) -> TypeGuard[str]:
    return isinstance(face, str) and len(face) <= MAX_ID and "\0" not in face


def _is_duration(seconds: object) -> TypeGuard[float]:
    return isinstance(seconds, int | float) and 0 <= seconds <= LONGEST_S  # false for NaN


def make_nodes() -> list[Node]:
    """The node of this executable."""
    return [MonitorNode()]


def main(args: list[str] | None = None) -> int:
    """Entry point of `ros2 run rppg_ros monitor`."""
    return run_nodes(make_nodes, args)


if __name__ == "__main__":
    sys.exit(main())

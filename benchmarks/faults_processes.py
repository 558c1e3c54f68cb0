"""face_tracker and vitals in processes of their own, a camera and a listener over real DDS, for faults_graph.py."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psutil
from diagnostic_msgs.msg import DiagnosticArray
from faults_judge import FPS, THERMAL_FPS, Judge, Outcome, scene
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import RATE_TYPES, from_time, to_header
from rppg_ros.nodes.video_messages import image_message
from rppg_ros.sources.base import RGB, THERMAL, StreamFrame
from rppg_ros.types import NS_PER_S, Status, Vital

BEGINS_S, LASTS_S, AFTER_S = 18.0, 8.0, 24.0
START_S = 60.0  # for the nodes to be there
NAME_AFTER_S = 3.0
END_S = 10.0  # for a node to end
NODES = ("face_tracker", "vitals")
TRACKER = ("thermal.scale:=0.01", "thermal.offset:=-273.15")
OTHER = f"fps={FPS:g},thermal_fps=0,seed=8,heart_rate=96,seconds=60"
TOPICS = {RGB: "image", THERMAL: "thermal/image"}
RATES = {Vital.BVP: "heart_rate", Vital.RSP: "respiration_rate"}

Edit = Callable[[StreamFrame, int], int | None]
"""A frame and its stamp, during the fault; the stamp to send it with, None: it is not sent."""


@dataclass(slots=True)
class Case:
    """A fault of the graph.

    Attributes
    ----------
    edit : what becomes of the frames meanwhile.
    begin, end : what else is done at its beginning and at its end.
    parameters : of both nodes.
    """

    group: str
    fault: str
    edit: Edit = lambda frame, stamp_ns: stamp_ns
    begin: Callable[[Graph], None] = lambda graph: None
    end: Callable[[Graph], None] = lambda graph: None
    begins_s: float = BEGINS_S
    lasts_s: float = LASTS_S
    after_s: float = AFTER_S
    fps: float = FPS
    unknowable: tuple[Vital, ...] = ()
    needed: tuple[Vital, ...] = (Vital.BVP,)
    expected: bool = True
    parameters: tuple[str, ...] = ()


@dataclass(slots=True)
class Graph:
    """The nodes' processes, a camera and a listener.

    Attributes
    ----------
    said : what /diagnostics said at WARN or above, by scene time.
    note : figures for the table.
    """

    case: Case
    judge: Judge
    node: Node
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    said: list[tuple[float, str]] = field(default_factory=list)
    base_ns: int = 0
    began_s: float = 0.0
    note: str = ""
    died: str = ""
    usage: dict[str, tuple[float, int, int]] = field(default_factory=dict)
    extra: list[object] = field(default_factory=list)

    def at_s(self) -> float:
        """Scene time."""
        return time.monotonic() - self.began_s if self.began_s else -1.0

    def start(self, name: str) -> None:
        """Start a node."""
        given = (*self.case.parameters, *(TRACKER if name == "face_tracker" else ()))
        options = [part for one in given for part in ("-p", one)]
        command = [sys.executable, "-m", f"rppg_ros.nodes.{name}", "--ros-args", "--log-level", "fatal", *options]
        self.processes[name] = subprocess.Popen(command)

    def on_rate(self, vital: Vital, message: msg.HeartRate | msg.RespirationRate) -> None:
        """Judge it."""
        at_s = self.at_s()
        if at_s > 0:
            age_s = at_s - (from_time(message.header.stamp) - self.base_ns) / NS_PER_S
            self.judge.take(vital, at_s, Status(message.status), message.value, message.window, max(age_s, 0.0))

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        """Keep what is wrong."""
        for status in message.status:
            if status.level != b"\0":
                self.said.append((self.at_s(), f"{status.name}: {status.message}"))

    def named(self) -> str:
        """What was said of the fault and not before it."""
        begins_s, ends_s = self.judge.begins_s, self.judge.ends_s
        before = {_kind(text) for at_s, text in self.said if 5 < at_s <= begins_s}
        now = [text for at_s, text in self.said if begins_s < at_s <= ends_s + NAME_AFTER_S]
        return next((text for text in now if _kind(text) not in before), "")

    def measure(self, when: str) -> None:
        """Keep memory (MB), threads and descriptors of both nodes together."""
        found = [psutil.Process(process.pid) for process in self.processes.values()]
        memory = sum(one.memory_info().rss for one in found) / 1e6
        self.usage[when] = memory, sum(one.num_threads() for one in found), sum(one.num_fds() for one in found)


def _kind(text: str) -> str:
    return "".join(character for character in text if not character.isdigit())


def play(case: Case) -> Outcome:
    """Play one case."""
    ends_s = case.begins_s + case.lasts_s
    seconds = ends_s + case.after_s
    text = f"fps={case.fps:g},thermal_fps={THERMAL_FPS:g},seed=3,seconds={max(seconds, 51.0):g}"
    frames, vitals = scene(text)
    outcome = Outcome(case.group, case.fault, expected=case.expected)
    node = Node("faults")
    truths = [vitals, scene(OTHER)[1]] if case.fault.startswith("two publishers") else [vitals]
    graph = Graph(case, Judge(truths, case.begins_s, ends_s, case.unknowable, case.needed), node)
    publishers = {stream: node.create_publisher(Image, topic, qos.CAMERAS) for stream, topic in TOPICS.items()}
    for vital, topic in RATES.items():
        node.create_subscription(
            RATE_TYPES[vital], topic, lambda message, vital=vital: graph.on_rate(vital, message), qos.VITALS
        )
    node.create_subscription(DiagnosticArray, "/diagnostics", graph.on_diagnostics, 50)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    spinner = threading.Thread(target=_spin, args=(executor,), daemon=True)
    spinner.start()
    try:
        for name in NODES:
            graph.start(name)
        deadline = time.monotonic() + START_S
        while not (node.count_publishers("heart_rate") and publishers[RGB].get_subscription_count()):
            if time.monotonic() > deadline:
                raise TimeoutError("the nodes did not start")
            time.sleep(0.1)
        time.sleep(1.5)  # image_input.py changes over to reliable delivery
        _send(graph, frames, publishers, seconds)
        for name, process in graph.processes.items():
            if process.poll() is not None:
                outcome.died = f"{name} ended with {process.returncode}"
    except Exception as error:
        outcome.died = f"{type(error).__name__}: {error}"
    finally:
        outcome.died = outcome.died or graph.died or _end(graph.processes)
        executor.shutdown()
        spinner.join(5.0)
        node.destroy_node()
    outcome.wrong, outcome.recovery_s = graph.judge.wrong, graph.judge.recovery_s()
    outcome.named, outcome.note = graph.named(), graph.note
    return outcome


def _spin(executor: SingleThreadedExecutor) -> None:
    try:
        executor.spin()
    except ExternalShutdownException:
        return


def _send(graph: Graph, frames: tuple[StreamFrame, ...], publishers: Mapping[str, object], seconds: float) -> None:
    case, judge = graph.case, graph.judge
    graph.base_ns, graph.began_s = time.time_ns(), time.monotonic()
    begun = ended = False
    for frame in frames:
        at_s = frame.stamp_ns / NS_PER_S
        if at_s > seconds:
            return
        time.sleep(max(0.0, at_s - graph.at_s()))
        if not begun and at_s >= judge.begins_s:
            begun = True
            case.begin(graph)
        if begun and not ended and at_s >= judge.ends_s:
            ended = True
            case.end(graph)
        stamp_ns: int | None = graph.base_ns + frame.stamp_ns
        if begun and not ended:
            stamp_ns = case.edit(frame, stamp_ns)
        if stamp_ns is not None:
            publishers[frame.stream].publish(image_message(frame, to_header(stamp_ns, "camera"), "rgb8"))


def _end(processes: Mapping[str, subprocess.Popen[bytes]]) -> str:
    """SIGINT to all; what did not end as it should."""
    found = ""
    for process in processes.values():
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    for name, process in processes.items():
        try:
            code = process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = "no end"
        if code:
            found = f"{name}: {code} after SIGINT"
    return found

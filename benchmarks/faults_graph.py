"""Faults over real DDS, at true speed (groups 1, 2, 6, 16 to 20, 23, 27)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import rclpy
from faults_judge import FPS, Outcome, scene
from faults_processes import OTHER, Case, Edit, Graph, play
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sensor_msgs.msg import Image

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import to_header
from rppg_ros.nodes.video_messages import image_message
from rppg_ros.sources.base import RGB, THERMAL, StreamFrame
from rppg_ros.types import NS_PER_S, Vital

PROFILE = Path(__file__).parents[1] / "config" / "fastdds_shared_memory.xml"


def _stop(stream: str) -> Edit:
    return lambda frame, stamp_ns: None if frame.stream == stream else stamp_ns


def _stand_still() -> Edit:
    held: list[int] = []

    def edit(frame: StreamFrame, stamp_ns: int) -> int:
        if frame.stream != RGB:
            return stamp_ns
        held.append(stamp_ns)
        return held[0]

    return edit


def _signal(name: str, number: signal.Signals) -> Callable[[Graph], None]:
    return lambda graph: graph.processes[name].send_signal(number)


def _kill(name: str) -> Callable[[Graph], None]:
    def act(graph: Graph) -> None:
        graph.processes[name].kill()
        graph.processes[name].wait()
        graph.start(name)

    return act


def _cycle(graph: Graph) -> None:
    """Down and up again by the services, five times, while images come."""
    client = graph.node.create_client(ChangeState, "/vitals/change_state")
    steps = (
        Transition.TRANSITION_DEACTIVATE,
        Transition.TRANSITION_CLEANUP,
        Transition.TRANSITION_CONFIGURE,
        Transition.TRANSITION_ACTIVATE,
    )

    def act() -> None:
        for step in steps * 5:
            future = client.call_async(ChangeState.Request(transition=Transition(id=step)))
            deadline = time.monotonic() + 5
            while not future.done() and time.monotonic() < deadline:
                time.sleep(0.01)
            if not future.done() or not future.result().success:
                graph.died = f"transition {step} failed"

    threading.Thread(target=act, daemon=True).start()


def _second_camera(graph: Graph) -> None:
    publisher = graph.node.create_publisher(Image, "image", qos.CAMERAS)
    others = [frame for frame in scene(OTHER)[0] if frame.stream == RGB]
    ending = threading.Event()
    graph.extra.append(ending)

    def act() -> None:
        for frame in others:
            if ending.wait(1 / FPS):
                break
            stamp_ns = graph.base_ns + round(graph.at_s() * NS_PER_S)
            publisher.publish(image_message(frame, to_header(stamp_ns, "other"), "rgb8"))

    threading.Thread(target=act, daemon=True).start()


def _no_second_camera(graph: Graph) -> None:
    for ending in graph.extra:
        ending.set()


def _hostile_crops(graph: Graph) -> None:
    publisher = graph.node.create_publisher(msg.FaceCrops, "face_crops", qos.CROPS)
    nan = float("nan")
    faces = [
        [msg.FaceCrop(face_id="a", width=nan, height=10.0, size=36, crop_scale=1.5, data=[0] * 36 * 36 * 3)],
        [msg.FaceCrop(face_id=str(i)) for i in range(1000)],
        [msg.FaceCrop(face_id="a"), msg.FaceCrop(face_id="a")],
        [msg.FaceCrop(face_id="x" * 1_000_000)],
        [msg.FaceCrop(face_id="a", size=65535)],
    ]
    header = to_header(graph.base_ns + round(graph.at_s() * NS_PER_S), "hostile")
    for one in faces * 3:
        publisher.publish(msg.FaceCrops(header=header, faces=one))


def _figures(graph: Graph) -> None:
    graph.measure("end")
    (m0, t0, f0), (m1, t1, f1) = graph.usage["begin"], graph.usage["end"]
    graph.note = f"{m1 - m0:+.1f} MB, {t1 - t0:+d} threads, {f1 - f0:+d} descriptors"


def cases(seconds: float) -> tuple[Case, ...]:
    """All; `seconds` is the length of group 27's."""
    without_clock = ("use_sim_time:=true",)
    return (
        Case("1", "RGB camera stops for 8 s (DDS)", _stop(RGB)),
        Case("2", "thermal camera stops for 8 s (DDS)", _stop(THERMAL)),
        Case("6", "RGB stamps stand still (DDS)", _stand_still(), unknowable=(Vital.BVP,)),
        Case(
            "16", "vitals gets no CPU for 8 s", begin=_signal("vitals", signal.SIGSTOP),
            end=_signal("vitals", signal.SIGCONT), expected=False,
        ),
        Case(
            "16", "face_tracker gets no CPU for 8 s", begin=_signal("face_tracker", signal.SIGSTOP),
            end=_signal("face_tracker", signal.SIGCONT),
        ),
        Case("17", "SIGKILL of vitals, started again", begin=_kill("vitals"), expected=False),
        Case("17", "SIGKILL of face_tracker, started again", begin=_kill("face_tracker"), expected=False),
        Case("18", "vitals down and up five times", begin=_cycle, expected=False),
        Case(
            "19", "use_sim_time without /clock", begins_s=0.0, lasts_s=25.0, after_s=0.0, unknowable=(Vital.BVP,), needed=(),
            parameters=without_clock,
        ),
        Case("20", "two publishers on the image topic for 8 s", begin=_second_camera, end=_no_second_camera),
        Case("23", "hostile face_crops", begin=_hostile_crops, lasts_s=2.0),
        Case(
            "27", f"{seconds:g} s at 30 fps", begin=lambda graph: graph.measure("begin"), end=_figures, lasts_s=seconds,
            after_s=4.0, fps=30.0, expected=False,
        ),
    )  # fmt: skip


def outcomes(groups: set[str], seconds: float) -> Iterator[Outcome]:
    """Outcomes of some groups, as they come."""
    chosen = [case for case in cases(seconds) if case.group in groups]
    if not chosen:
        return
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(PROFILE))  # as the launch files do
    rclpy.init()
    try:
        for case in chosen:
            yield play(case)
    finally:
        rclpy.try_shutdown()

"""Two people before one camera, live over DDS: whether each gets their own heart rate; one Markdown table.

    python benchmarks/live_people.py [ENGINE...] [--seconds 40] [--rates 66 92]

face_tracker and vitals run in processes of their own; this one is the camera (true speed), and hears rates and crops.
ENGINE: pos, chrom, or a model.
"""

from __future__ import annotations

import argparse
import math
import signal
import subprocess
import sys
import time
from collections import defaultdict

import numpy as np
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import Image

from rppg_ros import msg
from rppg_ros.inference.factory import ENGINES
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import to_header
from rppg_ros.nodes.video_messages import image_message
from rppg_ros.sources.base import RGB, StreamFrame
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.synthesis.physiology import Vitals
from rppg_ros.types import NS_PER_S, Status

FPS = 15.0
WAIT_S = 60.0  # for the nodes
WITHIN = 5.0


def scenes(rates: list[float], seconds: float) -> tuple[list[np.ndarray], list[Vitals]]:
    """Frames with everybody side by side, and what each body does."""
    sources = [
        DemoSource(
            DemoScene(heart_rate=rate, respiration_rate=12 + 3 * i, seconds=seconds, fps=FPS, thermal_fps=0.0, jitter_s=0.0,
                      drop=0.0, seed=11 + i)
        )
        for i, rate in enumerate(rates)
    ]  # fmt: skip
    frames = [np.hstack([frame.image[::2, ::2] for frame in together]) for together in zip(*sources, strict=False)]
    return frames, [source.vitals for source in sources]


class Listener(Node):
    """Camera, and ears."""

    def __init__(self) -> None:
        super().__init__("live_people")
        self.camera = self.create_publisher(Image, "image", qos.IMAGES)
        self.place: dict[str, float] = {}
        self.heard: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
        self.create_subscription(msg.FaceCrops, "face_crops", self._on_crops, qos.CROPS)
        self.create_subscription(msg.HeartRate, "heart_rate", self._on_rate, qos.VITALS)

    def _on_crops(self, message: msg.FaceCrops) -> None:
        for crop in message.faces:
            self.place[crop.face_id] = crop.x + crop.width / 2

    def _on_rate(self, message: msg.HeartRate) -> None:
        at_s = message.header.stamp.sec + message.header.stamp.nanosec / NS_PER_S
        self.heard[message.face_id].append((at_s, message.value, message.status))


def play(engine: str, frames: list[np.ndarray], bodies: list[Vitals]) -> list[str]:
    """One engine's rows."""
    node = Listener()
    chosen = ["-p", f"{'engine' if engine in ENGINES else 'model'}:={engine}"]
    nodes = [
        subprocess.Popen([sys.executable, "-m", f"rppg_ros.nodes.{name}", "--ros-args", "--log-level", "error", *extra])
        for name, extra in (("face_tracker", ["-p", f"max_faces:={len(bodies)}"]), ("vitals", chosen))
    ]
    try:
        wait_until_there(node)
        began_s, began_ns = time.monotonic(), time.time_ns()
        for i, frame in enumerate(frames):
            while time.monotonic() - began_s < i / FPS:
                rclpy.spin_once(node, timeout_sec=0.005)
            stamp_ns = began_ns + round(i * NS_PER_S / FPS)
            shown = StreamFrame(RGB, stamp_ns, frame, "rgb8")
            node.camera.publish(image_message(shown, to_header(stamp_ns, "camera"), "rgb8"))
        until = time.monotonic() + 4
        while time.monotonic() < until:
            rclpy.spin_once(node, timeout_sec=0.05)
    finally:
        for process in nodes:
            process.send_signal(signal.SIGINT)
        for process in nodes:
            process.wait(20)
    rows = said(engine, node, bodies, began_ns / NS_PER_S, frames[0].shape[1])
    node.destroy_node()
    return rows


def wait_until_there(node: Listener) -> None:
    """Until both nodes listen and speak."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        rclpy.spin_once(node, timeout_sec=0.1)
        if node.camera.get_subscription_count() and node.count_publishers("heart_rate"):
            time.sleep(1.0)
            return
    raise SystemExit("the nodes are not there")


def said(engine: str, node: Listener, bodies: list[Vitals], began_s: float, width: int) -> list[str]:
    """A row for each person: what the ids at their place were given."""
    rows = []
    for i, body in enumerate(bodies):
        ids = [name for name, x in node.place.items() if int(x * len(bodies) / width) == i]
        given, right, errors = 0, 0, []
        seconds = [(at_s - began_s, value, status) for name in ids for at_s, value, status in node.heard[name]]
        for at_s, value, status in seconds:
            if status == Status.OK.value and at_s > 1:
                truth = body.mean_rate("heart_rate", max(0.0, at_s - 10), at_s)
                errors.append(abs(value - truth))
                given, right = given + 1, right + (errors[-1] <= WITHIN)
        numbers = [(at_s, value) for at_s, value, status in seconds if status == Status.OK.value]
        others = [
            np.mean(
                [
                    abs(value - other.mean_rate("heart_rate", max(0.0, at_s - 10), at_s)) <= WITHIN
                    for at_s, value in numbers
                ]
            )
            for j, other in enumerate(bodies)
            if j != i and numbers
        ]
        mae = f"{np.mean(errors):.1f}" if errors else "-"
        first = min((a for a, _, s in seconds if s == Status.OK.value), default=math.nan)
        whose = f"{100 * max(others):.0f}" if others else "-"
        rate = body.mean_rate("heart_rate", 1, 30)
        rows.append(f"| {engine} | {rate:.1f} | {len(ids)} | {given} | {right} | {mae} | {whose} | {first:.1f} |")
    return rows


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engines", nargs="*", default=["pos", "mmrphys-rgb", "phasenet-causal"])
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--rates", type=float, nargs="+", default=[66.0, 92.0])
    args = parser.parse_args()
    frames, bodies = scenes(args.rates, args.seconds)
    rclpy.init()
    print(
        "| engine | true rate | face ids | numbers | right within 5 | MAE | within 5 of the other, % | first after, s |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for engine in args.engines:
        print("\n".join(play(engine, frames, bodies)), flush=True)
    rclpy.shutdown()


if __name__ == "__main__":
    main()

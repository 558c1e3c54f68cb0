"""Cost of each stage, frames dropped and latency of face_tracker and vitals on a live 640x480 RGB + 160x120 thermal stream.

    python benchmarks/stages.py [--seconds 40] [--model FILE.onnx] [--fps 30] [--composed]

A sender process plays a pre-rendered made-up person at true speed over DDS; face_tracker and vitals run in processes of
their own, as `ros2 run` starts them. CPU is what the operating system accounts to each process, divided by frames sent;
stages inside come from the nodes' own diagnostics (thread CPU time). Latency is from an image's stamp (set when it is
sent, on the same clock) to the arrival of the waveform sample of that stamp at a third process.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from sensor_msgs.msg import Image

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import from_time, to_header
from rppg_ros.nodes.video_messages import image_message
from rppg_ros.sources.base import RGB
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.types import NS_PER_S

LOOP_S = 8.0  # of pre-rendered frames, played forth and back: rendering must not share the cores
WARM_UP_S = 10.0


class Sender(Node):
    """Plays frames at their times, stamped when they are sent."""

    def __init__(self, fps: float) -> None:
        super().__init__("bench_sender")
        self._topics = {
            RGB: self.create_publisher(Image, "image", qos.CAMERAS),
            "thermal": self.create_publisher(Image, "thermal/image", qos.CAMERAS),
        }
        scene = DemoScene(seconds=LOOP_S, fps=fps, thermal_fps=fps, jitter_s=0.0, drop=0.0)
        frames = list(DemoSource(scene))
        self._messages = [(f.stream, f.stamp_ns, image_message(f, to_header(0, "camera"), "rgb8")) for f in frames]
        self._back = [(s, round(2 * LOOP_S * NS_PER_S) - t, m) for s, t, m in reversed(self._messages)]

    def play(self, seconds: float) -> int:
        """Send for that long; returns RGB frames sent."""
        began, sent, turn = time.monotonic(), 0, 0
        while True:
            for stream, stamp_ns, message in [*self._messages, *self._back]:
                due = began + turn * 2 * LOOP_S + stamp_ns / NS_PER_S
                if due - began > seconds:
                    return sent
                time.sleep(max(0.0, due - time.monotonic()))
                message.header.stamp = self.get_clock().now().to_msg()
                self._topics[stream].publish(message)
                sent += stream == RGB
            turn += 1


class Watcher(Node):
    """Counts crops, times waveform samples, keeps the newest diagnostics."""

    def __init__(self) -> None:
        super().__init__("bench_watcher")
        self.latency_s: list[float] = []
        self.chunks = 0
        self.values: dict[str, dict[str, str]] = {}
        self.create_subscription(msg.Bvp, "bvp", self._on_bvp, qos.VITALS)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def _on_bvp(self, chunk: msg.Bvp) -> None:
        now_ns = self.get_clock().now().nanoseconds
        stamps = from_time(chunk.header.stamp) + np.arange(len(chunk.samples)) * NS_PER_S / chunk.rate_hz
        self.latency_s += list((now_ns - stamps) / NS_PER_S)
        self.chunks += 1

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        for status in array.status:
            self.values[status.name] = {pair.key: pair.value for pair in status.values}


def start(module: str, parameters: dict[str, str]) -> psutil.Popen:
    """A node process."""

    arguments = [part for name, value in parameters.items() for part in ("-p", f"{name}:={value}")]
    command = [sys.executable, "-m", f"rppg_ros.nodes.{module}", "--ros-args", "--log-level", "error", *arguments]
    return psutil.Popen(command)


def cpu_s(processes: list[psutil.Popen]) -> list[float]:
    """CPU seconds of each process so far."""
    return [sum(process.cpu_times()[:2]) for process in processes]


def measure(arguments: argparse.Namespace) -> None:
    """Run and print."""
    model = {"model": arguments.model} if arguments.model else {}
    modules = ["vitals_pipeline"] if arguments.composed else ["face_tracker", "vitals"]
    processes = [start(module, model) for module in modules]
    watch = subprocess.Popen(
        [sys.executable, __file__, "--watch", str(arguments.seconds + WARM_UP_S)], stdout=subprocess.PIPE
    )
    try:
        sender = Sender(arguments.fps)
        time.sleep(3)
        sender.play(WARM_UP_S)
        before, began = cpu_s(processes), time.monotonic()
        sent = sender.play(arguments.seconds)
        wall = time.monotonic() - began
        used = [b - a for a, b in zip(before, cpu_s(processes), strict=True)]
        report(modules, used, wall, sent, watch.communicate()[0].decode())
    finally:
        for process in [*processes, watch]:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait(10)


def report(modules: list[str], used: list[float], wall: float, sent: int, watched: str) -> None:
    """The table."""
    print(f"\n{sent} RGB frames in {wall:.1f} s ({sent / wall:.1f} per second), {os.cpu_count()} cores")
    print(f"{'process':<18}{'% of one core':>14}{'ms per frame':>14}")
    for module, seconds in zip(modules, used, strict=True):
        print(f"{module:<18}{100 * seconds / wall:>14.1f}{1e3 * seconds / sent:>14.2f}")
    print(f"{'together':<18}{100 * sum(used) / wall:>14.1f}{1e3 * sum(used) / sent:>14.2f}   target: below 60 %")
    print(watched)


def watch(seconds: float) -> None:
    """The third process: subscribes, then prints what it saw."""
    rclpy.init()
    watcher = Watcher()
    end = time.monotonic() + seconds + 2
    while time.monotonic() < end:
        rclpy.spin_once(watcher, timeout_sec=0.2)
    for name in (
        "face_tracker: faces",
        "face_tracker: rgb",
        "face_tracker: thermal",
        "vitals: engine",
        "vitals: crops",
    ):
        print(name)
        for key, value in watcher.values.get(name, {}).items():
            print(f"    {key:<40}{value}")
    late = np.array(watcher.latency_s[len(watcher.latency_s) // 3 :])
    if len(late):
        low, middle, high = np.percentile(late, [5, 50, 95])
        print(f"latency, image stamp to waveform sample: median {middle:.2f} s, 5..95 % {low:.2f}..{high:.2f} s")
    rclpy.try_shutdown()


def main() -> None:
    """Measure, or watch for the measuring process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--model", default="", help=".onnx model; default: POS")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--composed", action="store_true", help="both nodes in one process")
    parser.add_argument("--watch", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.watch:
        watch(arguments.watch)
        return
    os.environ.setdefault("ROS_DOMAIN_ID", "83")
    rclpy.init()
    measure(arguments)
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()

"""The demo: video_source, face_tracker and vitals in one process with their YAML file, watched by a subscriber."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter
from rich.console import Console
from rich.live import Live

from rppg_ros.nodes.demo_monitor import DemoMonitor
from rppg_ros.nodes.demo_report import judge, measured_table, save_picture
from rppg_ros.nodes.managed import ManagedNode, end_nodes, make_executor
from rppg_ros.nodes.params import ParameterError
from rppg_ros.nodes.share import share_directory
from rppg_ros.nodes.video_source import VideoSource
from rppg_ros.nodes.vitals_pipeline import make_nodes

SETTLE_S = 4.0  # wall time after the last frame: the last window, and the stream going stale
REFRESH_HZ = 4
NO_MODEL = "none"


def run_demo(source: str, model: str, rate: float, output: str, params_file: str) -> int:
    """Play, watch, judge; exit code 0 if every vital with a known truth was measured within its tolerance."""
    console = Console()
    params = Path(params_file) if params_file else share_directory() / "config" / "demo.yaml"
    if not params.is_file():
        console.print(f"[red]{params}: no such file")
        return 2
    playing, measuring = _overrides(source, model, rate)
    rclpy.init(args=["--ros-args", "--params-file", str(params), "-r", "__ns:=/demo", "--log-level", "warn"])
    nodes: list[Node] = []
    try:
        monitor = DemoMonitor()
        source_node = VideoSource(parameter_overrides=playing)
        nodes = [monitor, *make_nodes(vitals_overrides=measuring), source_node]
        _watch(console, nodes, monitor, source_node)
        return _conclude(console, monitor, source_node.error, output)
    except ParameterError as error:
        console.print(f"rppg-ros demo: {error}", style="red", highlight=False, markup=False)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        end_nodes(nodes)


def _overrides(source: str, model: str, rate: float) -> tuple[list[Parameter], list[Parameter]]:
    """This command's options as parameters of video_source and of vitals; they win over the file."""
    chosen = [Parameter("source", value=source), Parameter("rate", value=float(rate))]
    return chosen, [Parameter("model", value="" if model == NO_MODEL else model)] if model else []


def _watch(console: Console, nodes: list[Node], monitor: DemoMonitor, source: VideoSource) -> None:
    executor = make_executor()
    for node in nodes:
        executor.add_node(node)
    for node in nodes:
        if isinstance(node, ManagedNode):
            node.autostart()
            if node.problem:
                raise ParameterError(node.problem)
    spinner = threading.Thread(target=executor.spin, daemon=True)
    spinner.start()
    console.print(
        "video_source → image, thermal/image → face_tracker → vitals → bvp, rsp, heart_rate, respiration_rate"
    )
    try:
        with Live(measured_table(monitor), console=console, refresh_per_second=REFRESH_HZ) as live:
            while not source.done:
                time.sleep(1 / REFRESH_HZ)
                live.update(measured_table(monitor))
            end = time.monotonic() + SETTLE_S
            while time.monotonic() < end and not monitor.settled:
                time.sleep(1 / REFRESH_HZ)
            live.update(measured_table(monitor))
        if not console.is_terminal:
            console.print()  # or the next line would stand behind the table
    finally:
        executor.shutdown()
        spinner.join(5.0)


def _conclude(console: Console, monitor: DemoMonitor, error: str, output: str) -> int:
    if error:
        console.print(f"[red]{error}")
        return 2
    verdict = judge(monitor)
    for line in verdict.lines:
        console.print(line)
    if output:
        save_picture(monitor, output)
        console.print(f"waveforms: {output}")
    return 0 if verdict.passed else 1

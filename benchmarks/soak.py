"""Hours at 30 fps: memory, threads, descriptors, CPU and latency of face_tracker and vitals, ten minutes by ten minutes.

    python benchmarks/soak.py [--minutes 60] [--model mmrphys-rgbt] [--composed] [--csv soak.csv]

The stream is that of stages.py: a pre-rendered made-up person, 640x480 RGB and 160x120 thermal, at true speed over DDS. A third
process asks the operating system every ten seconds, and hears waveforms and rates. The numbers go to the CSV file at once, so a
run that is stopped is not lost; `--table soak.csv` prints the table of what is there.
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import rclpy
from stages import Sender, Watcher, start

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.types import Status

PERIOD_S = 10.0
PART_S = 600.0
WARM_UP_S = 60.0  # imports, first windows
HEADS = (
    "process",
    "minutes",
    "memory, MB",
    "threads",
    "descriptors",
    "CPU, % of a core",
    "latency, s",
    "rates",
    "without a number",
    "images lost",
)
COLUMNS = ("seconds", "process", "rss_mb", "threads", "descriptors", "cpu_percent", "latency_s", "ok", "not_ok", "lost")


class Listener(Watcher):
    """Counts rates, too."""

    def __init__(self) -> None:
        super().__init__()
        self.ok = self.not_ok = 0
        self.create_subscription(msg.HeartRate, "heart_rate", self._on_rate, qos.VITALS)

    def _on_rate(self, rate: msg.HeartRate) -> None:
        if rate.status == Status.OK:
            self.ok += 1
        else:
            self.not_ok += 1

    def news(self) -> tuple[float, int, int]:
        """Median latency, and rates with and without a number, since the last call."""
        found = (float(np.median(self.latency_s)) if self.latency_s else float("nan"), self.ok, self.not_ok)
        self.latency_s, self.ok, self.not_ok = [], 0, 0
        return found

    def lost(self) -> float:
        """RGB images that were lost on the way to face_tracker, so far."""
        return float(self.values.get("face_tracker: rgb", {}).get("frames lost before the node", "nan"))


def watch(pids: list[int], path: Path) -> None:
    """The third process: a line for each process every ten seconds, until one of them ends."""
    rclpy.init()
    listener, processes = Listener(), [psutil.Process(pid) for pid in pids]
    for process in processes:
        process.cpu_percent()
    began = time.monotonic()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        due = began + PERIOD_S
        while all(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes):
            rclpy.spin_once(listener, timeout_sec=0.2)
            if time.monotonic() < due:
                continue
            due += PERIOD_S
            latency_s, ok, not_ok = listener.news()
            for process in processes:
                with process.oneshot():
                    name = process.cmdline()[2].rpartition(".")[2]
                    used = (
                        process.memory_info().rss / 1e6,
                        process.num_threads(),
                        process.num_fds(),
                        process.cpu_percent(),
                    )
                writer.writerow(
                    [f"{time.monotonic() - began:.0f}", name, *used, latency_s, ok, not_ok, listener.lost()]
                )
            file.flush()


def table(path: Path) -> None:
    """Means of each ten minutes, process by process."""
    rows = list(csv.DictReader(path.open()))
    print(f"| {' | '.join(HEADS)} |\n|{'|'.join(['---'] * 2 + ['---:'] * (len(HEADS) - 2))}|")
    for name in dict.fromkeys(row["process"] for row in rows):
        of_process = [row for row in rows if row["process"] == name and float(row["seconds"]) > WARM_UP_S]
        last = max((float(row["seconds"]) for row in of_process), default=0.0)
        for part in range(int(last // PART_S) + 1):
            here = [row for row in of_process if part * PART_S <= float(row["seconds"]) < (part + 1) * PART_S]
            if not here:
                continue
            mean = {c: np.nanmean([float(row[c]) for row in here]) for c in COLUMNS[2:7]}
            given, silent = (sum(int(row[c]) for row in here) for c in ("ok", "not_ok"))
            print(
                f"| {name} | {10 * part} to {10 * (part + 1)} | {mean['rss_mb']:.1f} | {mean['threads']:.1f} |"
                f" {mean['descriptors']:.1f} | {mean['cpu_percent']:.1f} | {mean['latency_s']:.2f} | {given + silent} |"
                f" {silent} | {float(here[-1]['lost']):.0f} |"
            )


def soak(arguments: argparse.Namespace) -> None:
    """Run the nodes, the stream and the watching process."""
    modules = ["vitals_pipeline"] if arguments.composed else ["face_tracker", "vitals"]
    model = {"model": arguments.model} if arguments.model else {}
    processes = [start(module, model if module != "face_tracker" else {}) for module in modules]
    pids = [str(process.pid) for process in processes]
    watcher = subprocess.Popen([sys.executable, __file__, "--csv", str(arguments.csv), "--watch", *pids])
    try:
        sender = Sender(30.0)
        time.sleep(3)
        sender.play(60 * arguments.minutes)
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait(10)
        watcher.wait(30)
    table(arguments.csv)


def main() -> None:
    """Soak, watch for the soaking process, or print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--model", default="mmrphys-rgbt", help="shipped model or .onnx file; empty: POS")
    parser.add_argument("--composed", action="store_true", help="both nodes in one process")
    parser.add_argument("--csv", type=Path, default=Path("soak.csv"))
    parser.add_argument("--table", type=Path, help="print the table of a CSV file, and do nothing else")
    parser.add_argument("--watch", type=int, nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.table:
        table(arguments.table)
        return
    os.environ.setdefault("ROS_DOMAIN_ID", "84")
    if arguments.watch:
        watch(arguments.watch, arguments.csv)
        return
    rclpy.init()
    soak(arguments)
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()

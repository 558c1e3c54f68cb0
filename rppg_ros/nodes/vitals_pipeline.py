"""vitals_pipeline: face_tracker and vitals in one process and one executor; crops do not cross DDS unless somebody listens."""

from __future__ import annotations

import sys
from typing import Any

from rclpy.node import Node

from rppg_ros.nodes.face_tracker import FaceTrackerNode
from rppg_ros.nodes.managed import run_nodes
from rppg_ros.nodes.vitals import VitalsNode


def make_nodes(**kwargs: Any) -> list[Node]:
    """Both nodes, vitals first so that it is there when the first crop comes."""
    vitals = VitalsNode(subscribe=False, **kwargs)
    return [vitals, FaceTrackerNode(sink=vitals.take_crops, **kwargs)]


def main(args: list[str] | None = None) -> int:
    """Entry point of `ros2 run rppg_ros vitals_pipeline`."""
    return run_nodes(make_nodes, args)


if __name__ == "__main__":
    sys.exit(main())

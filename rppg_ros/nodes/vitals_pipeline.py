"""vitals_pipeline: face_tracker and vitals in one process and one executor; crops do not cross DDS unless somebody listens."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rclpy.parameter import Parameter

from rppg_ros.nodes.face_tracker import FaceTrackerNode
from rppg_ros.nodes.managed import ManagedNode, run_nodes
from rppg_ros.nodes.vitals import VitalsNode
from rppg_ros.settings.nodes import TrackerNodeSettings, VitalsNodeSettings
from rppg_ros.settings.schema import settings_of


def make_nodes(
    tracker_overrides: Sequence[Parameter] = (), vitals_overrides: Sequence[Parameter] = ()
) -> list[ManagedNode]:
    """Both nodes, vitals first so that it is there when the first crop comes.

    Parameters
    ----------
    tracker_overrides, vitals_overrides : start values of their parameters, besides those of the command line.
    """
    # `--ros-args -p model:=...` reaches both.
    of_tracker, of_vitals = settings_of(TrackerNodeSettings), settings_of(VitalsNodeSettings)
    vitals = VitalsNode(subscribe=False, also_known=of_tracker, parameter_overrides=list(vitals_overrides))
    tracker = FaceTrackerNode(sink=vitals.take_crops, also_known=of_vitals, parameter_overrides=list(tracker_overrides))
    vitals.on_request = tracker.take_request
    return [vitals, tracker]


def main(args: list[str] | None = None) -> int:
    """Entry point of `ros2 run rppg_ros vitals_pipeline`."""
    return run_nodes(make_nodes, args)


if __name__ == "__main__":
    sys.exit(main())

"""ROS adapters: parameters, QoS, messages, lifecycle, diagnostics. No maths."""

import os
import signal
import sys

# `python -m rppg_ros.nodes.vitals` imports this first. While modules are imported there is nothing to clean up, and a traceback
# tells nobody anything; the executables of `ros2 run` do the same. run_nodes takes over.
if sys.argv[:1] == ["-m"]:
    for _ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_ending, lambda *_: os._exit(0))

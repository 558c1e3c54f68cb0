"""Elapsed time of a node: simulated where /clock runs, that of the host where there is none."""

from __future__ import annotations

import time
from collections.abc import Callable

STANDING_S = 3.0  # of the host's time without a tick of /clock: simulated time stands still


class ElapsedTime:
    """Seconds that only grow; from one source of time to the other they go on where they were.

    Parameters
    ----------
    simulated : whether the node follows /clock. clock_ns : its ROS time, nanoseconds.
    publishers : number of publishers of /clock.
    monotonic : the host's time, seconds; for tests.
    """

    def __init__(
        self,
        simulated: Callable[[], bool],
        clock_ns: Callable[[], int],
        publishers: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._simulated, self._clock_ns, self._publishers = simulated, clock_ns, publishers
        self._monotonic = monotonic
        self._host_s, self._ros_ns = monotonic(), clock_ns()
        self._ticked_s = self._host_s
        self._elapsed_s = 0.0

    def seconds(self) -> float:
        """Elapsed time. A paused simulation stands still; /clock that nobody publishes does not stop it."""
        host_s = self._monotonic()
        step_s = host_s - self._host_s
        if self._simulated():  # asking ROS for the time costs something, and this is asked for each image
            step_s = self._simulated_step(step_s, host_s)
        self._host_s = host_s
        self._elapsed_s += step_s
        return self._elapsed_s

    def _simulated_step(self, step_s: float, host_s: float) -> float:
        ros_ns = self._clock_ns()
        if ros_ns != self._ros_ns:
            self._ticked_s = host_s
        if self._publishers():
            step_s = max(0, ros_ns - self._ros_ns) / 1e9
        self._ros_ns = ros_ns
        return step_s

    @property
    def clockless(self) -> bool:
        """Whether simulated time is wanted, and nobody gives it."""
        return self._simulated() and not self._publishers()

    @property
    def complaint(self) -> str:
        """What is wrong with the node's time; empty if nothing is."""
        if not self._simulated():
            return ""
        self.seconds()
        if self.clockless:
            return "use_sim_time is set, and nobody publishes /clock"
        return "/clock stands still" if self._host_s - self._ticked_s > STANDING_S else ""

"""Time that passes when it is waited for, and no sooner: pace is tested without a wall clock."""

from __future__ import annotations

from collections.abc import Callable

from support.graph import wait_for


class VirtualClock:
    """A clock of the video player.

    Parameters
    ----------
    settled : time stands still until it holds: what was sent has arrived.
    """

    def __init__(self, settled: Callable[[], bool] = lambda: True):
        self.now_s, self.settled = 100.0, settled

    def monotonic(self):
        return self.now_s

    def wait(self, event, seconds):
        wait_for(lambda: event.is_set() or self.settled(), what="the arrival of what was sent")
        self.now_s += seconds

"""How old what comes is: a node that was held up finds a queue of messages whose stamps are long past."""

from __future__ import annotations

from rppg_ros.types import NS_PER_S

HELD_UP_S = 1.0  # between two messages whose stamps are not that far apart
CATCHING_UP = 1.5  # stamps that pass so many times faster than time: the queue is worked off


class Lateness:
    """Times of arrival and stamps in; seconds by which the newest message is late out.

    Stamps may be of any clock and pass at any speed (a replay): only a pause in the arrivals that the stamps do not have makes
    messages late, and only as long as they come faster than they were sent. A source that paused and goes on is not late.
    """

    def __init__(self) -> None:
        self._at_s: float | None = None
        self._stamp_ns = 0
        self._late_s = 0.0

    def push(self, at_s: float, stamp_ns: int) -> None:
        """A message came.

        Parameters
        ----------
        at_s : when, in seconds of the host's time.
        """
        if self._at_s is not None:
            step_s, stamp_s = at_s - self._at_s, (stamp_ns - self._stamp_ns) / NS_PER_S
            if step_s - stamp_s > HELD_UP_S:
                self._late_s = step_s - stamp_s
            elif stamp_s < 0 or stamp_s <= CATCHING_UP * step_s:
                self._late_s = 0.0
            else:
                self._late_s = max(0.0, self._late_s - (stamp_s - step_s))
        self._at_s, self._stamp_ns = at_s, stamp_ns

    @property
    def seconds(self) -> float:
        """How late the newest message is."""
        return self._late_s

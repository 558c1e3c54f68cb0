"""What the middleware's own numbers of messages say: how many were lost on the way, and whether several nodes send."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from rppg_ros.types import NS_PER_S

NUMBER, CAME = "publication_sequence_number", "received_timestamp"
LATELY_S = 5.0
SEVERAL = 3  # returns in that time to a count that was left: a sender that was started again makes none
MAX_GAP = 100_000  # messages; a larger step is another sender's count
COUNTS = 4  # that are remembered
USUAL_HZ = 30.0  # of a middleware that does not say when messages came
NEAR = 200  # messages: a number that is no further above a count that was left goes on with it


class Arrivals:
    """Numbers of the messages of one topic, as they come; each publisher counts its own from one.

    Attributes
    ----------
    total, lost : messages that came, and that were sent before the newest and did not.
    """

    def __init__(self) -> None:
        self.total = self.lost = 0
        self._last: int | None = None
        self._left: deque[int] = deque(maxlen=COUNTS)  # last numbers of counts that another one interrupted
        self._returns: deque[float] = deque(maxlen=SEVERAL)  # when
        self._now_s = 0.0

    def push(self, info: Mapping[str, object] | None) -> None:
        """Take the info of the next message; a middleware that does not number messages gives None in it."""
        self.total += 1
        number, came_ns = (None if info is None else info.get(name) for name in (NUMBER, CAME))
        known = isinstance(came_ns, int) and came_ns > 0
        self._now_s = came_ns / NS_PER_S if known else self.total / USUAL_HZ  # type: ignore[operator]
        if not isinstance(number, int) or number <= 0:
            return
        if self._last is not None:
            self._follow(self._last, number)
        self._last = number

    def _follow(self, last: int, number: int) -> None:
        left = min((one for one in self._left if 0 < number - one <= NEAR), key=lambda one: number - one, default=None)
        step = number - last
        if step == 1 or (left is None and 1 < step < MAX_GAP):
            self.lost += step - 1 if not self.several else 0
            return
        if left is not None and (step <= 0 or number - left < step):
            self._left.remove(left)
            self._returns.append(self._now_s)
        self._left.append(last)

    def restart(self) -> None:
        """The next message comes over another subscription: what was not heard in between is not lost."""
        self._last = None

    @property
    def several(self) -> bool:
        """Whether more than one node sends."""
        return len(self._returns) == SEVERAL and self._now_s - self._returns[0] <= LATELY_S

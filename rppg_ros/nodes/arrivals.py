"""What the middleware's own numbers of messages say: how many were lost on the way, and whether several nodes send."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

REMEMBERED = 30  # messages
SEVERAL = 3  # of them whose number is not above the one before: a sender that was started again makes one
MAX_GAP = 100_000  # messages; a larger step is another sender's count


class Arrivals:
    """Numbers of the messages of one topic, as they come; each publisher counts its own from one.

    Attributes
    ----------
    total, lost : messages that came, and that were sent before the newest and did not.
    """

    def __init__(self) -> None:
        self.total = self.lost = 0
        self._last: int | None = None
        self._falls: deque[bool] = deque(maxlen=REMEMBERED)

    def push(self, info: Mapping[str, object] | None) -> None:
        """Take the info of the next message; a middleware that does not number messages gives None in it."""
        self.total += 1
        number = None if info is None else info.get("publication_sequence_number")
        if not isinstance(number, int) or number <= 0:
            return
        if self._last is not None:
            step = number - self._last
            self._falls.append(step <= 0)
            if 1 < step < MAX_GAP and not self.several:
                self.lost += step - 1
        self._last = number

    def restart(self) -> None:
        """The next message comes over another subscription: what was not heard in between is not lost."""
        self._last = None

    @property
    def several(self) -> bool:
        """Whether more than one node sends."""
        return sum(self._falls) >= SEVERAL

"""Pairs each RGB frame with the thermal frame nearest in time; the RGB stream sets the pace and is never held up for long."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

from rppg_ros.types import NS_PER_S

Lead = TypeVar("Lead")
Follower = TypeVar("Follower")

DEAD_AFTER_S = 1.0  # a follower this far behind the lead is not waited for
PERIODS_REMEMBERED = 9


@dataclass(frozen=True, slots=True)
class Pair(Generic[Lead, Follower]):
    """A lead frame and its nearest follower, if one was near enough; offset_ns is follower minus lead."""

    stamp_ns: int
    lead: Lead
    follower: Follower | None
    follower_stamp_ns: int = 0

    @property
    def offset_ns(self) -> int | None:
        return None if self.follower is None else self.follower_stamp_ns - self.stamp_ns


class LeadPairing(Generic[Lead, Follower]):
    """Every lead frame leaves exactly once, in order, with the nearest follower within `max_offset_s`, or none.

    A lead waits for a follower only while a nearer one than those known may still come: not when a follower at or after it
    is there, not when it lies within half a period after the last follower, not for a follower that stopped, and never
    longer than `max_wait_s` of the lead's own time.

    Parameters
    ----------
    max_offset_s : largest time between the two frames of a pair, seconds.
    max_wait_s : longest wait, seconds on the lead's stamps.
    queue_size : frames kept of each stream.
    """

    def __init__(self, max_offset_s: float, max_wait_s: float, queue_size: int) -> None:
        if queue_size < 1:
            raise ValueError(f"queue_size must be at least 1, not {queue_size}")
        self.tune(max_offset_s, max_wait_s)
        self._queue_size = queue_size
        self._leads: deque[tuple[int, Lead]] = deque()
        self._followers: deque[tuple[int, Follower]] = deque(maxlen=queue_size)
        self._periods: deque[int] = deque(maxlen=PERIODS_REMEMBERED)

    def tune(self, max_offset_s: float, max_wait_s: float) -> None:
        """Change the limits; ValueError for negative ones."""
        if max_offset_s < 0 or max_wait_s < 0:
            raise ValueError(f"max_offset_s {max_offset_s} and max_wait_s {max_wait_s} must not be negative")
        self._max_offset_ns = round(max_offset_s * NS_PER_S)
        self._max_wait_ns = round(max_wait_s * NS_PER_S)

    def push_lead(self, stamp_ns: int, item: Lead) -> list[Pair[Lead, Follower]]:
        """Take the next lead frame (stamps must rise); returns the pairs that are now decided."""
        self._leads.append((stamp_ns, item))
        return self._decide()

    def push_follower(self, stamp_ns: int, item: Follower) -> list[Pair[Lead, Follower]]:
        """Take the next follower frame (stamps must rise); returns the pairs that are now decided."""
        if self._followers:
            self._periods.append(stamp_ns - self._followers[-1][0])
        self._followers.append((stamp_ns, item))
        return self._decide()

    def flush(self) -> list[Pair[Lead, Follower]]:
        """Pair all waiting leads with what is known."""
        return [self._pair(*self._leads.popleft()) for _ in range(len(self._leads))]

    def reset(self) -> None:
        """Forget everything; after a jump back in time."""
        self._leads.clear()
        self.reset_followers()

    def reset_followers(self) -> None:
        """Forget the followers alone; after a jump back of their clock."""
        self._followers.clear()
        self._periods.clear()

    def _decide(self) -> list[Pair[Lead, Follower]]:
        pairs = []
        while self._leads and (len(self._leads) > self._queue_size or not self._worth_waiting(self._leads[0][0])):
            pairs.append(self._pair(*self._leads.popleft()))
        return pairs

    def _worth_waiting(self, stamp_ns: int) -> bool:
        if not self._followers:
            return False
        newest_follower = self._followers[-1][0]
        newest_lead = self._leads[-1][0]
        if newest_follower >= stamp_ns or newest_lead - newest_follower > DEAD_AFTER_S * NS_PER_S:
            return False
        if self._periods and stamp_ns - newest_follower <= median(self._periods) / 2:
            return False
        return newest_lead - stamp_ns < self._max_wait_ns

    def _pair(self, stamp_ns: int, lead: Lead) -> Pair[Lead, Follower]:
        if self._followers:
            near_ns, near = min(self._followers, key=lambda entry: abs(entry[0] - stamp_ns))
            if abs(near_ns - stamp_ns) <= self._max_offset_ns:
                return Pair(stamp_ns, lead, near, near_ns)
        return Pair(stamp_ns, lead, None)

"""message_filters' synchronisers, for machines where that package is not installed. Same names, same arguments.

Messages are anything with `header.stamp` (sec, nanosec). Differences to the original: a callback runs outside the lock and
may raise without harm, messages too old to match are evicted by age, and time that jumps back clears the queues.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rppg_ros.sync.stamps import REORDER_WINDOW_S
from rppg_ros.types import NS_PER_S


def _stamp_ns(message: Any) -> int:
    stamp = message.header.stamp
    return int(stamp.sec) * NS_PER_S + int(stamp.nanosec)


class SimpleFilter:
    """Something that hands messages on to callbacks."""

    def __init__(self) -> None:
        self.callbacks: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def registerCallback(self, cb: Callable[..., Any], *args: Any) -> int:  # noqa: N802
        """Call cb(*messages, *args) for each message or matched set."""
        self.callbacks.append((cb, args))
        return len(self.callbacks) - 1

    def signalMessage(self, *messages: Any) -> None:  # noqa: N802
        """Hand messages on."""
        for cb, args in self.callbacks:
            cb(*messages, *args)


class ApproximateTimeSynchronizer(SimpleFilter):
    """Sets of messages, one of each filter, whose stamps differ by less than `slop` from the newest arrival's.

    Parameters
    ----------
    fs : input filters.
    queue_size : messages kept of each.
    slop : seconds.
    """

    def __init__(self, fs: list[Any], queue_size: int, slop: float, allow_headerless: bool = False) -> None:
        super().__init__()
        if allow_headerless:
            raise ValueError("allow_headerless: a message without a stamp cannot be synchronised here")
        self.slop_ns = round(slop * NS_PER_S)
        self.queue_size = queue_size
        self._lock = threading.Lock()
        self._queues: list[dict[int, Any]] = [{} for _ in fs]
        for index, source in enumerate(fs):
            source.registerCallback(self._add, index)

    def _add(self, message: Any, index: int) -> None:
        stamp_ns = _stamp_ns(message)
        with self._lock:
            if self._queues[index] and stamp_ns < max(self._queues[index]) - REORDER_WINDOW_S * NS_PER_S:
                for queue in self._queues:
                    queue.clear()
            self._queues[index][stamp_ns] = message
            matched = self._match(stamp_ns, index)
            for queue in self._queues:
                while len(queue) > self.queue_size:
                    del queue[min(queue)]
        if matched:
            self.signalMessage(*matched)

    def _match(self, stamp_ns: int, index: int) -> list[Any] | None:
        stamps = []
        for other, queue in enumerate(self._queues):
            near = stamp_ns if other == index else min(queue, key=lambda s: abs(s - stamp_ns), default=None)
            if near is None or not self._within(near - stamp_ns):
                return None
            stamps.append(near)
        matched = [queue[stamp] for queue, stamp in zip(self._queues, stamps, strict=True)]
        for queue, used in zip(self._queues, stamps, strict=True):  # what is older than a match can match no more
            for stamp in [s for s in queue if s <= used]:
                del queue[stamp]
        return matched

    def _within(self, difference_ns: int) -> bool:
        return abs(difference_ns) < self.slop_ns or difference_ns == 0


class TimeSynchronizer(ApproximateTimeSynchronizer):
    """Sets of messages with equal stamps."""

    def __init__(self, fs: list[Any], queue_size: int) -> None:
        super().__init__(fs, queue_size, 0.0)

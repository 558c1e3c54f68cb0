"""The pairing policies behind one face: what arrives of both cameras in, pairs out, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Generic, Protocol, TypeVar

from rppg_ros.sync import filters
from rppg_ros.sync.pairing import LeadPairing, Pair
from rppg_ros.types import NS_PER_S

Item = TypeVar("Item")
RGB, THERMAL = "rgb", "thermal"


def _stamped(stamp_ns: int) -> Any:
    """A header as rppg_ros.sync.filters reads it."""
    return SimpleNamespace(stamp=SimpleNamespace(sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S))


@dataclass(frozen=True, slots=True)
class SyncLibrary:
    """message_filters, or what stands in for it.

    Attributes
    ----------
    simple_filter, exact, approximate : its classes SimpleFilter, TimeSynchronizer and ApproximateTimeSynchronizer.
    header : makes a header with a stamp, in nanoseconds, that they can read.
    """

    simple_filter: Callable[[], Any] = filters.SimpleFilter
    exact: Callable[..., Any] = filters.TimeSynchronizer
    approximate: Callable[..., Any] = filters.ApproximateTimeSynchronizer
    header: Callable[[int], Any] = _stamped


class Pairing(Protocol[Item]):
    """A policy."""

    def push(self, stream: str, stamp_ns: int, item: Item) -> list[Pair[Item, Item]]:
        """Take what came next of "rgb" or "thermal" (stamps of each must rise); returns the pairs that are now decided."""
        ...

    def flush(self) -> list[Pair[Item, Item]]:
        """Pairs of what still waits; at the end of a recording."""
        ...

    def reset(self, stream: str) -> None:
        """The stream's clock jumped back."""
        ...

    def tune(self, max_offset_s: float, max_wait_s: float) -> None:
        """Change the limits while frames flow."""
        ...


class RgbLeads(Generic[Item]):
    """Every RGB image goes on, with the nearest thermal image if there is one."""

    def __init__(self, pairs: LeadPairing[Item, Item]) -> None:
        self._pairs = pairs

    def push(self, stream: str, stamp_ns: int, item: Item) -> list[Pair[Item, Item]]:
        """See Pairing."""
        take = self._pairs.push_lead if stream == RGB else self._pairs.push_follower
        return take(stamp_ns, item)

    def flush(self) -> list[Pair[Item, Item]]:
        """See Pairing."""
        return self._pairs.flush()

    def reset(self, stream: str) -> None:
        """Forget what cannot be compared any more."""
        if stream == RGB:
            self._pairs.reset()
        else:
            self._pairs.reset_followers()

    def tune(self, max_offset_s: float, max_wait_s: float) -> None:
        """See Pairing."""
        self._pairs.tune(max_offset_s, max_wait_s)


class Synchronised(Generic[Item]):
    """message_filters' approximate or exact synchroniser: only images that have a partner go on.

    Parameters
    ----------
    exact : only equal stamps; else stamps less than `max_offset_s` apart.
    queue_size : images kept of each camera.
    """

    def __init__(self, library: SyncLibrary, exact: bool, max_offset_s: float, queue_size: int) -> None:
        self._library, self._exact = library, exact
        self._max_offset_s, self._queue_size = max_offset_s, queue_size
        self._matched: list[Pair[Item, Item]] = []
        self._build()

    def push(self, stream: str, stamp_ns: int, item: Item) -> list[Pair[Item, Item]]:
        """See Pairing."""
        message = SimpleNamespace(header=self._library.header(stamp_ns), stamp_ns=stamp_ns, item=item)
        self._inputs[stream].signalMessage(message)
        matched, self._matched = self._matched, []
        return matched

    def flush(self) -> list[Pair[Item, Item]]:
        """Nothing: an image that has no partner yet gets none."""
        return []

    def reset(self, stream: str) -> None:
        """Begin with new queues: message_filters keeps what is newer than now for ever."""
        self._build()

    def tune(self, max_offset_s: float, max_wait_s: float) -> None:
        """Begin with new queues of another tolerance; this policy knows no wait."""
        if max_offset_s != self._max_offset_s:
            self._max_offset_s = max_offset_s
            self._build()

    def _build(self) -> None:
        self._inputs = {RGB: self._library.simple_filter(), THERMAL: self._library.simple_filter()}
        inputs = list(self._inputs.values())
        if self._exact:
            self._sync = self._library.exact(inputs, self._queue_size)
        else:
            self._sync = self._library.approximate(inputs, self._queue_size, self._max_offset_s)
        self._sync.registerCallback(self._take)

    def _take(self, rgb: Any, thermal: Any) -> None:
        self._matched.append(Pair(rgb.stamp_ns, rgb.item, thermal.item, thermal.stamp_ns))


def make_pairing(
    policy: str, max_offset_s: float, max_wait_s: float, queue_size: int, library: SyncLibrary | None = None
) -> Pairing[Any]:
    """The policy of that name: rgb_leads, approximate or exact."""
    if policy == "rgb_leads":
        return RgbLeads(LeadPairing(max_offset_s, max_wait_s, queue_size))
    return Synchronised(library or SyncLibrary(), policy == "exact", max_offset_s, queue_size)

"""The three pairing policies behind one face: messages of both cameras in, pairs to a callback."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

from rppg_ros.nodes.message_sync import ApproximateTimeSynchronizer, SimpleFilter, TimeSynchronizer
from rppg_ros.nodes.messages import from_time
from rppg_ros.sync.pairing import LeadPairing, Pair

POLICIES = ("rgb_leads", "approximate", "exact")
OnPair = Callable[[Pair[Any, Any]], None]


class Pairing(Protocol):
    """A policy."""

    def push(self, stream: str, message: Any) -> None:
        """Take the next message of "rgb" or "thermal"."""

    def reset(self, stream: str) -> None:
        """The stream's clock jumped back."""


def make_pairing(params: SimpleNamespace, on_pair: OnPair) -> Pairing:
    """The policy that the parameters name; RGB leads where there is no thermal camera to wait for."""
    if params.pairing_policy == "rgb_leads" or not params.thermal_enabled:
        return RgbLeads(params, on_pair)
    return Synchroniser(params, on_pair)


class RgbLeads:
    """Every RGB image goes on, with the nearest thermal image if there is one."""

    def __init__(self, params: SimpleNamespace, on_pair: OnPair) -> None:
        p = params
        self._pairs: LeadPairing[Any, Any] = LeadPairing(p.pairing_max_offset, p.pairing_max_wait, p.pairing_queue_size)
        self._on_pair = on_pair

    def push(self, stream: str, message: Any) -> None:
        """Take the next message."""
        take = self._pairs.push_lead if stream == "rgb" else self._pairs.push_follower
        for pair in take(from_time(message.header.stamp), message):
            self._on_pair(pair)

    def reset(self, stream: str) -> None:
        """Forget what cannot be compared any more."""
        if stream == "rgb":
            self._pairs.reset()
        else:
            self._pairs.reset_followers()


class Synchroniser:
    """message_filters' approximate or exact synchroniser: only images that have a partner go on."""

    def __init__(self, params: SimpleNamespace, on_pair: OnPair) -> None:
        self._params = params
        self._on_pair = on_pair
        self._build()

    def push(self, stream: str, message: Any) -> None:
        """Take the next message."""
        self._inputs[stream].signalMessage(message)

    def reset(self, stream: str) -> None:
        """Begin with new queues: message_filters keeps what is newer than now for ever."""
        self._build()

    def _build(self) -> None:
        p = self._params
        self._inputs = {"rgb": SimpleFilter(), "thermal": SimpleFilter()}
        filters = list(self._inputs.values())
        if p.pairing_policy == "exact":
            self._sync = TimeSynchronizer(filters, p.pairing_queue_size)
        else:
            self._sync = ApproximateTimeSynchronizer(filters, p.pairing_queue_size, p.pairing_max_offset)
        self._sync.registerCallback(self._matched)

    def _matched(self, rgb: Any, thermal: Any) -> None:
        stamp_ns, thermal_ns = from_time(rgb.header.stamp), from_time(thermal.header.stamp)
        self._on_pair(Pair(stamp_ns, rgb, thermal, thermal_ns))

"""A plain subscriber that keeps what the demo shows: rates, waveforms, the truth, the delay."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
from rclpy.node import Node

from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import RATE_TYPES, WAVEFORM_TYPES, from_time
from rppg_ros.types import NS_PER_S, Kind, Status

RATE_TOPICS = {Kind.BVP: "heart_rate", Kind.RSP: "respiration_rate"}
SETTLED_SILENT = 2  # stale or faceless messages in a row after which nothing more will come


class DemoMonitor(Node):
    """Collects the vitals' topics and their ground truth.

    Attributes
    ----------
    rates, truth : messages of each kind, in order.
    waves, true_waves : (stamps in ns, samples) of each kind.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("demo_monitor", **kwargs)
        self.rates: dict[Kind, list[Any]] = {kind: [] for kind in Kind}
        self.truth: dict[Kind, list[Any]] = {kind: [] for kind in Kind}
        self._chunks: dict[tuple[str, Kind], list[Any]] = defaultdict(list)
        self._silent = 0
        for kind in Kind:
            self._listen(RATE_TYPES[kind], RATE_TOPICS[kind], lambda m, kind=kind: self._on_rate(kind, m))
            self._listen(RATE_TYPES[kind], f"ground_truth/{RATE_TOPICS[kind]}", self.truth[kind].append)
            self._listen(WAVEFORM_TYPES[kind], str(kind), self._chunks["measured", kind].append)
            self._listen(WAVEFORM_TYPES[kind], f"ground_truth/{kind}", self._chunks["truth", kind].append)

    @property
    def settled(self) -> bool:
        """Whether the nodes have said that nothing comes any more."""
        return self._silent >= SETTLED_SILENT

    def wave(self, which: str, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
        """Stamps (n,) int64 ns and samples (n,) of "measured" or "truth"."""
        stamps, samples = [np.zeros(0, np.int64)], [np.zeros(0)]
        for chunk in list(self._chunks[which, kind]):
            steps = np.round(np.arange(len(chunk.samples)) * NS_PER_S / chunk.rate_hz).astype(np.int64)
            stamps.append(from_time(chunk.header.stamp) + steps)
            samples.append(np.asarray(chunk.samples))
        return np.concatenate(stamps), np.concatenate(samples)

    def true_mean(self, kind: Kind, message: Any) -> float:
        """Mean true rate over the window that a measured rate is about; NaN if there is no truth."""
        end_ns = from_time(message.header.stamp)
        start_ns = end_ns - message.window * NS_PER_S
        # Each truth message is the mean over its own window; their mean over ours is near enough for a display.
        values = [
            m.value for m in self.truth[kind] if start_ns + NS_PER_S < from_time(m.header.stamp) <= end_ns + NS_PER_S
        ]
        return float(np.mean(values)) if values else math.nan

    def _listen(self, kind: type, topic: str, callback: Any) -> None:
        self.create_subscription(kind, topic, callback, qos.VITALS)

    def _on_rate(self, kind: Kind, message: Any) -> None:
        self.rates[kind].append(message)
        gone = message.status in (Status.STALE, Status.NO_FACE) and self.rates[kind][0] is not message
        self._silent = self._silent + 1 if gone else 0

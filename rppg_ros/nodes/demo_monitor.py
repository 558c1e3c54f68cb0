"""A plain subscriber that keeps what the demo shows: rates, waveforms, the truth, the delay."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
from rclpy.node import Node

from rppg_ros.nodes import qos
from rppg_ros.nodes.face_topics import RATE_TOPICS
from rppg_ros.nodes.messages import RATE_TYPES, WAVEFORM_TYPES, from_time
from rppg_ros.types import NS_PER_S, Status, Vital

SETTLED_SILENT = 2  # stale or faceless messages in a row after which nothing more will come


class DemoMonitor(Node):
    """Collects the vitals' topics and their ground truth.

    Attributes
    ----------
    rates, truth : messages of each vital, in order.
    waves, true_waves : (stamps in ns, samples) of each vital.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("demo_monitor", **kwargs)
        self.rates: dict[Vital, list[Any]] = {vital: [] for vital in Vital}
        self.truth: dict[Vital, list[Any]] = {vital: [] for vital in Vital}
        self._chunks: dict[tuple[str, Vital], list[Any]] = defaultdict(list)
        self._silent = 0
        for vital in Vital:
            self._listen(RATE_TYPES[vital], RATE_TOPICS[vital], lambda m, vital=vital: self._on_rate(vital, m))
            self._listen(RATE_TYPES[vital], f"ground_truth/{RATE_TOPICS[vital]}", self.truth[vital].append)
            self._listen(WAVEFORM_TYPES[vital], str(vital), self._chunks["measured", vital].append)
            self._listen(WAVEFORM_TYPES[vital], f"ground_truth/{vital}", self._chunks["truth", vital].append)

    @property
    def settled(self) -> bool:
        """Whether the nodes have said that nothing comes any more."""
        return self._silent >= SETTLED_SILENT

    def wave(self, which: str, vital: Vital) -> tuple[np.ndarray, np.ndarray]:
        """Stamps (n,) int64 ns and samples (n,) of "measured" or "truth"."""
        stamps, samples = [np.zeros(0, np.int64)], [np.zeros(0)]
        for chunk in list(self._chunks[which, vital]):
            steps = np.round(np.arange(len(chunk.samples)) * NS_PER_S / chunk.rate_hz).astype(np.int64)
            stamps.append(from_time(chunk.header.stamp) + steps)
            samples.append(np.asarray(chunk.samples))
        return np.concatenate(stamps), np.concatenate(samples)

    def true_mean(self, vital: Vital, message: Any) -> float:
        """Mean true rate over the window that a measured rate is about; NaN if there is no truth."""
        end_ns = from_time(message.header.stamp)
        start_ns = end_ns - message.window * NS_PER_S
        # Each truth message is the mean over its own window; their mean over ours is near enough for a display.
        values = [
            m.value for m in self.truth[vital] if start_ns + NS_PER_S < from_time(m.header.stamp) <= end_ns + NS_PER_S
        ]
        return float(np.mean(values)) if values else math.nan

    def _listen(self, message_type: type, topic: str, callback: Any) -> None:
        self.create_subscription(message_type, topic, callback, qos.VITALS)

    def _on_rate(self, vital: Vital, message: Any) -> None:
        self.rates[vital].append(message)
        gone = message.status in (Status.STALE, Status.NO_FACE) and self.rates[vital][0] is not message
        self._silent = self._silent + 1 if gone else 0

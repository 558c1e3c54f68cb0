"""Ground truth of the made-up person, beside its frames: rates once a second, waveforms in chunks."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node

from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import RATE_TYPES, WAVEFORM_TYPES, rate_message, waveform_message
from rppg_ros.synthesis.physiology import Vitals
from rppg_ros.types import NS_PER_S, Rate, Status, Vital, Waveform

PERIOD_S = 1.0
RATE_HZ = 30.0
MODEL = "truth"
RATES = {Vital.BVP: "heart_rate", Vital.RSP: "respiration_rate"}
WINDOW_S = 10.0


class TruthPublisher:
    """ground_truth/{heart_rate,respiration_rate,bvp,rsp} of a source that knows."""

    def __init__(self, node: Node, vitals: Vitals) -> None:
        self._vitals = vitals
        self._done_s = 0.0
        self._rates = {
            vital: node.create_publisher(RATE_TYPES[vital], f"ground_truth/{name}", qos.VITALS)
            for vital, name in RATES.items()
        }
        self._waves = {
            vital: node.create_publisher(WAVEFORM_TYPES[vital], f"ground_truth/{vital}", qos.VITALS) for vital in Vital
        }

    def frame(self, stamp_ns: int, media_ns: int) -> None:
        """A frame was sent, `media_ns` into the recording; publish what is due."""
        media_s = media_ns / NS_PER_S
        if media_s < self._done_s:  # looped
            self._done_s = 0.0
        if media_s < self._done_s + PERIOD_S:
            return
        start_ns = stamp_ns - round((media_s - self._done_s) * NS_PER_S)
        times = self._done_s + np.arange(int((media_s - self._done_s) * RATE_HZ)) / RATE_HZ
        for vital in Vital:
            samples = np.asarray(self._vitals.at(vital.value, times), np.float32)
            wave = Waveform(vital, "", start_ns, RATE_HZ, samples, 1.0, MODEL)
            self._waves[vital].publish(waveform_message(wave, ""))
            value = self._vitals.mean_rate(RATES[vital], max(0.0, media_s - WINDOW_S), media_s)
            rate = Rate(vital, "", stamp_ns, value, 0.0, 60.0, 1.0, Status.OK, min(WINDOW_S, media_s), MODEL)
            self._rates[vital].publish(rate_message(rate, ""))
        self._done_s += len(times) / RATE_HZ

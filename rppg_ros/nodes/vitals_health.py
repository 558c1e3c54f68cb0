"""What the vitals node says of itself in /diagnostics."""

from __future__ import annotations

from typing import Protocol

from rppg_ros.meter.vitals import VitalsHalf
from rppg_ros.nodes.diagnostics import Health, Meter
from rppg_ros.nodes.worker import Worker
from rppg_ros.settings.nodes import VitalsNodeSettings
from rppg_ros.sync.stamps import Verdict
from rppg_ros.types import Rate, Vital
from rppg_ros.vitals.registry import RATES


class Vitals(Protocol):
    """What is looked at of a vitals node."""

    settings: VitalsNodeSettings
    half: VitalsHalf | None
    worker: Worker | None
    meter: Meter
    last_ns: int
    unusable: int
    errors: int
    complaint: str
    lags: dict[Vital, float]
    last_rates: dict[tuple[Vital, str], Rate]

    def surprise_health(self, health: Health) -> Health:
        """Health with the callbacks that failed."""
        ...

    def lifecycle_health(self) -> Health | None:
        """Health while there is nothing else to report, None while active."""
        ...

    def age(self) -> float:
        """Seconds since the last crops."""
        ...

    def resolve_topic_name(self, topic: str) -> str:
        """Name of a topic, after remapping."""
        ...


class VitalsHealth:
    """Health of the parts of a vitals node."""

    def __init__(self, node: Vitals) -> None:
        self._node = node

    def crops(self) -> Health:
        """Of the crops that come in."""
        node = self._node
        health = node.lifecycle_health()
        if health is not None or node.half is None:
            return health or Health()
        counts = node.half.guard.counts
        health = Health(message=f"{len(node.half.faces)} face(s)")
        health.values = {
            "frames per second": node.meter.rate(),
            "faces": len(node.half.faces),
            "messages that could not be used": node.unusable,
            **{f"stamps {verdict.value}": counts[verdict] for verdict in Verdict},
        }
        if not node.last_ns and not counts[Verdict.UNSET]:
            health.warn(f"nothing received on {node.resolve_topic_name('face_crops')}")
        elif counts[Verdict.UNSET] and not node.last_ns:
            health.error("face_crops come without a stamp (header.stamp is 0)")
        elif node.age() > node.settings.stale_after:
            health.warn(f"no face_crops for {node.age():.1f} s")
        for why in node.half.too_slow:
            health.warn(why)
        return node.surprise_health(health)

    def engine(self) -> Health:
        """Of the engine and its worker."""
        node = self._node
        health = node.lifecycle_health()
        if health is not None or node.half is None or node.worker is None:
            return health or Health()
        worker, half = node.worker, node.half
        health = Health(message=half.engine.name)
        health.values = {
            "model": node.settings.model or half.engine.name,
            "windows done": worker.done,
            "windows dropped": worker.dropped,
            "windows waiting": worker.waiting,
            "milliseconds per window": 1e3 * worker.busy_s / max(worker.done, 1),
            "errors": node.errors,
            **{f"{vital} lag behind the newest frame, s": lag for vital, lag in node.lags.items()},
        }
        for (vital, face), rate in node.last_rates.items():
            if face in half.faces:
                health.values[f"{RATES[vital].name} {face}"] = f"{rate.per_minute:.1f} {rate.status.name}"
        if worker.dropped:
            health.warn(f"{worker.dropped} windows dropped: the network is slower than the camera")
        if node.complaint:
            health.error(node.complaint)
        return health

"""What the vitals node says of itself in /diagnostics."""

from __future__ import annotations

import math
from typing import Protocol

from rppg_ros.inference.providers import CPU, fell_back
from rppg_ros.meter.vitals import VitalsHalf
from rppg_ros.nodes.arrivals import Arrivals
from rppg_ros.nodes.diagnostics import Health, Meter, Recent
from rppg_ros.nodes.worker import Worker
from rppg_ros.reason_texts import advice, meaning
from rppg_ros.settings.nodes import VitalsNodeSettings
from rppg_ros.sync.stamps import Verdict
from rppg_ros.types import Rate, Status, Vital
from rppg_ros.vitals.registry import RATES

SENDER_S = 4.0  # after its start, a sender is expected to be heard


class Vitals(Protocol):
    """What is looked at of a vitals node."""

    settings: VitalsNodeSettings
    half: VitalsHalf | None
    worker: Worker | None
    meter: Meter
    arrivals: Arrivals
    last_ns: int
    unusable: int
    errors: int
    late_rates: int
    complaint: Recent
    failure: Recent
    lags: dict[Vital, float]
    last_rates: dict[tuple[Vital, str], Rate]

    @property
    def several(self) -> str:
        """That several nodes send crops."""
        ...

    def node_health(self, health: Health) -> Health:
        """Health with what concerns the node as a whole."""
        ...

    def lifecycle_health(self) -> Health | None:
        """Health while there is nothing else to report, None while active."""
        ...

    def age(self) -> float:
        """Seconds since the last crops."""
        ...

    def seconds(self) -> float:
        """The node's elapsed time."""
        ...

    def resolve_topic_name(self, topic: str) -> str:
        """Name of a topic, after remapping."""
        ...

    def count_publishers(self, topic: str) -> int:
        """How many nodes send on a topic."""
        ...


class VitalsHealth:
    """Health of the parts of a vitals node."""

    def __init__(self, node: Vitals) -> None:
        self._node = node
        self._dropped, self._late = Recent(node.seconds), Recent(node.seconds)

    def crops(self) -> Health:
        """Of the crops that come in."""
        node = self._node
        health = node.lifecycle_health()
        if health is not None or node.half is None:
            return health or Health()
        counts, topic = node.half.guard.counts, node.resolve_topic_name("face_crops")
        health = Health(message="faces in view" if node.half.faces else "no face in view")
        health.values = {
            "frames per second": node.meter.rate(),
            "faces": len(node.half.faces),
            "seconds since the last crops": node.age(),
            "messages lost before the node": node.arrivals.lost,
            "messages that could not be used": node.unusable,
            **{f"stamps {verdict.value}": counts[verdict] for verdict in Verdict},
        }
        if not node.last_ns and not counts[Verdict.UNSET]:
            health.warn(f"nothing received on {topic}{self._senders(topic)}")
        elif counts[Verdict.UNSET] and not node.last_ns:
            health.error("face_crops come without a stamp (header.stamp is 0)")
        elif node.age() > node.settings.stale_after:
            health.warn(f"no new frame on {topic}{self._senders(topic)}")
        for why in node.half.too_slow:
            health.warn(why)
        if node.complaint.text:
            health.error(node.complaint.text)
        if node.several:
            health.error(node.several)
        return node.node_health(health)

    def _senders(self, topic: str) -> str:
        if self._node.age() < SENDER_S:
            return ""
        if self._node.count_publishers(topic):
            return ", although a node publishes there: it sends nothing, nothing arrives, or stamps stand still"
        return ", and nobody sends there"

    def engine(self) -> Health:
        """Of the engine and its worker, and the newest rates of the face that has been in view longest."""
        node = self._node
        health = node.lifecycle_health()
        if health is not None or node.half is None or node.worker is None:
            return health or Health()
        worker, half = node.worker, node.half
        wanted, found = (getattr(half.engine, name, CPU) for name in ("wanted_provider", "provider"))
        on = "" if found == CPU else f" on {found}"
        health = Health(message=half.engine.name + on + self._why(half))
        health.values = {
            "windows done": worker.done,
            "windows dropped": worker.dropped,
            "windows waiting": worker.waiting,
            "milliseconds per window": 1e3 * worker.busy_s / max(worker.done, 1),
            "rates that came too late": node.late_rates,
            "errors": node.errors,
            **{f"{vital} lag behind the newest frame, s": lag for vital, lag in node.lags.items()},
            **self._rates(half),
        }
        if fell_back(wanted, found):
            health.warn(f"provider is {wanted}, which is not there: {found} computes the network")
        if self._dropped.counted(worker.dropped, "dropped"):
            health.warn("windows are dropped: the network is slower than the camera")
        if self._late.counted(node.late_rates, "late"):
            health.warn("rates come too late to be given: this machine falls behind, or stamps are of another time")
        if node.failure.text:
            health.error(node.failure.text)
        return health

    def _why(self, half: VitalsHalf) -> str:
        """The weightiest reason why a rate of the first face has no number, and what helps."""
        face = half.faces[0] if half.faces else ""
        texts = []
        for vital in half.engine.vitals:
            rate = self._node.last_rates.get((vital, face))
            if rate is not None and rate.reasons:
                texts.append(f"no {RATES[vital].name}: {meaning(rate.reasons[0])} ({advice(rate.reasons[0])})")
        return "".join(f"; {text}" for text in texts)

    def _rates(self, half: VitalsHalf) -> dict[str, float]:
        face = half.faces[0] if half.faces else ""
        values: dict[str, float] = {}
        for vital in Vital:
            rate, name = self._node.last_rates.get((vital, face)), RATES[vital].name
            given = sum(
                r.status is Status.OK for (v, f), r in self._node.last_rates.items() if v is vital and f in half.faces
            )
            values[f"{name}, per minute"] = math.nan if rate is None else rate.per_minute
            values[f"{name}, status"] = math.nan if rate is None else int(rate.status)
            values[f"{name}, first reason"] = math.nan if rate is None or not rate.reasons else int(rate.reasons[0])
            values[f"faces with a {name}"] = given
        return values

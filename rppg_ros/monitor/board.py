"""What the page shows: the newest of each face, the last hour, and the conditions that hold."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rppg_ros.monitor.conditions import Conditions, Limits
from rppg_ros.reason_texts import WITHOUT_REASON, advice, meaning
from rppg_ros.types import NS_PER_S, Rate, Status, Vital, Waveform

Event = dict[str, Any]
"""One message to the page, as JSON can hold it; "kind" says of what."""

MAX_FACES = 8  # on the page; beyond them those go that were silent longest
TREND_S = 60.0  # one point of the trend
TREND_POINTS = 60
FORGOTTEN_S = 300.0  # of camera time without news of a face
ANEW_S = 60.0  # a stamp that is so much older begins a recording anew
DIGITS = 3


@dataclass(slots=True)
class _Minute:
    start_ns: int
    values: list[float] = field(default_factory=list)

    def point(self) -> list[float | None]:
        """Start in seconds; median, least and largest rate, None where there was none."""
        start_s = self.start_ns / NS_PER_S
        if not self.values:
            return [start_s, None, None, None]
        return [start_s, *(round(one, 1) for one in (median(self.values), min(self.values), max(self.values)))]


@dataclass(slots=True)
class _Face:
    seen_ns: int = 0
    rates: dict[Vital, Rate] = field(default_factory=dict)
    trend: dict[Vital, deque[_Minute]] = field(default_factory=dict)


class Board:
    """Takes what the topics say; gives events for the pages that are open, and a snapshot for one that opens.

    Parameters
    ----------
    limits : of each rate, beyond which there is a physiological condition.
    """

    def __init__(self, limits: Mapping[Vital, Limits]) -> None:
        self._faces: OrderedDict[str, _Face] = OrderedDict()
        self._conditions = Conditions(limits)
        self._measuring: Event | None = None
        self._result: Event | None = None
        self._targets: Event = {"kind": "targets", "faces": []}
        self._now_ns = 0

    @property
    def limits(self) -> Mapping[Vital, Limits]:
        """See Board."""
        return self._conditions.limits

    def snapshot(self) -> list[Event]:
        """All that a page has to know that opens now."""
        out: list[Event] = []
        for face_id, face in self._faces.items():
            out += [rate_event(rate) for rate in face.rates.values()]
            out += [self._trend(face_id, vital) for vital in face.trend]
        out += [event for event in (self._measuring, self._result) if event is not None]
        return [*out, self._targets, self._conditions.event()]

    def take_wave(self, wave: Waveform) -> list[Event]:
        """The next piece of a waveform."""
        if not self._seen(wave.face_id, wave.end_ns):
            return []
        return [
            {
                "kind": "wave",
                "face": wave.face_id,
                "vital": wave.vital.value,
                "start": wave.start_ns / NS_PER_S,
                "rate": wave.rate_hz,
                "samples": [_number(float(sample)) for sample in wave.samples],
                "quality": _number(wave.quality),
            }
        ]

    def take_rate(self, rate: Rate) -> list[Event]:
        """The next rate."""
        anew = rate.stamp_ns < self._now_ns - ANEW_S * NS_PER_S
        self._now_ns = rate.stamp_ns if anew else max(self._now_ns, rate.stamp_ns)
        out: list[Event] = []
        if rate.face_id and self._seen(rate.face_id, rate.stamp_ns):
            self._faces[rate.face_id].rates[rate.vital] = rate
            out.append(rate_event(rate))
            if self._add_to_trend(rate):
                out.append(self._trend(rate.face_id, rate.vital))
        if self._conditions.take(rate):
            out.append(self._conditions.event())
        return out + self._forget()

    def take_targets(self, faces: list[str]) -> list[Event]:
        """Who is measured."""
        if faces == self._targets["faces"]:
            return []
        self._targets = {"kind": "targets", "faces": faces}
        return [self._targets]

    def silence(self, silent: bool) -> list[Event]:
        """Nothing is heard any more: what is shown is old; or something is heard again."""
        if not self._conditions.silent(silent):
            return []
        out: list[Event] = []
        for face in self._faces.values() if silent else ():
            for vital, rate in face.rates.items():
                face.rates[vital] = Rate.unknown(vital, rate.face_id, rate.stamp_ns, Status.STALE, rate.model)
                out.append(rate_event(face.rates[vital]))
        if silent and self._measuring is not None:
            out += self.refused("the measurement was lost: nothing is heard of the node that measures")
        return [*out, self._conditions.event()]

    def take_feedback(self, feedback: Event) -> list[Event]:
        """A measurement goes on."""
        self._measuring = {"kind": "measuring", **feedback}
        return [self._measuring]

    def take_result(self, result: Event) -> list[Event]:
        """A measurement is over."""
        self._measuring, self._result = None, {"kind": "result", **result}
        return [self._result]

    def refused(self, text: str) -> list[Event]:
        """A measurement could not begin."""
        self._measuring = None
        return [{"kind": "refused", "text": text}]

    def _seen(self, face_id: str, stamp_ns: int) -> bool:
        face = self._faces.get(face_id)
        if face is None:
            face = self._faces[face_id] = _Face()
        if stamp_ns < face.seen_ns - ANEW_S * NS_PER_S:
            face = self._faces[face_id] = _Face()
        face.seen_ns = max(face.seen_ns, stamp_ns)
        self._faces.move_to_end(face_id)
        while len(self._faces) > MAX_FACES:
            self._faces.popitem(last=False)
        return face_id in self._faces

    def _forget(self) -> list[Event]:
        gone = [one for one, face in self._faces.items() if self._now_ns - face.seen_ns > FORGOTTEN_S * NS_PER_S]
        for face_id in gone:
            del self._faces[face_id]
        return [{"kind": "gone", "face": face_id} for face_id in gone]

    def _add_to_trend(self, rate: Rate) -> bool:
        """Whether a minute is full, so that the page draws anew."""
        minutes = self._faces[rate.face_id].trend.setdefault(rate.vital, deque(maxlen=TREND_POINTS))
        start_ns = rate.stamp_ns - rate.stamp_ns % round(TREND_S * NS_PER_S)
        new = not minutes or minutes[-1].start_ns != start_ns
        if new:
            minutes.append(_Minute(start_ns))
        if rate.status is Status.OK:
            minutes[-1].values.append(rate.per_minute)
            return new or len(minutes[-1].values) == 1
        return new

    def _trend(self, face_id: str, vital: Vital) -> Event:
        points = [minute.point() for minute in self._faces[face_id].trend[vital]]
        return {"kind": "trend", "face": face_id, "vital": vital.value, "points": points}


def rate_event(rate: Rate) -> Event:
    """A rate in numbers and in words."""
    reasons = [{"text": meaning(reason), "advice": advice(reason)} for reason in rate.reasons]
    if rate.status is not Status.OK and not reasons:
        reasons = [{"text": WITHOUT_REASON[rate.status], "advice": ""}]
    return {
        "kind": "rate",
        "face": rate.face_id,
        "vital": rate.vital.value,
        "stamp": rate.stamp_ns / NS_PER_S,
        "status": rate.status.name,
        "value": _number(rate.per_minute),
        "low": _number(rate.low),
        "high": _number(rate.high),
        "quality": _number(rate.quality),
        "reasons": reasons,
        "model": rate.model,
    }


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return round(value, DIGITS) if math.isfinite(value) else None

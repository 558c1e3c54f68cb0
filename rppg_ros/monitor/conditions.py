"""Conditions in the words of IEC 60601-1-8: technical ones (of the equipment), and physiological ones (of the person).

They are shown, and nothing else: this is no alarm system, and no medical device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rppg_ros.reason_texts import NAMES, WITHOUT_REASON, meaning
from rppg_ros.types import NS_PER_S, Rate, Status, Vital

BEYOND_S = 10.0  # a rate has to be beyond its limits for so long
SILENT_S = 15.0  # ... and to be unknown for so long
SILENCE = "nothing is heard of the node that measures"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a rate, per minute."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high:  # false for NaN
            raise ValueError(f"limits must rise from 0 or more, not {self.low:g} to {self.high:g}")


class Nature(str, Enum):
    """What a condition is of."""

    TECHNICAL = "technical"
    PHYSIOLOGICAL = "physiological"


@dataclass(frozen=True, slots=True)
class Condition:
    """One that holds, or will hold once it has lasted. since_ns : camera time."""

    nature: Nature
    face_id: str
    vital: Vital
    text: str
    since_ns: int


class Conditions:
    """Which conditions hold; one for each rate of each face, and one for a picture without a face."""

    def __init__(self, limits: Mapping[Vital, Limits]) -> None:
        self.limits = dict(limits)
        self._pending: dict[tuple[str, Vital], Condition] = {}
        self._now_ns = 0
        self._shown: list[Condition] = []
        self._is_silent = False

    def take(self, rate: Rate) -> bool:
        """The next rate; whether what is shown has changed."""
        if rate.stamp_ns < self._now_ns - SILENT_S * NS_PER_S:  # time runs anew
            self._pending.clear()
            self._now_ns = rate.stamp_ns
        self._now_ns = max(self._now_ns, rate.stamp_ns)
        if rate.face_id:  # somebody is there
            self._pending.pop(("", rate.vital), None)
        else:  # nobody is: what was known of anybody is over
            self._pending = {key: one for key, one in self._pending.items() if key[1] is not rate.vital or not key[0]}
        self._judge(rate)
        shown = [one for one in self._pending.values() if self._now_ns - one.since_ns >= self._patience_ns(one)]
        changed, self._shown = shown != self._shown, shown
        return changed

    def silent(self, told: bool) -> bool:
        """Whether nothing is heard of the node that measures; whether what is shown has changed."""
        was, self._is_silent = self._is_silent, told
        return was != told

    def event(self) -> dict[str, Any]:
        """For the page."""
        listed = [
            {
                "nature": one.nature.value,
                "face": one.face_id,
                "vital": one.vital.value,
                "text": one.text,
                "since": one.since_ns / NS_PER_S,
            }
            for one in self._shown
        ]
        if self._is_silent:
            listed = [
                {
                    "nature": Nature.TECHNICAL.value,
                    "face": "",
                    "vital": "",
                    "text": SILENCE,
                    "since": self._now_ns / NS_PER_S,
                }
            ]
        return {"kind": "conditions", "conditions": listed}

    def _judge(self, rate: Rate) -> None:
        key, found = (rate.face_id, rate.vital), self._of(rate)
        no_fault = rate.status in (Status.UNSUPPORTED, Status.WARMING_UP)
        if found is None or no_fault or (rate.status is Status.NO_FACE and rate.face_id):
            self._pending.pop(key, None)
            return
        nature, text = found
        before = self._pending.get(key)
        same = before is not None and before.nature is nature
        since_ns = before.since_ns if before is not None and same else rate.stamp_ns
        self._pending[key] = Condition(nature, rate.face_id, rate.vital, text, since_ns)

    def _of(self, rate: Rate) -> tuple[Nature, str] | None:
        name, unit = NAMES[rate.vital]
        if rate.status is not Status.OK:
            why = meaning(rate.reasons[0]) if rate.reasons else WITHOUT_REASON[rate.status]
            return Nature.TECHNICAL, f"no {name}: {why}"
        limits = self.limits.get(rate.vital)
        if limits is None or limits.low <= rate.per_minute <= limits.high:
            return None
        side, limit = ("below", limits.low) if rate.per_minute < limits.low else ("above", limits.high)
        return Nature.PHYSIOLOGICAL, f"{name} {side} {limit:g} {unit}"

    @staticmethod
    def _patience_ns(one: Condition) -> int:
        return round((BEYOND_S if one.nature is Nature.PHYSIOLOGICAL else SILENT_S) * NS_PER_S)

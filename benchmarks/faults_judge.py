"""What a fault did: died? a wrong number? named? how long until it measures again? Shared by benchmarks/faults*.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import cv2

from rppg_ros.sources.base import RGB, StreamFrame
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.synthesis.physiology import Vitals
from rppg_ros.types import Status, Vital

WRONG = {Vital.BVP: 5.0, Vital.RSP: 2.0}  # per minute from the truth
TRUTH = {Vital.BVP: "heart_rate", Vital.RSP: "respiration_rate"}
GRACE_S = 5.0  # a number may still be of the time before the fault
MAX_AGE_S = 6.0  # of a number when it is given: older ones are no news, and must not look like some
WIDTH = 320  # pixels; half of the demo's, to be quick
FPS, THERMAL_FPS = 15.0, 9.0


@dataclass(slots=True)
class Outcome:
    """One line of the table.

    Attributes
    ----------
    died : what ended it; "": nothing.
    wrong : the worst wrong number; "": none.
    named : what it said; "": nothing. `expected` false: there is nothing to name.
    recovery_s : from the fault's end to a number again; None: there is nothing to recover, NaN: never.
    """

    group: str
    fault: str
    died: str = ""
    wrong: str = ""
    named: str = ""
    expected: bool = True
    recovery_s: float | None = None
    note: str = ""

    @property
    def passed(self) -> bool:
        """Nothing died, no wrong number, named, and back."""
        back = self.recovery_s is None or math.isfinite(self.recovery_s)
        return not self.died and not self.wrong and back and (bool(self.named) or not self.expected)


@dataclass(slots=True)
class Judge:
    """Takes rates as they are given, and says what was wrong with them.

    Parameters
    ----------
    truths : of the people in the picture; a rate that fits any of them is right.
    begins_s, ends_s : of the fault, in the scene's time.
    unknowable : vitals that cannot be measured during the fault.
    needed : vitals that must come back.
    """

    truths: list[Vitals]
    begins_s: float
    ends_s: float
    unknowable: tuple[Vital, ...] = ()
    needed: tuple[Vital, ...] = (Vital.BVP,)
    worst: float = 0.0
    wrong: str = ""
    back_s: dict[Vital, float] = field(default_factory=dict)
    lost: set[Vital] = field(default_factory=set)
    ok_s: dict[Vital, float] = field(default_factory=dict)

    def take(self, vital: Vital, at_s: float, status: Status, per_minute: float, window_s: float, age_s: float) -> None:
        """A rate that was given when the scene's time was `at_s`, of a window that ended `age_s` before."""
        if status is not Status.OK:
            if at_s > self.begins_s:
                self.lost.add(vital)
                self.back_s.pop(vital, None) if at_s <= self.ends_s else None
            return
        if at_s > self.begins_s and at_s - self.ok_s.get(vital, at_s) > GRACE_S:  # silence is a loss, too
            self.lost.add(vital)
        self.ok_s[vital] = at_s
        end_s = max(at_s - age_s, 0.1)
        truths = [one.mean_rate(TRUTH[vital], max(0.0, end_s - window_s), end_s) for one in self.truths]
        error = min(abs(per_minute - truth) for truth in truths) if truths else math.inf
        what = f"{TRUTH[vital]} {per_minute:.1f} for {truths[0]:.1f}" if truths else f"{TRUTH[vital]} {per_minute:.1f}"
        if error > WRONG[vital] or math.isnan(error):
            self._blame(error, f"{what} at {at_s - self.begins_s:+.0f} s")
        elif age_s > MAX_AGE_S:
            self._blame(error, f"{what} at {at_s - self.begins_s:+.0f} s, {age_s:.0f} s late")
        elif vital in self.unknowable and self.begins_s + GRACE_S < at_s <= self.ends_s:
            self._blame(error, f"{what} at {at_s - self.begins_s:+.0f} s, where none can be known")
        if end_s > self.ends_s:
            self.back_s.setdefault(vital, at_s)

    def recovery_s(self) -> float | None:
        """Until all that is needed and was lost came back; NaN: never; None: nothing was lost."""
        never = {vital for vital in self.ok_s if vital not in self.back_s}
        lost = [vital for vital in self.needed if vital in self.lost | never]
        if not lost:
            return None
        return max(self.back_s.get(vital, math.nan) - self.ends_s for vital in lost)

    def _blame(self, error: float, text: str) -> None:
        if error >= self.worst or not self.wrong:
            self.worst, self.wrong = error, text


@lru_cache(maxsize=3)
def scene(text: str) -> tuple[tuple[StreamFrame, ...], Vitals]:
    """Frames of the made-up person, reduced in size, and the truth. `text` as after "demo:"."""
    source = DemoSource(DemoScene.from_text(text))
    return tuple(_reduced(source)), source.vitals


def _reduced(source: DemoSource) -> Iterator[StreamFrame]:
    for frame in source:
        if frame.stream != RGB:
            yield frame
            continue
        height = frame.image.shape[0] * WIDTH // frame.image.shape[1]
        image = cv2.resize(frame.image, (WIDTH, height), interpolation=cv2.INTER_AREA)
        yield StreamFrame(frame.stream, frame.stamp_ns, image, frame.encoding)


def markdown(outcomes: list[Outcome]) -> str:
    """The table."""
    lines = ["| # | fault | died? | wrong number? | named? | seconds to recovery |", "|---|---|---|---|---|---|"]
    for o in outcomes:
        if o.recovery_s is None:
            back = "-"
        else:
            back = f"{o.recovery_s:.1f}" if math.isfinite(o.recovery_s) else "**never**"
        named = _cell(o.named) if o.named else ("**no**" if o.expected else "-")
        note = f" ({o.note})" if o.note else ""
        lines.append(f"| {o.group} | {o.fault}{note} | {_bad(o.died)} | {_bad(o.wrong)} | {named} | {back} |")
    passed = sum(o.passed for o in outcomes)
    return "\n".join([*lines, "", f"{passed} of {len(outcomes)} pass."])


def _bad(text: str) -> str:
    return f"**{_cell(text)}**" if text else "no"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())[:140]

"""Publishes /diagnostics once a second (REP-107), from plain functions; diagnostic_updater is not everywhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

PERIOD_S = 1.0
RECENT_S = 10.0  # how long levels speak of what went wrong; counters keep it for ever


@dataclass(slots=True)
class Health:
    """One line of /diagnostics: a stable text, the worst complaint if there is one, and values that are numbers."""

    level: bytes = DiagnosticStatus.OK
    message: str = "OK"
    values: dict[str, float] = field(default_factory=dict)

    def warn(self, message: str) -> None:
        """Complain, unless there is something worse already."""
        self._raise(DiagnosticStatus.WARN, message)

    def error(self, message: str) -> None:
        """Complain loudly."""
        self._raise(DiagnosticStatus.ERROR, message)

    def _raise(self, level: bytes, message: str) -> None:
        if level > self.level:
            self.level, self.message = level, message


class Recent:
    """The newest complaint of some kind, while it is fresh.

    Parameters
    ----------
    now : elapsed time, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, span_s: float = RECENT_S) -> None:
        self._now, self._span_s = now, span_s
        self._text, self._at_s, self._count = "", 0.0, 0

    def note(self, text: str) -> None:
        """It happened."""
        self._text, self._at_s = text, self._now()

    def counted(self, count: int, text: str) -> str:
        """The text while a counter rose lately; else empty."""
        if count > self._count:
            self.note(text)
        self._count = count
        return self.text

    @property
    def text(self) -> str:
        """The newest complaint; empty if it is old, or there was none."""
        return self._text if self._text and self._now() - self._at_s <= self._span_s else ""

    def clear(self) -> None:
        """It is mended."""
        self._text = ""


class Diagnostics:
    """Asks each check once a second of wall time, also while a simulated clock stands still.

    Parameters
    ----------
    checks : name of a part of the node to a function that gives its health.
    """

    def __init__(self, node: Node, checks: dict[str, Callable[[], Health]]) -> None:
        self._node = node
        self._checks = checks
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(PERIOD_S, self.publish, clock=self.clock)

    def publish(self) -> None:
        """Publish the present state."""
        array = DiagnosticArray()
        array.header.stamp = self._node.get_clock().now().to_msg()
        for part, check in self._checks.items():
            array.status.append(self._status(part, check()))
        self._publisher.publish(array)

    def _status(self, part: str, health: Health) -> DiagnosticStatus:
        name = self._node.get_fully_qualified_name().lstrip("/")
        return DiagnosticStatus(
            level=health.level,
            name=f"{name}: {part}",
            message=health.message,
            hardware_id=name,
            values=[KeyValue(key=key, value=_text(value)) for key, value in health.values.items()],
        )


def _text(value: float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class Meter:
    """Counts events; `rate()` is per second of wall time since it was last asked."""

    def __init__(self) -> None:
        self.total = 0
        self._before = 0
        self._asked = time.monotonic()

    def tick(self) -> None:
        """One more."""
        self.total += 1

    def rate(self) -> float:
        """Events per second since the last call."""
        now, before = time.monotonic(), self._before
        elapsed, self._asked, self._before = now - self._asked, now, self.total
        return (self.total - before) / max(elapsed, 1e-6)

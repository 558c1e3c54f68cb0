"""What a field of a dataclass may hold, declared at the field; rppg_ros.checked sees to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Least and most, both allowed: of a number, of a text's length, or of what a dataclass holds.

    Written at the field, as `size: Annotated[int, Limits(1, 1024)]`.
    """

    least: float
    most: float

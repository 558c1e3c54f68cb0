"""What a source is, and how two of them are merged."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

RGB, THERMAL = "rgb", "thermal"


class SourceError(ValueError):
    """A source that cannot be opened or read; names the file."""


@dataclass(frozen=True, slots=True)
class StreamFrame:
    """One frame of one camera.

    Attributes
    ----------
    stream : "rgb" or "thermal".
    stamp_ns : acquisition time; of files without absolute time, since their first frame.
    image : array as `encoding` (a name of sensor_msgs/image_encodings) says.
    """

    stream: str
    stamp_ns: int
    image: np.ndarray
    encoding: str


class FrameSource(Protocol):
    """Frames in order of stamps, read as they are asked for.

    A source may have a `caution`: a sentence for people about what its frames may do to vitals.
    """

    @property
    def name(self) -> str:
        """For messages to people."""

    @property
    def absolute(self) -> bool:
        """Whether stamps are times of the clock, not since the first frame."""

    @property
    def live(self) -> bool:
        """Whether frames come at their own pace."""

    @property
    def has_thermal(self) -> bool:
        """Whether some of the frames are of the thermal camera."""

    @property
    def duration_s(self) -> float | None:
        """About how long it is, for people; None: not known, or without end."""

    def __iter__(self) -> Iterator[StreamFrame]:
        """All frames from the first, each time anew (of what is not live)."""

    def close(self) -> None:
        """Release files and devices."""


class Merged:
    """An RGB and a thermal source as one, ordered by stamp.

    Raises
    ------
    SourceError : one is a camera, has both streams already, or has times of the clock and the other has not.
    """

    live = False
    has_thermal = True

    def __init__(self, rgb: FrameSource, thermal: FrameSource) -> None:
        for part, other in ((rgb, thermal), (thermal, rgb)):
            if part.live:  # waiting for the one's next frame would make a camera's frames late
                raise SourceError(f"{part.name}: a camera is played by a node of its own, not beside {other.name}")
        if rgb.has_thermal:
            raise SourceError(f"{rgb.name} has thermal frames of its own; they cannot be mixed with {thermal.name}'s")
        if rgb.absolute != thermal.absolute:
            raise SourceError(
                f"{rgb.name} and {thermal.name}: one has stamps of the clock, the other counts from its first frame;"
                " they cannot be put in order"
            )
        self._parts = (rgb, thermal)
        self.name = f"{rgb.name} + {thermal.name}"
        self.absolute = rgb.absolute
        self.duration_s = max((part.duration_s for part in self._parts if part.duration_s is not None), default=None)

    def __iter__(self) -> Iterator[StreamFrame]:
        return iter(heapq.merge(*self._parts, key=lambda frame: frame.stamp_ns))

    @property
    def caution(self) -> str:
        """What the RGB source says."""
        return getattr(self._parts[0], "caution", "")

    def close(self) -> None:
        """Release both."""
        for part in self._parts:
            part.close()

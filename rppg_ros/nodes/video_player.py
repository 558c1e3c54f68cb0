"""Paces the frames of a source on a thread of its own: at true speed, faster, or as fast as the subscribers keep up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from rppg_ros.sources.base import RGB, FrameSource, SourceError, StreamFrame
from rppg_ros.types import NS_PER_S

MAX_LAG_S = 0.25  # when overloaded, later frames are paced from now: a burst longer than queues of 10 would be lost


class Gate(Protocol):
    """Says when the next RGB frame may go; used when there is no pace."""

    def wait(self, stamp_ns: int, stopping: threading.Event) -> None:
        """Return when subscribers are ready for the frame of this stamp, or when stopping."""

    def drain(self, stopping: threading.Event) -> None:
        """Return when subscribers have had all frames, or when stopping."""


class Clock(Protocol):
    """The time by which frames are paced."""

    def monotonic(self) -> float:
        """Seconds that never jump."""

    def wait(self, event: threading.Event, seconds: float) -> None:
        """Return when so much time has passed, or when the event is set."""


class WallClock:
    """The time that passes."""

    def monotonic(self) -> float:
        """See Clock."""
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> None:
        """See Clock."""
        event.wait(seconds)


class Player:
    """Plays a source.

    Parameters
    ----------
    open_source : opens the source; again for each loop.
    send : gets each frame with its stamp on the clock.
    now_ns : the clock; frames of sources without absolute time are stamped from when the first is sent.
    rate : speed; 0: as the gate says.
    shift_to_now : do the same with sources that have absolute time.
    clock : the time by which frames are paced, whatever their stamps say.

    Attributes
    ----------
    finished : set when the last frame was sent, or `error` says why not.
    lag_s : how far the frames are behind the asked speed, all pauses for overload together.
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        send: Callable[[StreamFrame, int], None],
        now_ns: Callable[[], int],
        rate: float,
        gate: Gate,
        loop: bool = False,
        shift_to_now: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._open, self._send, self._now_ns = open_source, send, now_ns
        self._rate, self._gate, self._loop, self._shift = rate, gate, loop, shift_to_now
        self._clock = clock or WallClock()
        self._stopping = threading.Event()
        self.finished = threading.Event()
        self.error = ""
        self.position_s = 0.0
        self.lag_s = 0.0
        self._slipped_s = 0.0
        self._thread = threading.Thread(target=self._run, name="video_player", daemon=True)

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def stop(self) -> None:
        """End playing; returns when the thread has ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def sleep(self, seconds: float) -> None:
        """Sleep, unless stopped."""
        self._clock.wait(self._stopping, seconds)

    @property
    def stopping(self) -> threading.Event:
        """Set when playing is to end."""
        return self._stopping

    def _run(self) -> None:
        try:
            offset_ns: int | None = None
            while not self._stopping.is_set():
                offset_ns = self._play_once(offset_ns)
                if not self._loop:
                    return
        except SourceError as error:
            self.error = str(error)
        except Exception as error:  # a defect: told to the owner as well as shown with its traceback
            self.error = f"{type(error).__name__}: {error}"
            raise
        finally:
            self.finished.set()

    def _play_once(self, offset_ns: int | None) -> int | None:
        """Play to the end. The offset stays from loop to loop, so that stamps jump back as those of a looped bag do."""
        source = self._open()
        try:
            first_ns: int | None = None
            began = self._clock.monotonic()
            for frame in source:
                if self._stopping.is_set():
                    break
                if first_ns is None:
                    first_ns, began = frame.stamp_ns, self._clock.monotonic()
                if offset_ns is None:
                    offset_ns = self._offset(source, first_ns)
                media_s = (frame.stamp_ns - first_ns) / NS_PER_S
                began = self._pace(source, frame, media_s, began, offset_ns)
                if not self._stopping.is_set():
                    self._send(frame, frame.stamp_ns + offset_ns)
                    self.position_s = media_s
            if first_ns is None and not self._stopping.is_set():
                raise SourceError(f"{source.name}: no frames")
            if self._rate == 0:
                self._gate.drain(self._stopping)
        finally:
            source.close()
        return offset_ns

    def _offset(self, source: FrameSource, first_ns: int) -> int:
        if source.live or (source.absolute and not self._shift):
            return 0
        return self._now_ns() - first_ns

    def _pace(self, source: FrameSource, frame: StreamFrame, media_s: float, began: float, offset_ns: int) -> float:
        if source.live:
            return began
        if self._rate == 0:
            if frame.stream == RGB:
                self._gate.wait(frame.stamp_ns + offset_ns, self._stopping)
            return began
        ahead_s = began + media_s / self._rate - self._clock.monotonic()
        if ahead_s > 0:
            self.sleep(ahead_s)
        behind_s = max(0.0, -ahead_s)
        self.lag_s = self._slipped_s + behind_s
        if behind_s <= MAX_LAG_S:
            return began
        self._slipped_s += behind_s
        return began + behind_s

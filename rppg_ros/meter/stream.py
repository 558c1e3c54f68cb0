"""What is known of one camera's images: their stamps, and whether they show the world."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from rppg_ros.sync.stamps import StampGuard, Verdict
from rppg_ros.vision.liveness import Liveness

TOO_CLOSE_NS = 100_000  # no camera takes 10,000 images a second: such stamps are in another unit
FOR_SURE = 20  # images in a row that say the same
LATELY, BROKEN = 60, 3  # images, and how many of them may not have a stamp that breaks the order of time


@dataclass(slots=True)
class StreamState:
    """What is known of one camera's images.

    Attributes
    ----------
    guard : judges and counts the stamps.
    unreadable : images that could not be read, so far.
    lifeless : images that repeated the last one or showed nothing, so far: no samples.
    standing : images in a row that came with the stamp of the one before; close : whose stamp was hardly later.
    verdicts : on the stamps of the newest images.
    arrived : images, whatever became of them. last_ns : stamp of the newest.
    lifeless_since_ns : stamp of the first of those that came last, one after the other; None: the newest was a sample.
    complaint : why the newest image could not be used; empty if it could.
    """

    guard: StampGuard
    liveness: Liveness = field(default_factory=Liveness)
    unreadable: int = 0
    lifeless: int = 0
    lifeless_since_ns: int | None = None
    complaint: str = ""
    standing: int = 0
    arrived: int = 0
    close: int = 0
    last_ns: int | None = None
    verdicts: deque[Verdict] = field(default_factory=lambda: deque(maxlen=LATELY))

    def judge(self, stamp_ns: int) -> Verdict:
        """The next image came, with this stamp: what it says."""
        self.arrived += 1
        step_ns = TOO_CLOSE_NS if self.last_ns is None else stamp_ns - self.last_ns
        self.close = self.close + 1 if 0 < step_ns < TOO_CLOSE_NS else 0
        self.last_ns = stamp_ns
        verdict = self.guard.check(stamp_ns)
        self.verdicts.append(verdict)
        self.standing = self.standing + 1 if verdict is Verdict.DUPLICATE else 0
        return verdict

    @property
    def of_stamps(self) -> str:
        """What is wrong with the stamps of the newest images; empty if nothing is."""
        if self.standing >= FOR_SURE:
            return "stamps stand still"
        resets, gaps = (self.verdicts.count(verdict) for verdict in (Verdict.RESET, Verdict.GAP))
        if resets >= BROKEN:
            return "stamps jump back again and again: two clocks, or two senders"
        if gaps >= BROKEN:
            return f"stamps leave gaps of over {self.guard.max_gap_s:g} s again and again"
        if self.close >= FOR_SURE:
            return "stamps are less than 0.1 ms apart: they are nanoseconds (int) or seconds (float)"
        return ""

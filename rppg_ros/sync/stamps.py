"""Judges each header stamp of a stream before anything else looks at the frame."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from rppg_ros.types import NS_PER_S

# Camera drivers publish single frames late (usb_cam); a looped bag or a restarted driver jumps further back than this.
REORDER_WINDOW_S = 0.2
MAX_GAP_S = 0.5


class Verdict(enum.Enum):
    """What a stamp says about its frame."""

    OK = "ok"
    GAP = "gap"  # use the frame, but nothing continues across it
    RESET = "reset"  # use the frame; the clock jumped back, all history is void
    LATE = "late"  # drop: a newer frame was already used
    DUPLICATE = "duplicate"  # drop: this stamp was already used
    UNSET = "unset"  # drop: the driver does not stamp


DROPS = frozenset({Verdict.LATE, Verdict.DUPLICATE, Verdict.UNSET})


@dataclass(slots=True)
class StampGuard:
    """Orders one stream.

    Parameters
    ----------
    max_gap_s : a longer step between frames is a gap.
    reorder_window_s : a step back no longer than this is one late frame; a longer one is a reset of the clock.
    zero_is_unset : whether a stamp of 0 or less says that nobody stamped; False where time counts from anywhere (files).
    """

    max_gap_s: float = MAX_GAP_S
    reorder_window_s: float = REORDER_WINDOW_S
    zero_is_unset: bool = True
    last_ns: int | None = None
    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))

    def check(self, stamp_ns: int) -> Verdict:
        """Judge the next stamp (ns) and remember it if its frame is to be used."""
        verdict = self._judge(stamp_ns)
        self.counts[verdict] += 1
        if verdict not in DROPS:
            self.last_ns = stamp_ns
        return verdict

    def _judge(self, stamp_ns: int) -> Verdict:
        if self.zero_is_unset and stamp_ns <= 0:
            return Verdict.UNSET
        if self.last_ns is None:
            return Verdict.OK
        step_s = (stamp_ns - self.last_ns) / NS_PER_S
        if step_s == 0:
            return Verdict.DUPLICATE
        if step_s < 0:
            return Verdict.LATE if step_s >= -self.reorder_window_s else Verdict.RESET
        return Verdict.GAP if step_s > self.max_gap_s else Verdict.OK

    @property
    def dropped(self) -> int:
        """Frames that must not be used, so far."""
        return sum(self.counts[verdict] for verdict in DROPS)

"""Which faces are measured: the largest, the most central, those in a region, the first, or one that was asked for by its id.

Faces that are not measured are only ever seen by the detector; they are not followed and cost nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rppg_ros.settings.halves import CameraSettings
from rppg_ros.types import NS_PER_S, Box
from rppg_ros.vision.detect import Detection
from rppg_ros.vision.track import Track

SAME = 0.5  # sides of a box: so near, two sights are of one face
MAX_SHOWN = 40  # characters of an id
FORGOTTEN_S = 1.0  # a rival that is not seen for so long is none


@dataclass(frozen=True, slots=True)
class _Rival:
    """A face that is not measured, and would be the better target. since_ns : since when it is. seen_ns : by a detector last."""

    box: Box
    since_ns: int
    seen_ns: int
    sights: int = 1


@dataclass(frozen=True, slots=True)
class _Held:
    """The place of a target that was lost, kept for it until a stamp."""

    face_id: str
    box: Box
    until_ns: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What follows of a search: tracks that are no targets any more, and detections that become ones."""

    lose: list[Track]
    begin: list[Detection]


class Targets:
    """Chooses, with hysteresis: a face has to be better by a factor, and for a while, to take another's place.

    Parameters
    ----------
    settings : target.policy, target.region, target.hysteresis, target.patience, target.hold, target.id, max_faces; may be
        changed.

    Attributes
    ----------
    complaint : why faces that were seen in the last search are not measured; empty: they are, or there are none.
    """

    def __init__(self, settings: CameraSettings) -> None:
        self.settings = settings
        self.clear()

    def clear(self) -> None:
        """Forget rivals, and places that are kept."""
        self.complaint = ""
        self._rivals: list[_Rival] = []
        self._held: list[_Held] = []

    def lost(self, track: Track, stamp_ns: int) -> None:
        """A target is out of view; its place is kept for a while, so that a passer-by does not take it."""
        if track.face_id and self.settings.target_hold > 0:
            until_ns = stamp_ns + round(self.settings.target_hold * NS_PER_S)
            self._held.append(_Held(track.face_id, track.confirmed_box, until_ns))

    def named(self, face_id: str) -> None:
        """A face has its id now; if it is one that was lost, its place is taken."""
        self._held = [held for held in self._held if held.face_id != face_id]

    def choose(
        self, tracks: Sequence[Track], found: Sequence[Detection], stamp_ns: int, shape: tuple[int, ...]
    ) -> Choice:
        """After a search of the whole image.

        Parameters
        ----------
        tracks : of faces that are measured, moved to this image. found : detections that belong to none of them.
        shape : of the image, (H, W, ...).
        """
        self._held = [held for held in self._held if held.until_ns >= stamp_ns]
        lose = [track for track in tracks if not self._wanted(track, shape)]
        stay = sorted(
            (track for track in tracks if track not in lose), key=lambda track: -self._score(track.box, shape)
        )
        lose += stay[self.settings.max_faces :]
        stay = stay[: self.settings.max_faces]
        rivals = sorted(
            (one for one in found if self._inside(one.box, shape)), key=lambda one: -self._score(one.box, shape)
        )
        begin: list[Detection] = []
        waiting: list[_Rival] = []
        for rival in rivals:
            score = self._score(rival.box, shape)
            if self._has_room(len(stay) + len(begin), score, shape):
                begin.append(rival)
            elif stay and score > self.settings.target_hysteresis * self._score(stay[-1].box, shape) and self._free:
                known = self._seen(rival, stamp_ns)
                if known.sights > 1 and stamp_ns - known.since_ns >= self.settings.target_patience * NS_PER_S:
                    lose.append(stay.pop())
                    begin.append(rival)
                else:
                    waiting.append(known)
        fresh_ns = stamp_ns - round(FORGOTTEN_S * NS_PER_S)
        judged = [one.box for one in waiting] + [one.box for one in begin]
        unseen = [r for r in self._rivals if r.seen_ns >= fresh_ns and not any(_same(r.box, box) for box in judged)]
        self._rivals = waiting + unseen
        asked = self.settings.target_id
        measured = any(track.face_id == asked for track in stay) if asked else bool(begin or stay)
        self.complaint = "" if measured else self._why_none(bool(found or tracks), bool(rivals or stay))
        return Choice(lose, begin)

    def _why_none(self, seen: bool, inside: bool) -> str:
        if not seen:
            return ""
        if not inside and not self.settings.target_id:
            return "a face is in view, but not in target.region"
        if self.settings.target_id:
            return f"a face is in view, but not '{self.settings.target_id[:MAX_SHOWN]}', which target.id asks for"
        return "a face is in view; the place is kept for one that was lost (target.hold)" if self._held else ""

    @property
    def waiting(self) -> bool:
        """Whether a better face is about to take another's place."""
        return bool(self._rivals)

    @property
    def _free(self) -> bool:
        """Whether the policy chooses: with an id, that face alone is measured, once it was found."""
        return not self.settings.target_id

    def _wanted(self, track: Track, shape: tuple[int, ...]) -> bool:
        asked = self.settings.target_id
        if asked and track.face_id:
            return track.face_id == asked
        return self._inside(track.box, shape)

    def _has_room(self, taken: int, score: float, shape: tuple[int, ...]) -> bool:
        if taken >= self.settings.max_faces:
            return False
        if taken + len(self._held) < self.settings.max_faces:
            return True
        # Every free place is kept for somebody: only a face that may be that one, or is better, takes it.
        least = min(self._held, key=lambda held: self._score(held.box, shape))
        if score * self.settings.target_hysteresis < self._score(least.box, shape):
            return False
        self._held.remove(least)
        return True

    def _seen(self, rival: Detection, stamp_ns: int) -> _Rival:
        for known in self._rivals:
            if _same(known.box, rival.box):
                return replace(known, box=rival.box, seen_ns=stamp_ns, sights=known.sights + 1)
        return _Rival(rival.box, stamp_ns, stamp_ns)

    def _inside(self, box: Box, shape: tuple[int, ...]) -> bool:
        x, y, width, height = self.settings.target_region
        across, down = box.centre[0] / shape[1], box.centre[1] / shape[0]
        return x <= across <= x + width and y <= down <= y + height

    def _score(self, box: Box, shape: tuple[int, ...]) -> float:
        """The more, the better; in ratios."""
        if self.settings.target_policy == "largest":
            return max(box.width, box.height)
        if self.settings.target_policy == "central":
            height, width = shape[:2]
            away = math.hypot(box.centre[0] - width / 2, box.centre[1] - height / 2) / math.hypot(width, height)
            return 1 / (0.05 + away)
        return 1.0


def _same(a: Box, b: Box) -> bool:
    (ax, ay), (bx, by) = a.centre, b.centre
    return math.hypot(ax - bx, ay - by) <= SAME * max(a.width, a.height, b.width, b.height)

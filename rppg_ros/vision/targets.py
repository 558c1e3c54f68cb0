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
CLAIM_S = 3.0  # a face that was asked for by its place and is not found there in that time will not be
CANDIDATES = 4  # faces that are followed at once, until they have an id, to find the one that was asked for
REJECTED_S = 2.0  # where somebody else was found, nobody is looked for again for so long
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
    claimed : id of the face that `claim` asked for, once it has one; whoever asked takes it, and sets target.id.
    """

    def __init__(self, settings: CameraSettings) -> None:
        self.settings = settings
        self.clear()

    def clear(self) -> None:
        """Forget rivals, places that are kept, and who was claimed."""
        self.complaint = self.claimed = ""
        self._claim: _Held | None = None
        self._rivals: list[_Rival] = []
        self._held: list[_Held] = []
        self._rejected: list[_Held] = []

    def lost(self, track: Track, stamp_ns: int) -> None:
        """A target is out of view; its place is kept for a while, so that a passer-by does not take it."""
        if track.face_id and self.settings.target_hold > 0:
            until_ns = stamp_ns + round(self.settings.target_hold * NS_PER_S)
            self._held.append(_Held(track.face_id, track.confirmed_box, until_ns))

    def claim(self, box: Box, stamp_ns: int) -> None:
        """Measure the face that is seen there, and nobody else: the next search begins with it."""
        self._claim = _Held("", box, stamp_ns + round(CLAIM_S * NS_PER_S))

    def named(self, track: Track) -> None:
        """A face has its id now; if it is one that was lost, its place is taken."""
        self._held = [held for held in self._held if held.face_id != track.face_id]
        if self._claim is not None and _same(self._claim.box, track.box):
            self.claimed, self._claim = track.face_id, None

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
        if self._claim is not None:
            return self._claimed_first(self._claim, tracks, found, stamp_ns)
        lose = [track for track in tracks if not self._wanted(track, shape)]
        most = self._most(tracks)
        self._reject(lose, stamp_ns)
        stay = sorted(
            (track for track in tracks if track not in lose), key=lambda track: -self._score(track.box, shape)
        )
        lose += stay[most:]
        stay = stay[:most]
        rivals = sorted(
            (one for one in found if self._inside(one.box, shape) and not self._is_rejected(one.box)),
            key=lambda one: -self._score(one.box, shape),
        )
        begin: list[Detection] = []
        waiting: list[_Rival] = []
        for rival in rivals:
            score = self._score(rival.box, shape)
            if self._has_room(len(stay) + len(begin), most, score, shape):
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

    def _claimed_first(
        self, claim: _Held, tracks: Sequence[Track], found: Sequence[Detection], stamp_ns: int
    ) -> Choice:
        if claim.until_ns < stamp_ns:
            self._claim = None
        if any(_same(track.box, claim.box) for track in tracks):  # it was begun, and waits for its second sight
            return Choice([], [])
        begin = [one for one in found if _same(one.box, claim.box)][:1]
        return Choice(list(tracks) if begin else [], begin)

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

    def _most(self, tracks: Sequence[Track]) -> int:
        """How many faces may be followed."""
        asked = self.settings.target_id
        if not asked or any(track.face_id == asked for track in tracks):
            return self.settings.max_faces
        return max(self.settings.max_faces, CANDIDATES)

    def _reject(self, lost: Sequence[Track], stamp_ns: int) -> None:
        """Remember where somebody was who is not the one that was asked for: or the largest face would be tried for ever."""
        self._rejected = [one for one in self._rejected if one.until_ns >= stamp_ns and self.settings.target_id]
        until_ns = stamp_ns + round(REJECTED_S * NS_PER_S)
        if self.settings.target_id:
            self._rejected += [_Held(track.face_id, track.box, until_ns) for track in lost if track.face_id]

    def _is_rejected(self, box: Box) -> bool:
        return any(_same(one.box, box) for one in self._rejected)

    def _has_room(self, taken: int, most: int, score: float, shape: tuple[int, ...]) -> bool:
        if taken >= most:
            return False
        if taken + len(self._held) < most:
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

"""Collects one face's crops into a clip and cuts from it the windows that an engine wants, on the engine's clock."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from rppg_ros.inference.engine import Engine
from rppg_ros.sync.cadence import Cadence
from rppg_ros.sync.resample import grid_ns, resample
from rppg_ros.types import NS_PER_S, FaceCrop, Reason, ThermalState
from rppg_ros.vision.evidence import EVIDENCE_SCALE, EvidenceMeter

MAX_THERMAL_GAP_S = 0.5  # a clock point further than this from any thermal frame has none
SCALE_TOLERANCE = 0.01  # of a crop whose places in the face are known
MIN_THERMAL_SHARE = 0.8  # of a window's points that must have one


Ring = deque[tuple[int, np.ndarray]]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one clip, to be put on the engine's clock by whoever has the time (the worker thread).

    Attributes
    ----------
    clip_start_ns : stamp of clock point 0 of this clip.
    first : clock index of the window's first point.
    at_ns : (n,) stamps of its points.
    rgb_frames, thermal_frames : (stamp, kept value) of the camera frames around them; no thermal camera, no thermal frames.
    rgb_period_s, thermal_period_s : time from frame to frame of the cameras lately; NaN where it is not known yet.
    thermal_state : what became of the thermal image of the newest crop.
    evidence : (stamp, row) of the frames since the window before.
    """

    face_id: str
    clip_start_ns: int
    first: int
    at_ns: np.ndarray
    rgb_frames: tuple[tuple[int, np.ndarray], ...]
    thermal_frames: tuple[tuple[int, np.ndarray], ...]
    rgb_period_s: float = math.nan
    thermal_period_s: float = math.nan
    thermal_state: ThermalState = ThermalState.MISSING
    evidence: tuple[tuple[int, np.ndarray], ...] = ()

    @property
    def end(self) -> int:
        """Clock index after the last point."""
        return self.first + len(self.at_ns)

    def rgb(self) -> np.ndarray:
        """(n, ...) float32 on the clock."""
        return resample(*_arrays(self.rgb_frames), self.at_ns)

    def thermal(self) -> np.ndarray | None:
        """(n, ...) float32 on the clock; None without thermal frames near most of its points."""
        if not self.thermal_frames:
            return None
        stamps_ns, values = _arrays(self.thermal_frames)
        after = np.searchsorted(stamps_ns, self.at_ns)
        to_next = np.abs(stamps_ns[np.minimum(after, len(stamps_ns) - 1)] - self.at_ns)
        to_last = np.abs(stamps_ns[np.maximum(after - 1, 0)] - self.at_ns)
        near = np.minimum(to_next, to_last) <= MAX_THERMAL_GAP_S * NS_PER_S
        return resample(stamps_ns, values, self.at_ns) if near.mean() >= MIN_THERMAL_SHARE else None


@dataclass(frozen=True, slots=True)
class ClipEnd:
    """The clip is over (gap, face lost, clock reset, end of the recording): what was held back becomes final.

    Attributes
    ----------
    gone : whether the face is out of view; False where its next clip begins at once. absence : why it is.
    """

    face_id: str
    clip_start_ns: int
    stamp_ns: int
    gone: bool = True
    absence: Reason = Reason.NO_FACE


class ClipBuilder:
    """Crops of one face in, without a gap; windows out.

    Parameters
    ----------
    engine : says what to keep of a crop and which windows it wants.
    first : the clip's first crop; clock point 0 is its stamp.
    """

    def __init__(self, engine: Engine, first: FaceCrop) -> None:
        self._engine = engine
        self.face_id = first.face_id
        self.start_ns = first.stamp_ns
        self.last_ns = first.stamp_ns
        self.windows = 0
        self._rgb: Ring = deque()
        self._thermal: Ring = deque()
        self._evidence: list[tuple[int, np.ndarray]] = []
        self._meter: EvidenceMeter | None = None
        self._rgb_cadence, self._thermal_cadence = Cadence(), Cadence()
        self._thermal_state = first.thermal_state
        self._next_end = engine.plan.first  # clock index after the next window's last point
        self._last_end = 0

    def push(self, crop: FaceCrop) -> list[Window]:
        """Take the next crop (stamps must rise); returns the windows it completes, usually none or one."""
        self.last_ns = crop.stamp_ns
        self._thermal_state = crop.thermal_state
        self._rgb.append((crop.stamp_ns, self._engine.rgb(crop)))
        self._rgb_cadence.push(crop.stamp_ns)
        evidence = self._evidence_of(crop)
        if evidence is not None:
            self._evidence.append((crop.stamp_ns, evidence))
        self._keep_thermal(crop)
        windows = []
        # Half a period past the last point, so that a faster camera's frames around that point are all there.
        while crop.stamp_ns >= self._point_ns(self._next_end - 0.5):
            windows.append(self._cut(self._next_end))
            self._next_end += self._engine.plan.hop
        if windows:
            self._trim()
        return windows

    def finish(self) -> list[Window]:
        """Last window, up to the last crop, if there is anything new in it."""
        end = int((self.last_ns - self.start_ns) * self._engine.plan.rate_hz / NS_PER_S + 1e-6) + 1
        plan = self._engine.plan
        too_short = end < plan.first and not plan.consecutive
        if too_short or end <= self._last_end:
            return []
        return [self._cut(end)]

    def _evidence_of(self, crop: FaceCrop) -> np.ndarray | None:
        """What the tracker measured, or as much of it as the crop itself shows: another tracker's, an old bag's."""
        if crop.evidence is not None or abs(crop.crop_scale / EVIDENCE_SCALE - 1) > SCALE_TOLERANCE:
            return crop.evidence
        if self._meter is None:
            self._meter = EvidenceMeter()
        return self._meter.measure(crop.rgb, crop.thermal, crop.box)

    def _keep_thermal(self, crop: FaceCrop) -> None:
        stamp_ns = crop.thermal_stamp_ns or crop.stamp_ns
        if crop.thermal is None or (self._thermal and stamp_ns <= self._thermal[-1][0]):
            return
        value = self._engine.thermal(crop)
        if value is not None:
            self._thermal.append((stamp_ns, value))
            self._thermal_cadence.push(stamp_ns)

    def _point_ns(self, index: float) -> int:
        return self.start_ns + round(index * NS_PER_S / self._engine.plan.rate_hz)

    def _cut(self, end: int) -> Window:
        plan = self._engine.plan
        first = self._last_end if plan.consecutive else max(0, end - plan.longest)
        at_ns = grid_ns(self.start_ns, plan.rate_hz, first, end - first)
        self.windows += 1
        self._last_end = end
        periods = self._rgb_cadence.period_s, self._thermal_cadence.period_s
        frames = tuple(self._rgb), tuple(self._thermal)
        evidence, self._evidence = tuple(self._evidence), []
        return Window(self.face_id, self.start_ns, first, at_ns, *frames, *periods, self._thermal_state, evidence)

    def _trim(self) -> None:
        """Forget what no later window can reach, keeping one frame before it to interpolate from."""
        plan = self._engine.plan
        # The clip may end before the next window is due: its last window then reaches further back than that one.
        first = self._last_end if plan.consecutive else self._last_end + 1 - plan.longest
        oldest_ns = self._point_ns(first - 1)
        for ring in (self._rgb, self._thermal):
            while len(ring) > 2 and ring[1][0] <= oldest_ns:
                ring.popleft()


def _arrays(frames: tuple[tuple[int, np.ndarray], ...]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([stamp for stamp, _ in frames], dtype=np.int64), np.stack([value for _, value in frames])

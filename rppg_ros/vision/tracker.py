"""Follows all faces of a stream: detection now and then, optical flow in between, steady crops of each frame."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from rppg_ros.settings.halves import CameraSettings
from rppg_ros.types import NS_PER_S, Box, CropRequest, FaceCrop, Frame, ThermalState
from rppg_ros.vision.crop import projected_crop, square_crop
from rppg_ros.vision.detect import Detection, Detector, make_detector
from rppg_ros.vision.evidence import EVIDENCE_SCALE, EVIDENCE_SIZE
from rppg_ros.vision.flow import GreyFrame, prepare
from rppg_ros.vision.memory import FaceMemory
from rppg_ros.vision.sights import SeenFace, Sights
from rppg_ros.vision.targets import Targets
from rppg_ros.vision.track import Track
from rppg_ros.vision.view import ThermalView

MAX_STEP_S = 0.5  # flow is not trusted across a longer step
MATCH_CENTRES = 0.5  # a detection belongs to a track whose centre lies within this share of the box
OF_DETECTOR = ("detector_name", "detector_model", "detector_min_confidence")
RESIZED = 5  # changes of the image's size, lately, that are no chance
RECHECK_S = 0.15  # a face seen once by an uncertain detector is looked for again that soon


@dataclass(slots=True)
class TrackerStats:
    """Counters since the start, and seconds of CPU of each stage."""

    frames: int = 0
    detections: int = 0
    begun: int = 0
    lost: int = 0
    detect_s: float = 0.0
    track_s: float = 0.0
    crop_s: float = 0.0


class FaceTracker:
    """Frames in, crops of all faces out; a frame without a face gives none.

    Parameters
    ----------
    settings : of the camera half.
    detector : finds faces; None: as the settings say.
    view : where RGB pixels lie in the thermal image; None: nothing is given.
    seed : of the random face ids, for tests.

    Attributes
    ----------
    request : which crops are cut; may change from frame to frame.
    targets : chooses whom to measure. shape : of the last image.
    """

    @property
    def complaint(self) -> str:
        """Why faces are not measured although images come; empty if nothing keeps them from it."""
        if self._resized >= RESIZED:
            return "the image's size changes all the time"
        return "" if self._shown() else self.targets.complaint

    def _shown(self) -> list[Track]:
        asked = self._settings.target_id
        return [track for track in self._tracks if track.face_id and asked in ("", track.face_id)]

    def __init__(
        self,
        settings: CameraSettings | None = None,
        detector: Detector | None = None,
        view: ThermalView | None = None,
        seed: int | None = None,
    ) -> None:
        self._settings = settings or CameraSettings()
        self.request = CropRequest()
        self.view = view or ThermalView()
        self.stats = TrackerStats()
        self._detector = detector or _detector_of(self._settings)
        self._memory = FaceMemory(self._settings.id_memory, seed)
        self.targets = Targets(self._settings)
        self._sights = Sights()
        self._tracks: list[Track] = []
        self._before: GreyFrame | None = None
        self._last_ns: int | None = None
        self._next_detection_ns: int | None = None
        self._resized = 0.0
        self.shape: tuple[int, ...] = (0, 0)

    def reset(self) -> None:
        """Forget all faces: the clock jumped back."""
        self._tracks.clear()
        self.targets.clear()
        self._sights.clear()
        self._memory.clear()
        self.view.rewind()
        self._before = self._last_ns = self._next_detection_ns = None

    def tune(self, settings: CameraSettings) -> None:
        """Take other settings while frames flow.

        Raises
        ------
        DetectorError : another detector was asked for, and cannot be had; nothing has changed then.
        """
        if any(getattr(settings, name) != getattr(self._settings, name) for name in OF_DETECTOR):
            self._detector = _detector_of(settings)
        self._settings = self.targets.settings = settings
        self._memory.keep_s = settings.id_memory

    def process(self, frame: Frame, thermal: Frame | None = None) -> list[FaceCrop]:
        """Crops of all faces of the next frame (stamps must rise), largest face first.

        Parameters
        ----------
        frame : RGB uint8 (H, W, 3).
        thermal : the thermal frame that goes with it, if there is one.
        """
        self.stats.frames += 1
        started = time.thread_time()
        grey = self._follow(frame)
        self.stats.track_s += time.thread_time() - started
        if self._detection_due(frame.stamp_ns):
            self._detect(frame, grey)
        started = time.thread_time()
        self._drop_unconfirmed(frame.stamp_ns)
        shown = self._shown()
        if thermal is not None and shown:
            self.view.look(frame, thermal, shown[0].steady)
        crops = [self._crop(track, frame, thermal) for track in shown]
        self.stats.crop_s += time.thread_time() - started
        self._last_ns, self.shape = frame.stamp_ns, frame.image.shape
        return crops

    def seen(self) -> list[SeenFace]:
        """All faces of the last frame: those that are measured, and those that a detector saw besides."""
        return [] if self._last_ns is None else self._sights.faces(self._tracks, self._shown(), self._last_ns)

    def claim(self, box: Box) -> None:
        """Measure the face that is seen there alone; `targets.claimed` is its id once it has one."""
        if self._last_ns is not None:
            self.targets.claim(box, self._last_ns)
            self._next_detection_ns = self._last_ns

    def knows(self, face_id: str) -> bool:
        """Whether a face with that id is measured, or was until lately."""
        return any(track.face_id == face_id for track in self._tracks) or self._memory.holds(face_id)

    def _follow(self, frame: Frame) -> GreyFrame:
        """Move the tracks to this frame; returns it as flow sees it."""
        step_s = 0.0 if self._last_ns is None else (frame.stamp_ns - self._last_ns) / NS_PER_S
        before, now = self._before, prepare(frame.image)
        self._before = now
        resized = before is not None and before.image.shape != now.image.shape
        self._resized = min(self._resized + 1, 2 * RESIZED) if resized else max(0, self._resized - 1 / RESIZED)
        if (
            before is None
            or before.image.shape != now.image.shape
            or not 0 < step_s <= min(MAX_STEP_S, self._settings.max_gap)
        ):
            self._lose_all(frame.stamp_ns)
            return now
        for track in list(self._tracks):
            if not track.follow(before, now, step_s) or track.outside(frame.image.shape):
                self._lose_from_view(track, frame.stamp_ns)
                self._next_detection_ns = frame.stamp_ns
        return now

    def _lose_all(self, stamp_ns: int) -> None:
        """Nothing can be followed across this step; look for faces at once."""
        for track in list(self._tracks):
            self._lose_from_view(track, stamp_ns)
        self._next_detection_ns = stamp_ns

    def _detection_due(self, stamp_ns: int) -> bool:
        return self._next_detection_ns is None or stamp_ns >= self._next_detection_ns

    def _detect(self, frame: Frame, grey: GreyFrame) -> None:
        started = time.thread_time()
        found = self._detector.detect(frame.image, self._settings.detector_min_face)
        self.stats.detections += 1
        new = self._assign(found, frame.stamp_ns, grey)
        self._confirm_missed(frame, grey)
        choice = self.targets.choose(self._tracks, new, frame.stamp_ns, frame.image.shape)
        for track in choice.lose:
            self._lose(track)
        self._tracks += [Track(detection, frame.stamp_ns, grey) for detection in choice.begin]
        self._sights.saw(frame.stamp_ns, [one for one in new if one not in choice.begin], self._tracks)
        for track in self._tracks:
            if not track.face_id and (self._detector.certain or track.sights > 1):
                self._begin(track, frame)
        self._tracks.sort(key=lambda track: -track.box.width)
        waiting = self.targets.waiting or any(not track.face_id for track in self._tracks)
        period_s = min(RECHECK_S, 1 / self._settings.detector_rate) if waiting else 1 / self._settings.detector_rate
        self._next_detection_ns = frame.stamp_ns + round(period_s * NS_PER_S)
        self.stats.detect_s += time.thread_time() - started

    def _confirm_missed(self, frame: Frame, grey: GreyFrame) -> None:
        """Look again, closer, for the faces that the search of the whole image missed."""
        for track in self._tracks:
            if track.confirmed_ns != frame.stamp_ns and track.face_id:
                again = self._detector.confirm(frame.image, track.box)
                if again is not None and _distance(track.box, again.box) <= MATCH_CENTRES:
                    track.confirm(again, frame.stamp_ns, grey)

    def _assign(self, found: list[Detection], stamp_ns: int, grey: GreyFrame) -> list[Detection]:
        """Give each track its detection; returns those that belong to none."""
        if not self._tracks or not found:
            return found
        distance = np.array([[_distance(track.box, d.box) for d in found] for track in self._tracks])
        taken = set()
        for row, column in zip(*linear_sum_assignment(distance), strict=True):
            if distance[row, column] <= MATCH_CENTRES:
                self._tracks[row].confirm(found[column], stamp_ns, grey)
                taken.add(column)
        # What overlaps a track but is not its detection is the same face seen twice, not a new one.
        return [
            detection
            for column, detection in enumerate(found)
            if column not in taken and distance[:, column].min() > MATCH_CENTRES
        ]

    def _begin(self, track: Track, frame: Frame) -> None:
        in_use = {other.face_id for other in self._tracks}
        track.face_id = self._memory.recognise(track.box, frame, in_use)
        self.targets.named(track)
        self.stats.begun += 1

    def _drop_unconfirmed(self, stamp_ns: int) -> None:
        for track in list(self._tracks):
            # A face that was seen once must be seen again soon; a known one may turn away for a while.
            patience_s = self._settings.max_unconfirmed if track.face_id else 2 * RECHECK_S
            if (stamp_ns - track.confirmed_ns) / NS_PER_S > patience_s:
                self._lose_from_view(track, stamp_ns)

    def _lose_from_view(self, track: Track, stamp_ns: int) -> None:
        self.targets.lost(track, stamp_ns)
        self._lose(track)

    def _lose(self, track: Track) -> None:
        self._tracks.remove(track)
        if track.face_id:
            self.stats.lost += 1
            self._memory.remember(track.face_id, (track.confirmed_box, track.box), track.colour, track.seen_ns)

    def _crop(self, track: Track, frame: Frame, thermal: Frame | None) -> FaceCrop:
        size, scale = self.request.size, self.request.scale
        track.seen(frame)
        side = scale * max(track.steady.width, track.steady.height)
        rgb = square_crop(frame.image, track.steady.centre, side, size)
        heat, state, matrix = None, ThermalState.MISSING, None
        if thermal is not None:
            state = ThermalState.UNREGISTERED
            matrix = self.view.matrix(frame.image.shape, thermal.image.shape, track.steady)
            if matrix is not None:
                heat, state = projected_crop(thermal.image, track.steady.centre, side, size, matrix), ThermalState.USED
        return FaceCrop(
            frame.stamp_ns,
            track.face_id,
            rgb,
            heat,
            track.steady,
            scale,
            track.confidence,
            track.motion,
            thermal.stamp_ns if thermal is not None and heat is not None else 0,
            thermal is not None and heat is not None and thermal.radiometric,
            state,
            self._evidence(track, frame, thermal, matrix),
        )

    def _evidence(self, track: Track, frame: Frame, thermal: Frame | None, matrix: np.ndarray | None) -> np.ndarray:
        side, centre = EVIDENCE_SCALE * max(track.steady.width, track.steady.height), track.steady.centre
        rgb = square_crop(frame.image, centre, side, EVIDENCE_SIZE)
        heat = None
        if thermal is not None and matrix is not None:
            heat = projected_crop(thermal.image, centre, side, EVIDENCE_SIZE, matrix)
        return track.evidence.measure(rgb, heat, track.steady)


def _detector_of(settings: CameraSettings) -> Detector:
    return make_detector(settings.detector_name, settings.detector_model, settings.detector_min_confidence)


def _distance(a: Box, b: Box) -> float:
    """Between centres, in units of the smaller box's longer side."""
    (ax, ay), (bx, by) = a.centre, b.centre
    size = min(max(a.width, a.height), max(b.width, b.height))
    return float(np.hypot(ax - bx, ay - by) / max(size, 1e-6))

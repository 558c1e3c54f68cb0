"""The camera half: images of both cameras in, the face crops of each RGB image out, in order of stamps."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from rppg_ros.meter.images import Image, checked_rgb, checked_thermal
from rppg_ros.meter.skin import SkinWatch
from rppg_ros.meter.stream import FOR_SURE, StreamState
from rppg_ros.meter.view import view_of
from rppg_ros.settings.halves import CameraSettings
from rppg_ros.sources.images import ImageError
from rppg_ros.sync.alignment import Alignment
from rppg_ros.sync.pairing import Pair
from rppg_ros.sync.policies import RGB, THERMAL, SyncLibrary, make_pairing
from rppg_ros.sync.stamps import DROPS, StampGuard, Verdict
from rppg_ros.types import NS_PER_S, CropRequest, FaceCrop, Frame, ThermalState
from rppg_ros.vision.detect import Detector
from rppg_ros.vision.liveness import Liveness
from rppg_ros.vision.sights import SeenFace
from rppg_ros.vision.thermal import NormalisationWatch, Radiometry
from rppg_ros.vision.tracker import FaceTracker

DEFAULT_REQUEST = CropRequest()
STREAMS = (RGB, THERMAL)
WAIT_STEP_S = 0.01  # a smaller change of the wait is none


@dataclass(frozen=True, slots=True)
class TrackedFrame:
    """The faces of one RGB image; `crops` is empty where there is none.

    Attributes
    ----------
    tag : what came with the RGB image, as it was given.
    picture_dead : the image repeated the one before, or showed nothing: it is no sample, and has no crops.
    seen : all faces of it, measured or not; only where CameraHalf.tell_faces asks for them.
    """

    stamp_ns: int
    crops: list[FaceCrop]
    tag: object = None
    picture_dead: bool = False
    seen: tuple[SeenFace, ...] = ()


@dataclass(slots=True)
class _Arrival:
    """An image that waits for its partner. It is read once, and only if it is used: a thermal image has many partners."""

    stamp_ns: int
    image: Image
    tag: object
    frame: Frame | None = None
    spoilt: bool = False


@dataclass(slots=True)
class CameraStats:
    """CPU seconds that reading images took."""

    convert_s: float = field(default=0.0)


class CameraHalf:
    """Stamps are judged, images paired, faces tracked and cut.

    Parameters
    ----------
    settings : see CameraSettings.
    request : which crops the engine wants; `follow` changes it. Settings that are not 0 go before it.
    detector : finds faces; None: as the settings say.
    library : message_filters, for the policies that are its.
    seed : of the random face ids, for tests.
    zero_is_unset : see StampGuard.

    Raises
    ------
    SettingError, ValueError : a setting that cannot be used; names it.
    DetectorError : the detector cannot be had.
    """

    def __init__(
        self,
        settings: CameraSettings | None = None,
        request: CropRequest = DEFAULT_REQUEST,
        detector: Detector | None = None,
        library: SyncLibrary | None = None,
        seed: int | None = None,
        zero_is_unset: bool = True,
    ) -> None:
        self.settings = s = settings or CameraSettings()
        self.tracker = FaceTracker(s, detector, view_of(s), seed)
        self.streams = {stream: StreamState(StampGuard(s.max_gap, zero_is_unset=zero_is_unset)) for stream in STREAMS}
        self.stats = CameraStats()
        self.watch = NormalisationWatch()
        self.alignment = Alignment()
        self._waiting = self._unled = 0
        self._wait_s = s.pairing_max_wait
        self._radiometry = Radiometry(s.thermal_scale, s.thermal_offset, s.thermal_unit)
        self._skin = SkinWatch(self._radiometry)
        # Without a thermal camera there is nothing to wait for.
        policy = s.pairing_policy if s.thermal_enabled else "rgb_leads"
        self._pairing = make_pairing(policy, s.pairing_max_offset, s.pairing_max_wait, s.pairing_queue_size, library)
        self.follow(request)

    tell_faces = False  # may be changed

    @property
    def wait_s(self) -> float:
        """How long an RGB image waits for its thermal image at present, seconds."""
        return self._wait_s

    @property
    def complaints(self) -> list[str]:
        """What is wrong with the images at present; empty if nothing is."""
        found = [f"{stream}: {state.complaint}" for stream, state in self.streams.items() if state.complaint]
        found += [f"{stream}: {state.of_stamps}" for stream, state in self.streams.items() if state.of_stamps]
        rgb, thermal = (self.streams[stream] for stream in STREAMS)
        if not rgb.arrived and thermal.arrived >= FOR_SURE:
            found.append(f"{RGB}: no images, while thermal images come")
        found += [self.unpaired] if self.unpaired else []
        found += [f"{RGB}: {why}" for why in (self.tracker.complaint,) if why]
        found += [why for why in (self.alignment.complaint, self.not_skin and f"{THERMAL}: {self.not_skin}") if why]
        if self.unregistered:
            found.append(f"{THERMAL}: the view is assumed, and the picture does not prove it")
        return found

    @property
    def unpaired(self) -> str:
        """That RGB images wait for partners in vain; empty: they do not."""
        if self.settings.pairing_policy == "rgb_leads" or self._waiting < FOR_SURE + self.settings.pairing_queue_size:
            return ""
        return f"no {RGB} image has a thermal partner, and pairing.policy is {self.settings.pairing_policy}"

    @property
    def not_skin(self) -> str:
        """Why the degrees of a face that is seen can be none; empty: they can, or none was seen lately."""
        return self._skin.complaint(self.streams[RGB].last_ns)

    @property
    def unregistered(self) -> bool:
        """Whether thermal images pair, and nobody knows where the faces lie in them."""
        return self.alignment.arriving and bool(self.alignment.share > 0) and self.tracker.view.assumed

    def restart(self) -> None:
        """Forget all frames and faces, and count anew."""
        for stream, state in self.streams.items():
            self.streams[stream] = StreamState(
                StampGuard(state.guard.max_gap_s, zero_is_unset=state.guard.zero_is_unset)
            )
            self._pairing.reset(stream)
        self.tracker.reset()
        self.watch = NormalisationWatch()
        self.alignment = Alignment()
        self._skin.restart()
        self._waiting = self._unled = 0

    def follow(self, request: CropRequest) -> None:
        """Cut such crops from the next frame on, unless the settings say otherwise."""
        self.tracker.request = CropRequest(
            self.settings.crop_size or request.size, self.settings.crop_scale or request.scale
        )

    def tune(self, settings: CameraSettings) -> None:
        """Take other values of the live settings while frames flow; DetectorError: see FaceTracker.tune."""
        self.tracker.tune(settings)
        self._wait_s = settings.pairing_max_wait
        self._pairing.tune(settings.pairing_max_offset, self._wait_s)
        self.settings = settings

    def push(self, stream: str, stamp_ns: int, image: Image, tag: object = None) -> list[TrackedFrame]:
        """Take the next image of "rgb" or "thermal"; returns the RGB frames that are now decided, in order.

        An image that cannot be used is dropped and counted, and `streams` says why: nothing is raised.

        Parameters
        ----------
        image : RGB uint8 (H, W, 3), or thermal (H, W) uint8, uint16 or float32; or a function that gives it, and may raise
            ImageError: it is called only if the image is used.
        tag : handed back with the faces of an RGB image.
        """
        state = self.streams[stream]
        verdict = state.judge(stamp_ns)
        if verdict is Verdict.UNSET:
            self._refuse(stream, "its stamp is 0; whoever gives images must stamp them")
        if verdict in DROPS:
            return []
        self._waiting += stream == RGB
        if verdict is Verdict.RESET:
            self._pairing.reset(stream)
            state.liveness = Liveness()  # a recording that is played again repeats, and lives
            self.alignment = Alignment()
            if stream == RGB:
                self.tracker.reset()
        if stream == THERMAL:
            stamp_ns += round(self.settings.thermal_time_offset * NS_PER_S)
        self.alignment.arrived(stream, stamp_ns)
        self._follow_latency()
        arrival = _Arrival(stamp_ns, image, tag)
        self._unled = 0 if stream == RGB else self._unled + 1
        if self._unled > FOR_SURE:  # nobody else will look at it
            self._read(THERMAL, arrival)
        return self._track(self._pairing.push(stream, stamp_ns, arrival))

    def flush(self) -> list[TrackedFrame]:
        """Track what still waits for thermal; at the end of a recording."""
        return self._track(self._pairing.flush())

    def _track(self, pairs: list[Pair[_Arrival, _Arrival]]) -> list[TrackedFrame]:
        out = []
        self._waiting = 0 if pairs else self._waiting
        for pair in pairs:
            if pair.follower is not None:
                self.alignment.paired()
            rgb = self._read(RGB, pair.lead)
            if rgb is None:
                if self.streams[RGB].lifeless_since_ns is not None:  # no sample: as far as anybody knows, no face
                    out.append(TrackedFrame(pair.stamp_ns, [], pair.lead.tag, picture_dead=True))
                continue
            thermal, state = self._thermal_of(pair)
            crops = self._skin.only(pair.stamp_ns, self.tracker.process(rgb, thermal))
            if thermal is None:
                crops = [replace(crop, thermal_state=state) for crop in crops]
            seen = tuple(self.tracker.seen()) if self.tell_faces else ()
            out.append(TrackedFrame(pair.stamp_ns, crops, pair.lead.tag, seen=seen))
        return out

    def _thermal_of(self, pair: Pair[_Arrival, _Arrival]) -> tuple[Frame | None, ThermalState]:
        if pair.follower is None:
            return None, ThermalState.UNPAIRED if self.alignment.arriving else ThermalState.MISSING
        frame = self._read(THERMAL, pair.follower)
        return frame, ThermalState.DEAD if frame is None else ThermalState.USED

    def _follow_latency(self) -> None:
        """A thermal camera that always comes late is waited for: an RGB image that goes without it gives no breath."""
        s = self.settings
        wait_s = self.alignment.wait_s(s.pairing_max_wait, s.pairing_max_latency)
        if abs(wait_s - self._wait_s) > WAIT_STEP_S:
            self._wait_s = wait_s
            self._pairing.tune(s.pairing_max_offset, wait_s)

    def _read(self, stream: str, arrival: _Arrival) -> Frame | None:
        if arrival.frame is None and not arrival.spoilt:
            started = time.thread_time()
            try:
                arrival.frame = self._frame(stream, arrival)
                arrival.spoilt = arrival.frame is None
            except ImageError as error:
                arrival.spoilt = True
                self._refuse(stream, str(error))
            self.stats.convert_s += time.thread_time() - started
        return arrival.frame

    def _is_sample(self, stream: str, stamp_ns: int, image: np.ndarray) -> bool:
        """Whether the image shows the world anew; a driver that repeats frames now and then is none to complain of."""
        state = self.streams[stream]
        why = state.liveness.complaint(image)
        if not why:
            state.complaint, state.lifeless_since_ns = "", None
            return True
        state.lifeless += 1
        if state.lifeless_since_ns is None:
            state.lifeless_since_ns = stamp_ns
        lasts_s = (stamp_ns - state.lifeless_since_ns) / NS_PER_S
        state.complaint = why if lasts_s > self.settings.max_gap else ""
        return False

    def _frame(self, stream: str, arrival: _Arrival) -> Frame | None:
        image = arrival.image() if callable(arrival.image) else arrival.image
        if stream == RGB:
            rgb = checked_rgb(image)
            return Frame(arrival.stamp_ns, rgb) if self._is_sample(stream, arrival.stamp_ns, rgb) else None
        raw = checked_thermal(image)
        if not self._is_sample(stream, arrival.stamp_ns, raw):
            return None
        self.watch.push(raw)
        self._skin.is_float = raw.dtype == np.float32
        celsius, radiometric = self._radiometry.apply(raw)
        return Frame(arrival.stamp_ns, celsius, radiometric)

    def _refuse(self, stream: str, why: str) -> None:
        self.streams[stream].unreadable += 1
        self.streams[stream].complaint = why

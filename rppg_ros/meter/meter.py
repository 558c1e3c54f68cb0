"""VitalsMeter: frames with stamps in, readings out. The way to measure from Python, without ROS."""

from __future__ import annotations

import contextlib
import numbers
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rppg_ros.inference.engine import Engine
from rppg_ros.inference.waves import Output
from rppg_ros.meter.camera import CameraHalf, TrackedFrame
from rppg_ros.meter.images import Image, checked_rgb, checked_thermal
from rppg_ros.meter.reading import Reading, ReadingMaker
from rppg_ros.meter.vitals import SCALE_TOLERANCE, VitalsHalf, engine_of, min_quality_of
from rppg_ros.settings.files import read_params_file
from rppg_ros.settings.halves import MeterSettings
from rppg_ros.settings.schema import SettingError, make
from rppg_ros.sources.base import SourceError, StreamFrame
from rppg_ros.sources.factory import open_source
from rppg_ros.sources.frames import image_of
from rppg_ros.sync.policies import RGB, THERMAL
from rppg_ros.types import NS_PER_S, Rate, Status, Vital, Waveform
from rppg_ros.vision.detect import Detector
from rppg_ros.vitals.session import Session, overall_rate

MAX_STAMP_NS = 2**62  # the year 2116
Stamp = int | float
"""Acquisition time: whole nanoseconds, or seconds as a float."""


class VitalsMeter:
    """Measures pulse and breath of every face in view.

    ::

        meter = VitalsMeter(model="mmrphys-rgb")
        for stamp, image in camera:
            for reading in meter.push(stamp, rgb=image):
                print(reading.heart_rate, reading.respiration_rate)

    Frames of a camera come in order of their stamps. The rates need 8 s (heart) and 30 s (breath) without a gap; until then,
    and where nothing can be measured, they are NaN, and their status says why. Not for several threads at once.

    Parameters
    ----------
    settings : all settings; or give them one by one, as keyword arguments: `model`, `engine`, `max_faces`,
        `detector_rate`, ... (docs/settings.md lists them; dots of a name are underscores here).
    params_file : YAML file of the nodes; its values come before the defaults and after keyword arguments.
    engine_object, detector : objects to use instead of those that the settings name.
    seed : of the random face ids, for tests.
    keep_looks : so that `session` can tell what all of it comes to; costs 3 kB a second and face, for half an hour at most.

    Raises
    ------
    SettingError : an unknown setting, with the nearest known one, or a value that it cannot have.
    EngineError, DetectorError : the model, engine or detector cannot be had; names the file.
    """

    def __init__(
        self,
        settings: MeterSettings | None = None,
        *,
        params_file: str | Path | None = None,
        engine_object: Engine | None = None,
        detector: Detector | None = None,
        seed: int | None = None,
        keep_looks: bool = False,
        **values: Any,
    ) -> None:
        if settings is not None and not isinstance(settings, MeterSettings):
            raise TypeError(f"VitalsMeter takes settings by name: VitalsMeter(model={settings!r})")
        if settings is not None and (values or params_file):
            raise ValueError("give VitalsMeter either MeterSettings, or settings one by one and a params_file")
        self.settings = settings or make(MeterSettings, {**read_params_file(params_file, MeterSettings), **values})
        self.vitals = VitalsHalf(
            engine_object or engine_of(self.settings), self.settings, zero_is_unset=False, keep_looks=keep_looks
        )
        self.camera = CameraHalf(self.settings, self.vitals.request, detector, seed=seed, zero_is_unset=False)
        self._check_crops()
        self._readings = ReadingMaker()

    def _check_crops(self) -> None:
        """Raise SettingError where crop.size or crop.scale ask for crops that the engine refuses."""
        cut, engine = self.camera.tracker.request, self.vitals.engine
        if cut.size < engine.least_crop or abs(cut.scale / engine.crop_scale - 1) > SCALE_TOLERANCE:
            raise SettingError(
                f"'crop.size' {cut.size} and 'crop.scale' {cut.scale:g}: engine '{engine.name}' wants {engine.crop_size} px"
                f" (at least {engine.least_crop}) and {engine.crop_scale:g}; leave both at 0"
            )

    def push(self, stamp: Stamp, rgb: np.ndarray | None = None, thermal: np.ndarray | None = None) -> list[Reading]:
        """Take the next frame of one camera, or of both if they share a stamp; returns the readings that are now known.

        Parameters
        ----------
        stamp : when the frame was taken: nanoseconds as an int, or seconds as a float; of one clock for both cameras.
        rgb : uint8 (H, W, 3), RGB; contiguous or not (`bgr[..., ::-1]`). Its memory may be used again afterwards.
        thermal : (H, W) uint8, uint16 or float32, the camera's raw values; see the settings `thermal.scale`, `thermal.offset`
            and `thermal.unit`.

        Raises
        ------
        ImageError : an image of another shape or type.
        ValueError : no image, or a stamp that is no time.
        """
        stamp_ns = _nanoseconds(stamp)
        if rgb is None and thermal is None:
            raise ValueError("push needs an image: rgb, thermal or both")
        images = [
            (THERMAL, thermal, checked_thermal),
            (RGB, rgb, checked_rgb),
        ]  # thermal first: RGB need not wait for it
        # Copied, for images wait for one another, and a camera's next one may be written over this.
        given = [(stream, check(image).copy()) for stream, image, check in images if image is not None]
        outputs = [output for stream, image in given for output in self.outputs(stream, stamp_ns, image)]
        return self._readings.take(outputs)

    @property
    def complaints(self) -> list[str]:
        """What keeps the meter from measuring at present, camera by camera, in whole sentences; empty if nothing does."""
        return self.camera.complaints + self.vitals.too_slow

    def finish(self) -> list[Reading]:
        """End of the frames: what was held back for later ones."""
        return self._readings.take(self.flush(), last=True)

    def session(self, vital: Vital, face_id: str | None = None) -> Session | None:
        """What all that was seen of a face comes to, see VitalsHalf.session; None unless `keep_looks`."""
        return self.vitals.session(vital, face_id)

    def outputs(self, stream: str, stamp_ns: int, image: Image) -> list[Output]:
        """Take the next image of "rgb" or "thermal"; returns waveforms and rates as they become known.

        An image that cannot be used is dropped and counted; `camera.streams` says why.
        """
        if stream == THERMAL and not self.settings.thermal_enabled:
            return []
        return self._measure(self.camera.push(stream, stamp_ns, image))

    def flush(self) -> list[Output]:
        """End of the frames: waveforms and rates that were held back for later ones."""
        return self._measure(self.camera.flush()) + self.vitals.flush()

    def run(self, frames: Iterable[StreamFrame]) -> Iterator[Output]:
        """Waveforms and rates of all frames of a source, to the last sample that was held back.

        Raises
        ------
        SourceError : a frame is not what its encoding says; names the frame.
        """
        for frame in frames:
            yield from self.outputs(frame.stream, frame.stamp_ns, image_of(frame))
        yield from self.flush()

    def _measure(self, tracked: list[TrackedFrame]) -> list[Output]:
        return [
            output for frame in tracked for output in self.vitals.push(frame.stamp_ns, frame.crops, frame.picture_dead)
        ]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured in a whole recording.

    Attributes
    ----------
    name : of the recording.
    readings : in order.
    results : one rate for all of the recording, of each vital sign, of the face that was measured longest: NaN with a status
        and reasons where no rate is believed enough.
    sessions : where there was waveform enough, what `results` are made of: `seconds` are the belief in each second by what came
        before and after it. Nothing is kept back: compare its `quality`.
    """

    name: str
    readings: tuple[Reading, ...]
    results: Mapping[Vital, Rate] = field(default_factory=dict)
    sessions: Mapping[Vital, Session] = field(default_factory=dict)

    def rates(self, vital: Vital, face_id: str | None = None) -> list[Rate]:
        """Rates of one vital sign, each once, in order; of one face, or of all."""
        found: dict[tuple[str, int], Rate] = {}
        for reading in self.readings:
            rate = reading.heart if vital is Vital.BVP else reading.respiration
            if face_id in (None, reading.face_id):
                found[rate.face_id, rate.stamp_ns] = rate
        return list(found.values())

    def waveforms(self, vital: Vital, face_id: str | None = None) -> list[Waveform]:
        """Waveform pieces of one vital sign, in order; of one face, or of all."""
        return [
            wave
            for reading in self.readings
            for wave in reading.waveforms
            if wave.vital is vital and face_id in (None, wave.face_id)
        ]


class IncompleteError(SourceError):
    """A source that could not be read to its end.

    Attributes
    ----------
    measurement : of what could be read.
    """

    def __init__(self, message: str, measurement: Measurement) -> None:
        super().__init__(message)
        self.measurement = measurement


def measure(source: str | Path, thermal_source: str | Path = "", fps: float = 0.0, **settings: Any) -> Measurement:
    """Measure a file: a video, a folder of images, a rosbag2, or "demo:".

    ::

        for reading in measure("patient.mp4", model="mmrphys-rgb").readings:
            print(reading.seconds, reading.heart_rate)

    Parameters
    ----------
    source, thermal_source : see rppg_ros.sources.factory.open_source.
    fps : frame rate of a folder of images without stamps; 0: the images have stamps.
    settings : as VitalsMeter takes them.

    Raises
    ------
    SourceError : a source that cannot be opened or read; names the file.
    IncompleteError : it cannot be read to its end; its `measurement` is of what could be read.
    SettingError, EngineError, DetectorError : see VitalsMeter.
    """
    meter, maker = VitalsMeter(**{**settings, "keep_looks": True}), ReadingMaker()
    readings: list[Reading] = []
    with contextlib.closing(open_source(str(source), str(thermal_source), fps=fps)) as opened:
        broken = None
        try:
            for frame in opened:
                readings += maker.take(meter.outputs(frame.stream, frame.stamp_ns, image_of(frame)))
        except SourceError as error:
            if not meter.camera.streams[RGB].arrived:
                raise
            broken = error
        readings += maker.take(meter.flush(), last=True)
        sessions = {vital: found for vital in Vital if (found := meter.session(vital)) is not None}
        measurement = Measurement(opened.name, tuple(readings), _results(meter, readings, sessions), sessions)
    if broken is not None:
        raise IncompleteError(str(broken), measurement)
    return measurement


def _results(meter: VitalsMeter, readings: list[Reading], sessions: Mapping[Vital, Session]) -> dict[Vital, Rate]:
    """One rate of each vital sign; where nothing was to be read, what was said last."""
    least, model = min_quality_of(meter.settings), meter.vitals.engine.name
    found = {vital: overall_rate(vital, session, least[vital], model) for vital, session in sessions.items()}
    for vital in Vital:
        said = [reading.heart if vital is Vital.BVP else reading.respiration for reading in readings]
        silent = [rate for rate in said if rate.status is not Status.OK]
        found.setdefault(vital, silent[-1] if silent else Rate.unknown(vital, "", 0, Status.WARMING_UP, model))
    return found


def _nanoseconds(stamp: Stamp) -> int:
    if isinstance(stamp, numbers.Real) and not isinstance(stamp, bool) and stamp == stamp and abs(stamp) < MAX_STAMP_NS:
        stamp_ns = int(stamp) if isinstance(stamp, numbers.Integral) else round(float(stamp) * NS_PER_S)
        if abs(stamp_ns) < MAX_STAMP_NS:
            return stamp_ns
    raise ValueError(f"a stamp is whole nanoseconds or seconds as a float, not {stamp!r}")

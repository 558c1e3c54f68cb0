"""One recording through the nodes' pipeline."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping

import cv2

from rppg_ros.datasets.base import DatasetError, Recording
from rppg_ros.evaluation.collect import Collector, whole_of
from rppg_ros.evaluation.config import engine_for, meter_for
from rppg_ros.evaluation.protocols import PROTOCOLS
from rppg_ros.evaluation.results import NAN, RecordingResult, TaskResult
from rppg_ros.evaluation.truth import TruthError, check_span, possible_truth
from rppg_ros.inference.engine import Engine, EngineError
from rppg_ros.meter.vitals import min_quality_of
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.settings.schema import SettingError
from rppg_ros.sources.base import RGB, SourceError, StreamFrame
from rppg_ros.types import NS_PER_S, Vital
from rppg_ros.vision.detect import DetectorError

OWN_ERRORS = (DatasetError, SourceError, TruthError, EngineError, SettingError, DetectorError, OSError)
MAX_SHOWN = 500  # characters of an error


def evaluate(recording: Recording, settings: EvaluationSettings, engine: Engine | None = None) -> RecordingResult:
    """Measure one recording, as fast as it goes, and lay the truth beside it.

    The same frames give the same result, bit for bit. A recording that cannot be read becomes a result with `error`,
    so that one bad file does not stop a run.

    Parameters
    ----------
    engine : made of the settings where it is not given; engines hold no state and may be used again.
    """
    try:
        return _evaluate(recording, settings, engine)
    except Exception as error:  # a file, a package that reads it, an engine that is a plug-in: one never ends a run
        return _result(recording, error=told(error))


def told(error: Exception) -> str:
    """One line; our own errors say what they are about, others also of what class they are."""
    line = " ".join(str(error).split())[:MAX_SHOWN] or "no reason given"
    return line if isinstance(error, OWN_ERRORS) else f"{type(error).__name__}: {line}"


def _evaluate(recording: Recording, settings: EvaluationSettings, engine: Engine | None) -> RecordingResult:
    try:
        truth = possible_truth(recording.truth())
    except TruthError as error:
        raise TruthError(f"{recording.name}: {error}") from None
    cv2.setNumThreads(1)  # recordings run beside each other, not frames; and sums keep their order
    cv2.setRNGSeed(0)
    collector, watch = Collector(), _Watch()
    with contextlib.closing(recording.open()) as source:
        caution = getattr(source, "caution", "")
        engine = engine or engine_for(settings, source.has_thermal)
        meter = meter_for(settings, engine)
        for output in meter.run(watch.frames(source)):
            collector.add(output)
    if watch.first_ns is None:
        raise SourceError(f"{recording.name}: no RGB frames")
    if watch.last_ns <= watch.first_ns:
        raise SourceError(f"{recording.name}: one RGB frame only: nothing can be measured in it")
    try:
        apart = check_span(truth, watch.first_ns, watch.last_ns)
    except TruthError as error:
        raise TruthError(f"{recording.name}: {error}") from None
    least = min_quality_of(settings)
    span_ns = watch.first_ns, watch.last_ns
    wholes = {vital: whole_of(vital, meter.session(vital), truth, least[vital], span_ns) for vital in Vital}
    tasks = collector.tasks(truth, watch.first_ns, watch.last_ns, settings.window, PROTOCOLS[settings.protocol], wholes)
    return _result(
        recording,
        (watch.last_ns - watch.first_ns) / NS_PER_S,
        watch.count,
        tasks=tasks,
        caution="; ".join(filter(None, (caution, apart))),
    )


class _Watch:
    """Passes frames on and keeps the span of the RGB ones."""

    def __init__(self) -> None:
        self.first_ns: int | None = None
        self.last_ns = 0
        self.count = 0

    def frames(self, source: Iterable[StreamFrame]) -> Iterator[StreamFrame]:
        for frame in source:
            if frame.stream == RGB:
                self.first_ns = frame.stamp_ns if self.first_ns is None else self.first_ns
                self.last_ns, self.count = frame.stamp_ns, self.count + 1
            yield frame


def _result(
    recording: Recording,
    duration_s: float = NAN,
    frames: int = 0,
    error: str = "",
    tasks: Mapping[Vital, TaskResult] | None = None,
    caution: str = "",
) -> RecordingResult:
    return RecordingResult(
        recording.dataset,
        recording.name,
        recording.subject,
        dict(recording.conditions),
        duration_s,
        frames,
        " ".join(error.split()),
        tasks or {},
        caution,
    )

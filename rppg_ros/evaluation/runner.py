"""One recording through the nodes' pipeline."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping

import cv2

from rppg_ros.datasets.base import DatasetError, Recording
from rppg_ros.evaluation.collect import Collector
from rppg_ros.evaluation.config import engine_for, meter_for
from rppg_ros.evaluation.results import NAN, RecordingResult, TaskResult
from rppg_ros.inference.engine import Engine
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.sources.base import RGB, SourceError, StreamFrame
from rppg_ros.types import NS_PER_S, Vital


class UnlabelledError(ValueError):
    """A recording without any truth."""


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
    except (DatasetError, SourceError, UnlabelledError, OSError, ValueError) as error:
        return _result(recording, error=f"{type(error).__name__}: {error}" if type(error) is ValueError else str(error))


def _evaluate(recording: Recording, settings: EvaluationSettings, engine: Engine | None) -> RecordingResult:
    truth = recording.truth()
    if not truth.waves and not truth.rates:
        raise UnlabelledError(f"{recording.name}: no ground truth")
    cv2.setNumThreads(1)  # recordings run beside each other, not frames; and sums keep their order
    cv2.setRNGSeed(0)
    collector, watch = Collector(), _Watch()
    with contextlib.closing(recording.open()) as source:
        caution = getattr(source, "caution", "")
        engine = engine or engine_for(settings, source.has_thermal)
        for output in meter_for(settings, engine).run(watch.frames(source)):
            collector.add(output)
    if watch.first_ns is None:
        raise SourceError(f"{recording.name}: no RGB frames")
    tasks = collector.tasks(truth, watch.first_ns, watch.last_ns, settings.window)
    return _result(recording, (watch.last_ns - watch.first_ns) / NS_PER_S, watch.count, tasks=tasks, caution=caution)


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

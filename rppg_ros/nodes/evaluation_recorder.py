"""evaluation_recorder node: what the nodes published while a recording was replayed, laid beside its ground truth."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rich.console import Console

from rppg_ros.datasets.bags import open_recording
from rppg_ros.datasets.base import DatasetError, Recording, Trace, Truth
from rppg_ros.evaluation.collect import Collector
from rppg_ros.evaluation.output import write_run
from rppg_ros.evaluation.results import RecordingResult, Results
from rppg_ros.nodes import qos
from rppg_ros.nodes.managed import run_nodes
from rppg_ros.nodes.messages import RATE_TYPES, WAVEFORM_TYPES, rate_from, waveform_from
from rppg_ros.nodes.params import ParameterError, Parameters, StrictParameters
from rppg_ros.settings.nodes import RecorderSettings
from rppg_ros.sources.base import RGB, SourceError
from rppg_ros.types import NS_PER_S, Status, Vital
from rppg_ros.vitals.registry import RATES

LIVE = "live replay"


class EvaluationRecorder(StrictParameters, Node):
    """Listens until the replay is over, then writes the results; `done` says so, and `results` holds them.

    Raises
    ------
    ParameterError : the recording or its truth cannot be read; says why.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("evaluation_recorder", **kwargs)
        self.parameters = Parameters(self, RecorderSettings)
        self._params: RecorderSettings = self.parameters.read()
        p = self._params
        if not p.recording:
            raise ParameterError("parameter 'recording' is empty: give the bag or video that is replayed")
        self._recording = open_recording(p.recording, p.truth, p.rgb_topic, p.thermal_topic)
        try:
            self._truth = self._recording.truth()
            self._span, self._absolute, self._frames = _span_of(self._recording)
        except (DatasetError, SourceError, OSError) as error:
            raise ParameterError(f"parameter 'recording': {error}") from None
        self.results: Results | None = None
        self.error = ""
        self._collector = Collector()
        self._model = ""
        self._first_ns: int | None = None
        self._news_s: float | None = None
        for vital in Vital:
            self.create_subscription(WAVEFORM_TYPES[vital], vital.value, self._waveform_of(vital), qos.VITALS)
            self.create_subscription(RATE_TYPES[vital], RATES[vital].name, self._rate_of(vital), qos.VITALS)
        self._watch = self.create_timer(0.5, self._watch_quiet, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def done(self) -> bool:
        """Whether the results are written, or could not be (see `error`)."""
        return self.results is not None or bool(self.error)

    def _waveform_of(self, vital: Vital) -> Callable[[Any], None]:
        def take(message: Any) -> None:
            self._collector.add(waveform_from(message, vital))
            self._model = message.model
            self._news_s = time.monotonic()

        return take

    def _rate_of(self, vital: Vital) -> Callable[[Any], None]:
        def take(message: Any) -> None:
            rate = rate_from(message, vital)
            if rate.status is Status.STALE:  # it says nothing of the recording, only that frames stopped
                return
            # The first frame leads to a rate (warming up, or no face) with its own stamp.
            self._first_ns = rate.stamp_ns if self._first_ns is None else min(self._first_ns, rate.stamp_ns)
            self._collector.add(rate)
            self._model = self._model or rate.model
            self._news_s = time.monotonic()

        return take

    def _watch_quiet(self) -> None:
        if self.done or self._news_s is None or time.monotonic() - self._news_s < self._params.quiet_after:
            return
        try:
            self.results = self._finish()
        except (OSError, ValueError) as error:
            self.error = str(error)
            self.get_logger().error(f"cannot write the results: {error}")
        if self._params.exit_at_end:
            rclpy.try_shutdown(context=self.context)

    def _finish(self) -> Results:
        first_ns, last_ns = self._span
        # Files without times of their own are stamped from when they are played.
        shift_ns = 0 if self._absolute or self._first_ns is None else self._first_ns - first_ns
        truth = _shifted(self._truth, shift_ns)
        tasks = self._collector.tasks(truth, first_ns + shift_ns, last_ns + shift_ns, self._params.window)
        r = self._recording
        result = RecordingResult(
            r.dataset, r.name, r.subject, dict(r.conditions), (last_ns - first_ns) / NS_PER_S, self._frames, tasks=tasks
        )
        settings = {"engine": self._model, "window_s": self._params.window, "from": LIVE}
        folder = Path(self._params.output)
        folder.mkdir(parents=True, exist_ok=True)
        results = Results(self._model, settings, (result,))
        write_run(results, folder, Console())
        return results


def _span_of(recording: Recording) -> tuple[tuple[int, int], bool, int]:
    """Stamps of the first and last RGB frame, whether they are of the clock, and how many frames there are."""
    first_ns, last_ns, count = 0, 0, 0
    with contextlib.closing(recording.open()) as source:
        for frame in source:
            if frame.stream == RGB:
                first_ns = first_ns if count else frame.stamp_ns
                last_ns, count = frame.stamp_ns, count + 1
        if not count:
            raise SourceError(f"{recording.name}: no RGB frames")
        return (first_ns, last_ns), source.absolute, count


def _shifted(truth: Truth, by_ns: int) -> Truth:
    def moved(traces: Mapping[Vital, Trace]) -> dict[Vital, Trace]:
        return {vital: Trace(trace.stamps_ns + by_ns, trace.values) for vital, trace in traces.items()}

    return Truth(moved(truth.waves), moved(truth.rates))


def main(args: list[str] | None = None) -> int:
    """Entry point of `ros2 run rppg_ros evaluation_recorder`; exit code 1 also when no results could be written."""
    nodes: list[EvaluationRecorder] = []

    def make_nodes() -> list[EvaluationRecorder]:
        nodes.append(EvaluationRecorder())
        return nodes

    code = run_nodes(make_nodes, args)
    return code or int(any(node.error for node in nodes))


if __name__ == "__main__":
    sys.exit(main())

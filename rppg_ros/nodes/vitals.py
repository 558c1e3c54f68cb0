"""vitals node: face_crops in; bvp, rsp, heart_rate and respiration_rate out."""

from __future__ import annotations

import sys
from typing import Any

from rclpy.node import Node

from rppg_ros import msg
from rppg_ros.inference.clips import Window
from rppg_ros.inference.engine import Engine, EngineError
from rppg_ros.inference.factory import ENGINES, make_engine
from rppg_ros.inference.intake import CropIntake
from rppg_ros.inference.waves import Output, WaveMaker
from rppg_ros.nodes import qos
from rppg_ros.nodes.diagnostics import Diagnostics, Health, Meter
from rppg_ros.nodes.managed import AUTOSTART, ManagedNode, run_nodes
from rppg_ros.nodes.messages import (
    RATE_TYPES,
    WAVEFORM_TYPES,
    CropError,
    crops_from,
    from_time,
    rate_message,
    sample_messages,
    waveform_message,
)
from rppg_ros.nodes.params import Param, declare
from rppg_ros.nodes.worker import Worker
from rppg_ros.sync.stamps import Verdict
from rppg_ros.types import FaceCrop, Rate, Status, Vital, Waveform

TABLE = (
    AUTOSTART,
    Param("engine", "auto", "auto: the network if a model is given, else pos", choices=ENGINES),
    Param("model", "", "name of a shipped model, or path of an .onnx file with a model card; empty: none"),
    Param("hop", 1.0, "seconds of new waveform per inference of a windowed network", 0.1, 10.0),
    Param("threads", 1, "threads of ONNX Runtime for one inference", 1, 16),
    Param("max_gap", 0.5, "seconds without a crop after which a clip ends", 0.05, 5.0),
    Param("queue_size", 8, "windows that may wait for the network; beyond it the oldest is dropped", 1, 100),
    Param("heart_rate.min_quality", 0.7, "least quality (0..1) of a heart rate that is given as a number", 0.0, 1.0),
    Param("respiration_rate.min_quality", 0.7, "the same for respiration rates", 0.0, 1.0),
    Param("stale_after", 2.0, "seconds without face_crops after which the rates are stale", 0.2, 60.0),
)
RATE_TOPICS = {Vital.BVP: "heart_rate", Vital.RSP: "respiration_rate"}


class VitalsNode(ManagedNode):
    """Lifecycle node around the vitals half.

    Parameters
    ----------
    subscribe : False where another node of the same process calls `take_crops` (no crops cross DDS).
    """

    def __init__(self, subscribe: bool = True, **kwargs: Any) -> None:
        super().__init__("vitals", **kwargs)
        self._params = declare(self, TABLE)
        self._subscribe = subscribe
        self._subscription = None
        self._outputs: dict[Vital, Any] = {}
        self._rates: dict[Vital, Any] = {}
        self._samples: dict[Vital, Any] = {}
        self._engine: Engine | None = None
        self._worker: Worker | None = None
        self._frame_id = ""
        self._last_ns = 0
        self._last_seen = 0.0
        self._stale_faces: list[str] = []
        self._lags: dict[str, float] = {}
        self._last_rates: dict[tuple[Vital, str], Rate] = {}
        self._meter = Meter()
        self._bad = 0
        self._errors = 0
        self._error = ""
        self._diagnostics = Diagnostics(self, {"crops": self._crops_health, "engine": self._engine_health})
        self._stale_timer = self.create_timer(1.0, self._check_stale, clock=self._diagnostics.clock)

    def setup(self) -> None:
        """Load the engine and create the publishers."""
        p = self._params
        self._engine = make_engine(p.engine, p.model, p.hop, p.threads)
        self._min_quality = {
            Vital.BVP: p.heart_rate_min_quality,
            Vital.RSP: p.respiration_rate_min_quality,
        }
        for vital in Vital:
            self._outputs[vital] = self.create_lifecycle_publisher(WAVEFORM_TYPES[vital], vital.value, qos.VITALS)
            self._rates[vital] = self.create_lifecycle_publisher(RATE_TYPES[vital], RATE_TOPICS[vital], qos.VITALS)
            topic = f"{vital.value}/sample"
            self._samples[vital] = self.create_lifecycle_publisher(msg.Sample, topic, qos.VITALS)
        self.get_logger().info(f"engine '{self._engine.name}' measures {', '.join(map(str, self._engine.vitals))}")

    def start(self) -> None:
        """Begin with empty clips, and listen."""
        self._intake = CropIntake(self._engine, self._params.max_gap)
        maker = WaveMaker(self._engine, self._min_quality)
        self._last_ns, self._last_rates, self._lags, self._error = 0, {}, {}, ""
        self._worker = Worker(
            maker.run,
            self._results_ready,
            self._engine_failed,
            lambda job: isinstance(job, Window),
            self._params.queue_size,
        )
        if self._subscribe:
            self._subscription = self.create_subscription(msg.FaceCrops, "face_crops", self._on_crops, qos.CROPS)

    def stop(self) -> None:
        """Stop listening; what the worker has begun is still published."""
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None
        if self._worker is not None:
            self._worker.submit(self._intake.flush().jobs)
            if not self._worker.stop():
                self.get_logger().error("the worker did not end within 5 s")
            self._publish_results()
            self._worker = None

    def teardown(self) -> None:
        """Drop the engine and the publishers."""
        for group in (self._outputs, self._rates, self._samples):
            for publisher in group.values():
                self.destroy_lifecycle_publisher(publisher)
            group.clear()
        self._engine = None

    def take_crops(self, stamp_ns: int, crops: list[FaceCrop], frame_id: str) -> None:
        """Take the crops of one frame: the subscription's work, or a call from a node in the same process."""
        if self._worker is None:
            return
        self._meter.tick()
        self._last_seen, self._frame_id, self._stale_faces = self.seconds(), frame_id, []
        try:
            taken = self._intake.push(stamp_ns, crops)
        except EngineError as error:  # crops that this model cannot use
            self._complain(str(error))
            return
        if self._intake.guard.last_ns == stamp_ns:
            self._last_ns = stamp_ns
        self._publish(list(taken.rates))
        self._worker.submit(taken.jobs)

    def _on_crops(self, message: msg.FaceCrops) -> None:
        try:
            crops = crops_from(message)
        except CropError as error:
            self._complain(f"{self._subscription.topic_name}: {error}")
            return
        self.take_crops(from_time(message.header.stamp), crops, message.header.frame_id)

    def _complain(self, text: str) -> None:
        self._bad += 1
        self._error = text
        self.warn(text)

    def _engine_failed(self, error: Exception) -> None:
        """On the worker's thread."""
        self._errors += 1
        self._error = f"engine '{self._engine.name}': {error}"
        self.get_logger().error(self._error, throttle_duration_sec=5.0)

    def _results_ready(self) -> None:
        """On the worker's thread: have the executor publish (EventsExecutor knows no guard conditions)."""
        if self.executor is not None:
            self.executor.create_task(self._publish_results)

    def _publish_results(self) -> None:
        if self._worker is not None and self._outputs:
            self._publish(self._worker.take())

    def _publish(self, outputs: list[Output]) -> None:
        if not self.context.ok():  # interrupted: nobody hears any more
            return
        for output in outputs:
            if isinstance(output, Waveform):
                self._publish_waveform(output)
            else:
                self._remember(output)
                self._rates[output.vital].publish(rate_message(output, self._frame_id))

    def _remember(self, rate: Rate) -> None:
        if rate.status is Status.NO_FACE:
            self._last_rates.pop((rate.vital, rate.face_id), None)
        else:
            self._last_rates[rate.vital, rate.face_id] = rate

    def _publish_waveform(self, wave: Waveform) -> None:
        self._outputs[wave.vital].publish(waveform_message(wave, self._frame_id))
        self._lags[str(wave.vital)] = (self._last_ns - wave.end_ns) / 1e9
        samples = self._samples[wave.vital]
        if samples.get_subscription_count():
            for sample in sample_messages(wave, self._frame_id):
                samples.publish(sample)

    def _check_stale(self) -> None:
        """No crops, not even empty ones: the camera or the tracker is gone, and the last numbers are old."""
        if self._worker is None or not self._last_ns or self._age() <= self._params.stale_after:
            return
        if self._intake.faces:  # the stream is broken anyway: give what was held back for its continuation
            self._stale_faces = self._intake.faces
            self._worker.submit(self._intake.flush().jobs)
            return
        for face in self._stale_faces or [""]:
            for vital in Vital:
                self._publish([Rate.unknown(vital, face, self._last_ns, Status.STALE, self._engine.name)])

    def _age(self) -> float:
        return self.seconds() - self._last_seen

    def _crops_health(self) -> Health:
        health = self.lifecycle_health()
        if health is not None:
            return health
        counts = self._intake.guard.counts
        health = Health(message=f"{len(self._intake.faces)} face(s)")
        health.values = {
            "frames per second": self._meter.rate(),
            "faces": len(self._intake.faces),
            "messages that could not be used": self._bad,
            **{f"stamps {verdict.value}": counts[verdict] for verdict in Verdict},
        }
        if not self._last_ns and not counts[Verdict.UNSET]:
            health.warn(f"nothing received on {self.resolve_topic_name('face_crops')}")
        elif counts[Verdict.UNSET] and not self._last_ns:
            health.error("face_crops come without a stamp (header.stamp is 0)")
        elif self._age() > self._params.stale_after:
            health.warn(f"no face_crops for {self._age():.1f} s")
        return health

    def _engine_health(self) -> Health:
        health = self.lifecycle_health()
        if health is not None:
            return health
        worker = self._worker
        health = Health(message=self._engine.name)
        health.values = {
            "model": self._params.model or self._engine.name,
            "windows done": worker.done,
            "windows dropped": worker.dropped,
            "windows waiting": worker.waiting,
            "milliseconds per window": 1e3 * worker.busy_s / max(worker.done, 1),
            "errors": self._errors,
            **{f"{vital} lag behind the newest frame, s": lag for vital, lag in self._lags.items()},
        }
        for (vital, face), rate in self._last_rates.items():
            if face in self._intake.faces:
                health.values[f"{RATE_TOPICS[vital]} {face}"] = f"{rate.per_minute:.1f} {rate.status.name}"
        if worker.dropped:
            health.warn(f"{worker.dropped} windows dropped: the network is slower than the camera")
        if self._error:
            health.error(self._error)
        return health


def make_nodes() -> list[Node]:
    """The node of this executable."""
    return [VitalsNode()]


def main(args: list[str] | None = None) -> int:
    """Entry point of `ros2 run rppg_ros vitals`."""
    return run_nodes(make_nodes, args)


if __name__ == "__main__":
    sys.exit(main())

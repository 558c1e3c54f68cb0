"""vitals node: face_crops in; bvp, rsp, heart_rate and respiration_rate out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rclpy.node import Node

from rppg_ros import msg
from rppg_ros.inference.clips import Window
from rppg_ros.inference.waves import Output
from rppg_ros.meter.vitals import VitalsHalf
from rppg_ros.nodes import qos
from rppg_ros.nodes.arrivals import Arrivals
from rppg_ros.nodes.diagnostics import Diagnostics, Meter, Recent
from rppg_ros.nodes.face_topics import RATE_TOPICS, FaceTopics
from rppg_ros.nodes.image_input import several_senders
from rppg_ros.nodes.lateness import Lateness
from rppg_ros.nodes.managed import HURRY_S, MAX_SHOWN, ManagedNode, run_nodes
from rppg_ros.nodes.measure_action import Measurements, delivery_of
from rppg_ros.nodes.messages import (
    RATE_TYPES,
    WAVEFORM_TYPES,
    CropError,
    crops_from,
    from_time,
    rate_message,
    request_message,
    sample_messages,
    waveform_message,
)
from rppg_ros.nodes.vitals_health import VitalsHealth
from rppg_ros.nodes.worker import Worker
from rppg_ros.settings.nodes import VitalsNodeSettings
from rppg_ros.types import NS_PER_S, CropRequest, FaceCrop, Rate, Status, Vital, Waveform

PATIENCE_S = 5.0  # for the worker's last windows, when the node is deactivated


class VitalsNode(ManagedNode):
    """Lifecycle node around the vitals half.

    Parameters
    ----------
    subscribe : False where another node of the same process calls `take_crops` (no crops cross DDS).
    """

    settings: VitalsNodeSettings

    def __init__(self, subscribe: bool = True, **kwargs: Any) -> None:
        super().__init__("vitals", VitalsNodeSettings, **kwargs)
        self.on_request: Callable[[CropRequest], None] | None = None
        self.half: VitalsHalf | None = None
        self.worker: Worker | None = None
        self.meter = Meter()
        self.last_ns = 0
        self.unusable = self.errors = self.late_rates = 0
        self.complaint, self.failure = Recent(self.seconds), Recent(self.seconds)
        self.arrivals, self._lateness = Arrivals(), Lateness()
        self.lags: dict[Vital, float] = {}
        self.last_rates: dict[tuple[Vital, str], Rate] = {}
        self._subscribe = subscribe
        self._subscription: Any = None
        self._requests: Any = None
        self._outputs: dict[Vital, Any] = {}
        self._rates: dict[Vital, Any] = {}
        self._samples: dict[Vital, Any] = {}
        self._measurements: Measurements | None = None
        self._of_faces: FaceTopics | None = None
        self.frame_id = ""
        self._last_seen = 0.0
        self._stale_faces: list[str] = []
        self._said_stale = False  # from then on numbers that come late are old news, until the next crops
        health = VitalsHealth(self)
        self._diagnostics = Diagnostics(self, {"crops": health.crops, "engine": health.engine})
        self._stale_timer = self.create_timer(
            1.0, self.guarded("staleness", self._check_stale), clock=self._diagnostics.clock
        )

    def setup(self) -> None:
        """Load the engine, create the publishers, and say which crops are wanted."""
        self.half = half = VitalsHalf(settings=self.settings)
        for vital in Vital:
            self._outputs[vital] = self.create_lifecycle_publisher(WAVEFORM_TYPES[vital], vital.value, qos.VITALS)
            self._rates[vital] = self.create_lifecycle_publisher(RATE_TYPES[vital], RATE_TOPICS[vital], qos.VITALS)
            topic = f"{vital.value}/sample"
            self._samples[vital] = self.create_lifecycle_publisher(msg.Sample, topic, qos.VITALS)
        self._measurements = Measurements(self, delivery_of(self.settings, self._export_failed))
        self._of_faces = FaceTopics(self) if self.settings.per_face_topics else None
        self.get_logger().info(f"engine '{half.engine.name}' measures {', '.join(map(str, half.engine.vitals))}")
        self._requests = self.create_publisher(msg.CropRequest, "crop_request", qos.LATCHED)
        now_ns = self.get_clock().now().nanoseconds
        self._requests.publish(request_message(half.request, half.engine.name, now_ns))
        if self.on_request is not None:
            self.on_request(half.request)

    def start(self) -> None:
        """Begin with empty clips, and listen."""
        assert self.half is not None and self._measurements is not None
        self.half.restart()
        self._measurements.forget()
        self.last_ns, self.last_rates, self.lags = 0, {}, {}
        self.complaint.clear()
        self.failure.clear()
        self.arrivals, self._lateness = Arrivals(), Lateness()
        self._last_seen = self.seconds()
        self.worker = Worker(
            self.half.work,
            self._results_ready,
            self._engine_failed,
            lambda job: isinstance(job, Window),
            self.settings.queue_size,
        )
        if self._subscribe:
            take = self.guarded("face_crops", self._on_crops)
            with_info: Any = lambda message, info: take(message, info)  # noqa: E731 (rclpy counts the arguments)
            self._subscription = self.create_subscription(msg.FaceCrops, "face_crops", with_info, qos.CROPS)

    def stop(self, hurry: bool = False) -> None:
        """Stop listening; what the worker has begun is still published, unless there is no time."""
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None
        if self.worker is not None and self.half is not None:
            if not hurry:
                self.worker.submit(self.half.end().jobs)
            if not self.worker.stop(HURRY_S if hurry else PATIENCE_S, drop=hurry):
                self.get_logger().error("the worker did not end in time")
            if not hurry:
                self._publish_results()
                assert self._measurements is not None
                self._measurements.break_off("the node was deactivated")
            self.worker = None

    def teardown(self) -> None:
        """Drop the engine and the publishers."""
        for group in (self._outputs, self._rates, self._samples):
            for publisher in group.values():
                self.destroy_lifecycle_publisher(publisher)
            group.clear()
        if self._requests is not None:
            self.destroy_publisher(self._requests)
        for part in (self._measurements, self._of_faces):
            if part is not None:
                part.close()
        self.half = self._requests = self._measurements = self._of_faces = None

    def apply(self, settings: VitalsNodeSettings) -> None:
        """Take other live settings."""
        assert self.half is not None
        self.half.tune(settings)
        if self.worker is not None:
            self.worker.queue_size = settings.queue_size

    def take_crops(self, stamp_ns: int, crops: Sequence[FaceCrop], frame_id: str, picture_dead: bool = False) -> None:
        """Take the crops of one frame: the subscription's work, or a call from a node in the same process."""
        if self.worker is None or self.half is None:
            return
        self.meter.tick()
        dropped = self.half.guard.dropped
        taken = self.half.take(stamp_ns, crops, picture_dead)
        if self.half.complaint:
            self._complain(self.half.complaint)
        if self.half.guard.dropped == dropped:  # stamps that stand still are no news
            self.last_ns, self.frame_id = stamp_ns, frame_id
            self._last_seen, self._stale_faces, self._said_stale = self.seconds(), [], False
            self._lateness.push(self._last_seen, stamp_ns)
        self._publish(list(taken.rates))
        self.worker.submit(taken.jobs)

    def age(self) -> float:
        """Seconds since the last crops."""
        return self.seconds() - self._last_seen

    @property
    def several(self) -> str:
        """That several nodes send crops, and which; empty if one does."""
        return several_senders(self, "face_crops", self.arrivals)

    def _on_crops(self, message: msg.FaceCrops, info: Mapping[str, object]) -> None:
        self.arrivals.push(info)
        if self.arrivals.several:
            return
        try:
            crops = crops_from(message)
        except CropError as error:
            self._complain(f"{self._subscription.topic_name}: {error}")
            return
        self.take_crops(from_time(message.header.stamp), crops, message.header.frame_id, message.picture_dead)

    def _export_failed(self, text: str) -> None:
        """On the delivering thread."""
        self.failure.note(text)
        self.get_logger().error(text, throttle_duration_sec=5.0)

    def _complain(self, text: str) -> None:
        self.unusable += 1
        self.complaint.note(text)
        self.warn(text)

    def _engine_failed(self, error: BaseException) -> None:
        """On the worker's thread."""
        name = self.half.engine.name if self.half is not None else ""
        self.errors += 1
        self.failure.note(f"engine '{name}': {str(error)[:MAX_SHOWN] or type(error).__name__}")
        self.get_logger().error(self.failure.text, throttle_duration_sec=5.0)

    def _results_ready(self) -> None:
        """On the worker's thread: have the executor publish (EventsExecutor knows no guard conditions)."""
        executor = self.executor
        if executor is None:
            return
        try:
            executor.create_task(self.guarded("results", self._publish_results))
        except AttributeError:  # rclpy's way to say that the executor was shut down a moment ago
            return

    def _publish_results(self) -> None:
        if self.worker is not None and self._outputs:
            self._publish(self.worker.take())

    def _publish(self, outputs: list[Output]) -> None:
        if not self.context.ok():  # interrupted: nobody hears any more
            return
        if self._measurements is not None:
            self._measurements.take(outputs)
        for output in outputs:
            if isinstance(output, Waveform):
                self._publish_waveform(output)
            elif not self._said_stale or output.status is Status.STALE:
                self._publish_rate(output)

    def _publish_rate(self, rate: Rate) -> None:
        """A number that comes too late is none: whoever reads it takes it for the present."""
        age_s = (self.last_ns - rate.stamp_ns) / NS_PER_S + self.age() + self._lateness.seconds
        known = age_s <= self.settings.max_lag and not self.time.clockless
        if rate.status is Status.OK and not known:
            self.late_rates += 1
            rate = Rate.unknown(rate.vital, rate.face_id, rate.stamp_ns, Status.STALE, rate.model, rate.window_s)
        self._remember(rate)
        self._rates[rate.vital].publish(rate_message(rate, self.frame_id))
        if self._of_faces is not None:
            self._of_faces.publish(rate, self.frame_id)

    def _remember(self, rate: Rate) -> None:
        if rate.status is Status.NO_FACE:
            self.last_rates.pop((rate.vital, rate.face_id), None)
        else:
            self.last_rates[rate.vital, rate.face_id] = rate

    def _publish_waveform(self, wave: Waveform) -> None:
        self._outputs[wave.vital].publish(waveform_message(wave, self.frame_id))
        if self._of_faces is not None:
            self._of_faces.publish(wave, self.frame_id)
        lag_s = (self.last_ns - wave.end_ns) / NS_PER_S
        if lag_s >= 0:  # else it is of before a clock that was set back
            self.lags[wave.vital] = lag_s
        samples = self._samples[wave.vital]
        if samples.get_subscription_count():
            for sample in sample_messages(wave, self.frame_id):
                samples.publish(sample)

    def _check_stale(self) -> None:
        """No crops, not even empty ones: the camera or the tracker is gone, and the last numbers are old."""
        if self._measurements is not None:
            self._measurements.tick()
        if self.worker is None or self.half is None or not self.last_ns or self.age() <= self.settings.stale_after:
            return
        if self.half.faces:  # the stream is broken anyway: give what was held back for its continuation
            self._stale_faces = self.half.faces
            self.worker.submit(self.half.end().jobs)
            return
        self._said_stale = True
        for face in self._stale_faces or [""]:
            for vital in Vital:
                self._publish([Rate.unknown(vital, face, self.last_ns, Status.STALE, self.half.engine.name)])


def make_nodes() -> list[Node]:
    """The node of this executable."""
    return [VitalsNode()]


def main(args: list[str] | None = None) -> int:
    """Entry point of `ros2 run rppg_ros vitals`."""
    return run_nodes(make_nodes, args)


if __name__ == "__main__":
    sys.exit(main())

"""measure_vitals: measurements on request, several at once if asked for; and what they came to, as a topic and a service."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rclpy.action import ActionServer, CancelResponse
from rclpy.task import Future

from rppg_ros import action, msg, srv
from rppg_ros.export.deliver import Delivery
from rppg_ros.inference.waves import Output
from rppg_ros.meter.measuring import Measured, Measuring, MeasuringPlan
from rppg_ros.meter.vitals import VitalsHalf, min_quality_of
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import rate_message, to_header, to_time, waveform_message
from rppg_ros.reason_texts import advice, told
from rppg_ros.settings.nodes import VitalsNodeSettings
from rppg_ros.types import Rate, Status, Vital, Waveform

BITS = {Vital.BVP: action.MeasureVitals.Goal.HEART_RATE, Vital.RSP: action.MeasureVitals.Goal.RESPIRATION_RATE}
KEPT = 32  # results that last_measurement remembers, of so many faces
SLACK_S = 5.0  # beyond its longest duration, by the node's clock, for a measurement whose camera says nothing
PERIOD_S = 1.0
MAX_AT_ONCE = 8
MET = 256  # ids of whom it has begun to measure by itself


class Owner(Protocol):
    """The vitals node, as far as measurements need it."""

    half: VitalsHalf | None
    settings: VitalsNodeSettings
    active: bool
    last_ns: int
    frame_id: str

    def seconds(self) -> float:
        """By the node's clock, or a steady one."""

    def age(self) -> float:
        """Seconds since the last crops."""


@dataclass(slots=True)
class _Running:
    measuring: Measuring
    began_s: float
    goal: Any = None  # of an action; None: it began by itself
    over: Any = None  # future
    why: str = ""  # it was broken off


class Measurements:
    """Action server, service and topic of a node.

    Parameters
    ----------
    node : a lifecycle node that is an Owner, too.
    delivery : takes what finished measurements came to; None: nobody does.
    """

    def __init__(self, node: Any, delivery: Delivery | None = None) -> None:
        self._node, self.delivery = node, delivery
        self._running: list[_Running] = []
        self._last: OrderedDict[str, msg.Measurement] = OrderedDict()
        self._met: deque[str] = deque(maxlen=MET)
        self._action = ActionServer(
            node, action.MeasureVitals, "measure_vitals", self._execute, cancel_callback=lambda _: CancelResponse.ACCEPT
        )
        self._service = node.create_service(srv.LastMeasurement, "last_measurement", self._answer)
        self._topic = node.create_lifecycle_publisher(msg.Measurement, "measurement", qos.LATCHED)

    @property
    def running(self) -> int:
        """Measurements that go on."""
        return len(self._running)

    def close(self) -> None:
        """End the interfaces; call `break_off` before."""
        if self.delivery is not None:
            self.delivery.end()
        self._action.destroy()
        self._node.destroy_service(self._service)
        self._node.destroy_lifecycle_publisher(self._topic)

    def forget(self) -> None:
        """What was measured before is no news any more."""
        self._last.clear()
        self._met.clear()

    def break_off(self, why: str) -> None:
        """End all that goes on, with what is known."""
        for running in list(self._running):
            self._end(running, why)

    def begin(self, plan: MeasuringPlan, goal: Any = None) -> _Running:
        """Begin a measurement with the next frames."""
        half: VitalsHalf = self._node.half
        half.keep_looks(True)
        least = min_quality_of(half.settings)
        # Before a camera that is silent it begins with what comes next.
        silent = self._node.age() > self._node.settings.stale_after
        start_ns = None if silent else self._node.last_ns or None
        measuring = Measuring(plan, half.session, least, half.engine.name, start_ns)
        running = _Running(measuring, self._node.seconds(), goal, Future(executor=self._node.executor))
        self._running.append(running)
        return running

    def take(self, outputs: Iterable[Output]) -> None:
        """Waveforms and rates that the vitals half gave."""
        outputs = list(outputs)
        if self._node.settings.measure_on_sight:
            self._meet(output.face_id for output in outputs if isinstance(output, Waveform))
        if not self._running:
            return
        for running in list(self._running):
            for output in outputs:
                running.measuring.take(output, self._node.last_ns or None)
            if any(isinstance(output, Rate) for output in outputs):
                self._look_at(running)

    def _meet(self, faces: Iterable[str]) -> None:
        for face_id in faces:
            if face_id not in self._met and len(self._running) < MAX_AT_ONCE:
                self._met.append(face_id)
                vitals, seconds = tuple(self._node.half.engine.vitals), self._node.settings.measure_on_sight
                self.begin(MeasuringPlan(vitals=vitals, seconds=seconds, face_id=face_id))

    def tick(self) -> None:
        """Once a second: what says nothing at all must end, too."""
        for running in list(self._running):
            if running.goal is not None and running.goal.is_cancel_requested:
                self._end(running, "cancelled")
            elif self._node.seconds() - running.began_s > running.measuring.plan.longest_s + SLACK_S:
                self._end_if_it_cannot(running)

    def _end_if_it_cannot(self, running: _Running) -> None:
        """Its time is over by the node's clock; a recording that is played slowly may take longer, as long as it goes on."""
        if running.measuring.restarts:
            self._end(running, "the camera's clock jumps back all the time")
        elif self._node.age() > self._node.settings.stale_after:
            self._end(running, "" if running.measuring.elapsed_s else "no camera images")

    def _look_at(self, running: _Running) -> None:
        if running.goal is not None and running.goal.is_cancel_requested:
            self._end(running, "cancelled")
        elif running.measuring.over:
            self._end(running, "")
        elif running.goal is not None:
            running.goal.publish_feedback(self._feedback(running.measuring))

    def _end(self, running: _Running, why: str) -> None:
        if running not in self._running:
            return
        self._running.remove(running)
        running.why = why
        found = running.measuring.result()
        result = measurement_message(found, self._node.frame_id, why)
        if self.delivery is not None and not why:
            self.delivery.send(found, self._node.settings.export_subject)
        if not self._running and self._node.half is not None:
            self._node.half.keep_looks(False)
        self._remember(result)
        if not running.over.done():
            running.over.set_result(result)

    def _remember(self, result: msg.Measurement) -> None:
        self._last.pop(result.face_id, None)
        self._last[result.face_id] = result
        while len(self._last) > KEPT:
            self._last.popitem(last=False)
        self._topic.publish(result)

    async def _execute(self, goal: Any) -> action.MeasureVitals.Result:
        problem, plan = self._plan_of(goal.request)
        if plan is None:
            goal.abort()
            return action.MeasureVitals.Result(measurement=nothing_measured(problem))
        running = self.begin(plan, goal)
        result = await running.over
        if running.why == "cancelled":
            goal.canceled()
        elif running.why:
            goal.abort()
        else:
            goal.succeed()
        return action.MeasureVitals.Result(measurement=result)

    def _plan_of(self, request: action.MeasureVitals.Goal) -> tuple[str, MeasuringPlan | None]:
        if self._node.half is None or not self._node.active:
            return f"{self._node.get_name()} is not active", None
        if len(self._running) >= MAX_AT_ONCE:
            return f"{MAX_AT_ONCE} measurements go on already", None
        if request.vitals & ~sum(BITS.values()):
            return f"vitals is {request.vitals}: the sum of HEART_RATE (1) and RESPIRATION_RATE (2), or 0", None
        asked = [vital for vital, bit in BITS.items() if request.vitals & bit] or list(self._node.half.engine.vitals)
        try:
            return "", MeasuringPlan(
                vitals=tuple(asked),
                seconds=float(request.seconds),
                face_id=request.face_id,
                certainty=round(float(request.certainty), 6),
            )
        except ValueError as error:
            return str(error), None

    def _feedback(self, measuring: Measuring) -> action.MeasureVitals.Feedback:
        rates, hindrances = measuring.rates(), measuring.hindrances()
        out = action.MeasureVitals.Feedback(
            progress=measuring.progress,
            elapsed=measuring.elapsed_s,
            face_id=measuring.face_id,
            hindrances=[int(reason) for reason in hindrances],
            advice=advice(hindrances[0]) if hindrances else "",
        )
        _put_rates(out, rates, self._node.frame_id)
        return out

    def _answer(self, request: srv.LastMeasurement.Request, response: srv.LastMeasurement.Response) -> Any:
        face_id = request.face_id or next(reversed(self._last), "")
        found = self._last.get(face_id) if self._last else None
        if found is None:
            response.message = (
                f"no measurement of '{request.face_id[:40]}'" if request.face_id else "no measurement yet"
            )
            response.measurement = nothing_measured(response.message)
            return response
        response.success, response.message, response.measurement = True, found.message, found
        return response


def delivery_of(settings: VitalsNodeSettings, on_problem: Callable[[str], None]) -> Delivery | None:
    """Takes what measurements come to where the settings say; None: nowhere. ExportError: that cannot be."""
    if not settings.export_to:
        return None
    formats = ("fhir",) if "://" in settings.export_to else tuple(filter(None, settings.export_formats.split(",")))
    return Delivery(settings.export_to, formats, on_problem)


def measurement_message(found: Measured, frame_id: str, why: str = "") -> msg.Measurement:
    """What a measurement came to; `why` says that it was broken off."""
    out = msg.Measurement(
        header=to_header(found.end_ns, frame_id),
        face_id=found.face_id,
        complete=found.complete and not why,
        message="; ".join(filter(None, [why, told(found.rates)])),
        start=to_time(found.start_ns),
    )
    _put_rates(out, found.rates, frame_id)
    for vital, wave in found.waveforms.items():
        setattr(out, vital.value, waveform_message(wave, frame_id))
    return out


def nothing_measured(why: str) -> msg.Measurement:
    """In the place of a measurement that never began: no number in it."""
    out = msg.Measurement(message=why)
    _put_rates(out, {}, "")
    return out


def _put_rates(out: Any, rates: Mapping[Vital, Rate], frame_id: str) -> None:
    for vital, name in ((Vital.BVP, "heart_rate"), (Vital.RSP, "respiration_rate")):
        rate = rates.get(vital) or Rate.unknown(vital, "", 0, Status.UNSUPPORTED)
        setattr(out, name, rate_message(rate, frame_id))

"""The same messages through the nodes' callbacks and through the class give equal readings, to the last bit."""

import dataclasses

import numpy as np
import pytest
from rclpy.parameter import Parameter

from rppg_ros.meter import VitalsMeter
from rppg_ros.meter.reading import ReadingMaker
from rppg_ros.nodes.messages import crops_from, crops_message, from_time, to_header
from rppg_ros.nodes.video_messages import image_message
from rppg_ros.nodes.vitals_pipeline import make_nodes
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.sources.frames import image_of
from rppg_ros.types import Rate, Status
from support.graph import context, wait_for
from support.recordings import Reduced

START_NS = 1_700_000_000_000_000_000
SCENE = DemoScene(heart_rate=84.0, seconds=12.0, fps=15.0, thermal_fps=8.0, motion_px=2.0)
CAMERA = {"thermal.scale": 0.01, "thermal.offset": -273.15, "detector.rate": 5.0}
ID = "first"


def named(thing, faces):
    """The same with the face's random id replaced by the order of its coming."""
    if not thing.face_id:
        return thing
    return dataclasses.replace(thing, face_id=f"{ID}{faces.setdefault(thing.face_id, len(faces))}")


def plain(output):
    """Comparable: NaN equals NaN."""
    values = dataclasses.astuple(output)
    return tuple(value.tobytes() if isinstance(value, np.ndarray) else repr(value) for value in values)


def through_the_nodes(frames, values):
    """Waveforms and rates that the nodes publish, by calling their subscriptions' callbacks."""
    context()
    tracker_values = {name: value for name, value in values.items() if name in CAMERA}
    vitals_values = {name: value for name, value in values.items() if name not in CAMERA}
    vitals, tracker = make_nodes(
        *([Parameter(n, value=v) for n, v in d.items()] for d in (tracker_values, vitals_values))
    )
    published, sink = [], tracker._sink

    def over_the_wire(stamp_ns, crops, frame_id, picture_dead):  # as messages, there and back, as between two processes
        message = crops_message(to_header(stamp_ns, frame_id), crops, picture_dead)
        sink(from_time(message.header.stamp), crops_from(message), message.header.frame_id, message.picture_dead)

    tracker._sink = over_the_wire
    vitals._publish = lambda outputs: published.extend(outputs)
    for node in (vitals, tracker):
        node.autostart()
    for frame in frames:
        tracker._on_image(frame.stream, image_message(frame, to_header(START_NS + frame.stamp_ns, "c"), "rgb8"))
        wait_for(lambda: vitals.worker.pending == len(vitals.worker._results), what="the worker")
        vitals._publish_results()
    for frame in tracker.camera.flush():
        over_the_wire(frame.stamp_ns, frame.crops, "c", frame.picture_dead)
    wait_for(lambda: vitals.worker.pending == len(vitals.worker._results), what="the worker")
    vitals.stop()
    for node in (vitals, tracker):
        node.destroy_node()
    return published


def through_the_class(frames, values):
    meter = VitalsMeter(**{name.replace(".", "_"): value for name, value in values.items()})
    out = []
    for frame in frames:
        out += meter.outputs(frame.stream, START_NS + frame.stamp_ns, image_of(frame))
    return out + meter.flush()


@pytest.mark.parametrize("values", [{}, {"model": "mmrphys-rgbt"}, {"model": "phasenet-causal"}], ids=str)
def test_node_and_class_are_equal(values):
    frames = list(Reduced(DemoSource(SCENE), 320))
    ids = ({}, {})
    node, own = (
        [named(output, faces) for output in outputs]
        for outputs, faces in zip(
            (through_the_nodes(frames, CAMERA | values), through_the_class(frames, CAMERA | values)), ids, strict=True
        )
    )
    assert sum(isinstance(output, Rate) and output.status is Status.OK for output in own) >= 2
    assert sorted(map(plain, node)) == sorted(map(plain, own))
    readings = [ReadingMaker().take(outputs) for outputs in (node, own)]
    assert [plain(r.heart) for r in readings[0]] == [plain(r.heart) for r in readings[1]]

"""video_source over real DDS: pace, stamps, back-pressure, loops, clean ends."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from rppg_ros import msg
from rppg_ros.nodes import qos, video_gate, video_source
from rppg_ros.nodes.managed import EXIT_BAD_SETTING
from rppg_ros.nodes.messages import from_time, to_header
from rppg_ros.nodes.params import ParameterError
from rppg_ros.nodes.video_messages import compressed_message, image_message
from rppg_ros.nodes.video_player import Player
from rppg_ros.nodes.video_source import VideoSource
from rppg_ros.sources.base import StreamFrame
from rppg_ros.sources.images import rgb_image, thermal_image
from support.graph import PATIENCE_S, Listener, context, overrides, spinning, wait_for
from support.virtual_clock import VirtualClock


@pytest.fixture
def video(tmp_path):
    """Forty small frames at 20 per second."""
    writer = cv2.VideoWriter(str(tmp_path / "v.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 20.0, (64, 48))
    for i in range(40):
        writer.write(np.full((48, 64, 3), 5 * i, np.uint8))
    writer.release()
    return str(tmp_path / "v.mp4")


@pytest.fixture
def play(monkeypatch):
    """Runs the node until something holds; returns what the listener got and when, on the player's clock, each image came.

    That clock stands still until the listener has what was sent.
    """
    clock = VirtualClock()
    monkeypatch.setattr(video_source, "Player", partial(Player, clock=clock))
    monkeypatch.setattr(video_source, "SETTLE_S", 0.0)
    monkeypatch.setattr(video_gate, "PATIENCE_S", PATIENCE_S)

    def play(params, until, topics=None, before_spin=None):
        context()
        listener = Listener({"image": Image, **(topics or {})}, qos.CAMERAS)
        arrivals = []
        listener.create_subscription(Image, "image", lambda m: arrivals.append(clock.now_s), qos.CAMERAS)
        source = VideoSource(parameter_overrides=overrides(wait_for_subscribers=PATIENCE_S, **params))
        clock.settled = lambda: min(len(arrivals), len(listener.got["image"])) >= source._meter.total
        if before_spin:
            before_spin(listener)
        with spinning(source, listener):
            wait_for(lambda: until(source, listener.got), what="the end of the test's playback")
        return source, listener.got, np.array(arrivals)

    return play


def test_true_speed_and_exact_spacing(video, play):
    began_ns = time.time_ns()
    source, got, arrivals = play({"source": video}, lambda s, g: s.done and len(g["image"]) >= 40)
    stamps = [from_time(m.header.stamp) for m in got["image"]]
    assert np.all(np.diff(stamps) == 50_000_000) and len(stamps) == 40
    np.testing.assert_allclose(np.diff(arrivals), 0.05, atol=1e-9)
    assert began_ns < stamps[0] < time.time_ns(), "files without time are played from now"
    assert got["image"][0].encoding == "rgb8" and got["image"][0].header.frame_id == "camera_optical_frame"


def test_faster_and_with_a_clock(video, play):
    _, got, arrivals = play(
        {"source": video, "rate": 4.0, "publish_clock": True},
        lambda s, g: s.done and len(g["image"]) >= 40,
        {"/clock": Clock},
    )
    np.testing.assert_allclose(np.diff(arrivals), 0.05 / 4, atol=1e-9)
    assert from_time(got["/clock"][-1].clock) == from_time(got["image"][-1].header.stamp)


def test_a_loop_jumps_back_as_a_bag_does(video, play):
    _, got, _ = play({"source": video, "rate": 10.0, "loop": True}, lambda s, g: len(g["image"]) > 90)
    stamps = np.array([from_time(m.header.stamp) for m in got["image"]])
    back = np.flatnonzero(np.diff(stamps) < 0)
    assert len(back) >= 2 and stamps[back[0] + 1] == stamps[0]


def test_without_a_pace_a_slow_subscriber_loses_nothing(video, play):
    acknowledged = []

    def slow_tracker(listener):
        """And who takes its crops and gives rates."""
        crops = listener.create_publisher(msg.FaceCrops, "face_crops", qos.CROPS)
        rates = listener.create_publisher(msg.HeartRate, "heart_rate", qos.VITALS)
        listener.create_subscription(msg.FaceCrops, "face_crops", lambda m: None, qos.CROPS)

        def on_image(message):
            time.sleep(0.005)  # slower than the source
            acknowledged.append(message)
            crops.publish(msg.FaceCrops(header=message.header))
            rates.publish(msg.HeartRate(header=message.header))

        listener.create_subscription(Image, "image", on_image, qos.CAMERAS)

    source, got, _ = play(
        {"source": video, "rate": 0.0}, lambda s, g: s.done and len(acknowledged) >= 40, None, slow_tracker
    )
    assert len(acknowledged) == 40 and source.error == ""


def messages_of(image, encoding, stream="rgb"):
    frame, header = StreamFrame(stream, 5, image, encoding), to_header(5, "camera")
    return image_message(frame, header, "rgb8"), compressed_message(frame, header, 95)


def test_colours_are_converted_and_whatever_else_a_bag_has_goes_as_it_is():
    colours = np.zeros((4, 6, 3), np.uint8)
    colours[..., 0] = 200
    raw, packed = messages_of(colours, "bgr8")
    assert raw.encoding == "rgb8" and bytes(raw.data[:3]) == bytes([0, 0, 200])
    assert abs(rgb_image(packed)[2, 3].astype(int) - [0, 0, 200]).max() < 8
    mosaic = np.full((4, 6), 77, np.uint8)
    raw, packed = messages_of(mosaic, "bayer_rggb8")
    assert raw.encoding == "bayer_rggb8" and raw.step == 6 and bytes(raw.data) == mosaic.tobytes()
    assert abs(rgb_image(packed).astype(int) - 77).max() < 8
    for counts, encoding in (
        (np.full((4, 6), 30001, np.uint16), "16UC1"),
        (np.full((4, 6), 34.5, np.float32), "32FC1"),
    ):
        raw, packed = messages_of(counts, encoding, "thermal")
        assert raw.encoding == encoding
        assert np.array_equal(thermal_image(raw), counts) and np.array_equal(thermal_image(packed), counts)


def test_a_recording_that_breaks_off_says_so(tmp_path, play):
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((48, 64, 3), 9, np.uint8))
    (tmp_path / "2.png").write_text("no picture")
    source, got, _ = play({"source": str(tmp_path), "fps": 50.0}, lambda s, g: s.done and len(g["image"]) >= 2)
    assert "2.png: cannot be read" in source.error


def test_a_video_whose_keyframes_could_be_a_pulse_is_warned_of(tmp_path, play):
    """OpenCV's encoder makes every twelfth frame a keyframe: 120 a minute at 24 frames per second."""
    path = tmp_path / "k.mp4"
    image = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 24.0, (64, 48))
    for _ in range(60):
        writer.write(image)
    writer.release()

    def warned(source, got):
        found = [status for message in got["/diagnostics"] for status in message.status if "playback" in status.name]
        return any("keyframes come 120.0 times a minute" in s.message and s.level == s.WARN for s in found)

    play({"source": str(path)}, warned, {"/diagnostics": DiagnosticArray})


def test_bad_sources_are_named(tmp_path):
    context()
    for name in ("", str(tmp_path / "nowhere.mp4"), "demo:wings=2"):
        with pytest.raises(ParameterError, match="source"):
            VideoSource(parameter_overrides=overrides(source=name))


def test_the_process_ends_cleanly_on_interrupt_and_at_the_end(video):
    def start(*more):
        options = ["--ros-args", "-p", f"source:={video}", "-p", "wait_for_subscribers:=0.0", *more]
        return subprocess.Popen(
            [sys.executable, "-m", "rppg_ros.nodes.video_source", *options],
            stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip

    ends = start("-p", "exit_at_end:=true", "-p", "rate:=50.0")
    assert ends.wait(PATIENCE_S) == 0 and "Traceback" not in ends.stderr.read()
    interrupted = start("-p", "loop:=true")
    for line in interrupted.stderr:
        if "playing" in line:
            break
    interrupted.send_signal(signal.SIGINT)
    assert interrupted.wait(PATIENCE_S) == 0 and "Traceback" not in interrupted.stderr.read()
    broken = Path(video).parent / "broken"
    broken.mkdir()
    (broken / "1.png").write_text("no picture")
    breaks = start("-p", f"source:={broken}", "-p", "fps:=9.0", "-p", "exit_at_end:=true")
    assert breaks.wait(PATIENCE_S) == 1 and "1.png: cannot be read" in breaks.stderr.read()
    missing = subprocess.run(
        [sys.executable, "-m", "rppg_ros.nodes.video_source", "--ros-args", "-p", "source:=/no/file.mp4"],
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert (
        missing.returncode == EXIT_BAD_SETTING
        and "/no/file.mp4" in missing.stderr
        and "Traceback" not in missing.stderr
    )

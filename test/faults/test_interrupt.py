"""SIGINT and SIGTERM end every node with exit code 0, at rest and while more comes than can be done; nothing is aborted."""

import os
import signal
import subprocess
import sys
import time

import pytest
from rclpy.node import Node
from sensor_msgs.msg import Image

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import crops_message, to_header
from rppg_ros.nodes.video_messages import image_message
from rppg_ros.sources.base import RGB
from rppg_ros.sources.demo import DemoScene, DemoSource
from support.graph import context, wait_for
from support.people import START_NS, S, crops

PATIENCE_S = 120.0
MODEL = "mmrphys-rgb"


def started(module, *arguments):
    command = [sys.executable, "-m", f"rppg_ros.nodes.{module}", "--ros-args", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ, text=True)


def ended(process, ending):
    """Exit code, and what was written to standard error."""
    process.send_signal(ending)
    _, said = process.communicate(timeout=PATIENCE_S)
    return process.returncode, said


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_vitals_ends_while_the_network_is_behind(ending):
    context()
    sender = Node("sender")
    publisher = sender.create_publisher(msg.FaceCrops, "face_crops", qos.CROPS)
    process = started("vitals", "-p", f"model:={MODEL}", "-p", "hop:=0.1", "-p", "queue_size:=100")
    try:
        wait_for(publisher.get_subscription_count, what="the node's subscription")
        for crop in crops(seconds=30.0, thermal=False):  # as fast as they can be sent: windows pile up
            publisher.publish(crops_message(to_header(crop.stamp_ns, "c"), [crop]))
            time.sleep(0.001)
        code, said = ended(process, ending)
    finally:
        process.kill()
        sender.destroy_node()
    assert code == 0 and "Traceback" not in said and "terminate called" not in said, said


@pytest.mark.parametrize(
    ("module", "ending"),
    [("face_tracker", signal.SIGTERM), ("vitals_pipeline", signal.SIGINT)],
    ids=["face_tracker-SIGTERM", "vitals_pipeline-SIGINT"],
)
def test_a_tracker_ends_while_images_flood_it(module, ending):
    context()
    camera = Node("camera")
    publisher = camera.create_publisher(Image, "image", qos.CAMERAS)
    frames = [f for f in DemoSource(DemoScene(seconds=2.0, fps=15.0, thermal_fps=0.0)) if f.stream == RGB]
    process = started(module)
    try:
        wait_for(publisher.get_subscription_count, what="the node's subscription")
        for i in range(60):
            frame = frames[i % len(frames)]
            publisher.publish(image_message(frame, to_header(START_NS + i * S // 30, "c"), "rgb8"))
        code, said = ended(process, ending)
    finally:
        process.kill()
        camera.destroy_node()
    assert code == 0 and "Traceback" not in said and "terminate called" not in said, said


@pytest.mark.parametrize(
    ("moment", "ending"),
    [
        ("rclpy.init", "SIGINT"),
        ("rclpy.init", "SIGTERM"),
        ("ManagedNode.autostart", "SIGINT"),
        ("vitals.make_nodes", "SIGTERM"),
    ],
)
def test_a_signal_while_the_node_begins_is_not_lost(moment, ending):
    """The signal comes just before that call: no context hears it."""
    program = f"""
import os, signal, sys
import rclpy
from rppg_ros.nodes import managed, vitals
owners = {{"rclpy": rclpy, "ManagedNode": managed.ManagedNode, "vitals": vitals}}
owner, _, name = "{moment}".partition(".")
owner = owners[owner]
before = getattr(owner, name)
def signalled(*args, **options):
    os.kill(os.getpid(), signal.{ending})
    return before(*args, **options)
setattr(owner, name, signalled)
sys.exit(vitals.main())
"""
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S)
    assert process.returncode == 0 and "Traceback" not in process.stderr, process.stderr


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("module", ["vitals", "video_source"])
def test_a_signal_while_modules_are_imported_ends_the_node(module, ending, tmp_path):
    """The first module that is imported after the package says so, and waits."""
    (tmp_path / "rclpy.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(600)\n")
    command = [sys.executable, "-m", f"rppg_ros.nodes.{module}"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True)
    try:
        assert process.stdout.readline() == "importing\n", process.stderr.read()
        code, said = ended(process, ending)
    finally:
        process.kill()
    assert code == 0 and not said, said

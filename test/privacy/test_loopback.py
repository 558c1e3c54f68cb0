"""config/fastdds_loopback.xml: processes that have it talk to each other and listen on loopback addresses alone."""

import ipaddress
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "config" / "fastdds_loopback.xml"
PATIENCE_S = 240.0  # for what never comes

# Publishes its name until it heard another, says on which addresses it listens, and goes on until its input is closed.
NODE = """
import contextlib, os, sys, threading
import rclpy
from std_msgs.msg import String

def listens():
    held = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # closed meanwhile
            held.add(os.readlink(f"/proc/self/fd/{name}"))
    for kind in ("udp", "udp6", "tcp", "tcp6"):
        for line in open(f"/proc/self/net/{kind}").read().splitlines()[1:]:
            columns = line.split()
            if f"socket:[{columns[9]}]" in held:
                yield columns[1].split(":")[0]

name, other = sys.argv[1:]
rclpy.init()
node = rclpy.create_node(name)
heard = set()
node.create_subscription(String, "loopback_check", lambda message: heard.add(message.data), 10)
publisher = node.create_publisher(String, "loopback_check", 10)
node.create_timer(0.05, lambda: publisher.publish(String(data=name)))
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
while other not in heard and not ended.is_set():
    rclpy.spin_once(node, timeout_sec=0.1)
print(*listens(), flush=True)
while not ended.is_set():
    rclpy.spin_once(node, timeout_sec=0.1)
rclpy.shutdown()
"""
BARE = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT", "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"}
PRIVATE = BARE | {name: str(PROFILE) for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")}


def address(text):
    """An address as /proc/net writes it: 32-bit words in this machine's byte order."""
    words = [int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8)]
    return ipaddress.ip_address(b"".join(words))


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "node.py"
    path.write_text(NODE)
    return path


def talk(script, *environments):
    """Addresses that each of some processes listens on, once each has heard the next."""
    dropped = ("FASTRTPS_", "FASTDDS_", "ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS", "ROS_DISCOVERY_SERVER")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    names = [f"node_{number}" for number in range(len(environments))]
    running = []
    for name, other, changed in zip(names, [*names[1:], names[0]], environments, strict=True):
        command = [sys.executable, str(script), name, other]
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": kept | changed}
        running.append(subprocess.Popen(command, **options))
    try:
        lines = [process.stdout.readline() for process in running]
    finally:
        for process in running:
            process.communicate(timeout=PATIENCE_S)
    assert all(lines) and not any(process.returncode for process in running)
    return [[address(text) for text in line.split()] for line in lines]


def test_with_the_profile_two_processes_talk_on_loopback_alone(script):
    for addresses in talk(script, PRIVATE, PRIVATE):
        assert addresses, "no socket was found at all"
        assert all(found.is_loopback for found in addresses), addresses


def test_without_it_everybody_on_the_network_is_listened_to(script):
    (addresses,) = talk(script, BARE)
    assert any(found.is_unspecified for found in addresses)


def test_a_discovery_range_widens_the_profile(script):
    """Why the launch file sets SYSTEM_DEFAULT."""
    (addresses,) = talk(script, PRIVATE | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"})
    assert not all(found.is_loopback for found in addresses)


def test_others_on_this_host_need_no_profile(script):
    """A camera's driver that somebody else started, or `ros2 topic echo`."""
    private, _ = talk(script, PRIVATE, BARE)
    assert all(found.is_loopback for found in private), private

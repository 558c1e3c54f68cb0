"""Spins nodes in a thread and collects what they publish; helpers of the node tests."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter

from rppg_ros.nodes.managed import make_executor


def overrides(**values):
    """Parameter overrides; double underscores stand for dots."""
    return [Parameter(name.replace("__", "."), value=value) for name, value in values.items()]


class Listener(Node):
    """Keeps every message of some topics."""

    def __init__(self, topics, qos=50):
        super().__init__("listener")
        self.got = defaultdict(list)
        for topic, kind in topics.items():
            self.create_subscription(kind, topic, self.got[topic].append, qos)


@contextlib.contextmanager
def spinning(*nodes):
    """Spin nodes in the background on the executor that the executables use."""
    executor = make_executor()
    for node in nodes:
        executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    try:
        yield executor
    finally:
        executor.shutdown()
        thread.join(5)
        for node in nodes:
            node.destroy_node()


def wait_for(condition, seconds=60.0, what="condition"):
    """Wait until a condition holds; the limit is for what never comes, not for slow machines."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(0.002)


def context() -> Context:
    """The running default context, made on demand."""
    if not rclpy.ok():
        rclpy.init()
    return rclpy.get_default_context()

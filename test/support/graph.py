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

PATIENCE_S = (
    240.0  # only what never comes reaches it: such a wait may take a hundred times longer than on an idle machine
)


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
    ending = threading.Event()

    def spin():
        while not ending.is_set():
            executor.spin_once(0.1)

    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    try:
        yield executor
    finally:
        ending.set()  # not shutdown at once: rclpy's wait fails where the executor ends within it
        executor.create_task(lambda: None)
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "a callback does not end"
        executor.shutdown()
        for node in nodes:
            node.destroy_node()


def wait_for(condition, seconds=PATIENCE_S, what="condition"):
    """Wait until a condition holds; the limit is for what never comes, not for slow machines."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {seconds:.0f} s")
        time.sleep(0.002)


def settle(executor):
    """Wait until the callback that runs now, and all that was to be done before, has ended."""
    done = threading.Event()
    executor.create_task(done.set)
    assert done.wait(PATIENCE_S), "a callback does not end"


def context() -> Context:
    """The running default context, made on demand."""
    if not rclpy.ok():
        rclpy.init()
    return rclpy.get_default_context()

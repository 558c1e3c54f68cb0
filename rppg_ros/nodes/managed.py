"""What both lifecycle nodes share: autostart, failures that say why, elapsed time that honours use_sim_time, and main."""

from __future__ import annotations

import abc
import signal
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node

from rppg_ros.nodes.diagnostics import Health
from rppg_ros.nodes.params import ParameterError, Parameters, StrictParameters

THROTTLE_S = 5.0
EXIT_BAD_SETTING = 2  # a process that ends with it would end so again: launch files do not respawn it


class ManagedNode(StrictParameters, LifecycleNode, abc.ABC):
    """Lifecycle node whose subclasses fill in `setup`, `start`, `stop` and `teardown`.

    A `setup` that raises ValueError, RuntimeError or OSError leaves the node unconfigured with one clear line in the log and
    an error in its diagnostics; it can be configured again. Parameters are read when it is configured; the live ones may
    change later.

    Parameters
    ----------
    group : its settings; see rppg_ros.settings.nodes.
    also_known : see Parameters.

    Raises
    ------
    ParameterError : a start value that cannot be, or of a parameter that does not exist.
    """

    problem = ""
    active = False
    configured = False
    settings: Any

    def __init__(self, name: str, group: type, also_known: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.parameters = Parameters(self, group, lambda: self.configured, self._apply, also_known)
        self.settings = self.parameters.read()

    @abc.abstractmethod
    def setup(self) -> None:
        """On configure: read files, build what works, create publishers."""

    @abc.abstractmethod
    def start(self) -> None:
        """On activate: create subscriptions."""

    @abc.abstractmethod
    def stop(self) -> None:
        """On deactivate: destroy them (rclpy manages publishers only)."""

    @abc.abstractmethod
    def teardown(self) -> None:
        """On clean-up: drop everything that `setup` made."""

    @abc.abstractmethod
    def apply(self, settings: Any) -> None:
        """Take other values of the live settings, while configured; ValueError: they cannot be taken."""

    def _apply(self, settings: Any) -> None:
        self.apply(settings)
        self.settings = settings

    def autostart(self) -> None:
        """Configure and activate, if the parameter says so."""
        if not self.get_parameter("autostart").value:
            return
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            self.settings = self.parameters.read()
            self.setup()
        except (ValueError, RuntimeError, OSError) as error:
            self.problem = str(error)
            self.get_logger().error(f"cannot configure: {error}")
            self.teardown()
            return TransitionCallbackReturn.FAILURE
        self.problem = ""
        self.configured = True
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = super().on_activate(state)  # publishers first: the first message may come at once
        self.start()
        self.active = True
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.active = False
        self.stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.configured = False
        self.teardown()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        if self.active:
            self.active = False
            self.stop()
        self.configured = False
        self.teardown()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self.on_shutdown(state)

    def lifecycle_health(self) -> Health | None:
        """Health while there is nothing else to report, None while active."""
        if self.active:
            return None
        health = Health(message="inactive")
        if self.problem:
            health.error(f"not configured: {self.problem}")
        return health

    def seconds(self) -> float:
        """Time that goes on only while the node's clock does: simulated time if use_sim_time, else monotonic."""
        if self.get_parameter("use_sim_time").value:
            return self.get_clock().now().nanoseconds / 1e9
        return time.monotonic()

    def warn(self, text: str) -> None:
        """Log a warning, at most once in a while for each place it comes from."""
        self.get_logger().warning(text, throttle_duration_sec=THROTTLE_S)


def make_executor() -> Any:
    """EventsExecutor where it works: it wakes for messages only; else the single-threaded one.

    The EventsExecutor in the ros-rclpy wheels of PyPI (7.1.6 measured) takes a whole core and never fires a timer: its wait
    for "no deadline" returns at once. ROS from apt has none of this.
    """
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor()
    try:
        metadata.distribution("ros-rclpy")
    except metadata.PackageNotFoundError:
        return EventsExecutor()
    return SingleThreadedExecutor()


def run_nodes(make: Callable[[], list[Node]], args: list[str] | None = None) -> int:
    """Main of every executable: spin the nodes until shut down; EXIT_BAD_SETTING when a start value cannot be."""
    rclpy.init(args=args)
    nodes: list[Node] = []
    try:
        nodes = make()
        executor = make_executor()
        for node in nodes:
            executor.add_node(node)
        for node in nodes:
            if isinstance(node, ManagedNode):
                node.autostart()
        executor.spin()
    except ParameterError as error:
        rclpy.logging.get_logger("rppg_ros").fatal(str(error))
        return EXIT_BAD_SETTING
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except RuntimeError:
        # rclpy's own error when the context ends between two of its steps (a signal, another node's shutdown).
        if rclpy.ok():
            raise
    finally:
        end_nodes(nodes)
    return 0


def end_nodes(nodes: list[Node]) -> None:
    """Stop and destroy nodes, then shut rclpy down."""
    # One interrupt is enough: launch sends a second one, which must not break the clean-up off.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for node in nodes:
        if isinstance(node, ManagedNode) and node.active:
            node.stop()
        node.destroy_node()
    rclpy.try_shutdown()

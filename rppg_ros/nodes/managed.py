"""What both lifecycle nodes share: autostart, failures that say why, elapsed time that honours use_sim_time, and main."""

from __future__ import annotations

import abc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import rclpy
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from rppg_ros.nodes.diagnostics import Health, Recent
from rppg_ros.nodes.elapsed import ElapsedTime
from rppg_ros.nodes.enable import EnableService
from rppg_ros.nodes.params import ParameterError, Parameters, StrictParameters, check_flags, check_params_files
from rppg_ros.nodes.transitions import answer_always
from rppg_ros.nodes.worker import WORKER_NAME

THROTTLE_S = 5.0
MAX_SHOWN = 200  # characters of a message that others wrote
HURRY_S = 1.5  # for a thread that is in the middle of something when the process ends
EXIT_BAD_SETTING = 2  # a process that ends with it would end so again: launch files do not respawn it


class ManagedNode(StrictParameters, LifecycleNode, abc.ABC):
    """Lifecycle node whose subclasses fill in `setup`, `start`, `stop` and `teardown`.

    A `setup` that raises leaves the node unconfigured with one clear line in the log and
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
    surprises = 0
    active = False
    configured = False
    parameters: Parameters
    settings: Any

    def __init__(self, name: str, group: type, also_known: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self._surprise = Recent()
        ros_clock: Any = self.get_clock()  # a ROSClock, though its type is Clock
        self.time = ElapsedTime(
            lambda: bool(ros_clock.ros_time_is_active),
            lambda: int(self.get_clock().now().nanoseconds),
            lambda: int(self.count_publishers("/clock")),
        )
        self.parameters = Parameters(self, group, lambda: self.configured, self._apply, also_known)
        self.settings = self.parameters.read()
        answer_always(self)
        EnableService(self)

    @abc.abstractmethod
    def setup(self) -> None:
        """On configure: read files, build what works, create publishers."""

    @abc.abstractmethod
    def start(self) -> None:
        """On activate: create subscriptions."""

    @abc.abstractmethod
    def stop(self, hurry: bool = False) -> None:
        """On deactivate: destroy them (rclpy manages publishers only). In a hurry (the process ends) what waits is dropped."""

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
        except Exception as error:  # of a plug-in, for instance
            known = isinstance(error, ValueError | RuntimeError | OSError)
            self.problem = (str(error) if known else f"{type(error).__name__}: {error}")[
                :MAX_SHOWN
            ] or "no reason given"
            self.get_logger().error(f"cannot configure: {self.problem}")
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
        health = Health()
        health.warn("inactive" if self.configured else "unconfigured")
        if self.problem:
            health.error(f"not configured: {self.problem}")
        return health

    def seconds(self) -> float:
        """Elapsed time; see ElapsedTime."""
        return self.time.seconds()

    def guarded(self, what: str, callback: Callable[..., None]) -> Callable[..., None]:
        """The callback, which no message ends the node by: what nobody foresaw is dropped, counted and named.

        Parameters
        ----------
        what : where it came from, for messages: a topic, a timer.
        """

        def call(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:
                if not self.context.ok():  # interrupted in the middle of it
                    return
                self.surprises += 1
                surprise = f"{what}: {type(error).__name__}: {str(error)[:MAX_SHOWN]}"
                self._surprise.note(surprise)
                where = traceback.extract_tb(error.__traceback__)[-1]
                self.get_logger().error(
                    f"{surprise} ({where.filename}:{where.lineno}); dropped", throttle_duration_sec=THROTTLE_S
                )

        return call

    def node_health(self, health: Health) -> Health:
        """Health with what concerns the node as a whole: its time, and callbacks that failed."""
        health.values["unforeseen errors"] = self.surprises
        if self.time.complaint:
            health.warn(self.time.complaint)
        if self._surprise.text:
            health.error(self._surprise.text)
        return health

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


def run_nodes(make: Callable[[], Sequence[Node]], args: list[str] | None = None) -> int:
    """Main of every executable: spin the nodes until shut down; EXIT_BAD_SETTING when a start value cannot be."""
    # rclpy ends the context on both signals, and the spinning with it. Python's own handler would raise KeyboardInterrupt
    # besides, in the middle of whatever runs: a message that is being taken, a clean-up. A signal that comes while rclpy
    # begins reaches no context: it is remembered.
    asked_to_end = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: asked_to_end.set())
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.ALL)
    except Exception as error:  # rclpy's own, of several classes: an argument or a parameter file that cannot be read
        print(f"rppg_ros: {error}", file=sys.stderr)
        return EXIT_BAD_SETTING
    nodes: Sequence[Node] = []
    try:
        check_params_files(sys.argv if args is None else args)
        nodes = make()
        check_flags(sys.argv if args is None else args, nodes)
        if not rclpy.ok():
            return 0
        executor = make_executor()
        for node in nodes:
            executor.add_node(node)
        for node in nodes:
            if isinstance(node, ManagedNode):
                node.autostart()
        if not asked_to_end.is_set():
            _spin(executor)
    except (ParameterError, InvalidParameterTypeException, InvalidParameterValueException) as error:
        rclpy.logging.get_logger(Path(sys.argv[0]).stem).fatal(str(error))
        return EXIT_BAD_SETTING
    except ExternalShutdownException:
        pass
    except Exception:
        # rclpy's own errors, of many classes, when the context ends between two of its steps.
        if rclpy.ok():
            raise
    finally:
        end_nodes(nodes)
    _leave_if_a_worker_runs_on()
    return 0


def _spin(executor: Any) -> None:
    """Spin until the context ends. What escapes a callback of rclpy's own (a lifecycle transition that is not allowed from this
    state, for one) is told, and the spinning goes on: no node dies of a message."""
    while True:
        try:
            executor.spin()
            return
        except ExternalShutdownException:
            return
        except Exception as error:
            if not rclpy.ok():
                return
            rclpy.logging.get_logger(Path(sys.argv[0]).stem).error(
                f"{type(error).__name__}: {str(error)[:MAX_SHOWN]}; goes on"
            )


def _leave_if_a_worker_runs_on() -> None:
    """A network that is computed to its end while the interpreter is taken down would abort the process."""
    if any(thread.name == WORKER_NAME for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def end_nodes(nodes: Sequence[Node]) -> None:
    """Stop and destroy nodes, dropping what waits, then shut rclpy down."""
    # One interrupt is enough: launch sends a second one, which must not break the clean-up off.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for node in nodes:
        if isinstance(node, ManagedNode) and node.active:
            node.stop(hurry=True)
        node.destroy_node()
    rclpy.try_shutdown()

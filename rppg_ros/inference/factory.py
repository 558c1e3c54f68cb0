"""Builds the engine that the parameters name: one of ours, or a plug-in's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from rppg_ros.inference.classical import METHODS, ClassicalEngine
from rppg_ros.inference.engine import Engine, EngineError, EngineOptions, WindowPlan
from rppg_ros.inference.network import HOP_S, NetworkEngine
from rppg_ros.inference.onnx_engine import OpenModel
from rppg_ros.inference.streaming import StreamingEngine
from rppg_ros.plugins import Group, lacking, make, not_callable
from rppg_ros.types import Vital

AUTO = "auto"
NETWORK = "network"
DEFAULT_METHOD = "pos"  # measured best of the training-free ones on real recordings
ENGINES = (AUTO, NETWORK, *METHODS)
"""Names of our own engines; see `engine_names`."""

EngineFactory = Callable[[EngineOptions], Engine]


def make_engine(engine: str = AUTO, model: str = "", hop_s: float = HOP_S, threads: int = 1) -> Engine:
    """Engine by name.

    Parameters
    ----------
    engine : "network" needs a model; "pos", "chrom"; "auto" is the network when a model is given, else POS; or a plug-in's.
    model : path of an .onnx file with a model card, or the name of a shipped model.
    hop_s : of a windowed network, see NetworkEngine; a streaming one takes the chunk of its card.
    threads : of ONNX Runtime for one inference.

    Raises
    ------
    EngineError : unknown engine, a model that is missing or unusable, or a plug-in that does not give an engine.
    """
    return make(GROUP, engine, EngineOptions(model, hop_s, threads), _problem)


def engine_names() -> tuple[str, ...]:
    """Names that `make_engine` takes, those of plug-ins last. Imports no plug-in."""
    return GROUP.names()


def _auto(options: EngineOptions) -> Engine:
    return _network(options) if options.model else ClassicalEngine(DEFAULT_METHOD)


def _network(options: EngineOptions) -> Engine:
    if not options.model:
        raise EngineError(
            "engine 'network' needs a model: set the parameter 'model' to an .onnx file or a shipped model's name"
        )
    opened = OpenModel.open(options.model, options.threads)
    return StreamingEngine(opened) if opened.card.state else NetworkEngine(opened, options.hop_s)


def _classical(method: str) -> EngineFactory:
    return lambda options: ClassicalEngine(method)


_OWN: Mapping[str, EngineFactory] = MappingProxyType(
    {AUTO: _auto, NETWORK: _network} | {method: _classical(method) for method in METHODS}
)
GROUP: Group[EngineFactory] = Group("rppg_ros.engines", "engine", _OWN, EngineError, not_callable)


def _problem(engine: Engine) -> str:
    """What is wrong with a plug-in's engine that would only show once faces are seen; "": nothing."""
    missing = lacking(engine, Engine)
    if missing:
        return missing
    plan, vitals = engine.plan, tuple(engine.vitals)
    if not vitals or not all(isinstance(vital, Vital) for vital in vitals):
        return f"measures {list(vitals)}, not some of Vital"
    if not isinstance(plan, WindowPlan):
        return f"has a {type(plan).__name__} for its plan, not a WindowPlan"
    if plan.rate_hz <= 0 or plan.hop < 1 or not 1 <= plan.first <= plan.longest:
        return f"has a plan that cannot be: {plan}"
    untold = [vital.value for vital in vitals if vital not in plan.hold_back]
    return f"has a plan without the hold_back of {', '.join(untold)}" if untold else ""

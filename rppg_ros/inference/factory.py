"""Builds the engine that the parameters name: one of ours, or a plug-in's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from rppg_ros.inference.classical import METHODS, ClassicalEngine
from rppg_ros.inference.engine import Engine, EngineError, EngineOptions, WindowPlan
from rppg_ros.inference.network import HOP_S, NetworkEngine
from rppg_ros.inference.onnx_engine import OpenModel
from rppg_ros.inference.providers import CPU
from rppg_ros.inference.streaming import StreamingEngine
from rppg_ros.plugins import Group, lacking, make, not_callable
from rppg_ros.types import Vital

AUTO = "auto"
NETWORK = "network"
DEFAULT_METHOD = "pos"  # measured best of the training-free ones on real recordings
ENGINES = (AUTO, NETWORK, *METHODS)
"""Names of our own engines; see `engine_names`."""

EngineFactory = Callable[[EngineOptions], Engine]


def make_engine(
    engine: str = AUTO, model: str = "", hop_s: float = HOP_S, threads: int = 1, provider: str = CPU
) -> Engine:
    """Engine by name.

    Parameters
    ----------
    engine : "network" needs a model; "pos", "chrom"; "auto" is the network when a model is given, else POS; or a plug-in's.
    model : path of an .onnx file with a model card, or the name of a shipped model.
    hop_s : of a windowed network, see NetworkEngine; a streaming one takes the chunk of its card.
    threads : of ONNX Runtime for one inference. provider : see inference.providers.

    Raises
    ------
    EngineError : unknown engine, a model that is missing or unusable, or a plug-in that does not give an engine.
    """
    return make(GROUP, engine, EngineOptions(model, hop_s, threads, provider), _problem)


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
    opened = OpenModel.open(options.model, options.threads, options.provider)
    return StreamingEngine(opened) if opened.card.state else NetworkEngine(opened, options.hop_s)


def _classical(method: str) -> EngineFactory:
    return lambda options: ClassicalEngine(method)


_OWN: Mapping[str, EngineFactory] = MappingProxyType(
    {AUTO: _auto, NETWORK: _network} | {method: _classical(method) for method in METHODS}
)
GROUP: Group[EngineFactory] = Group("rppg_ros.engines", "engine", _OWN, EngineError, not_callable)


MAX_CROP_PX, MIN_SCALE, MAX_SCALE = 1024, 0.5, 5.0  # as model cards
MAX_RATE_HZ = 1000.0


def _problem(engine: Engine) -> str:
    """What is wrong with a plug-in's engine that would only show once faces are seen; "": nothing."""
    try:
        return _lacks(engine)
    except Exception as error:  # properties of others' code
        return f"cannot be looked at: {type(error).__name__}: {error}"


def _lacks(engine: Engine) -> str:
    missing = lacking(engine, Engine)
    if missing:
        return missing
    plan, vitals = engine.plan, tuple(engine.vitals)
    if not vitals or not all(isinstance(vital, Vital) for vital in vitals):
        return f"measures {list(vitals)}, not some of Vital"
    if not isinstance(plan, WindowPlan):
        return f"has a {type(plan).__name__} for its plan, not a WindowPlan"
    sizes = (engine.crop_size, engine.least_crop, plan.hop, plan.first, plan.longest)
    if not all(isinstance(size, int) for size in sizes):
        return f"has sizes or points that are not whole numbers: {sizes}"
    if not 1 <= engine.crop_size <= MAX_CROP_PX or not MIN_SCALE <= engine.crop_scale <= MAX_SCALE:
        return f"wants crops that cannot be: {engine.crop_size} pixels, {engine.crop_scale} times the face box"
    if not 0 < plan.rate_hz <= MAX_RATE_HZ or plan.hop < 1 or not 1 <= plan.first <= plan.longest:
        return f"has a plan that cannot be: {plan}"
    untold = [vital.value for vital in vitals if vital not in plan.hold_back]
    return f"has a plan without the hold_back of {', '.join(untold)}" if untold else ""

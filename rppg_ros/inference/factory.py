"""Builds the engine that the parameters name."""

from __future__ import annotations

from rppg_ros.inference.classical import METHODS, ClassicalEngine
from rppg_ros.inference.engine import Engine, EngineError
from rppg_ros.inference.network import HOP_S, NetworkEngine
from rppg_ros.inference.onnx_engine import OpenModel
from rppg_ros.inference.streaming import StreamingEngine

AUTO = "auto"
NETWORK = "network"
DEFAULT_METHOD = "pos"  # measured best of the training-free ones on real recordings
ENGINES = (AUTO, NETWORK, *METHODS)


def make_engine(engine: str = AUTO, model: str = "", hop_s: float = HOP_S, threads: int = 1) -> Engine:
    """Engine by name.

    Parameters
    ----------
    engine : "network" needs a model; "pos", "chrom"; "auto" is the network when a model is given, else POS.
    model : path of an .onnx file with a model card, or the name of a shipped model.
    hop_s : of a windowed network, see NetworkEngine; a streaming one takes the chunk of its card.
    threads : of ONNX Runtime for one inference.

    Raises
    ------
    EngineError : unknown engine, or a model that is missing or unusable.
    """
    if engine not in ENGINES:
        raise EngineError(f"engine '{engine}': unknown, choose from {', '.join(ENGINES)}")
    if engine == NETWORK and not model:
        raise EngineError(
            "engine 'network' needs a model: set the parameter 'model' to an .onnx file or a shipped model's name"
        )
    if engine == NETWORK or (engine == AUTO and model):
        opened = OpenModel.open(model, threads)
        return StreamingEngine(opened) if opened.card.state else NetworkEngine(opened, hop_s)
    return ClassicalEngine(DEFAULT_METHOD if engine == AUTO else engine)

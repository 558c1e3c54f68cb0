"""From a torch network to an .onnx file that carries its card, checked against the network first."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from rppg_ros.inference.card import ModelCard
from rppg_ros.models.cards import streams
from rppg_ros.models.network import Network, StreamingNetwork
from rppg_ros.models.verify import Check, ExportError, short_window, verify

__all__ = ["Check", "ExportError", "export", "verify"]

OPSET = 17


def export(network: Network, card: ModelCard, path: str | Path) -> list[Check]:
    """Write a network as ONNX.

    A windowed network maps (B, C, frames + pad, S, S) to a dict of (B, frames); one whose card has state is exported by
    its `stream`, which also takes and gives the state. Batch is a free axis, and so is time where the card says
    `dynamic_frames`. The file appears only once ONNX Runtime agrees with torch to `verify.MAX_RELATIVE_ERROR` on noise
    and on a smooth clip, at every kind of shape the card allows; a file that was there before stays otherwise.

    Returns
    -------
    The comparisons made.

    Raises
    ------
    ExportError : when the graph disagrees with the network.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        _write(network.eval(), card, partial)
        checks = verify(network, card, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return checks


class _Window(nn.Module):
    """The network with the waveforms of a clip unpacked, in the order of the card's tasks, as a graph's outputs are."""

    def __init__(self, network: Network, card: ModelCard) -> None:
        super().__init__()
        self.network = network
        self.tasks = card.tasks

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        waveforms = self.network(frames)
        return tuple(waveforms[task] for task in self.tasks)


class _Chunk(nn.Module):
    """As _Window, of the next chunk of a stream; the state comes in and goes out after frames and waveforms."""

    def __init__(self, network: StreamingNetwork, card: ModelCard) -> None:
        super().__init__()
        self.network = network
        self.tasks = card.tasks

    def forward(self, frames: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        waveforms, after = self.network.stream(frames, state)
        return (*(waveforms[task] for task in self.tasks), *after)


def _graph(network: Network, card: ModelCard) -> nn.Module:
    if not card.state:
        return _Window(network, card)
    if not streams(network):
        raise ExportError(f"{card.name}: the card has state, and the network carries none")
    return _Chunk(network, card)


def _write(network: Network, card: ModelCard, path: Path) -> None:
    frames = torch.zeros(1, card.channel_count, short_window(card) + card.pad_frames, card.size, card.size)
    state = [torch.zeros(1, *tensor.shape) for tensor in card.state]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, and warns of each shape check
        torch.onnx.export(
            _graph(network, card).eval(),
            (frames, *state),
            str(path),
            dynamo=False,  # the newer exporter needs onnxscript
            opset_version=OPSET,
            input_names=[card.input_name, *(tensor.input for tensor in card.state)],
            output_names=[*(card.outputs[task] for task in card.tasks), *(tensor.output for tensor in card.state)],
            dynamic_axes=_free_axes(card),
        )
    model = onnx.load(path)
    onnx.helper.set_model_props(model, card.to_metadata())
    model.graph.name = card.name
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _free_axes(card: ModelCard) -> dict[str, dict[int, str]]:
    waves = [card.outputs[task] for task in card.tasks]
    axes = {name: {0: "batch"} for name in (card.input_name, *waves)}
    for tensor in card.state:
        axes |= {tensor.input: {0: "batch"}, tensor.output: {0: "batch"}}
    if card.dynamic_frames:
        axes[card.input_name][2] = "frames_in" if card.pad_frames else "frames"
        for name in waves:
            axes[name][1] = "frames"
    return axes

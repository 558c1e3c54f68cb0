"""From a torch network to an .onnx file that carries its card, checked against the network first."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from rppg_ros.inference.card import ModelCard
from rppg_ros.types import Kind

OPSET = 17
MAX_RELATIVE_ERROR = 1e-4
CHECK_SEED = 7


class ExportError(RuntimeError):
    """The exported graph does not run or does not compute what the network computes; nothing was written."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of the graph with the network.

    Attributes
    ----------
    shape : of the input.
    error : largest difference over the largest value, the worst of all outputs.
    """

    signal: str
    shape: tuple[int, ...]
    error: float


def export(network: nn.Module, card: ModelCard, path: str | Path) -> list[Check]:
    """Write a network that maps (B, C, frames + pad, S, S) to a dict of (B, frames) as ONNX.

    Batch is a free axis, and so is time where the card says `dynamic_frames`. The file appears only once ONNX
    Runtime agrees with torch to MAX_RELATIVE_ERROR on noise and on a smooth clip, at every kind of shape the
    card allows; a file that was there before stays otherwise.

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


def verify(network: nn.Module, card: ModelCard, path: Path) -> list[Check]:
    """Compare the graph with the network on random and on smooth clips.

    Raises
    ------
    ExportError : when they differ by more than MAX_RELATIVE_ERROR, or the graph does not run.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # as it will run
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    stored = ModelCard.from_session(session, str(path))
    if stored != card:
        raise ExportError(f"{path.name}: the card read back differs from the one written")
    checks = []
    for batch, frames in _check_shapes(card):
        shape = (batch, card.channel_count, frames + card.pad_frames, card.size, card.size)
        for signal, make in (("random", _random_clip), ("smooth", _smooth_clip)):
            check = Check(signal, shape, _compare(network, session, card, make(shape, card.rate_hz)))
            if not check.error <= MAX_RELATIVE_ERROR:
                raise ExportError(
                    f"{path.name}: on a {signal} clip of shape {shape} the graph differs from the network by "
                    f"{check.error:.1e} of its largest value, more than {MAX_RELATIVE_ERROR:.0e}"
                )
            checks.append(check)
    return checks


class _Outputs(nn.Module):
    """The network with its dict unpacked in the order of the card's tasks, as a graph's outputs are."""

    def __init__(self, network: nn.Module, tasks: tuple[Kind, ...]) -> None:
        super().__init__()
        self.network = network
        self.tasks = tasks

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        waveforms = self.network(frames)
        return tuple(waveforms[task] for task in self.tasks)


def _write(network: nn.Module, card: ModelCard, path: Path) -> None:
    outputs = [card.outputs[task] for task in card.tasks]
    axes = {card.input_name: {0: "batch"}, **{name: {0: "batch"} for name in outputs}}
    if card.dynamic_frames:
        axes[card.input_name][2] = "frames_in"
        axes |= {name: {0: "batch", 1: "frames"} for name in outputs}
    sample = torch.zeros(1, card.channel_count, _short_window(card) + card.pad_frames, card.size, card.size)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, and warns of each shape check
        torch.onnx.export(
            _Outputs(network, card.tasks).eval(),
            (sample,),
            str(path),
            dynamo=False,  # keeps InstanceNormalization one node, and needs no onnxscript
            opset_version=OPSET,
            input_names=[card.input_name],
            output_names=outputs,
            dynamic_axes=axes,
        )
    model = onnx.load(path)
    onnx.helper.set_model_props(model, card.to_metadata())
    model.graph.name = card.name
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _short_window(card: ModelCard) -> int:
    """About half the preferred window, where the card allows another one."""
    if not card.dynamic_frames:
        return card.frames
    return max(card.min_frames, card.frames // 2 // card.frames_multiple * card.frames_multiple)


def _check_shapes(card: ModelCard) -> list[tuple[int, int]]:
    """Batches and window lengths: the preferred one, and one that differs in both."""
    return [(1, card.frames), (2, _short_window(card))]


def _random_clip(shape: tuple[int, ...], rate_hz: float) -> np.ndarray:
    """Heavy camera noise over a signal."""
    noise = np.random.default_rng(CHECK_SEED).integers(-64, 64, shape)
    return _smooth_clip(shape, rate_hz) + noise.astype(np.float32)


def _smooth_clip(shape: tuple[int, ...], rate_hz: float) -> np.ndarray:
    """A shaded patch that pulses and breathes, each channel and clip in another phase; no noise at all."""
    batch, channels, frames, height, width = shape
    t = np.arange(frames).reshape(1, 1, -1, 1, 1) / rate_hz
    y, x = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    phase = np.arange(batch * channels).reshape(batch, channels, 1, 1, 1)
    pulse = (10 + 5 * x) * np.sin(2 * np.pi * 1.2 * t + phase)
    breath = (5 + 15 * y) * np.sin(2 * np.pi * 0.25 * t + phase)
    return (100 + 40 * x + 20 * y + pulse + breath).astype(np.float32)


def _compare(network: nn.Module, session: onnxruntime.InferenceSession, card: ModelCard, clip: np.ndarray) -> float:
    with torch.no_grad():
        expected = network(torch.from_numpy(clip))
    try:
        found = session.run([card.outputs[task] for task in card.tasks], {card.input_name: clip})
    except Exception as error:  # onnxruntime's own exceptions share no base class but this one
        raise ExportError(f"the graph does not run on a clip of shape {clip.shape}: {error}") from None
    errors = []
    for task, waveform in zip(card.tasks, found, strict=True):
        reference = expected[task].numpy()
        if waveform.shape != reference.shape:
            raise ExportError(f"output '{card.outputs[task]}' is {waveform.shape}, not {reference.shape}")
        errors.append(float(np.abs(waveform - reference).max() / np.abs(reference).max()))
    return float(np.max(errors))

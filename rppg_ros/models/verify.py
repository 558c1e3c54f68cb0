"""Whether an exported graph computes what its network computes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from rppg_ros.inference.card import ModelCard
from rppg_ros.models.network import Network
from rppg_ros.types import Vital

MAX_RELATIVE_ERROR = 1e-4
CHECK_SEED = 7
STREAM_FRAMES = 24


class ExportError(RuntimeError):
    """The exported graph does not run or does not compute what the network computes; nothing was written."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of the graph with the network.

    Attributes
    ----------
    shape : of the input; of all chunks together for a streaming network.
    error : largest difference over the largest value, the worst of all outputs.
    """

    signal: str
    shape: tuple[int, ...]
    error: float


def verify(network: Network, card: ModelCard, path: Path) -> list[Check]:
    """Compare the graph with the network on random and on smooth clips.

    A streaming graph gets the clip in chunks of several lengths, its network the clip as a whole: equal waveforms say
    that the state is carried as it should be, too.

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
    run = _run_stream if card.state else _run_window
    checks = []
    for batch, frames in _check_shapes(card):
        shape = (batch, card.channel_count, frames + card.pad_frames, card.size, card.size)
        for signal, make in (("random", _random_clip), ("smooth", _smooth_clip)):
            clip = make(shape, card.rate_hz)
            check = Check(signal, shape, _error(network, card, clip, run(session, card, clip)))
            if not check.error <= MAX_RELATIVE_ERROR:
                raise ExportError(
                    f"{path.name}: on a {signal} clip of shape {shape} the graph differs from the network by "
                    f"{check.error:.1e} of its largest value, more than {MAX_RELATIVE_ERROR:.0e}"
                )
            checks.append(check)
    return checks


def short_window(card: ModelCard) -> int:
    """About half the preferred window, where the card allows another one."""
    if not card.dynamic_frames:
        return card.frames
    return max(card.min_frames, card.frames // 2 // card.frames_multiple * card.frames_multiple)


def _check_shapes(card: ModelCard) -> list[tuple[int, int]]:
    """Batches and window lengths: the preferred one, and one that differs in both."""
    if card.state:
        return [(1, STREAM_FRAMES), (2, STREAM_FRAMES)]
    return [(1, card.frames), (2, short_window(card))]


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


def _run_window(session: onnxruntime.InferenceSession, card: ModelCard, clip: np.ndarray) -> dict[Vital, np.ndarray]:
    names = [card.outputs[task] for task in card.tasks]
    return dict(zip(card.tasks, _run(session, names, {card.input_name: clip}), strict=True))


def _run_stream(session: onnxruntime.InferenceSession, card: ModelCard, clip: np.ndarray) -> dict[Vital, np.ndarray]:
    names = [card.outputs[task] for task in card.tasks]
    state = {t.input: np.zeros((len(clip), *t.shape), np.float32) for t in card.state}
    parts, at, length = [], 0, 1
    while at < clip.shape[2]:
        feed = {card.input_name: np.ascontiguousarray(clip[:, :, at : at + length]), **state}
        found = _run(session, names + [t.output for t in card.state], feed)
        parts.append(found[: len(names)])
        state = {t.input: tensor for t, tensor in zip(card.state, found[len(names) :], strict=True)}
        at, length = at + length, length % 7 + 2  # 1, 3, 5, 7, 2, ...
    return {
        task: np.concatenate(waves, axis=1) for task, waves in zip(card.tasks, zip(*parts, strict=True), strict=True)
    }


def _run(session: onnxruntime.InferenceSession, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    try:
        return session.run(names, feed)
    except Exception as error:  # onnxruntime's own exceptions share no base class but this one
        shape = next(iter(feed.values())).shape
        raise ExportError(f"the graph does not run on a clip of shape {shape}: {error}") from None


def _error(network: Network, card: ModelCard, clip: np.ndarray, found: dict[Vital, np.ndarray]) -> float:
    with torch.no_grad():
        expected = network(torch.from_numpy(clip))
    errors = []
    for task, waveform in found.items():
        reference = expected[task].numpy()
        if waveform.shape != reference.shape:
            raise ExportError(f"output '{card.outputs[task]}' is {waveform.shape}, not {reference.shape}")
        errors.append(float(np.abs(waveform - reference).max() / np.abs(reference).max()))
    return float(np.max(errors))

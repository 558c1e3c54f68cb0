"""Whether a network's graph is what its card says: inputs, outputs, their types, ranks and sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime

    from rppg_ros.inference.card import ModelCard

FLOAT = "tensor(float)"
BATCH = 1
ANY = None
"""A size that the card leaves open."""


def problems(card: ModelCard, session: onnxruntime.InferenceSession) -> Iterator[str]:
    """What contradicts the card, the worst first; each names the card's field. A size that the graph leaves open fits any."""
    inputs = {tensor.name: tensor for tensor in session.get_inputs()}
    outputs = {tensor.name: tensor for tensor in session.get_outputs()}
    states = [(tensor.input, (BATCH, *tensor.shape)) for tensor in card.state]
    after = [tensor.output for tensor in card.state]
    yield from _unknown("input_name", [card.input_name], inputs)
    yield from _unknown("outputs", list(card.outputs.values()), outputs)
    yield from _unknown("state", [name for name, _ in states], inputs)
    yield from _unknown("state", after, outputs)
    fed = [card.input_name, *(name for name, _ in states)]
    for name in inputs:
        if name not in fed:
            yield f"the graph has an input '{name}' that 'input_name' and 'state' do not name"
    if len(set(fed)) < len(fed) or len(set(after)) < len(after):
        yield "'state' names a tensor twice"
    if any(name not in inputs for name in fed) or any(name not in outputs for name in (*card.outputs.values(), *after)):
        return
    yield from _unfit("size", inputs[card.input_name], _frames_shape(card, inputs[card.input_name]))
    for name, shape in states:
        yield from _unfit("state", inputs[name], shape)
    for (_, shape), name in zip(states, after, strict=True):
        yield from _unfit("state", outputs[name], shape)
    for name in card.outputs.values():
        open_length = card.dynamic_frames or card.state
        yield from _unfit("frames", outputs[name], (BATCH, ANY if open_length else card.frames))


def _frames_shape(card: ModelCard, tensor: onnxruntime.NodeArg) -> tuple[int | None, ...]:
    """NCTHW. A graph of one length only is no harm to windows that all have it."""
    length = card.frames + card.pad_frames
    fixed = len(tensor.shape) > 2 and isinstance(tensor.shape[2], int)
    return BATCH, card.channel_count, length if fixed else ANY, card.size, card.size


def _unknown(field: str, names: Sequence[str], tensors: dict[str, onnxruntime.NodeArg]) -> Iterator[str]:
    for name in names:
        if name not in tensors:
            yield f"'{field}' names '{name}', the graph has {list(tensors)}"


def _unfit(field: str, tensor: onnxruntime.NodeArg, wanted: Sequence[int | None]) -> Iterator[str]:
    if tensor.type != FLOAT:
        yield f"'{field}': the graph's '{tensor.name}' is of {tensor.type}, not of float32"
    given = list(tensor.shape)
    fits = len(given) == len(wanted) and all(
        not isinstance(a, int) or b is ANY or a == b for a, b in zip(given, wanted, strict=True)
    )
    if given and not fits:  # without any sizes, not even how many is known
        yield f"'{field}': the graph's '{tensor.name}' is {_text(given)}, the card wants {_text(wanted)}"


def _text(shape: Sequence[object]) -> str:
    return "x".join(str(size) if isinstance(size, int) else "any" for size in shape)

"""The model card: what a node must know of a network to feed it and read it, carried in the .onnx file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Literal

from rppg_ros import weights
from rppg_ros.checked import FieldError, checked, hold
from rppg_ros.inference.graph import problems
from rppg_ros.limits import Limits
from rppg_ros.types import Vital

if TYPE_CHECKING:
    import onnxruntime

SCHEMA_VERSION = 1
CARD_KEY = "rppg_ros.card"
SCHEMA_KEY = "rppg_ros.card_schema"

CHANNEL_COUNTS: Mapping[str, int] = MappingProxyType({"rgb": 3, "thermal": 1})
# What a card may ask for. They are far from what any network here needs, and near enough that no card can ask for all memory.
WORD = Limits(1, 200)  # characters
TEXT = Limits(0, 10_000)  # characters
SIDE = Limits(1, 1024)  # pixels
FRAMES = Limits(1, 20_000)  # 11 minutes at 30 Hz
PAD = Limits(0, 64)  # frames
RATE_HZ = Limits(1.0, 240.0)
CROP_SCALE = Limits(0.5, 5.0)
AXIS = Limits(1, 1_000_000)  # values along an axis of a state
FIGURE = Limits(-1e6, 1e6)  # a score
RETIRED = (
    "calibration"  # a field of cards written by 0.5 and before: quality is the belief's now, the same for all engines
)
MAX_SHOWN = 80  # characters of a wrong value
MAX_ENTRIES = 1000  # of scores and states
MAX_CARD = 1_000_000  # characters
MAX_VALUES = 2**28
"""In a window, and in all states together: 1 GiB of float32."""


class ModelCardError(ValueError):
    """A model card is missing, wrong, or newer than this package; names the file and the field."""


@dataclass(frozen=True, slots=True)
class StateTensor:
    """One tensor a streaming network carries from a call to the next.

    Attributes
    ----------
    input, output : names of the graph's input that takes it and of the output that gives its successor.
    shape : without the batch axis; zeros of this shape start a stream.
    """

    input: Annotated[str, WORD]
    output: Annotated[str, WORD]
    shape: tuple[Annotated[int, AXIS], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """How to feed a network and what comes out.

    The input is float32 of shape (batch, channels, frames + pad_frames, size, size); every output named in
    `outputs` is (batch, frames), one sample per frame.

    Attributes
    ----------
    name : short name, shown in messages; e.g. "mmrphys-lef-rgb-scamps".
    family, variant : e.g. "mmrphys", "LEF_RGB_TSFM".
    tasks : waveforms the network gives.
    channels : cameras stacked along the channel axis, in this order; "rgb" is three channels, "thermal" one.
    size : side of the square crop, pixels.
    frames : preferred window, output samples.
    pad_frames : copies of the last frame to append to a window (1 where the network differences frames).
    dynamic_frames : whether other windows run too: multiples of `frames_multiple`, at least `min_frames`.
    rate_hz : clock the network was trained on.
    crop_scale : side of the crop over the longer side of the face box.
    value_range : of the pixels; "0-255" is raw. Thermal is scaled to the same range.
    layout : axes of the input.
    input_name : the graph's input for frames.
    outputs : task to the name of the graph's output.
    levelled : whether the size of a wave says how likely it is right: a deviation of 1 where the network is sure, near 0 where
        nobody lives. Otherwise waves have any size.
    state : tensors carried between calls by a streaming network; empty for a windowed one.
    training_data, licence, source : provenance, free text.
    sha256 : of the checkpoint the weights came from, hexadecimal; empty of random weights.
    scores : figure of merit to value, e.g. {"UBFC-rPPG HR MAE bpm": 0.4}.
    limits : what it is not good for, or was not tried on, free text.
    """

    name: Annotated[str, WORD]
    family: Annotated[str, WORD]
    variant: Annotated[str, WORD]
    tasks: tuple[Vital, ...]
    channels: tuple[str, ...]
    size: Annotated[int, SIDE]
    frames: Annotated[int, FRAMES]
    rate_hz: Annotated[float, RATE_HZ]
    outputs: Mapping[Vital, Annotated[str, WORD]]
    pad_frames: Annotated[int, PAD] = 0
    dynamic_frames: bool = False
    frames_multiple: Annotated[int, FRAMES] = 1
    min_frames: Annotated[int, FRAMES] = 1
    crop_scale: Annotated[float, CROP_SCALE] = 1.5
    value_range: Literal["0-255"] = "0-255"
    layout: Literal["NCTHW"] = "NCTHW"
    input_name: Annotated[str, WORD] = "frames"
    levelled: bool = False
    state: tuple[StateTensor, ...] = ()
    training_data: Annotated[str, TEXT] = ""
    licence: Annotated[str, TEXT] = ""
    source: Annotated[str, TEXT] = ""
    sha256: Annotated[str, TEXT] = ""
    scores: Mapping[str, Annotated[float, FIGURE]] = field(default_factory=dict)
    limits: Annotated[str, TEXT] = ""

    def __post_init__(self) -> None:
        try:
            hold(self)
        except FieldError as error:
            raise ModelCardError(f"model card: {error}") from None
        for problem in _problems(self):
            raise ModelCardError(f"model card: {problem}")

    @property
    def channel_count(self) -> int:
        """Length of the input's channel axis."""
        return sum(CHANNEL_COUNTS[channel] for channel in self.channels)

    @property
    def window_s(self) -> float:
        """Length of the preferred window, seconds."""
        return self.frames / self.rate_hz

    def to_metadata(self) -> dict[str, str]:
        """Key-value pairs for an ONNX model's metadata_props."""
        return {SCHEMA_KEY: str(SCHEMA_VERSION), CARD_KEY: json.dumps(asdict(self), sort_keys=True)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], where: str = "metadata") -> ModelCard:
        """Card from an ONNX model's metadata.

        Parameters
        ----------
        where : file the metadata came from, for error messages.

        Raises
        ------
        ModelCardError : naming `where` and the missing or invalid field.
        """
        if CARD_KEY not in metadata:
            raise ModelCardError(f"{where}: no model card ('{CARD_KEY}' is not in its ONNX metadata)")
        _check_schema(metadata.get(SCHEMA_KEY, ""), where)
        if len(metadata[CARD_KEY]) > MAX_CARD:
            raise ModelCardError(f"{where}: '{CARD_KEY}' has more than {MAX_CARD:,} characters")
        try:
            raw = json.loads(metadata[CARD_KEY])
        except (ValueError, RecursionError) as error:  # ValueError: also an integer of 5000 digits
            raise ModelCardError(f"{where}: '{CARD_KEY}' is not JSON: {error}") from None
        if not isinstance(raw, dict):
            raise ModelCardError(f"{where}: '{CARD_KEY}' is not a JSON object")
        raw.pop(RETIRED, None)
        try:
            return cls(**checked(cls, raw))
        except FieldError as error:
            raise ModelCardError(f"{where}: model card: {error}") from None
        except ModelCardError as error:
            raise ModelCardError(f"{where}: {error}") from None

    @classmethod
    def from_session(cls, session: onnxruntime.InferenceSession, where: str = "model") -> ModelCard:
        """Card of an open ONNX Runtime session, checked against the graph's own inputs and outputs."""
        card = cls.from_metadata(session.get_modelmeta().custom_metadata_map, where)
        for problem in problems(card, session):
            raise ModelCardError(f"{where}: model card: {problem}")
        return card

    @classmethod
    def read(cls, path: str | Path) -> ModelCard:
        """Card inside an .onnx file, or of a shipped model that is named.

        Raises
        ------
        ModelCardError : when the file is absent, is not ONNX, or has no valid card.
        """
        import onnxruntime

        path = weights.resolve(path)
        if not path.is_file():
            raise ModelCardError(f"{path}: no such file{weights.hint()}")
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base class but this one
            raise ModelCardError(f"{path}: not a readable ONNX model: {_first_line(error)}") from None
        return cls.from_session(session, str(path))


def _problems(card: ModelCard) -> Iterator[str]:
    """What is wrong between fields, or within one beyond its limits; field name first."""
    for place, holder in (("outputs", card.outputs), ("scores", card.scores), ("state", card.state)):
        if len(holder) > MAX_ENTRIES:
            yield f"'{place}' has {len(holder)} entries; {MAX_ENTRIES} are allowed"
    for place, text in (("name", card.name), ("family", card.family), ("variant", card.variant)):
        if not text.isprintable():  # it stands in messages, logs and terminals
            yield f"'{place}' has characters that cannot be printed: {text!r}"
    if not card.tasks or len(set(card.tasks)) != len(card.tasks):
        yield f"'tasks' must name each waveform once, not {[str(task) for task in card.tasks]}"
    if not card.channels or not set(card.channels) <= CHANNEL_COUNTS.keys():
        yield f"'channels' must be of {list(CHANNEL_COUNTS)}, not {list(card.channels)}"
    if len(set(card.channels)) != len(card.channels):
        yield f"'channels' names a camera twice: {list(card.channels)}"
    if set(card.outputs) != set(card.tasks):
        yield f"'outputs' must name one output for each task, not {dict(card.outputs)!r}"
    if card.frames % card.frames_multiple or card.frames < card.min_frames:
        yield (
            f"'frames' is {card.frames}, but must be a multiple of {card.frames_multiple} (frames_multiple) "
            f"and at least {card.min_frames} (min_frames)"
        )
    window = (card.frames + card.pad_frames) * card.size**2 * card.channel_count
    carried = sum(math.prod(tensor.shape) for tensor in card.state)
    for name, values in (("frames", window), ("state", carried)):
        if values > MAX_VALUES:
            yield f"'{name}' asks for {values:,} values at once; {MAX_VALUES:,} are allowed"


def _check_schema(text: str, where: str) -> None:
    try:
        version = int(text)
    except ValueError:
        raise ModelCardError(f"{where}: '{SCHEMA_KEY}' must be a number, not {text[:MAX_SHOWN]!r}") from None
    if version < 1:
        raise ModelCardError(f"{where}: '{SCHEMA_KEY}' must be at least 1, not {version}")
    if version > SCHEMA_VERSION:
        raise ModelCardError(
            f"{where}: '{SCHEMA_KEY}' is {version}, newer than this rppg_ros reads ({SCHEMA_VERSION}); update rppg_ros"
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__

"""The card survives the trip through metadata, and says what is wrong when it does not."""

import dataclasses
import json

import pytest

from rppg_ros.inference.card import (
    CARD_KEY,
    SCHEMA_KEY,
    SCHEMA_VERSION,
    ModelCard,
    ModelCardError,
    StateTensor,
)
from rppg_ros.types import Vital

CARD = ModelCard(
    name="mmrphys-lef-rgb-scamps",
    family="mmrphys",
    variant="LEF_RGB_TSFM",
    tasks=(Vital.BVP, Vital.RSP),
    channels=("rgb", "thermal"),
    size=72,
    frames=180,
    rate_hz=30.0,
    outputs={Vital.BVP: "bvp", Vital.RSP: "rsp"},
    pad_frames=1,
    dynamic_frames=True,
    frames_multiple=4,
    min_frames=8,
    scores={"HR MAE bpm": 1.5},
    state=(StateTensor("h_in", "h_out", (8, 3)),),
    limits="not tried under water",
)


def test_round_trip():
    assert ModelCard.from_metadata(CARD.to_metadata()) == CARD


def test_derived():
    assert CARD.channel_count == 4
    assert CARD.window_s == 6.0


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 0},
        {"size": 1025},
        {"size": 7.5},
        {"size": True},
        {"frames": 181},
        {"frames": 20_004},
        {"pad_frames": -1},
        {"pad_frames": 65},
        {"frames_multiple": 0},
        {"min_frames": 20_001},
        {"rate_hz": 0.9},
        {"rate_hz": 241.0},
        {"rate_hz": float("nan")},
        {"rate_hz": float("inf")},
        {"rate_hz": True},
        {"crop_scale": 0.4},
        {"crop_scale": 5.1},
        {"dynamic_frames": 1},
        {"tasks": ()},
        {"channels": ("nir",)},
        {"channels": ("rgb", "rgb")},
        {"outputs": {Vital.BVP: "bvp"}},
        {"layout": "NTCHW"},
        {"value_range": "0-1"},
        {"name": ""},
        {"name": "n" * 201},
        {"state": (StateTensor("h_in", "h_out", (1000, 1000, 269)),)},
    ],
)
def test_invalid_field_is_named(changes):
    (name,) = changes
    with pytest.raises(ModelCardError, match=f"'{name}'"):
        dataclasses.replace(CARD, **changes)


def test_a_calibration_of_an_older_card_is_passed_over():
    metadata = CARD.to_metadata()
    older = json.loads(metadata[CARD_KEY]) | {"calibration": {"bvp": {"bias": 1.0, "snr": float("nan")}}}
    assert ModelCard.from_metadata(metadata | {CARD_KEY: json.dumps(older)}) == CARD


def test_a_window_that_would_fill_the_memory_is_refused():
    with pytest.raises(ModelCardError, match="'frames' asks for 759,169,024 values at once; 268,435,456 are allowed"):
        dataclasses.replace(CARD, size=1024)


def test_fields_are_converted():
    card = dataclasses.replace(CARD, rate_hz=30, tasks=["bvp", "rsp"], channels=["rgb", "thermal"])
    assert card == CARD and isinstance(card.rate_hz, float) and isinstance(card.tasks[0], Vital)


def _edited(**changes) -> dict[str, str]:
    metadata = CARD.to_metadata()
    raw = json.loads(metadata[CARD_KEY])
    for name, value in changes.items():
        if value is None:
            del raw[name]
        else:
            raw[name] = value
    return {**metadata, CARD_KEY: json.dumps(raw)}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "no model card"),
        ({**CARD.to_metadata(), SCHEMA_KEY: str(SCHEMA_VERSION + 1)}, "newer than this rppg_ros"),
        ({**CARD.to_metadata(), SCHEMA_KEY: "one"}, SCHEMA_KEY),
        ({**CARD.to_metadata(), CARD_KEY: "{"}, "not JSON"),
        ({**CARD.to_metadata(), CARD_KEY: "[]"}, "not a JSON object"),
        (_edited(frames=None, size=None), "lacks 'frames', 'size'"),
        (_edited(tasks=["spo2"]), r"'tasks\[0\]' must be one of bvp, rsp, not 'spo2'"),
        (_edited(colour="red"), "unknown field 'colour'; there are: name, family"),
        (_edited(siez=72), "unknown field 'siez'; did you mean 'size'"),
        (_edited(size="72"), "'size' must be an integer from 1 to 1024, not '72'"),
        (
            _edited(state=[{"input": "a", "output": "b", "shape": [8, 0]}]),
            r"'state\[0\].shape\[1\]' must be an integer",
        ),
        (_edited(state=[{"input": "a", "shape": [8]}]), r"lacks 'state\[0\].output'"),
        (_edited(scores={"HR": float("nan")}), "'scores.HR' must be a number from -1000000.0 to 1000000.0, not nan"),
        (_edited(tasks=["bvp"]), "'outputs' must name one output for each task"),
    ],
)
def test_bad_metadata_names_file_and_field(metadata, message):
    with pytest.raises(ModelCardError, match=message) as caught:
        ModelCard.from_metadata(metadata, "some.onnx")
    assert str(caught.value).startswith("some.onnx: ")


def test_read_absent_and_broken_files(tmp_path):
    with pytest.raises(ModelCardError, match="absent.onnx: no such file"):
        ModelCard.read(tmp_path / "absent.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a protobuf")
    with pytest.raises(ModelCardError, match="broken.onnx: not a readable ONNX model"):
        ModelCard.read(broken)


def test_a_model_without_a_card(tmp_path):
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "bare.onnx"
    onnx.save(_identity_graph(onnx), path)
    with pytest.raises(ModelCardError, match="bare.onnx: no model card"):
        ModelCard.read(path)


def test_card_that_disagrees_with_the_graph(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = _identity_graph(onnx)
    onnx.helper.set_model_props(model, CARD.to_metadata())
    path = tmp_path / "liar.onnx"
    onnx.save(model, path)
    with pytest.raises(ModelCardError, match="'input_name' names 'frames', the graph has \\['x'\\]"):
        ModelCard.read(path)


def _identity_graph(onnx):
    helper = onnx.helper
    tensor = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "identity", tensor[:1], tensor[1:])
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])

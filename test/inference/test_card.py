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
from rppg_ros.vitals.rates import Calibration

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
    calibration={Vital.BVP: Calibration(-0.2, 0.1, 0.4, 0.4, 0.05, 0.4, 0.9)},
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
        {"size": 7.5},
        {"frames": 181},
        {"rate_hz": 0.0},
        {"rate_hz": float("nan")},
        {"crop_scale": -1.0},
        {"tasks": ()},
        {"channels": ("nir",)},
        {"channels": ("rgb", "rgb")},
        {"outputs": {Vital.BVP: "bvp"}},
        {"layout": "NTCHW"},
        {"value_range": "0-1"},
        {"name": ""},
    ],
)
def test_invalid_field_is_named(changes):
    (name,) = changes
    with pytest.raises(ModelCardError, match=f"'{name}'"):
        dataclasses.replace(CARD, **changes)


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
        (_edited(tasks=["spo2"]), "'tasks'"),
        (_edited(colour="red"), "unknown field 'colour'"),
        (_edited(size="72"), "'size'"),
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

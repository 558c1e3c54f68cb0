"""Models (13): missing, cut, random, huge, not ours, or with a card that contradicts the graph: refused at load, by name."""

import dataclasses
import json
import math
import typing

import numpy as np
import pytest

from rppg_ros import weights
from rppg_ros.inference.card import CARD_KEY, MAX_CARD, SCHEMA_KEY, ModelCard, ModelCardError, StateTensor
from rppg_ros.inference.engine import EngineError
from rppg_ros.inference.factory import make_engine
from rppg_ros.inference.onnx_engine import OpenModel
from rppg_ros.limits import Limits
from rppg_ros.types import Vital
from support.people import crops
from support.tiny_models import write_streaming_model

onnx = pytest.importorskip("onnx", reason="onnx is installed for tests only")
TensorProto, helper = onnx.TensorProto, onnx.helper

CARD = ModelCard(
    name="mean", family="test", variant="v", tasks=(Vital.BVP,), channels=("rgb",), size=36, frames=30, rate_hz=30.0,
    outputs={Vital.BVP: "bvp"},
    scores={"HR MAE": 1.0},
)  # fmt: skip


def write(
    path, card=CARD, shape=(1, 3, 30, 36, 36), out=(1, 30), kind=TensorProto.FLOAT, scale=1.0, more=(), props=None
):
    """Output: the mean of each frame, times `scale`."""
    values = [
        onnx.numpy_helper.from_array(np.array([1, 3, 4]), "axes"),
        onnx.numpy_helper.from_array(np.array(scale, helper.tensor_dtype_to_np_dtype(kind)), "scale"),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["frames", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "scale"], ["bvp"]),
    ]
    inputs = [helper.make_tensor_value_info("frames", kind, shape)]
    inputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1,)) for name in more]
    graph = helper.make_graph(nodes, "mean", inputs, [helper.make_tensor_value_info("bvp", kind, out)], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, card.to_metadata() if props is None else props)
    onnx.save(model, str(path))
    return path


def changed(**changes):
    return dataclasses.replace(CARD, **changes)


def refusal(path):
    """What `make_engine` says; it names the file."""
    with pytest.raises(EngineError) as caught:
        make_engine(model=str(path))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 600
    return str(caught.value)


def test_a_model_that_is_right_is_taken(tmp_path):
    assert make_engine(model=str(write(tmp_path / "m.onnx"))).name == "mean"
    every = ("batch", 3, "frames", 36, 36)
    dynamic = changed(dynamic_frames=True, min_frames=8)
    assert make_engine(model=str(write(tmp_path / "d.onnx", dynamic, every, ("batch", "frames")))).plan.longest == 30
    assert make_engine(model=str(write(tmp_path / "o.onnx", CARD, ("batch", 3, "t", "h", "w"), None))).crop_size == 36


CONTRADICTIONS = {
    "size": (changed(size=72), {}, "'size': the graph's 'frames' is 1x3x30x36x36, the card wants 1x3x30x72x72"),
    "size, of a graph that takes any": (
        changed(size=72),
        {"shape": ("batch", 3, "t", 36, 36)},
        "'size': the graph's 'frames' is anyx3xanyx36x36",
    ),
    "frames": (changed(frames=60), {}, "'size': the graph's 'frames' is 1x3x30x36x36, the card wants 1x3x60x36x36"),
    "frames of the output": (changed(frames=60), {"shape": (1, 3, "t", 36, 36)}, "'frames': the graph's 'bvp' is 1x30"),
    "padding": (changed(pad_frames=1), {}, "the card wants 1x3x31x36x36"),
    "cameras": (changed(channels=("rgb", "thermal")), {}, "the card wants 1x4x"),
    "more at once": (CARD, {"shape": (2, 3, 30, 36, 36), "out": (2, 30)}, "'frames' is 2x3x30x36x36"),
    "rank of the input": (CARD, {"shape": (1, 3, 30, 36, 36, 1), "out": None}, "'frames' is 1x3x30x36x36x1"),
    "type": (CARD, {"kind": TensorProto.DOUBLE}, "'frames' is of tensor(double), not of float32"),
    "another input": (CARD, {"more": ("age",)}, "the graph has an input 'age'"),
    "name of the input": (changed(input_name="x"), {}, "'input_name' names 'x', the graph has ['frames']"),
    "name of the output": (changed(outputs={Vital.BVP: "y"}), {}, "'outputs' names 'y', the graph has ['bvp']"),
    "a state that is not there": (changed(state=(StateTensor("a", "b", (3,)),)), {}, "'state' names 'a'"),
    "weights of NaN": (CARD, {"scale": math.nan}, "its output 'bvp' is not finite"),
    "weights of 1e39": (CARD, {"scale": np.float32(3e38)}, "its output 'bvp' is not finite"),
    "output of another length than the graph says": (
        changed(pad_frames=1),
        {"shape": (1, 3, "t", 36, 36), "out": (1, "t")},
        "its output 'bvp' is (1, 31) for 30 frames, not (1, 30)",
    ),
}


@pytest.mark.parametrize(("card", "graph", "says"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_card_that_contradicts_its_graph_is_refused_at_load(card, graph, says, tmp_path):
    assert says in refusal(write(tmp_path / "m.onnx", card, **graph))


@pytest.mark.parametrize("shape", [(2,), (1, 1)])
def test_a_state_of_another_shape_is_refused_at_load(shape, tmp_path):
    path = write_streaming_model(tmp_path / "m.onnx")
    assert make_engine(model=path)
    model = onnx.load(path)
    raw = json.loads(next(entry.value for entry in model.metadata_props if entry.key == CARD_KEY))
    raw["state"][0]["shape"] = list(shape)
    props = {entry.key: entry.value for entry in model.metadata_props} | {CARD_KEY: json.dumps(raw)}
    helper.set_model_props(model, props)
    onnx.save(model, path)
    assert "'state': the graph's 'state_0' is anyx1, the card wants" in refusal(path)


def test_what_is_no_model_is_named(tmp_path):
    shipped = weights.resolve("mmrphys-rgb").read_bytes()
    rng = np.random.default_rng(0)
    contents = {
        "empty": b"",
        "text": b"hello\n" * 100,
        "random": rng.bytes(50_000),
        "cut": shipped[: len(shipped) // 2],
        "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.onnx").write_bytes(content)
        said = refusal(tmp_path / f"{name}.onnx")
        assert "not a readable ONNX file" in said or "no model card" in said
    assert "no such file" in refusal(tmp_path / "absent.onnx")
    assert "no such file" in refusal(tmp_path)


def test_a_shipped_model_with_damaged_bytes_is_refused_or_gives_finite_numbers(tmp_path):
    shipped = bytearray(weights.resolve("mmrphys-rgb").read_bytes())
    rng = np.random.default_rng(1)
    for turn in range(12):
        content = bytearray(shipped)
        for at in rng.integers(0, len(content), 2000 if turn % 2 else 20):
            content[at] = rng.integers(256)
        path = tmp_path / f"{turn}.onnx"
        path.write_bytes(content)
        try:
            model = OpenModel.open(path)
        except EngineError as error:
            assert str(path) in str(error)
            continue
        model.try_out()  # raises where an output is not finite


def test_outputs_that_are_no_numbers_end_in_an_error_that_names_the_model(tmp_path):
    """Weights can be such that only some faces overflow."""
    dark = write(tmp_path / "m.onnx", changed(dynamic_frames=True), (1, 3, "t", 36, 36), (1, "t"), scale=2e36)
    engine = make_engine(model=str(dark))
    assert engine.infer(np.full((30, 36, 36, 3), 100, np.float32), None, {})
    with pytest.raises(EngineError, match="model 'mean': its output 'bvp' is not finite"):
        engine.infer(np.full((30, 36, 36, 3), 255, np.float32), None, {})


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_thermal_crop_with_pixels_that_are_no_numbers_is_no_sample(wrong):
    engine = make_engine(model="mmrphys-rgbt")
    (crop,) = list(crops(seconds=0.04))
    assert engine.thermal(crop) is not None
    image = crop.thermal.copy()
    image[3, 4] = wrong
    assert engine.thermal(dataclasses.replace(crop, thermal=image)) is None


def numbers(cls, prefix=""):
    """Path of every number of a card, with its limits."""
    for field in dataclasses.fields(cls):
        hint = typing.get_type_hints(cls, include_extras=True)[field.name]
        for part in [hint, *typing.get_args(hint)]:
            limits = [one for one in getattr(part, "__metadata__", ()) if isinstance(one, Limits)]
            inner = typing.get_args(part)[0] if limits else None
            if inner in (int, float):
                yield field.name, limits[0], inner


@pytest.mark.parametrize(("name", "limits", "kind"), list(numbers(ModelCard)), ids=lambda value: str(value)[:20])
def test_every_number_of_a_card_has_limits(name, limits, kind):
    for wrong in (limits.least - 1, limits.most + 1, math.nan, math.inf, 10**400, "many", None, True, [1]):
        value = {"HR": wrong} if name == "scores" else wrong
        raw = json.loads(CARD.to_metadata()[CARD_KEY]) | {name: value}
        with pytest.raises(ModelCardError, match=f"'{name}"):
            ModelCard.from_metadata({SCHEMA_KEY: "1", CARD_KEY: json.dumps(raw)}, "m.onnx")


def test_the_numbers_of_a_card_are_all_looked_at():
    named = {name for name, _, _ in numbers(ModelCard)}
    plain = {f.name for f in dataclasses.fields(ModelCard) if typing.get_type_hints(ModelCard)[f.name] in (int, float)}
    assert plain and plain <= named and "scores" in named


@pytest.mark.parametrize(
    ("props", "says"),
    [
        ({SCHEMA_KEY: "1", CARD_KEY: "[" * 100_000}, "is not JSON"),
        ({SCHEMA_KEY: "1", CARD_KEY: '{"size": ' + "9" * 5000 + "}"}, "is not JSON"),
        ({SCHEMA_KEY: "1", CARD_KEY: " " * (MAX_CARD + 1)}, "more than 1,000,000 characters"),
        ({SCHEMA_KEY: "9" * 5000, CARD_KEY: "{}"}, "must be a number"),
        ({SCHEMA_KEY: "0", CARD_KEY: "{}"}, "must be at least 1"),
        ({SCHEMA_KEY: "nan", CARD_KEY: "{}"}, "must be a number, not 'nan'"),
        ({SCHEMA_KEY: "1", CARD_KEY: "null"}, "is not a JSON object"),
        ({SCHEMA_KEY: "1", CARD_KEY: '{"__class__": "os.system"}'}, "unknown field '__class__'"),
        ({}, "no model card"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_cards_that_are_none_are_refused(props, says, tmp_path):
    assert says in refusal(write(tmp_path / "m.onnx", props=props))

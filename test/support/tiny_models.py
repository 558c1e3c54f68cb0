"""Hand-made .onnx networks whose output is known; no torch needed."""

import numpy as np

from rppg_ros.inference.card import ModelCard, StateTensor
from rppg_ros.types import Vital


def write_streaming_model(path, size=36, chunk=5, rate_hz=30.0) -> str:
    """Output: minus the rise of the frame's mean green since the frame before; its state is the last mean."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    card = ModelCard(
        name="rise", family="test", variant="v", tasks=(Vital.BVP,), channels=("rgb",), size=size, frames=chunk,
        dynamic_frames=True, rate_hz=rate_hz, outputs={Vital.BVP: "bvp"}, state=(StateTensor("state_0", "next_0", (1,)),),
    )  # fmt: skip
    constants = {"green": [1], "two": [2], "zero": [0], "one": [1], "last": [-1], "end": [2**31], "space": [2, 3]}
    nodes = [
        helper.make_node("Slice", ["frames", "green", "two", "one"], ["part"]),
        helper.make_node("Squeeze", ["part", "one"], ["flat"]),
        helper.make_node("ReduceMean", ["flat", "space"], ["mean"], keepdims=0),
        helper.make_node("Concat", ["state_0", "mean"], ["seen"], axis=1),
        helper.make_node("Slice", ["seen", "zero", "last", "one"], ["before"]),
        helper.make_node("Sub", ["before", "mean"], ["bvp"]),
        helper.make_node("Slice", ["mean", "last", "end", "one"], ["next_0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "rise",
        [
            helper.make_tensor_value_info("frames", TensorProto.FLOAT, ("batch", 3, "time", size, size)),
            helper.make_tensor_value_info("state_0", TensorProto.FLOAT, ("batch", 1)),
        ],
        [
            helper.make_tensor_value_info("bvp", TensorProto.FLOAT, ("batch", "time")),
            helper.make_tensor_value_info("next_0", TensorProto.FLOAT, ("batch", 1)),
        ],
        [numpy_helper.from_array(np.array(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, card.to_metadata())
    onnx.save(model, str(path))
    return str(path)

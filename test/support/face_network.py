"""A network in YuNet's shape that knows one face: OpenCV's reader of YuNet takes it, no foreign file is needed.

It looks for a given picture by normalised cross-correlation at three sizes, one for each of YuNet's strides. It sees red only, so
that colours in the wrong order do not go unnoticed.
"""

from pathlib import Path

import cv2
import numpy as np

STRIDES = (8, 16, 32)  # pixels between the places that YuNet judges
CELLS_WIDE = 16  # of the picture, as the network sees it; half a stride each: it finds faces 64, 128, 256 pixels wide
SURE, UNSURE = 0.8, 0.5  # correlations that give confidence 1 and 0
FLAT = 25.0  # variance of a patch, grey levels squared, below which it correlates with nothing


def write_face_network(path: Path, face: np.ndarray) -> str:
    """A file for cv2.FaceDetectorYN that finds `face`, an RGB uint8 picture; its box is the picture's outline."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rows = round(CELLS_WIDE * face.shape[0] / face.shape[1] / 2) * 2
    small = cv2.resize(face, (CELLS_WIDE, rows), interpolation=cv2.INTER_AREA)
    template = small[..., 0].astype(np.float32)
    template = (template - template.mean()) / (template.std() * template.size)
    weights = {
        "red": np.array([0, 0, 1], np.float32).reshape(1, 3, 1, 1),  # the input is BGR
        "template": template[None, None],
        "mean": np.full((1, 1, rows, CELLS_WIDE), 1 / template.size, np.float32),
        "gain": np.array(1 / (SURE - UNSURE), np.float32),
        "unsure": np.array(UNSURE, np.float32),
        "flat": np.array(FLAT, np.float32),
        "zero": np.array(0, np.float32),
        "unit": np.array(1, np.float32),
    }
    nodes, outputs = [], []
    for stride in STRIDES:
        # No offset: a place's window has its middle at the place. Sides are logarithms of strides.
        box = [0, 0, np.log(CELLS_WIDE / 2), np.log(rows / 2)]
        for name, columns in (("bbox", box), ("kps", [0] * 10)):
            weights[f"{name}_of_{stride}"] = np.array(columns, np.float32).reshape(1, 1, -1)
        nodes += _level(helper, stride, rows)
        outputs += [(f"{kind}_{stride}", n) for kind, n in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))]
    weights["as_rows"] = np.array([1, -1, 1])
    graph = helper.make_graph(
        nodes,
        "one_face",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, (1, 3, 320, 320))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, None, n)) for name, n in outputs],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return str(path)


def _level(helper, stride: int, rows: int) -> list:
    """Nodes of one stride: cells, their correlation with the picture, and YuNet's four outputs."""
    cell = stride // 2
    window = {"kernel_shape": [rows, CELLS_WIDE], "strides": [2, 2]}
    around = [rows // 2, CELLS_WIDE // 2, rows // 2 - 2, CELLS_WIDE // 2 - 2]  # as many places as strides fit

    def node(kind, inputs, output, **attributes):
        names = [name.replace("#", str(stride)) for name in (*inputs, output)]
        return helper.make_node(kind, names[:-1], names[-1:], **attributes)

    return [
        node("Conv", ["input", "red"], "full_#", kernel_shape=[1, 1]),
        node("AveragePool", ["full_#"], "cells_#", kernel_shape=[cell, cell], strides=[cell, cell]),
        node("Mul", ["cells_#", "cells_#"], "squares_#"),
        node("Conv", ["cells_#", "template"], "match_#", pads=around, **window),
        node("Conv", ["cells_#", "mean"], "level_#", pads=around, **window),
        node("Conv", ["squares_#", "mean"], "power_#", pads=around, **window),
        node("Mul", ["level_#", "level_#"], "level2_#"),
        node("Sub", ["power_#", "level2_#"], "variance_#"),
        node("Add", ["variance_#", "flat"], "safe_#"),
        node("Sqrt", ["safe_#"], "contrast_#"),
        node("Div", ["match_#", "contrast_#"], "correlation_#"),
        node("Sub", ["correlation_#", "unsure"], "above_#"),
        node("Mul", ["above_#", "gain"], "scaled_#"),
        node("Relu", ["scaled_#"], "score_#"),
        node("Reshape", ["score_#", "as_rows"], "cls_#"),
        node("Mul", ["cls_#", "unit"], "obj_#"),
        node("Mul", ["cls_#", "zero"], "nothing_#"),
        node("Add", ["nothing_#", "bbox_of_#"], "bbox_#"),
        node("Add", ["nothing_#", "kps_of_#"], "kps_#"),
    ]

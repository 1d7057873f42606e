"""A small ONNX network of ArcFace's layout."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 8


def write_network(file, *, size=112, outputs=512, seed=0):
    """Averages of 8 x 8 areas, multiplied by a matrix: embeddings that tell faces apart, not normalised."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((3 * SIDE * SIDE, outputs)).astype(np.float32)
    area = {"kernel_shape": [size // SIDE] * 2, "strides": [size // SIDE] * 2}
    nodes = [
        helper.make_node("AveragePool", ["faces"], ["means"], **area),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["embeddings"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["batch", 3, size, size])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", outputs])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, file)
    return matrix

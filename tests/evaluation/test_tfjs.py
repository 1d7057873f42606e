"""TensorFlow.js graph models, written here by hand, small enough to work out by hand."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import torch

from hifi_portrait.errors import ModelError
from hifi_portrait.evaluation.scorers.tfjs import GraphModel


def text(value: str) -> dict:
    return {"s": base64.b64encode(value.encode()).decode()}


def convolution(op: str, stride: int, padding: str = "SAME") -> dict:
    steps = {"list": {"i": ["1", str(stride), str(stride), "1"]}}
    return {
        "name": "y",
        "op": op,
        "input": ["x", "k:0"],
        "attr": {"strides": steps, "padding": text(padding)},
    }


def write(folder, nodes, weights, **quantisation):
    """A graph with the input `x`; weights as arrays by name, stored as they are."""
    entries = [
        {"name": name, "shape": list(value.shape), "dtype": "float32"}
        | ({"quantization": quantisation} if quantisation else {})
        for name, value in weights.items()
    ]
    constants = [{"name": name, "op": "Const"} for name in weights]
    description = {
        "modelTopology": {"node": [*nodes, *constants, {"name": "x", "op": "Placeholder"}]},
        "weightsManifest": [{"paths": ["net.bin"], "weights": entries}],
    }
    (folder / "net.bin").write_bytes(b"".join(value.tobytes() for value in weights.values()))
    path = folder / "net.json"
    path.write_text(json.dumps(description))
    return path


def ramp(size: int) -> torch.Tensor:
    """(1, size, size, 1), 0 to size² - 1."""
    return torch.arange(float(size * size)).reshape(1, size, size, 1)


def test_same_padding_of_an_even_picture_goes_to_the_end(tmp_path):
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[0, 0] = 1  # shows which pixel is the window's first
    path = write(tmp_path, [convolution("Conv2D", 2)], {"k": kernel})
    np.testing.assert_array_equal(GraphModel.load(path, "y")(ramp(4))[0, ..., 0], [[0, 2], [8, 10]])


def test_valid_padding_keeps_to_the_picture(tmp_path):
    path = write(tmp_path, [convolution("Conv2D", 1, "VALID")], {"k": np.ones((2, 2, 1, 1), np.float32)})
    np.testing.assert_array_equal(GraphModel.load(path, "y")(ramp(2))[0, ..., 0], [[6]])


def test_a_depthwise_convolution_keeps_channels_apart(tmp_path):
    kernel = np.array([2, 10], np.float32).reshape(1, 1, 2, 1)
    path = write(tmp_path, [convolution("DepthwiseConv2dNative", 1)], {"k": kernel})
    picture = torch.tensor([1.0, 3.0]).reshape(1, 1, 1, 2)
    np.testing.assert_array_equal(GraphModel.load(path, "y")(picture).reshape(-1), [2, 30])


@pytest.mark.parametrize(
    ("op", "expected"), [("Add", 7), ("Sub", 3), ("Mul", 10), ("Minimum", 2), ("Maximum", 5)]
)
def test_arithmetic(tmp_path, op, expected):
    path = write(tmp_path, [{"name": "y", "op": op, "input": ["x", "c"]}], {"c": np.array(2, np.float32)})
    assert GraphModel.load(path, "y")(torch.tensor(5.0)) == expected


def test_mean_over_the_named_axes(tmp_path):
    node = {"name": "y", "op": "Mean", "input": ["x", "axes"]}
    path = write(tmp_path, [node], {"axes": np.array([1, 2], np.float32)})
    description = json.loads(path.read_text())
    description["weightsManifest"][0]["weights"][0]["dtype"] = "int32"
    path.write_text(json.dumps(description))
    (tmp_path / "net.bin").write_bytes(np.array([1, 2], np.int32).tobytes())
    assert GraphModel.load(path, "y")(ramp(2)).tolist() == [[1.5]]


@pytest.mark.parametrize(
    ("stored", "quantisation"),
    [
        (np.array([1.5, -2], np.float16), {"dtype": "float16"}),
        (np.array([7, 0], np.uint8), {"dtype": "uint8", "scale": 0.5, "min": -2.0}),
    ],
)
def test_quantised_weights_are_restored(tmp_path, stored, quantisation):
    path = write(tmp_path, [{"name": "y", "op": "Add", "input": ["x", "c"]}], {"c": stored}, **quantisation)
    np.testing.assert_array_equal(GraphModel.load(path, "y")(torch.zeros(2)), [1.5, -2])


def test_what_the_output_does_not_need_may_be_unknown(tmp_path):
    nodes = [{"name": "y", "op": "Relu", "input": ["x"]}, {"name": "z", "op": "Erf", "input": ["x"]}]
    path = write(tmp_path, nodes, {})
    assert GraphModel.load(path, "y")(torch.tensor(-1.0)) == 0
    with pytest.raises(ModelError, match=r"net\.json.*Erf"):
        GraphModel.load(path, "z")


def test_an_output_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match="no node 'embedding'"):
        GraphModel.load(write(tmp_path, [], {}), "embedding")


def test_missing_weights_are_named(tmp_path):
    path = write(tmp_path, [], {"c": np.zeros(1, np.float32)})
    (tmp_path / "net.bin").unlink()
    with pytest.raises(ModelError, match=r"net\.bin"):
        GraphModel.load(path, "x")


def test_weights_cut_short_are_refused(tmp_path):
    path = write(tmp_path, [], {"c": np.zeros(4, np.float32)})
    (tmp_path / "net.bin").write_bytes(bytes(15))
    with pytest.raises(ModelError, match="cut short"):
        GraphModel.load(path, "x")


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "other.json"
    path.write_text("[]")
    with pytest.raises(ModelError, match=r"other\.json is not a TensorFlow\.js graph model"):
        GraphModel.load(path, "y")

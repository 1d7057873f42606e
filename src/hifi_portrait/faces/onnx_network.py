"""A face recogniser in ONNX as a PyTorch module, through which a loss has a gradient.

onnxruntime gives no gradients, and onnx2torch (1.5.15, of 2024) brings torchvision and tests older formats
than today's. ArcFace's networks are chains of a dozen kinds of operations, which are these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hifi_portrait.errors import ModelError, needs_extra

Attributes = Mapping[str, Any]


class OnnxNetwork(nn.Module):
    """A network of one input and one output, as its ONNX file describes it. Its weights are buffers.

    Parameters
    ----------
    file
        The ONNX file.

    Raises
    ------
    ModelError
        The file is missing, damaged, or has an operation that is not known here.
    MissingExtraError
        onnx is not installed.
    """

    def __init__(self, file: str | Path) -> None:
        super().__init__()
        with needs_extra("arcface"):
            import onnx
        if not Path(file).is_file():
            raise ModelError(f"there is no recogniser {file}: give an ONNX file")
        try:
            graph = onnx.load(str(file)).graph
        except Exception as error:  # protobuf's errors have no common base but this
            raise ModelError(f"{file} is no ONNX network, or damaged: {error}") from error
        self._places: dict[str, str] = {}
        for number, tensor in enumerate(graph.initializer):
            self._add(tensor.name, number, onnx.numpy_helper.to_array(tensor))
        self._nodes: list[tuple[str, list[str], str, dict[str, Any]]] = []
        for node in graph.node:
            attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            if node.op_type == "Constant":
                self._add(node.output[0], len(self._places), onnx.numpy_helper.to_array(attributes["value"]))
                continue
            if node.op_type not in _OPERATIONS:
                raise ModelError(f"{file} has the operation {node.op_type}, which no ArcFace network has")
            self._nodes.append((node.op_type, list(node.input), node.output[0], attributes))
        (self._input,) = (each.name for each in graph.input if each.name not in self._places)
        self._output = graph.output[0].name

    def _add(self, name: str, number: int, values: Any) -> None:
        self._places[name] = f"tensor_{number}"
        self.register_buffer(self._places[name], torch.tensor(values))

    def forward(self, values: Tensor) -> Tensor:
        """Compute the output of a batch, in float32."""
        known: dict[str, Tensor] = {name: getattr(self, place) for name, place in self._places.items()}
        known[self._input] = values.float()
        with torch.autocast(values.device.type, enabled=False):
            for kind, inputs, output, attributes in self._nodes:
                given = [known[name] if name else None for name in inputs]
                known[output] = _OPERATIONS[kind](given, attributes)
        return known[self._output]


def _pads(attributes: Attributes, values: Tensor) -> Tensor:
    """Pad pictures as a node says: top, left, bottom, right."""
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    return F.pad(values, (left, right, top, bottom)) if any((top, left, bottom, right)) else values


def _convolve(given: Sequence[Any], attributes: Attributes) -> Tensor:
    values, weight = given[:2]
    return F.conv2d(
        _pads(attributes, values),
        weight,
        given[2] if len(given) > 2 else None,
        stride=attributes.get("strides", (1, 1)),
        dilation=attributes.get("dilations", (1, 1)),
        groups=attributes.get("group", 1),
    )


def _normalise(given: Sequence[Any], attributes: Attributes) -> Tensor:
    values, weight, bias, mean, variance = given
    return F.batch_norm(values, mean, variance, weight, bias, eps=attributes.get("epsilon", 1e-5))


def _multiply_and_add(given: Sequence[Any], attributes: Attributes) -> Tensor:
    first, second, *added = given
    first = first.mT if attributes.get("transA") else first
    second = second.mT if attributes.get("transB") else second
    product: Tensor = attributes.get("alpha", 1.0) * (first @ second)
    return product + attributes.get("beta", 1.0) * added[0] if added else product


def _average(given: Sequence[Any], attributes: Attributes) -> Tensor:
    size = attributes["kernel_shape"]
    return F.avg_pool2d(_pads(attributes, given[0]), size, attributes.get("strides", (1, 1)))


def _maximum(given: Sequence[Any], attributes: Attributes) -> Tensor:
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    padded = F.pad(given[0], (left, right, top, bottom), value=float("-inf"))
    return F.max_pool2d(padded, attributes["kernel_shape"], attributes.get("strides", (1, 1)))


def _reshape(given: Sequence[Any], _: Attributes) -> Tensor:
    shape = [given[0].shape[place] if side == 0 else side for place, side in enumerate(given[1].tolist())]
    output: Tensor = given[0].reshape(shape)
    return output


_OPERATIONS: dict[str, Callable[[Sequence[Any], Attributes], Tensor]] = {
    "Conv": _convolve,
    "BatchNormalization": _normalise,
    "Gemm": _multiply_and_add,
    "AveragePool": _average,
    "MaxPool": _maximum,
    "Reshape": _reshape,
    "MatMul": lambda given, _: given[0] @ given[1],
    "PRelu": lambda given, _: torch.where(given[0] < 0, given[0] * given[1], given[0]),
    "Relu": lambda given, _: given[0].relu(),
    "Sigmoid": lambda given, _: given[0].sigmoid(),
    "Add": lambda given, _: given[0] + given[1],
    "Sub": lambda given, _: given[0] - given[1],
    "Mul": lambda given, _: given[0] * given[1],
    "Div": lambda given, _: given[0] / given[1],
    "Flatten": lambda given, attributes: given[0].flatten(attributes.get("axis", 1)),
    "GlobalAveragePool": lambda given, _: given[0].mean(dim=(2, 3), keepdim=True),
    "Identity": lambda given, _: given[0],
    "Dropout": lambda given, _: given[0],
}
"""What each kind of operation does with its inputs and attributes (https://onnx.ai/onnx/operators)."""

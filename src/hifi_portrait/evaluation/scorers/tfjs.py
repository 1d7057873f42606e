"""Run a convolutional network saved as a TensorFlow.js graph model, in torch and without TensorFlow.

Such a model is a ``.json`` file with the graph and the layout of the weights, beside binary files of weights
(github.com/tensorflow/tfjs). The second recogniser, HSE-FaceRes, comes as such a graph. What else reads this
form, or the form that it was trained in, needs TensorFlow, a dependency as large as torch. The ten operations
that the recogniser consists of are run here instead.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hifi_portrait.errors import ModelError

_PLAIN: dict[str, Any] = {"float32": np.float32, "float16": np.float16, "int32": np.int32}
_QUANTISED: dict[str, Any] = {"uint8": np.uint8, "uint16": np.uint16}


class GraphModel:
    """The part of a graph that leads from its one input, a picture, to one output node."""

    def __init__(
        self, nodes: Sequence[Mapping[str, Any]], weights: Mapping[str, Tensor], output: str
    ) -> None:
        self._nodes = _in_order({node["name"]: node for node in nodes}, output)
        self._weights = weights
        unknown = {node["op"] for node in self._nodes} - {"Const", "Placeholder", *_OPERATIONS}
        if unknown:
            raise ModelError(f"operations that are not known here: {', '.join(sorted(unknown))}")

    @classmethod
    def load(cls, path: Path, output: str) -> GraphModel:
        """Read the ``.json`` file and the files of weights that it names, which lie beside it.

        Raises
        ------
        ModelError
            If the file is no such graph, or weights are missing or cut short.
        """
        try:
            description = json.loads(path.read_text())
            nodes, groups = description["modelTopology"]["node"], description["weightsManifest"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is not a TensorFlow.js graph model: {error!r}") from error
        weights = {name: value for group in groups for name, value in _read_weights(path, group)}
        try:
            return cls(nodes, weights, output)
        except ModelError as error:
            raise ModelError(f"{path} cannot be run: {error}") from error

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Tensor:
        """Compute the output for float pictures (B, H, W, C), ranged as the network was trained."""
        values: dict[str, Tensor] = {}
        for node in self._nodes:
            name = node["name"]
            if node["op"] == "Placeholder":
                values[name] = pictures
            elif node["op"] == "Const":
                values[name] = self._weights[name]
            else:
                inputs = [values[_node_name(source)] for source in node["input"]]
                values[name] = _OPERATIONS[node["op"]](node.get("attr", {}), *inputs)
        return values[self._nodes[-1]["name"]]


def _in_order(nodes: Mapping[str, Mapping[str, Any]], output: str) -> list[Mapping[str, Any]]:
    """Sort the nodes that `output` depends on, and itself, so that each stands after its inputs."""
    done: dict[str, Mapping[str, Any]] = {}
    stack = [(output, False)]
    while stack:
        name, inputs_done = stack.pop()
        if name not in nodes:
            raise ModelError(f"it has no node {name!r}")
        if inputs_done:
            done.setdefault(name, nodes[name])
        elif name not in done:
            stack.append((name, True))
            stack += [(_node_name(source), False) for source in nodes[name].get("input", ())]
    return list(done.values())


def _node_name(source: str) -> str:
    """Drop the number of the output: ``name:0`` is the first one of the node ``name``."""
    return source.split(":")[0]


def _read_weights(path: Path, group: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    files = [path.parent / name for name in group["paths"]]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ModelError(f"{path} needs its weights beside it: {', '.join(missing)}")
    data = b"".join(file.read_bytes() for file in files)
    start = 0
    for entry in group["weights"]:
        quantisation = entry.get("quantization", {})
        stored = np.dtype((_PLAIN | _QUANTISED)[quantisation.get("dtype", entry["dtype"])])
        end = start + int(np.prod(entry["shape"], dtype=np.int64)) * stored.itemsize
        if end > len(data):
            raise ModelError(f"{', '.join(group['paths'])} beside {path} is cut short: get it again")
        values = np.frombuffer(data[start:end], stored).astype(_PLAIN[entry["dtype"]])
        if stored.name in _QUANTISED:
            values = values * np.float32(quantisation["scale"]) + np.float32(quantisation["min"])
        yield entry["name"], torch.tensor(values.reshape(entry["shape"]))
        start = end


def _convolution(attributes: Mapping[str, Any], x: Tensor, kernel: Tensor) -> Tensor:
    """Convolve (B, H, W, C) with (h, w, C, D)."""
    return _convolve(attributes, x, kernel.permute(3, 2, 0, 1), groups=1)


def _depthwise_convolution(attributes: Mapping[str, Any], x: Tensor, kernel: Tensor) -> Tensor:
    """Convolve each channel of (B, H, W, C) by itself with (h, w, C, M)."""
    height, width, channels, multiplier = kernel.shape
    weight = kernel.permute(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
    return _convolve(attributes, x, weight, groups=channels)


def _convolve(attributes: Mapping[str, Any], x: Tensor, weight: Tensor, groups: int) -> Tensor:
    _, down, across, _ = (int(step) for step in attributes["strides"]["list"]["i"])
    x = x.permute(0, 3, 1, 2)
    if base64.b64decode(attributes["padding"]["s"]) == b"SAME":
        x = F.pad(x, (*_same(x.shape[3], weight.shape[3], across), *_same(x.shape[2], weight.shape[2], down)))
    return F.conv2d(x, weight, stride=(down, across), groups=groups).permute(0, 2, 3, 1)


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Compute TensorFlow's SAME padding; an odd pixel goes to the end, where torch would put none."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _mean(attributes: Mapping[str, Any], x: Tensor, axes: Tensor) -> Tensor:
    keep = bool(attributes.get("keep_dims", {}).get("b", False))
    return x.mean(dim=axes.reshape(-1).tolist(), keepdim=keep)


_OPERATIONS: Mapping[str, Callable[..., Tensor]] = {
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise_convolution,
    "Add": lambda attributes, x, y: x + y,
    "AddV2": lambda attributes, x, y: x + y,
    "Sub": lambda attributes, x, y: x - y,
    "Mul": lambda attributes, x, y: x * y,
    "Minimum": lambda attributes, x, y: torch.minimum(x, y),
    "Maximum": lambda attributes, x, y: torch.maximum(x, y),
    "Relu": lambda attributes, x: x.relu(),
    "Mean": _mean,
}

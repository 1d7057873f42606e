"""The network of face parsing: a small U-Net on a portrait crop and what is known of it already."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, pixel_unshuffle, relu

from hifi_portrait.errors import ModelError
from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.faces.parsing_inputs import CHANNELS

WEIGHTS_FILE = "parsing.safetensors"
"""Name of the file of weights that training gives; none come with the package."""

_WIDTHS = (20, 40, 80, 128)
"""Channels at a half, a quarter, an eighth and a sixteenth of the input's side."""


class ParsingNetwork(nn.Module):
    """Logits of each pixel's `FaceLabel`, from the channels of `parsing_inputs`.

    A residual encoder and a decoder with skip connections (Ronneberger et al. 2015, arXiv 1505.04597; He et
    al. 2016, arXiv 1512.03385). It computes at half the input's resolution and below; each place's four
    pixels are channels there.
    """

    def __init__(self) -> None:
        super().__init__()
        first, *_ = _WIDTHS
        self.stem = nn.Sequential(_convolution(4 * CHANNELS, first), nn.ReLU())
        steps = list(pairwise(_WIDTHS))
        self.encoder = nn.ModuleList(
            nn.Sequential(_Residual(inner, outer, 2), _Residual(outer, outer)) for inner, outer in steps
        )
        self.decoder = nn.ModuleList(_Joining(inner + outer, inner) for inner, outer in reversed(steps))
        self.head = nn.Conv2d(first, 4 * len(FaceLabel), 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Compute logits (B, labels, S, S) of inputs (B, `CHANNELS`, S, S); S is a multiple of 16."""
        features: Tensor = self.stem(pixel_unshuffle(inputs, 2))
        skipped = []
        for stage in self.encoder:
            skipped.append(features)
            features = stage(features)
        for stage in self.decoder:
            larger = interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
            features = stage(torch.cat([larger, skipped.pop()], dim=1))
        return pixel_shuffle(self.head(features), 2)

    @classmethod
    def from_file(cls, file: str | Path) -> Self:
        """Load weights that training gave.

        Raises
        ------
        ModelError
            The file is missing, damaged, or holds another network's weights.
        """
        path = Path(file)
        network = cls()
        try:
            network.load_state_dict(load_file(path))
        except Exception as error:  # a damaged file has many kinds of errors, none of them more telling
            raise ModelError(f"{path}: these are no weights of a parsing network: {error}") from error
        return network.eval()

    def save_pretrained(self, folder: str | Path) -> None:
        """Save the weights in half precision as ``folder/parsing.safetensors``."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        half = {
            name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
            for name, tensor in self.state_dict().items()
        }
        save_file(half, Path(folder) / WEIGHTS_FILE)


def _convolution(inner: int, outer: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inner, outer, size, stride, size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outer))


class _Residual(nn.Module):
    """Two convolutions added to their input."""

    def __init__(self, inner: int, outer: int, stride: int = 1) -> None:
        super().__init__()
        self.first, self.second = _convolution(inner, outer, 3, stride), _convolution(outer, outer)
        alike = inner == outer and stride == 1
        self.skip = nn.Identity() if alike else _convolution(inner, outer, 1, stride)

    def forward(self, features: Tensor) -> Tensor:
        return relu(self.skip(features) + self.second(relu(self.first(features))))


class _Joining(nn.Module):
    """Mixes enlarged features with those of the encoder."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.mix, self.refine = _convolution(inner, outer, 1), _convolution(outer, outer)

    def forward(self, features: Tensor) -> Tensor:
        mixed = relu(self.mix(features))
        return relu(mixed + self.refine(mixed))

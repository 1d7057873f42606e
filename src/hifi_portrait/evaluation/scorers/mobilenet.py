"""MobileNetV2's feature layers, for a Frechet distance.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018. Parameter names are those of
the published ImageNet weights (``features.N...``), so that they load as they are.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from hifi_portrait.head.arrays import Array, ByteArray

# (expansion, channels, repeats, first stride), table 2 of the paper.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
FEATURES = 1280
"""Length of the features."""
INPUT_SIZE = 224
"""Side of the pictures, in pixels."""
MEAN = (0.485, 0.456, 0.406)
"""Of ImageNet's red, green and blue in [0, 1], which the published weights were trained with."""
STD = (0.229, 0.224, 0.225)
"""The same: standard deviations."""


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand, filter each channel alone, project back; added to the input where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        expand = [_conv(inputs, hidden, 1)] if expansion != 1 else []
        self.conv = nn.Sequential(
            *expand,
            _conv(hidden, hidden, 3, stride, groups=hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.adds_input = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Filter features: (B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
        y: torch.Tensor = self.conv(x)
        return x + y if self.adds_input else y


class MobileNetV2Features(nn.Module):
    """Pictures -> globally averaged features (B, 1280)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_conv(3, 32, 3, stride=2)]
        channels = 32
        for expansion, outputs, repeats, stride in STAGES:
            for index in range(repeats):
                layers.append(InvertedResidual(channels, outputs, stride if index == 0 else 1, expansion))
                channels = outputs
        layers.append(_conv(channels, FEATURES, 1))
        self.features = nn.Sequential(*layers)

    @classmethod
    def load(cls, path: Path) -> MobileNetV2Features:
        """Load the published ImageNet weights, without their classifier."""
        state = torch.load(path, weights_only=True, map_location="cpu")
        model = cls()
        model.load_state_dict({k: v for k, v in state.items() if k.startswith("features.")})
        return model.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Describe ImageNet-normalised pictures: (B, 3, 224, 224) -> (B, 1280)."""
        described: torch.Tensor = self.features(x).mean(dim=(2, 3))
        return described

    @torch.no_grad()
    def describe(self, image: ByteArray) -> Array:
        """Compute the features (1280,) of a uint8 RGB picture of any size."""
        x = torch.tensor(image).permute(2, 0, 1)[None].float() / 255
        x = F.interpolate(x, (INPUT_SIZE, INPUT_SIZE), mode="bilinear", align_corners=False, antialias=True)
        x = (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
        return self.forward(x)[0].numpy()

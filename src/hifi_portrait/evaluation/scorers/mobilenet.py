"""MobileNetV2's feature layers, for a Frechet distance.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018. Parameter names are those of
the published ImageNet weights (``features.N...``), so that they load as they are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

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
INPUT_SIZE = 224
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


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
        """(B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
        return x + self.conv(x) if self.adds_input else self.conv(x)


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
        """The published ImageNet weights, without their classifier."""
        state = torch.load(path, weights_only=True, map_location="cpu")
        model = cls()
        model.load_state_dict({k: v for k, v in state.items() if k.startswith("features.")})
        return model.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, 224, 224) of ImageNet-normalised pictures -> (B, 1280)."""
        return self.features(x).mean(dim=(2, 3))

    @torch.no_grad()
    def describe(self, image: np.ndarray) -> np.ndarray:
        """A uint8 RGB picture of any size -> its features (1280,)."""
        x = torch.tensor(image).permute(2, 0, 1)[None].float() / 255
        x = F.interpolate(x, (INPUT_SIZE, INPUT_SIZE), mode="bilinear", align_corners=False, antialias=True)
        x = (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
        return self.forward(x)[0].numpy()

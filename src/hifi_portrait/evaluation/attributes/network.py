"""The classifier: one small convolutional trunk, and one attention head for each attribute."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hifi_portrait.head.arrays import ByteArray

SIZE = 192
"""Side in pixels of the picture it looks at."""
CHANNELS = (40, 64, 96)
"""Of its three levels, each half as large as the one before."""


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.conv(x)
        return y


class _AttentionHead(nn.Module):
    """Chooses where to look, averages the features there, and classifies them."""

    def __init__(self, channels: int, classes: int, looks: int = 4) -> None:
        super().__init__()
        self.look = nn.Conv2d(channels, looks, 1)
        self.classify = nn.Linear(channels * looks, classes)

    def forward(self, x: Tensor) -> Tensor:
        where = self.look(x).flatten(2).softmax(-1)
        logits: Tensor = self.classify(torch.einsum("blp,bcp->blc", where, x.flatten(2)).flatten(1))
        return logits


class AttributeNet(nn.Module):
    """Pictures (B, 3, 192, 192) in [-1, 1] -> logits (B, classes) of each head.

    Parameters
    ----------
    classes
        How many classes each head tells apart.
    """

    def __init__(self, classes: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = [_conv(5, CHANNELS[0], kernel=6, stride=4)]
        inputs = CHANNELS[0]
        for channels in CHANNELS[1:]:
            layers += [_conv(inputs, channels, stride=2), _Residual(channels)]
            inputs = channels
        self.trunk = nn.Sequential(*layers)
        self.heads = nn.ModuleList(_AttentionHead(inputs, count) for count in classes)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Compute the logits of each head; the pixels' own coordinates go in as two more channels."""
        line = torch.linspace(-1, 1, x.shape[-1], dtype=x.dtype, device=x.device)
        across = line.expand(len(x), 1, x.shape[-2], -1)
        features = self.trunk(torch.cat([x, across, across.mT], dim=1))
        return [head(features) for head in self.heads]


def scale_pictures(pictures: ByteArray | Tensor) -> Tensor:
    """Scale uint8 RGB pictures (B, H, W, 3) of any size to (B, 3, 192, 192) in [-1, 1]."""
    given = pictures if isinstance(pictures, Tensor) else torch.tensor(pictures)
    x = given.permute(0, 3, 1, 2).float() / 127.5 - 1
    if x.shape[-2:] == (SIZE, SIZE):
        return x
    return F.interpolate(x, (SIZE, SIZE), mode="bilinear", align_corners=False, antialias=True)

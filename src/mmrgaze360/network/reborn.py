"""The reborn mechanism: what a ReLU sets to zero is brought back, as far as that helps.

The paper's abstract names MLPs and convolutions "using the reborn mechanism"; the same first author's
GazeFollowTR (IEICE Transactions, 2023, doi 10.1587/transfun.2022eap1068) has a "ReLU layer with the reborn
mechanism". The formula of neither can be had. This one is ours: ``relu(x) + s * relu(-x)`` with ``s`` learnt
for each channel, 0 at first. So a layer starts as a ReLU does, and a channel that a ReLU would silence can
come back with either sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_GROUPS = 8
"""Groups of a convolution's normalisation; widths are multiples of it."""


class RebornReLU(nn.Module):
    """``relu(x) + s * relu(-x)``, with ``s`` learnt by channel.

    Parameters
    ----------
    channels
        How many.
    last
        Whether they are the last dimension, as of a linear layer, rather than the second.
    """

    def __init__(self, channels: int, *, last: bool = False) -> None:
        super().__init__()
        self.last = last
        self.scale = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Activate (B, channels, ...) or (..., channels)."""
        if self.last:
            return F.prelu(x.reshape(-1, x.shape[-1]), -self.scale).view_as(x)
        return F.prelu(x, -self.scale)  # the same function, in one pass over memory


def activation(channels: int, reborn: bool, *, last: bool = False) -> nn.Module:
    """Make a `RebornReLU`, or a plain ReLU."""
    return RebornReLU(channels, last=last) if reborn else nn.ReLU()


class RebornConv(nn.Module):
    """A convolution, a group normalisation and an activation.

    Parameters
    ----------
    inputs, outputs
        Channels.
    stride, kernel
        Of the convolution.
    reborn
        Whether the activation is a `RebornReLU` rather than a ReLU.
    wraps
        Whether left and right edge meet, as a panorama's do. Else zeros are around.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int = 1,
        kernel: int = 3,
        *,
        reborn: bool = True,
        wraps: bool = False,
    ) -> None:
        super().__init__()
        self.pad, self.wraps = kernel // 2, wraps
        padding = 0 if wraps else self.pad
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.norm = nn.GroupNorm(_GROUPS, outputs)
        self.activation = activation(outputs, reborn)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, inputs, H, W)."""
        if self.wraps:
            p = self.pad
            x = F.pad(F.pad(x, (p, p, 0, 0), mode="circular"), (0, 0, p, p), mode="replicate")
        out: Tensor = self.activation(self.norm(self.convolution(x)))
        return out


class RebornMLP(nn.Sequential):
    """Linear layers with activations between them.

    Parameters
    ----------
    widths
        Of the input, each hidden layer and the output.
    reborn
        Whether the activations are `RebornReLU` rather than ReLU.
    dropout
        Before the last layer.
    """

    def __init__(self, widths: Sequence[int], *, reborn: bool = True, dropout: float = 0.0) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths[:-1]):
            layers += [nn.Linear(inputs, outputs), activation(outputs, reborn, last=True)]
        super().__init__(*layers, nn.Dropout(dropout), nn.Linear(widths[-2], widths[-1]))

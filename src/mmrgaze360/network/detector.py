"""The head detector: where in a tangent view heads are, and how large, from whatever side they are seen.

It marks the middles of objects and reads sizes there, as CenterNet does (Zhou et al., "Objects as Points",
2019). In tangent views heads have their ordinary shape, so ordinary convolutions are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrgaze360.network.reborn import RebornConv

STRIDE = 4
"""Pixels of a view to a cell of what the detector gives."""
HEAD_SHAPE = 0.75
"""Width of a head's box over its height."""
SMALLEST, LARGEST = 6.0, 44.0
"""Heights of heads in pixels that it is taught to find."""

_USUAL = 16.0
"""Height in pixels that an untrained detector gives."""
_RARE = -4.0
"""Logit of a head that an untrained detector gives: they are rare."""


@dataclass(frozen=True, kw_only=True)
class HeadDetectorConfig:
    """Sizes of a `HeadDetector`."""

    widths: tuple[int, int, int, int] = (16, 32, 64, 96)
    """Channels at each halving, multiples of 8."""
    reborn: bool = True
    """Whether activations are reborn."""


class HeadDetector(nn.Module):
    """Finds heads in tangent views.

    Parameters
    ----------
    config
        Its sizes.
    """

    config_class = HeadDetectorConfig

    def __init__(self, config: HeadDetectorConfig | None = None) -> None:
        super().__init__()
        self.config = config or HeadDetectorConfig()
        a, b, c, d = self.config.widths
        conv = partial(RebornConv, reborn=self.config.reborn)
        self.at_2 = conv(3, a, 2, 5)
        self.at_4 = nn.Sequential(conv(a, b, 2), conv(b, b))
        self.at_8 = nn.Sequential(conv(b, c, 2), conv(c, c))
        self.at_16 = nn.Sequential(conv(c, d, 2), conv(d, d))
        self.down_16, self.down_8 = nn.Conv2d(d, c, 1), nn.Conv2d(c, b, 1)
        self.up_8, self.up_4 = conv(c, c), conv(b, b)
        self.last = conv(b, b)
        self.out = nn.Conv2d(b, 4, 1)
        nn.init.normal_(self.out.weight, std=0.01)
        with torch.no_grad():
            start = torch.log(torch.tensor(_USUAL / STRIDE))
            assert self.out.bias is not None
            self.out.bias.copy_(torch.tensor((_RARE, 0.0, 0.0, float(start))))

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Look for heads.

        Parameters
        ----------
        views
            (B, 3, S, S) in [-1, 1], S a multiple of 16.

        Returns
        -------
        logits, places
            (B, S / 4, S / 4) that a head's middle is in this cell; and (B, 3, S / 4, S / 4): how far right
            and down of the cell's middle it is, in cells, and the log of the head's height in cells.
        """
        fourth = self.at_4(self.at_2(views))
        eighth = self.at_8(fourth)
        up = self.up_8(eighth + _enlarge(self.down_16(self.at_16(eighth))))
        up = self.up_4(fourth + _enlarge(self.down_8(up)))
        out = self.out(self.last(up)).float()
        return out[:, 0], out[:, 1:]


def _enlarge(small: Tensor) -> Tensor:
    return F.interpolate(small, scale_factor=2.0, mode="nearest")

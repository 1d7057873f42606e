"""The far reaches of a heat map: how likely directions are that the network all but rules out.

The scene network learns to put its probability within a few degrees of the target. Of directions far from
there it says only that they are unlikely, in no order. A small share of the probability, spread widely about
where the network sees it, puts them in order of how far away they are. The peak stays where it is.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from mmrgaze360.sphere.torch_patches import directions_of_grid

SHARE = 0.05
"""Of the probability, what is spread. Chosen with ``CONCENTRATION`` on validation people: of shares between
.02 and .5 the greatest that costs less than .0002 of the area under the curve about the target."""
CONCENTRATION = 10.0
"""Of the von Mises-Fisher distribution by which it is spread: 18 degrees to one standard deviation."""
_COLUMNS, _ROWS = 64, 32


def spread_tail(probability: Tensor) -> Tensor:
    """Spread a share of the probability of the cells (B, h, w) of the sphere, whose sizes 64 x 32 divides.

    Gives (B, h, w), which sums to the same.
    """
    height, width = probability.shape[1:]
    down, across = height // _ROWS, width // _COLUMNS
    coarse = F.avg_pool2d(probability[:, None], (down, across))[:, 0] * (down * across)
    wide = (coarse.flatten(1) @ _kernel().to(coarse)).view_as(coarse)
    # As a density, which is smooth across cells of other areas; left and right edge meet.
    density = (wide / _cosines(_ROWS).to(wide)[:, None])[:, None]
    padded = F.pad(density, (1, 1, 0, 0), mode="circular")
    fine = F.interpolate(padded, scale_factor=(down, across), mode="bilinear", align_corners=False)
    fine = fine[:, 0, :, across:-across] * _cosines(height).to(wide)[:, None]
    whole = probability.sum((1, 2), keepdim=True)
    return (1 - SHARE) * probability + SHARE * whole * fine / fine.sum((1, 2), keepdim=True)


def _cosines(rows: int) -> Tensor:
    """Cosines of the latitudes of an equirectangular picture's rows: areas, but for a constant."""
    return torch.sin((torch.arange(rows) + 0.5) * (torch.pi / rows))


@cache
def _kernel() -> Tensor:
    """Give what of a cell's probability each cell gets (cells, cells)."""
    grid = directions_of_grid(_COLUMNS, _ROWS, like=torch.zeros(1)).reshape(-1, 3)
    weight = torch.exp(CONCENTRATION * (grid @ grid.T - 1)) * _cosines(_ROWS).repeat_interleave(_COLUMNS)
    return weight / weight.sum(1, keepdim=True)

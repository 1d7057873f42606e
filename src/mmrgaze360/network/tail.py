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

from mmrgaze360.sphere import solid_angles
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
    density = (wide / _areas(_COLUMNS, _ROWS).to(wide))[:, None]
    padded = F.pad(density, (1, 1, 0, 0), mode="circular")
    fine = F.interpolate(padded, scale_factor=(down, across), mode="bilinear", align_corners=False)
    fine = fine[:, 0, :, across:-across] * _areas(width, height).to(wide)
    whole = probability.sum((1, 2), keepdim=True)
    return (1 - SHARE) * probability + SHARE * whole * fine / fine.sum((1, 2), keepdim=True)


def _areas(width: int, height: int) -> Tensor:
    """Give the solid angles of the cells (height, width)."""
    return torch.tensor(solid_angles(width, height), dtype=torch.float32)


@cache
def _kernel() -> Tensor:
    """Give what of a cell's probability each cell gets (cells, cells)."""
    grid = directions_of_grid(_COLUMNS, _ROWS, like=torch.zeros(1)).reshape(-1, 3)
    weight = torch.exp(CONCENTRATION * (grid @ grid.T - 1)) * _areas(_COLUMNS, _ROWS).flatten()
    return weight / weight.sum(1, keepdim=True)

"""Neighbourhoods and soft bounds in batches of pictures, their sizes given in pixels of one 256 wide."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def exceeds(size: Tensor, bound: float) -> Tensor:
    """From 0 far below the bound to 1 far above it."""
    return 1 - (-((size / bound) ** 2)).exp()


def pixels(at_256: int, like: Tensor) -> int:
    """A length in pixels of pictures (B, C, H, W), given that at 256; at least 1."""
    return max(1, round(at_256 * like.shape[-1] / 256))


def widened(mask: Tensor, reach: int) -> Tensor:
    """A mask (B, 1, H, W) that reaches so much farther on all sides."""
    reach = pixels(reach, mask)
    return F.max_pool2d(mask, 2 * reach + 1, stride=1, padding=reach)


def local_mean(values: Tensor, window: int) -> Tensor:
    """Mean of values (B, C, H, W) over a square window around each place, as far as it is in the picture."""
    half = pixels(window, values) // 2
    side = 2 * half + 1
    columns = F.avg_pool2d(values, (side, 1), stride=1, padding=(half, 0), count_include_pad=False)
    return F.avg_pool2d(columns, (1, side), stride=1, padding=(0, half), count_include_pad=False)

"""Neighbourhoods and soft thresholds in batches of pictures; lengths are in pixels of one 256 wide."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def soft_threshold(values: Tensor, threshold: float) -> Tensor:
    """Map values of 0 or more to [0, 1): 0 far below a threshold, 1 - 1 / e at it, 1 far above."""
    return 1 - (-((values / threshold) ** 2)).exp()


def to_pixels(at_256: int, like: Tensor) -> int:
    """Scale a length, given in pixels of a picture 256 wide, to pictures (B, C, H, W); at least 1."""
    return max(1, round(at_256 * like.shape[-1] / 256))


def dilate(mask: Tensor, reach: int) -> Tensor:
    """Dilate a mask (B, 1, H, W) by so many pixels at 256 on all sides."""
    reach = to_pixels(reach, mask)
    return F.max_pool2d(mask, 2 * reach + 1, stride=1, padding=reach)


def local_mean(values: Tensor, window: int) -> Tensor:
    """Average values (B, C, H, W) over a square window about each place, as far as it is in the picture.

    ``window`` is the square's side in pixels at 256, made odd.
    """
    half = to_pixels(window, values) // 2
    side = 2 * half + 1
    columns = F.avg_pool2d(values, (side, 1), stride=1, padding=(half, 0), count_include_pad=False)
    return F.avg_pool2d(columns, (1, side), stride=1, padding=(0, half), count_include_pad=False)

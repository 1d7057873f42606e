"""Pictures larger than the networks draw them, with the detail that the photographs have.

The networks read the warp at their own size. At a larger one it shows what the photographs show there: skin,
lashes, single hairs. Where a portrait is the warp, this detail is its own too. Where the networks differ from
the warp by more than a shade, the warp's detail does not belong to what they drew and is left out.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.numerics import block_mean
from hifi_portrait.models.pixels import local_mean, soft_threshold

_SHADE_WINDOW = 25
"""Pixels at 256 over which a difference from the warp counts as a shade."""
_MENDED_DIFFERENCE = 0.08
"""Difference beyond a shade, in [-1, 1], at which the warp's detail falls to 1 / e."""
_MENDED_WINDOW = 5
"""Pixels at 256 over which that difference is averaged."""


def reduce_picture(picture: Array, factor: int) -> FloatArray:
    """Reduce a picture (H, W, ...): every pixel is the mean of ``factor`` x ``factor`` of it."""
    return block_mean(np.asarray(picture, np.float32), factor)


def add_detail(pictures: Tensor, warp: Tensor, large_warp: Tensor, fraction: float = 1.0) -> Tensor:
    """Enlarge pictures to the size of a large warp, and add the detail that it has.

    Parameters
    ----------
    pictures
        (B, 3, H, W) in [-1, 1], drawn from the warp.
    warp
        (1, 3, H, W) in [-1, 1], or one a picture.
    large_warp
        (1, 3, F H, F W) in [-1, 1], the same warp F times as large.
    fraction
        How much of the detail is added, in [0, 1].

    Returns
    -------
    Tensor
        (B, 3, F H, F W) in [-1, 1].
    """
    mended = pictures - warp
    mended = (mended - local_mean(mended, _SHADE_WINDOW)).abs().mean(dim=1, keepdim=True)
    weight = fraction * (1 - soft_threshold(local_mean(mended, _MENDED_WINDOW), _MENDED_DIFFERENCE))
    detail = large_warp - _enlarge(warp, large_warp, "bicubic")
    larger = _enlarge(pictures, large_warp, "bicubic") + _enlarge(weight, large_warp, "bilinear") * detail
    return larger.clamp(-1, 1)


def _enlarge(pictures: Tensor, like: Tensor, mode: str) -> Tensor:
    return F.interpolate(pictures, size=like.shape[-2:], mode=mode, align_corners=False)

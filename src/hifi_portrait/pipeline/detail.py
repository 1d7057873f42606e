"""Pictures larger than the networks draw them, with the detail that the photographs have.

The networks read the warp at their own size. At a larger one it shows what the photographs show there: skin,
lashes, single hairs. Where a portrait is the warp, this detail is its own too. Where the networks say
otherwise than the warp, by more than a shade, the warp's detail is none of theirs and is left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn import functional as F

from hifi_portrait.models.pixels import exceeds, local_mean

_SHADE = 25  # pixels at 256 over which a difference from the warp counts as a shade
_MENDED = 0.08  # difference beyond a shade, in [-1, 1], at which the warp's detail falls to 1 / e
_MENDED_OVER = 5  # pixels at 256 over which that difference is taken


def reduced(picture: npt.NDArray[Any], factor: int) -> npt.NDArray[np.float32]:
    """A picture (H, W, ...) whose every pixel is the mean of ``factor`` x ``factor`` of it."""
    height, width, *channels = picture.shape
    blocks = picture.reshape(height // factor, factor, width // factor, factor, *channels)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def with_detail(pictures: Tensor, warp: Tensor, sharp: Tensor, share: float = 1.0) -> Tensor:
    """Pictures as large as a sharper warp, with its detail.

    Parameters
    ----------
    pictures
        (B, 3, H, W) in [-1, 1], drawn from the warp.
    warp
        (1, 3, H, W) in [-1, 1], or one a picture.
    sharp
        (1, 3, F H, F W) in [-1, 1], the same warp F times as large.
    share
        How much of the detail is added, in [0, 1].

    Returns
    -------
    Tensor
        (B, 3, F H, F W) in [-1, 1].
    """
    mended = pictures - warp
    mended = (mended - local_mean(mended, _SHADE)).abs().mean(dim=1, keepdim=True)
    own = share * (1 - exceeds(local_mean(mended, _MENDED_OVER), _MENDED))
    detail = sharp - _enlarged(warp, sharp, "bicubic")
    larger = _enlarged(pictures, sharp, "bicubic") + _enlarged(own, sharp, "bilinear") * detail
    return larger.clamp(-1, 1)


def _enlarged(pictures: Tensor, like: Tensor, mode: str) -> Tensor:
    return F.interpolate(pictures, size=like.shape[-2:], mode=mode, align_corners=False)

"""Give a portrait back what the autoencoder loses of the warp: lashes, strands, the grain of the skin."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

_AGREEMENT = 0.12  # difference from the decoded warp, in [-1, 1], over which the share carried falls to 1 / e
_SEEN = 0.2  # coverage from which the warp's own detail counts in full
_WINDOW = 9  # pixels at 256


def add_warp_detail(
    picture: Tensor, warp: Tensor, decoded_warp: Tensor, coverage: Tensor, share: float
) -> Tensor:
    """Add to pictures what decoding took from the warp, where they are like the decoded warp.

    Where the network changed the warp, as it should at seams and in mouths, its detail is not wanted. Where
    it kept the warp, a difference between picture and warp is the autoencoder's.

    Parameters
    ----------
    picture
        (B, 3, H, W) in [-1, 1], drawn from the warp.
    warp, decoded_warp
        (1, 3, H, W) in [-1, 1], and the same through the autoencoder.
    coverage
        (1, 1, H, W) in [0, 1], how well references see what the warp shows.
    share
        Of the detail, in [0, 1].

    Returns
    -------
    Tensor
        (B, 3, H, W) in [-1, 1].
    """
    window = _WINDOW * picture.shape[-1] // 256 // 2 * 2 + 1
    change = (picture - decoded_warp).abs().mean(dim=1, keepdim=True)
    change = F.avg_pool2d(change, window, stride=1, padding=window // 2, count_include_pad=False)
    trust = (-((change / _AGREEMENT) ** 2)).exp() * (coverage / _SEEN).clamp(max=1)
    return (picture + share * trust * (warp - decoded_warp)).clamp(-1, 1)

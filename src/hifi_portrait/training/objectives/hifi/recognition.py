"""From generated pictures to what the identity and landmark terms compare."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from hifi_portrait.faces.dlib_resnet import CHIP_SIZE


def chips_of(pictures: Tensor, transforms: Tensor, size: int = CHIP_SIZE) -> Tensor:
    """The recogniser's aligned view (B, 3, size, size) of pictures (B, 3, H, W), differentiably.

    ``transforms`` (B, 3, 3) map picture pixels to chip pixels, pixel centres at +0.5.
    """
    height, width = pictures.shape[-2:]
    places = torch.arange(size, device=pictures.device, dtype=torch.float32) + 0.5
    y, x = torch.meshgrid(places, places, indexing="ij")
    chip = torch.stack([x, y, torch.ones_like(x)], dim=-1)
    pixels = torch.einsum("bij,hwj->bhwi", torch.linalg.inv(transforms.float()), chip)[..., :2]
    scale = torch.tensor([2 / width, 2 / height], device=pictures.device)
    return F.grid_sample(
        pictures.float(), pixels * scale - 1, mode="bilinear", padding_mode="border", align_corners=False
    )


def landmark_band(landmark_image: Tensor, radius: int = 3) -> Tensor:
    """Band (B, 1, H, W) in [0, 1] around the contours of landmark images (B, 3, H, W) in [0, 1]."""
    drawn = (landmark_image.amax(dim=1, keepdim=True) * 4).clamp(max=1)
    return F.max_pool2d(drawn, 2 * radius + 1, stride=1, padding=radius)

"""Sheets of pictures: between NumPy (H, W, 3) in 8 bits, torch (3, H, W) in [-1, 1], and latents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hifi_portrait.head.arrays import ByteArray
from hifi_portrait.models.latents import decode_picture


def to_tensor(pixels: ByteArray) -> Tensor:
    """Turn a picture (H, W, 3) into a float32 tensor (3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float() / 127.5 - 1


def to_image(tensor: Tensor) -> ByteArray:
    """Turn a tensor (3, H, W) in [-1, 1] into a picture (H, W, 3); values outside are clipped."""
    pixels = (tensor.detach().float().clamp(-1, 1) + 1) * 127.5
    return np.ascontiguousarray(pixels.round().to(torch.uint8).cpu().numpy().transpose(1, 2, 0))


def arrange_grid(pictures: Sequence[ByteArray], columns: int) -> ByteArray:
    """Arrange pictures of one size (H, W, 3) in rows of so many columns; empty places are black."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for place, picture in enumerate(pictures):
        top, left = place // columns * height, place % columns * width
        sheet[top : top + height, left : left + width] = picture
    return sheet


@torch.no_grad()
def decode_latents(vae: Any, latents: Tensor, batch_size: int = 4) -> Tensor:
    """Decode scaled latents (B, C, h, w) to pictures (B, 3, H, W), about in [-1, 1], a few at a time."""
    return torch.cat([decode_picture(vae, part) for part in torch.split(latents, batch_size)])

"""Pictures between NumPy (uint8, (H, W, 3)) and torch (float in [-1, 1], (3, H, W)), and sheets of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hifi_portrait.models.latents import decode_picture


def to_tensor(pixels: np.ndarray) -> Tensor:
    """A uint8 (H, W, 3) picture as a float32 (3, H, W) tensor in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float() / 127.5 - 1


def to_image(tensor: Tensor) -> np.ndarray:
    """A (3, H, W) tensor in [-1, 1] as a uint8 (H, W, 3) picture; values outside are clipped."""
    pixels = (tensor.detach().float().clamp(-1, 1) + 1) * 127.5
    return np.ascontiguousarray(pixels.round().to(torch.uint8).cpu().numpy().transpose(1, 2, 0))


def arrange_grid(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Equally large uint8 pictures as one, row by row; empty places are black."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for place, picture in enumerate(pictures):
        top, left = place // columns * height, place % columns * width
        sheet[top : top + height, left : left + width] = picture
    return sheet


@torch.no_grad()
def decode_latents(vae: Any, latents: Tensor, batch_size: int = 4) -> Tensor:
    """Pictures (B, 3, H, W), about in [-1, 1], of scaled latents."""
    return torch.cat([decode_picture(vae, part) for part in latents.split(batch_size)])

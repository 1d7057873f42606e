"""Five keypoints as a control image: coloured limbs and dots on black (InstantID, arXiv 2401.07519)."""

from __future__ import annotations

import torch
from torch import Tensor

_LIMBS = ((2, 0), (2, 1), (2, 3), (2, 4))
"""From the nose to both eyes and both mouth corners, by place in `head.keypoints.KEYPOINTS`."""

_COLOURS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 1.0))
_LIMB_WIDTH, _DOT_RADIUS = 0.012, 0.018
_LIMB_BRIGHTNESS = 0.6


def draw_keypoints(keypoints: Tensor, size: tuple[int, int]) -> Tensor:
    """Control images (B, 3, H, W) in [0, 1] of keypoints (B, 5, 2), which are shares of width and height.

    Widths are shares of the picture's height. A limb has the colour of the keypoint it leads to, dimmed.
    """
    height, width = size
    points = keypoints.float() * keypoints.new_tensor([width / height, 1.0])
    rows = (torch.arange(height, device=points.device) + 0.5) / height
    columns = (torch.arange(width, device=points.device) + 0.5) / height
    pixels = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)  # H W 2, x and y
    image = points.new_zeros(len(points), 3, height, width)
    colours = points.new_tensor(_COLOURS)
    for start, end in _LIMBS:
        distance = _distance_to_segment(pixels, points[:, start], points[:, end])
        image = _painted(image, _LIMB_WIDTH / 2 - distance, _LIMB_BRIGHTNESS * colours[end], height)
    for point, colour in zip(points.unbind(1), colours, strict=True):
        distance = _distance_to_segment(pixels, point, point)
        image = _painted(image, _DOT_RADIUS - distance, colour, height)
    return image


def _distance_to_segment(pixels: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Distance (B, H, W) of pixels (H, W, 2) to the segments between points (B, 2)."""
    from_start = pixels - start[:, None, None]
    along = (end - start)[:, None, None]
    share = (from_start * along).sum(-1) / along.square().sum(-1).clamp(min=1e-8)
    return (from_start - share.clamp(0, 1).unsqueeze(-1) * along).norm(dim=-1)


def _painted(image: Tensor, inside: Tensor, colour: Tensor, height: int) -> Tensor:
    """The image with a colour (3,) where ``inside`` (B, H, W), a distance, is above 0, with soft edges."""
    share = (inside * height + 0.5).clamp(0, 1).unsqueeze(1)
    return image + share * (colour.view(1, 3, 1, 1) - image)

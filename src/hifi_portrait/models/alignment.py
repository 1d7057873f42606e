"""Surface alignment: carry what references show through the fitted head into the target's frame.

The head gives every target pixel a place on the person's surface (a triangle and barycentric coordinates),
and every reference a place in its picture for that same surface. Composing the two gives, for each target
pixel, where to look in each reference and how well it is seen there. Nothing here is learned.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SEEN = 0.1
"""Visibility from which a fused value counts in full; below, it fades to zero."""

_EPSILON = 1e-4


def subsample_raster(triangle: Tensor, barycentric: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Take every k-th pixel of a raster, at the middle of each k x k block.

    Parameters
    ----------
    triangle
        (B, H, W) integers.
    barycentric
        (B, H, W, 3).
    size
        Height and width wanted; H and W must be the same whole multiple of them.

    Raises
    ------
    ValueError
        If the raster is not a whole multiple of `size`.
    """
    height, width = triangle.shape[-2:]
    step = height // size[0]
    if step < 1 or (size[0] * step, size[1] * step) != (height, width):
        raise ValueError(f"`size` must divide the raster's {height} x {width}, but is {size[0]} x {size[1]}")
    start = step // 2
    return triangle[:, start::step, start::step], barycentric[:, start::step, start::step]


def surface_grid(
    triangle: Tensor, barycentric: Tensor, triangles: Tensor, xy: Tensor, visibility: Tensor
) -> tuple[Tensor, Tensor]:
    """Where in each reference the surface under each target pixel is seen, and how well.

    Parameters
    ----------
    triangle
        (B, H, W) index into `triangles` of the triangle each target pixel shows; -1 where there is none.
    barycentric
        (B, H, W, 3) perspective-correct weights of its corners.
    triangles
        (F, 3) vertex indices.
    xy
        (B, N, V, 2) place of each vertex in each reference's crop, in [0, 1].
    visibility
        (B, N, V) in [0, 1].

    Returns
    -------
    grid
        (B, N, H, W, 2) in [-1, 1], as `torch.nn.functional.grid_sample` takes it with `align_corners=False`.
    visibility
        (B, N, H, W) in [0, 1]; 0 off the head.
    """
    batch, references, vertices, _ = xy.shape
    height, width = triangle.shape[1:]
    on_head = triangle >= 0
    first = torch.arange(batch, device=xy.device)[:, None, None, None] * vertices
    corners = (triangles.long()[triangle.long().clamp(min=0)] + first).flatten()  # B H W 3
    # One row a vertex, all references side by side, so that each corner is one contiguous read.
    table = torch.cat([xy, visibility.unsqueeze(-1)], dim=-1).permute(0, 2, 1, 3).flatten(0, 1).flatten(1)
    values = table.index_select(0, corners).view(-1, 3, references * 3)
    weights = (barycentric * on_head.unsqueeze(-1)).to(values.dtype).reshape(-1, 1, 3)
    carried = torch.bmm(weights, values).view(batch, height, width, references, 3).permute(0, 3, 1, 2, 4)
    return carried[..., :2] * 2 - 1, carried[..., 2]


def carry(feature_maps: Tensor, grid: Tensor) -> Tensor:
    """Sample each reference's map at its grid, bilinearly.

    Parameters
    ----------
    feature_maps
        (B, N, C, h, w).
    grid
        (B, N, H, W, 2) from `surface_grid`.

    Returns
    -------
    Tensor
        (B, N, C, H, W).
    """
    batch, references = grid.shape[:2]
    carried = F.grid_sample(
        feature_maps.flatten(0, 1),
        grid.flatten(0, 1).to(feature_maps.dtype),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    output: Tensor = carried.unflatten(0, (batch, references))
    return output


def fuse(
    values: Tensor, visibility: Tensor, confidence: Tensor | None = None, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Fuse references into one map: a softmax over them of log visibility, log weight and learned confidence.

    Parameters
    ----------
    values
        (B, N, C, H, W) from `carry`.
    visibility
        (B, N, H, W) in [0, 1].
    confidence
        (B, N, 1, H, W) logits.
    weights
        (B, N) non-negative, such as photo quality; 0 leaves a reference out entirely.

    Returns
    -------
    fused
        (B, C, H, W); fades to 0 where no reference sees the surface.
    coverage
        (B, 1, H, W) in [0, 1], how well the best reference sees it.
    """
    if weights is None:
        weights = visibility.new_ones(visibility.shape[:2])
    used = (weights > 0)[:, :, None, None]
    visibility = visibility.float() * used
    logits = (
        torch.log(visibility + _EPSILON) + torch.log(weights.float().clamp(min=_EPSILON))[:, :, None, None]
    )
    if confidence is not None:
        logits = logits + confidence.squeeze(2).float()
    left_out = ~used & used.any(
        dim=1, keepdim=True
    )  # a softmax over nothing is undefined; coverage is 0 there
    coverage = visibility.amax(dim=1, keepdim=True)
    fractions = torch.softmax(logits.masked_fill(left_out, -torch.inf), dim=1) * (coverage / SEEN).clamp(
        max=1
    )
    # An unused reference may hold anything, even infinities: keep it out rather than weigh it by 0.
    values = values.masked_fill(~used[:, :, None], 0.0)
    return (values * fractions.unsqueeze(2).to(values.dtype)).sum(dim=1), coverage

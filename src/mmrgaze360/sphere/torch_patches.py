"""The sphere in PyTorch: what networks need of it, differentiable and in batches."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def directions_of_grid(width: int, height: int, *, like: Tensor) -> Tensor:
    """Give the direction (height, width, 3) of each pixel's centre, of the type and device of ``like``."""
    lon = ((torch.arange(width, device=like.device, dtype=torch.float64) + 0.5) / width - 0.5) * 2 * math.pi
    lat = (0.5 - (torch.arange(height, device=like.device, dtype=torch.float64) + 0.5) / height) * math.pi
    lat, lon = torch.meshgrid(lat, lon, indexing="ij")
    grid = torch.stack([lat.cos() * lon.sin(), lat.cos() * lon.cos(), lat.sin()], -1)
    return grid.to(like.dtype)


def view_rotations(directions: Tensor) -> Tensor:
    """Make the rotations (..., 3, 3) of level cameras that look along unit directions (..., 3).

    The columns are where right, forward and up point, as of ``rotation_of_view``.
    """
    x, y = directions[..., 0], directions[..., 1]
    flat = torch.hypot(x, y)
    level = flat > 1e-6
    safe = flat.clamp(min=1e-6)
    zero = torch.zeros_like(x)
    right = torch.stack(
        [torch.where(level, y / safe, zero + 1), torch.where(level, -x / safe, zero), zero], -1
    )
    return torch.stack([right, directions, torch.linalg.cross(right, directions)], -1)


def patch_directions(rotations: Tensor, fov: float, size: int) -> Tensor:
    """Give the unit directions (..., size, size, 3) of the pixels of tangent patches.

    Parameters
    ----------
    rotations
        (..., 3, 3) of the patches' cameras.
    fov, size
        Angle of view in degrees, and pixels, across as upwards.
    """
    edge = math.tan(math.radians(fov) / 2)
    across = (
        (torch.arange(size, device=rotations.device, dtype=rotations.dtype) + 0.5) / size * 2 - 1
    ) * edge
    z, x = torch.meshgrid(-across, across, indexing="ij")
    rays = F.normalize(torch.stack([x, torch.ones_like(x), z], -1), dim=-1)
    return torch.einsum("...ij,hwj->...hwi", rotations, rays)


def read_directions(panoramas: Tensor, directions: Tensor) -> Tensor:
    """Read panoramas at directions, linearly between pixels and over seam and poles.

    Parameters
    ----------
    panoramas
        (B, C, H, 2 H)
    directions
        (B, h, w, 3)

    Returns
    -------
    pictures
        (B, C, h, w)
    """
    height, width = panoramas.shape[-2:]
    lon = torch.atan2(directions[..., 0], directions[..., 1])
    lat = torch.atan2(directions[..., 2], torch.hypot(directions[..., 0], directions[..., 1]))
    # One pixel is added on each side, as `pad_over_poles` does.
    x = (lon / (2 * math.pi) + 0.5) * width + 1
    y = (0.5 - lat / math.pi) * height + 1
    grid = torch.stack([x / (width + 2) * 2 - 1, y / (height + 2) * 2 - 1], -1)
    half = width // 2
    top, bottom = panoramas[:, :, :1].roll(half, -1), panoramas[:, :, -1:].roll(half, -1)
    tall = torch.cat([top, panoramas, bottom], 2)
    padded = torch.cat([tall[..., -1:], tall, tall[..., :1]], 3)
    return F.grid_sample(padded, grid.to(padded.dtype), mode="bilinear", align_corners=False)

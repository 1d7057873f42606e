"""What the compared networks take of one person: the panorama as it is, the close-up, the head's box."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hifi_portrait.head.arrays import Array
from mmrgaze360.network.inputs import to_network
from mmrgaze360.sphere import lonlat_to_direction

CLOSE_UP_SIZE = 64
"""Pixels across a close-up."""


def make_inputs(picture: Array, head_box: Array, close_up: Array) -> dict[str, Tensor]:
    """Make tensors of one person.

    Parameters
    ----------
    picture
        (256, 512, 3), 0 to 255, not turned.
    head_box
        (4,) in degrees.
    close_up
        (64, 64, 3), 0 to 255.

    Returns
    -------
    dict
        ``panorama`` (3, 256, 512) and ``close_up`` (3, 64, 64) in [-1, 1]; ``head`` (3,) unit; ``head_box``
        (4,).
    """
    return {
        "panorama": torch.from_numpy(to_network(picture)),
        "close_up": torch.from_numpy(to_network(close_up)),
        "head": torch.from_numpy(lonlat_to_direction(head_box[0], head_box[1])).float(),
        "head_box": torch.from_numpy(np.asarray(head_box)).float(),
    }


def gaussian_map(target: Tensor, cells: int, spread: float = 3.0) -> Tensor:
    """Draw what a heat map should show, as GazeFollow's networks learn it: in the flat picture.

    Parameters
    ----------
    target
        (B, 3) unit.
    cells
        Of the map, across and up.
    spread
        Standard deviation in cells.

    Returns
    -------
    maps
        (B, cells, cells), 1 at the target; cut off at the seam.
    """
    place = flat_place(target) * cells
    axis = torch.arange(cells, device=target.device, dtype=target.dtype) + 0.5
    across = torch.exp(-((axis[None] - place[:, :1]) ** 2) / (2 * spread**2))
    down = torch.exp(-((axis[None] - place[:, 1:]) ** 2) / (2 * spread**2))
    return down[:, :, None] * across[:, None]


def flat_place(direction: Tensor) -> Tensor:
    """Give the place (..., 2), as shares of width and height, of directions (..., 3) in a panorama."""
    x, y, z = direction.unbind(-1)
    right = torch.atan2(x, y) / (2 * torch.pi) + 0.5
    down = 0.5 - torch.atan2(z, torch.hypot(x, y)) / torch.pi
    return torch.stack([right, down], -1)

"""What a baked head is made of."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.baked.atlas import Atlas
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.warp.photo_grid.space import PhotoSpace


@dataclass(frozen=True, eq=False)
class HeadMesh:
    """A person's head with a texture.

    Attributes
    ----------
    rest
        (V + J, 3) the person's mesh without expression, its scalp raised by their hair, and its joints.
    atlas
        Where parts lie in the texture.
    levels
        The texture, and each half as large as the one before: (T, T, 4) uint8, RGB and where the photo that
        decides shows the person.
    """

    rest: FloatArray
    atlas: Atlas
    levels: tuple[ByteArray, ...]


@dataclass(frozen=True, eq=False)
class Card:
    """What a photo shows beside the mesh, as a surface in space with its own pixels: hair, clothes, neck.

    Attributes
    ----------
    space
        Its P points as a grid of one row, (1, P): where they are in the photo, and how they move.
    xy
        (P, 2) their places in the picture, as fractions of its sides.
    triangles
        (F, 3) of its points, clockwise as the photo shows them.
    fade
        (P,) in [0, 1], less where it ends on the mesh.
    picture
        (h, w, 4) uint8 RGBA.
    step
        Length of a triangle's longest side in the photo, as a fraction of the photo's side.
    is_back
        Whether it is hair that hangs behind the neck.
    """

    space: PhotoSpace
    xy: FloatArray
    triangles: Array
    fade: FloatArray
    picture: ByteArray
    step: float
    is_back: bool


def halve(texture: ByteArray, least: int = 128) -> tuple[ByteArray, ...]:
    """Make a texture's levels, each half as large as the one before, down to ``least`` texels a side."""
    levels = [texture]
    while len(levels[-1]) >= 2 * least:
        side = len(levels[-1]) // 2
        levels.append(
            np.asarray(cv2.resize(levels[-1], (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        )
    return tuple(levels)

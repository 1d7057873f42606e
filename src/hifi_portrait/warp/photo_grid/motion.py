"""Where a photo's places are once the head has moved as a target asks."""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.warp.photo_grid.joints import head_fraction
from hifi_portrait.warp.photo_grid.space import PhotoSpace

_BODY_FRACTION = 0.02
"""Fraction of the head's motion below which a vertex is the body's."""


def move_places(
    space: PhotoSpace, target: HeadGeometry, vertices: Array, model: HeadModel
) -> tuple[FloatArray, FloatArray]:
    """Places (G, G, 3) in camera space of a photo's front and back, moved to a target.

    What is on the mesh moves with it; hair, and what is beside the mesh, moves with the head and the body in
    parts.

    Parameters
    ----------
    space
        The photo's places.
    target
        The head to move to.
    vertices
        (V, 3), that head's vertices with raised scalp.
    model
        The head model.
    """
    moved = vertices - space.vertices
    of_body = np.median(moved[head_fraction(model) < _BODY_FRACTION], axis=0)
    on_skin = space.raster.interpolate(moved, model.triangles)
    loose = np.where(space.raster.mask, space.looseness, 1.0)[..., None]
    beside = _move_with_head(space.front, space, target, of_body)
    front = (1 - loose) * (space.front + on_skin) + loose * beside
    back = _move_with_head(space.back, space, target, of_body)
    return np.asarray(front, np.float32), np.asarray(back, np.float32)


def _move_with_head(places: Array, space: PhotoSpace, target: HeadGeometry, of_body: Array) -> Array:
    """Move places (G, G, 3) by the head's motion in part, and by the body's (3,) for the rest."""
    turn = target.rotation.astype(np.float64) @ space.geometry.rotation.T.astype(np.float64)
    with_head = (places - space.geometry.translation) @ turn.T.astype(np.float32) + target.translation
    fraction = space.head_fraction[..., None]
    return np.asarray(fraction * with_head + (1 - fraction) * (places + of_body))

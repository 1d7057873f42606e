"""Where a photo's places are once the head has moved as a target asks."""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import HeadGeometry, axis_rotation
from hifi_portrait.head.model import HeadModel
from hifi_portrait.warp.photo_grid.joints import head_fraction
from hifi_portrait.warp.photo_grid.space import PhotoSpace

_BODY_FRACTION = 0.02
"""Fraction of the head's motion below which a vertex is the body's."""


def move_places(
    space: PhotoSpace, target: HeadGeometry, vertices: Array, model: HeadModel
) -> tuple[FloatArray, FloatArray | None]:
    """Places (G, G, 3) in camera space of a photo's front and of its hair's back, if any, moved to a target.

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
    beside = _move_hair(space.front, space, target, of_body)
    front = (1 - loose) * (space.front + on_skin) + loose * beside
    if space.back is None:
        return np.asarray(front, np.float32), None
    back = _move_hair(space.back, space, target, of_body)
    return np.asarray(front, np.float32), np.asarray(back, np.float32)


def _move_hair(places: Array, space: PhotoSpace, target: HeadGeometry, of_body: Array) -> Array:
    """Move places (G, G, 3) with the head, so that hair hangs down, and by the body's motion (3,) in part."""
    turn = (target.rotation.astype(np.float64) @ space.geometry.rotation.T).astype(np.float32)
    with_head = _turn(places, turn, space.geometry, target)
    roots = places.copy()
    roots[..., 2] = space.hangs_from
    about_upright = _upright_part(turn).astype(np.float32)
    hanging = places - roots
    hanging = _turn(roots, turn, space.geometry, target) + hanging @ about_upright.T
    moved = with_head + space.hanging[..., None] * (hanging - with_head)
    fraction = space.head_fraction[..., None]
    return np.asarray(fraction * moved + (1 - fraction) * (places + of_body))


def _turn(places: Array, turn: Array, source: HeadGeometry, target: HeadGeometry) -> Array:
    """Move places (..., 3) as a head moves that turns by (3, 3) from a source to a target."""
    return np.asarray((places - source.translation) @ turn.T + target.translation)


def _upright_part(turn: Array) -> Array:
    """Find the turn (3, 3) about the upright axis that is nearest to a turn."""
    sine, cosine = turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1]
    return axis_rotation(2, float(np.degrees(np.arctan2(sine, cosine))))

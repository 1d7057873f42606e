"""Further colours and woven patterns of cloth, laid over the albedo of what is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hifi_portrait.head.arrays import RGB, Array
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.synthetic.body_mesh import CLOTH

PATTERNS: dict[str, float] = {"plain": 0.58, "striped": 0.18, "checked": 0.14, "dotted": 0.10}
"""Patterns of garments and how often each is chosen."""
_NECK = np.array((0.0, 0.01, -0.075), np.float32)
"""Template point that a garment's pattern is laid around, metres."""
_RAY_RADIUS = 0.17
"""Distance from the neck at which a pattern is as wide along its rings as across them, metres."""


@dataclass(frozen=True)
class Dyes:
    """Colours of cloth beside the clothing's own."""

    further: tuple[RGB, ...]
    """Linear RGB of dye 1, 2, ..., as ``MeshCollection.add`` numbers them."""
    pattern: str = "plain"
    """One of ``PATTERNS``; on cloth of the clothing's own colour."""
    second: RGB = (0.5, 0.5, 0.5)
    """Linear RGB of the pattern's second colour."""
    width: float = 0.02
    """Distance from one stripe to the next, metres."""


def pattern_weight(pattern: str, place: Array, width: float) -> Array:
    """How much of the second colour (N,) lies at template points ``place`` (N, 3), in [0, 1]."""
    # Rings about the neck and rays from it: as wide on shoulders as on chests.
    q = place - _NECK
    along = np.linalg.norm(q * (0.85, 0.85, 1.0), axis=1)
    turn = np.arctan2(q[:, 0], -np.hypot(q[:, 1], q[:, 2]) * np.sign(-q[:, 1] + 1e-9))
    x, z = _RAY_RADIUS * np.where(np.abs(turn) > np.pi / 2, np.sign(turn) * np.pi - turn, turn), along
    if pattern == "striped":
        return _stripe(z / width, 0.5)
    if pattern == "checked":
        a, b = _stripe(x / (1.6 * width), 0.5), _stripe(z / (1.6 * width), 0.5)
        return np.asarray(0.5 * (a + b))
    if pattern == "dotted":
        row = np.floor(z / width)
        u = x / width + 0.5 * (row % 2)
        u, v = u - np.floor(u) - 0.5, z / width - row - 0.5
        return np.asarray(1 - smoothstep(np.hypot(u, v), 0.22, 0.30))
    return np.zeros(len(place))


def _stripe(place: Array, fraction: float) -> Array:
    distance = np.abs(place - np.floor(place) - 0.5)
    return np.asarray(1 - smoothstep(distance, fraction / 2 - 0.04, fraction / 2 + 0.04))


def dye_cloth(
    albedo: Array,
    dyes: Dyes,
    cloth: RGB,
    triangle_dye: Array,
    triangle_id: Array,
    material: Array,
    triangles: Array,
    weights: Array,
    inverse_depth: Array,
    attributes: Array,
) -> None:
    """Give cloth its further colours and its pattern, in place.

    Parameters
    ----------
    albedo
        (H, W, 3), with all cloth in the colour ``cloth``; changed here.
    dyes
        The colours.
    cloth
        Linear RGB of the clothing.
    triangle_dye, material
        (F,) dye and material of each triangle.
    triangle_id, weights
        (H, W), (H, W, 2) from the rasteriser.
    triangles
        (F, 3) vertices of each triangle.
    inverse_depth, attributes
        (N,), (N, 3) of each vertex; cloth's attributes are template points.
    """
    rows, columns = np.nonzero(triangle_id >= 0)
    face = triangle_id[rows, columns]
    is_cloth = material[face] == CLOTH
    rows, columns, face = rows[is_cloth], columns[is_cloth], face[is_cloth]
    number = triangle_dye[face]
    base = np.asarray(cloth, np.float32)
    if dyes.pattern != "plain":
        own = number == 0
        r, c, f = rows[own], columns[own], triangles[face[own]]
        w = np.concatenate([1 - weights[r, c].sum(-1, keepdims=True), weights[r, c]], 1) * inverse_depth[f]
        w /= w.sum(1, keepdims=True)
        place = (attributes[f] * w[..., None]).sum(1)
        fraction = pattern_weight(dyes.pattern, place, dyes.width)[:, None]
        albedo[r, c] *= 1 - fraction + fraction * np.asarray(dyes.second, np.float32) / base
    for k, rgb in enumerate(dyes.further, 1):
        other = number == k
        albedo[rows[other], columns[other]] *= np.asarray(rgb, np.float32) / base

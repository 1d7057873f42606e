"""How open the surface of a head is to light from all around: folds and the hollows of ears are less."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import rasterise

_DIRECTIONS = 60
"""Directions from which light is tried."""
_SIDE = 320
"""Side in pixels of the depth buffer of each."""
_HIDDEN = (0.0015, 0.004)
"""Metres behind the nearest surface between which light comes to be kept off."""
_AWAY = 20.0
"""Distance of the light in radii of the head: so far that its rays are nearly parallel."""


@lru_cache(maxsize=4)
def openness(model: HeadModel) -> FloatArray:
    """Find what fraction of an even light all around reaches each vertex of the mean head (V,), in [0, 1].

    This is ambient occlusion: the light is weighted by the cosine to the normal, and only skin hides.
    """
    places = np.asarray(model.mean[: model.num_vertices], np.float64)
    normals = model.normals(places)
    hiding = model.triangles[model.parts == Part.SKIN]
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    radius = float(np.linalg.norm(places - middle, axis=1).max())
    reached, all_light = np.zeros(len(places)), np.zeros(len(places))
    for towards in _directions():
        across = np.cross(towards, np.roll(towards, 1) + 1)
        across /= np.linalg.norm(across)
        frame = np.stack([across, np.cross(towards, across), -towards])
        seen = (places - middle) @ frame.T / radius
        seen[:, 2] += _AWAY
        xy = (0.5 + 0.5 * _AWAY * seen[:, :2] / seen[:, 2:] / 1.1) * _SIDE
        depth = rasterise(xy, 1 / seen[:, 2], hiding, _SIDE, _SIDE).depth
        column, row = np.clip(xy.astype(np.int64), 0, _SIDE - 1).T
        behind = (seen[:, 2] - depth[row, column]) * radius
        light = np.maximum(normals @ towards, 0)
        reached += light * (1 - smoothstep(behind, *_HIDDEN))
        all_light += light
    return np.asarray(reached / np.maximum(all_light, 1e-6), np.float32)


def _directions() -> Array:
    """Directions (D, 3), spread evenly over the sphere by the golden angle."""
    number = np.arange(_DIRECTIONS) + 0.5
    up = 1 - 2 * number / _DIRECTIONS
    around = np.pi * (1 + 5**0.5) * number
    return np.stack([np.sqrt(1 - up**2) * np.cos(around), np.sqrt(1 - up**2) * np.sin(around), up], axis=1)

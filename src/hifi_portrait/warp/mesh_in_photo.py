"""What a photo shows of the fitted mesh, coarsely."""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import rasterise

_SIDE = 128
"""Side, in pixels, of the picture in which the mesh is drawn."""


def mesh_in_photo(xy: Array, model: HeadModel) -> Array:
    """Find the triangle that each place of a photo shows, (h, h), coarsely; -1 where it shows none.

    ``xy`` (V, 2) are the places of the vertices, as fractions of the photo's side.
    """
    nearness = np.ones(len(xy))
    nearness[model.triangles[model.parts != Part.SHOULDERS]] = 2  # over the shoulders
    return rasterise(xy * _SIDE, nearness, model.triangles, _SIDE, _SIDE).triangle

"""Parts of the head mesh and vertex normals."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.compiled import compiled


class Part(IntEnum):
    """What a triangle of the head mesh shows. Left and right are the person's."""

    SKIN = 0
    LEFT_EYE = 1
    RIGHT_EYE = 2
    UPPER_TEETH = 3
    LOWER_TEETH = 4
    TONGUE = 5
    LEFT_LASHES = 6
    RIGHT_LASHES = 7
    MOUTH_CAVITY = 8
    SHOULDERS = 9


HAIRLINE = (
    (-0.140, -0.115, -0.090, -0.065, -0.045, -0.030, -0.010, 0.020, 0.060),
    (0.090, 0.087, 0.068, 0.045, 0.024, 0.034, 0.036, -0.030, -0.045),
)
"""The lower edge of the scalp on the mean head, seen from the side: depths and heights, in metres."""

TOOTH_WIDTHS = np.array((8.4, 6.6, 7.6, 7.0, 6.8, 10.0, 10.0))
"""Widths of the upper teeth from the middle of the row outwards, in millimetres."""


@compiled()
def _accumulate_normals(
    vertices: Array, triangles: Array, normals: Array
) -> None:  # pragma: no cover - compiled
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        e0x = vertices[b, 0] - vertices[a, 0]
        e0y = vertices[b, 1] - vertices[a, 1]
        e0z = vertices[b, 2] - vertices[a, 2]
        e1x = vertices[c, 0] - vertices[a, 0]
        e1y = vertices[c, 1] - vertices[a, 1]
        e1z = vertices[c, 2] - vertices[a, 2]
        nx = e0y * e1z - e0z * e1y
        ny = e0z * e1x - e0x * e1z
        nz = e0x * e1y - e0y * e1x
        for k in range(3):
            v = triangles[f, k]
            normals[v, 0] += nx
            normals[v, 1] += ny
            normals[v, 2] += nz
    for v in range(normals.shape[0]):
        length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2)
        if length > 0:
            normals[v, 0] /= length
            normals[v, 1] /= length
            normals[v, 2] /= length


def vertex_normals(vertices: Array, triangles: Array) -> FloatArray:
    """Compute unit normals (V, 3), averaged over triangles by their area; zero where no triangle meets."""
    normals = np.zeros(vertices.shape, np.float32)
    _accumulate_normals(np.ascontiguousarray(vertices, np.float32), triangles, normals)
    return normals

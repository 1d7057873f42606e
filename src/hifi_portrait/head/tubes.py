"""Meshes of round tubes and of grids."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.arrays import Array


def tube(path: Array, radius: Array, *, closed: bool = False, sides: int = 6) -> tuple[Array, Array, Array]:
    """Make the mesh of a round tube.

    Parameters
    ----------
    path
        (K, 3) its middle.
    radius
        (K,) of it there.
    closed
        Whether its end meets its beginning.
    sides
        How many corners its cross-section has.

    Returns
    -------
    points, normals
        (K sides, 3) both.
    triangles
        (F, 3) int32.
    """
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    first = np.cross(ahead, (0.05, 0.1, 1.0))
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-9)
    second = np.cross(first, ahead)
    angle = np.linspace(0, 2 * np.pi, sides + 1)[:-1]
    normals = np.cos(angle)[None, :, None] * first[:, None] + np.sin(angle)[None, :, None] * second[:, None]
    points = path[:, None] + normals * radius[:, None, None]
    return points.reshape(-1, 3), normals.reshape(-1, 3), connect_grid(len(path), sides, closed, True)


def connect_grid(rows: int, columns: int, rows_closed: bool, columns_closed: bool) -> npt.NDArray[np.int32]:
    """Make the triangles (F, 3) of a grid of vertices, wrapped around where closed."""
    i, j = np.meshgrid(
        np.arange(rows if rows_closed else rows - 1),
        np.arange(columns if columns_closed else columns - 1),
        indexing="ij",
    )
    a = i * columns + j
    b = i * columns + (j + 1) % columns
    c = (i + 1) % rows * columns + j
    d = (i + 1) % rows * columns + (j + 1) % columns
    return np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)]
    ).astype(np.int32)

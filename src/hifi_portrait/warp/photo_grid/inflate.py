"""Silhouettes inflated to solids."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from hifi_portrait.head.arrays import BoolArray, FloatArray


def inflate(silhouette: BoolArray, metre: float) -> FloatArray:
    """Half the thickness, in metres, of the round solid with a silhouette; 0 outside.

    Its square solves Poisson's equation with right side -4 and is 0 at the outline: a disc becomes a ball.
    The idea is that of Prasad, Zisserman and Fitzgibbon, Fast and Controllable 3D Modelling from
    Silhouettes (Eurographics 2005).

    Parameters
    ----------
    silhouette
        (h, w).
    metre
        Metres that a pixel stands for.
    """
    count = int(silhouette.sum())
    thickness = np.zeros(silhouette.shape, np.float32)
    if not count:
        return thickness
    number = np.full(silhouette.shape, -1)
    number[silhouette] = np.arange(count)
    padded = np.pad(number, 1, constant_values=-1)
    height, width = silhouette.shape
    rows, columns = [], []
    for down, right in ((0, 1), (2, 1), (1, 0), (1, 2)):
        beside = padded[down : down + height, right : right + width][silhouette]
        inside = beside >= 0
        rows.append(np.arange(count)[inside])
        columns.append(beside[inside])
    joined = (np.concatenate(rows), np.concatenate(columns))
    neighbours = sparse.coo_matrix((np.ones(len(joined[0])), joined), (count, count))
    laplacian = (4 * sparse.eye(count) - neighbours).tocsc()
    squared = spsolve(laplacian, np.full(count, 4 * metre**2))
    thickness[silhouette] = np.sqrt(np.maximum(squared, 0))
    return thickness

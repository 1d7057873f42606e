"""Measures of one heat map against one target.

A heat map is an equirectangular picture (h, 2 h) of how likely the target is in each direction: a density,
so that equal values are equally likely a steradian. Three definitions of the area under the curve (AUC) are
in use, and differ by up to 0.1 for one and the same map; all three are always given:

``auc_64``
    As GazeFollow360's authors and VideoAttentionTarget's: on 64 x 64 cells, the positive ones those of a
    square of 19 x 19 about the target, cut at the seam. Published figures (0.8104 of Li et al. 2021) are
    these.
``auc_point``
    As GazeFollow's: one positive pixel, the target's.
``auc_sphere``
    Ours: the positives are a cap of 8 degrees about the target, cells are weighted by their solid angle, and
    there is no seam.
"""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array
from mmrgaze360.sphere import angle_between, direction_grid, direction_to_pixel, solid_angles, unit

_CELLS = 64
_REACH = 9
"""Cells from the target to the edge of the square of positives: 3 sigma of a Gaussian of sigma 3."""
_POINT_SIZE = (512, 256)
_CAP = 8.0


def peak_direction(heat: Array) -> Array:
    """Give the direction (3,) of the middle of the highest cell of a heat map (h, 2 h)."""
    row, column = np.unravel_index(int(np.argmax(heat)), heat.shape)
    return np.asarray(direction_grid(heat.shape[1], heat.shape[0])[row, column])


def great_circle_distance(heat: Array, target: Array) -> float:
    """Measure from a heat map's highest cell to a target (3,), in radians."""
    return float(angle_between(peak_direction(heat), unit(target)))


def auc_64(heat: Array, target: Array) -> float:
    """Measure the area under the curve with the positives of GazeFollow360's protocol."""
    small = cv2.resize(np.asarray(heat, np.float32), (_CELLS, _CELLS))
    x, y = direction_to_pixel(target, _CELLS, _CELLS)
    column, row = int(x), min(int(y), _CELLS - 1)
    positive = np.zeros((_CELLS, _CELLS), bool)
    rows = slice(max(0, row - _REACH), row + _REACH + 1)
    positive[rows, max(0, column - _REACH) : column + _REACH + 1] = True
    return _area(small, positive, np.ones_like(small))


def auc_point(heat: Array, target: Array) -> float:
    """Measure the area under the curve with the one pixel of the target as positive."""
    large = cv2.resize(np.asarray(heat, np.float32), _POINT_SIZE)
    x, y = direction_to_pixel(target, *_POINT_SIZE)
    positive = np.zeros(large.shape, bool)
    positive[min(int(y), _POINT_SIZE[1] - 1), int(x)] = True
    return _area(large, positive, np.ones_like(large))


def auc_sphere(heat: Array, target: Array) -> float:
    """Measure the area under the curve on the sphere: a cap of 8 degrees against the rest, by solid angle."""
    height, width = heat.shape
    cosine = direction_grid(width, height) @ unit(target)
    positive = cosine > np.cos(np.radians(_CAP))
    if not positive.any():
        positive.flat[int(np.argmax(cosine))] = True
    return _area(np.asarray(heat), positive, solid_angles(width, height))


def _area(score: Array, positive: Array, weight: Array) -> float:
    """Probability that a positive is higher than a negative, both drawn by weight; ties count half."""
    s, y, w = score.ravel().astype(np.float64), positive.ravel(), weight.ravel()
    order = np.argsort(s, kind="stable")
    s, y, w = s[order], y[order], w[order]
    starts = np.concatenate([[0], np.nonzero(np.diff(s))[0] + 1])
    negative = np.add.reduceat(np.where(y, 0, w), starts)
    positives = np.add.reduceat(np.where(y, w, 0), starts)
    below = np.cumsum(negative) - negative
    return float((positives * (below + 0.5 * negative)).sum() / (negative.sum() * positives.sum()))

"""Great-circle arcs: what a straight line in space looks like on the sphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hifi_portrait.head.arrays import Array
from mmrgaze360.sphere.directions import angle_between, unit


def arc_points(start: ArrayLike, end: ArrayLike, fractions: ArrayLike) -> Array:
    """Give points on the shorter arc between two directions.

    Parameters
    ----------
    start, end
        (3,) unit; not opposite to each other, for then there is no shorter arc.
    fractions
        (N,) 0 at ``start`` to 1 at ``end``, evenly along the arc.

    Returns
    -------
    points
        (N, 3) unit.
    """
    a, b, t = unit(start), unit(end), np.asarray(fractions, np.float64)[:, None]
    angle = float(angle_between(a, b))
    if angle < 1e-9:
        return np.repeat(a[None], len(t), 0)
    return np.asarray((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle))


def arc_offset(directions: ArrayLike, start: ArrayLike, end: ArrayLike) -> tuple[Array, Array]:
    """Measure directions against an arc.

    Parameters
    ----------
    directions
        (..., 3) unit.
    start, end
        (3,) unit, neither equal nor opposite.

    Returns
    -------
    offset
        (...) great-circle distance to the nearest point of the arc, radians.
    along
        (...) how far along the arc's great circle, as a fraction of the arc: 0 at its start, 1 at its end,
        below 0 before and above 1 beyond it.
    """
    d, a, b = np.asarray(directions, np.float64), unit(start), unit(end)
    length = float(angle_between(a, b))
    normal = unit(np.cross(a, b))
    across = np.cross(normal, a)
    along = np.arctan2(d @ across, d @ a)
    beside = np.abs(np.arcsin(np.clip(d @ normal, -1, 1)))
    ends = np.minimum(angle_between(d, a), angle_between(d, b))
    within = (along >= 0) & (along <= length)
    return np.where(within, beside, ends), along / length

"""Headscarves and hoods: cloth around the whole head, open before the face, that falls on the shoulders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from hifi_portrait.head.arrays import Array, BoolArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.tubes import connect_grid, tube
from hifi_portrait.synthetic.body_mesh import body_mesh
from hifi_portrait.synthetic.hair_strands import CENTRE
from hifi_portrait.synthetic.headwear_shape import (
    ROOM,
    Headwear,
    Piece,
    angles_about_centre,
    sample_radius,
    smooth_shield,
    turns_around,
    unit_directions,
)


@dataclass(frozen=True)
class Wrap:
    """Cloth around the whole head; lengths in metres."""

    half_width: float
    """Half the width of its opening for the face."""
    top: float
    """Height of the opening's upper edge."""
    bottom: float
    """Height of the opening's lower edge."""
    stand: float
    """How far it stands off the skull."""
    stand_at_edge: float
    """How far it stands off the face at the opening."""
    reach: float
    """How far over the shoulders it goes, from the neck's middle."""
    end: float
    """Height at which it ends in front and behind."""
    rim: float
    """Radius of the opening's rim."""
    folds: float
    """Height of its folds."""
    peak: float
    """How far it rises above the crown."""


SCARF = Wrap(0.066, 0.084, -0.089, 0.011, 0.0045, 0.150, -0.215, 0.0022, 0.0040, 0.002)
HOOD = Wrap(0.079, 0.106, -0.116, 0.020, 0.0160, 0.120, -0.165, 0.0050, 0.0030, 0.010)
_NECK_AXIS = -0.030
"""y of the vertical axis that wraps are laid around, metres."""


def _hull(vertices: Array, heights: Array, columns: int) -> Array:
    """Horizontal distance (heights, columns) of the skin, ears left out, from the wraps' axis, by azimuth."""
    x, y, z = vertices[:, 0], vertices[:, 1] - _NECK_AXIS, vertices[:, 2]
    ear = (np.abs(x) > 0.068) & (z < 0.055) & (z > -0.03) & (y < 0.05)
    x, y, z = x[~ear], y[~ear], z[~ear]
    column = ((np.arctan2(x, y) / (2 * np.pi) + 0.5) * columns).astype(int) % columns
    step = heights[0] - heights[1]
    row = np.round((heights[0] - z) / step).astype(int)
    fine = (row >= 0) & (row < len(heights))
    hull = np.zeros((len(heights), columns))
    np.maximum.at(hull, (row[fine], column[fine]), np.hypot(x, y)[fine])
    # Bins that no vertex fell into are filled from their neighbours.
    seen = (hull > 0).astype(float)
    for sigma in (1.0, 2.0, 4.0, 8.0):
        near = gaussian_filter(seen, sigma, mode=("nearest", "wrap"))
        mean = gaussian_filter(hull * seen, sigma, mode=("nearest", "wrap")) / np.maximum(near, 1e-9)
        hull = np.where((hull == 0) & (near > 0.02), mean, hull)
    return np.asarray(gaussian_filter(hull, (1.2, 1.5), mode=("nearest", "wrap")))


def make_wrap(shield: Array, vertices: Array, wrap: Wrap) -> Headwear:
    """Lay cloth around a head.

    Parameters
    ----------
    shield
        Distance of the skull from ``CENTRE`` by direction, as ``hair_strands.radius_map`` gives it.
    vertices
        (V, 3) the person's rest shape in the base shape's coordinates.
    wrap
        ``SCARF`` or ``HOOD``.
    """
    shield = smooth_shield(shield)
    columns, step = 128, 0.006
    turns = turns_around(columns)
    heights = np.arange(0.05, -0.27, -step)
    hull = _hull(vertices, heights, columns)
    front = np.clip(-np.cos(turns), 0, 1)
    profiles = []
    for k in range(columns):
        profiles.append(_profile(shield, hull[:, k], heights, float(turns[k]), float(front[k]), wrap))
    grid = gaussian_filter(np.stack(profiles), (2.0, 1.6, 0), mode=("wrap", "nearest", "nearest"))
    grid[:, 0] = grid[:, 0].mean(0)  # Smoothing opened the crown, where all meridians meet.
    x, y, z = grid[..., 0], grid[..., 1], grid[..., 2]
    low = smoothstep(-z, 0.05, 0.13)
    wave = np.sin(turns[:, None] * 7 + 26 * z + 1.5 * np.sin(turns[:, None] * 3)) * np.sin(
        38 * z + 2 * turns[:, None]
    )
    away = np.stack([np.sin(turns), np.cos(turns), 0 * turns], -1)[:, None]
    still = 1 - smoothstep(z, 0.04, 0.10)
    wave = wave * still
    grid = grid + away * (wrap.folds * wave * (0.25 + 0.75 * low))[..., None]
    middle, half = (wrap.top + wrap.bottom) / 2, (wrap.top - wrap.bottom) / 2
    oval = np.hypot(x / wrap.half_width, (z - middle) / half) - 1
    keep = np.where(y < -0.025, oval * 0.06, 0.05) * np.ones_like(x)
    triangles = connect_grid(columns, grid.shape[1], True, False)
    tone = 1 + 0.10 * wave * (0.3 + 0.7 * low)
    shell = Piece(
        grid.reshape(-1, 3).astype(np.float32),
        triangles,
        tone.reshape(-1).astype(np.float32),
        keep=keep.reshape(-1).astype(np.float32),
    )
    pieces = [shell]
    rim = _opening(grid, oval, y)
    if rim is not None:
        points, _, rim_triangles = tube(rim, np.full(len(rim), wrap.rim), closed=True, sides=8)
        pieces.append(Piece(points.astype(np.float32), rim_triangles, np.full(len(points), 0.95, np.float32)))
    base = body_mesh().template[: body_mesh().num_vertices]
    ear = (np.abs(base[:, 0]) > 0.066) & (base[:, 2] < 0.058) & (base[:, 2] > -0.035) & (base[:, 1] > -0.078)
    radius = np.linalg.norm(grid - CENTRE, axis=-1)
    return Headwear(tuple(pieces), _reach_of_grid(grid, radius), np.asarray(ear), loose=1.0)


def _profile(shield: Array, hull: Array, heights: Array, turn: float, front: float, wrap: Wrap) -> Array:
    """One meridian (40, 3) of a wrap, from the crown to its lower edge, evenly spaced."""
    stand = wrap.stand + (wrap.stand_at_edge - wrap.stand) * front**2
    elevation = np.linspace(np.pi / 2, np.radians(2), 24)
    radius = sample_radius(shield, np.full(24, turn), elevation) + stand
    radius = radius + wrap.peak * np.sin(elevation) ** 4
    crown = CENTRE + unit_directions(np.full(24, turn), elevation) * radius[:, None]
    axis = np.array((0.0, _NECK_AXIS))
    across = np.hypot(crown[:, 0] - axis[0], crown[:, 1] - axis[1])
    below = heights < crown[-1, 2] - 0.004
    z = heights[below]
    flat = hull[below] + 0.007 + (stand - 0.007) * (1 - smoothstep(-z, 0.09, 0.15))
    # From the jaw the cloth falls to the shoulders without following the neck inwards.
    ends = np.nonzero((hull[below] > wrap.reach) | (z < wrap.end))[0]
    last = int(ends[0]) if len(ends) else len(z) - 1
    jaw = int(np.argmin(np.abs(z + 0.055)))
    last = max(last, jaw + 3)
    straight = np.interp(
        z[jaw : last + 1], (z[last], z[jaw]), (min(flat[last], wrap.reach + 0.01), flat[jaw])
    )
    flat[jaw : last + 1] = np.maximum(straight, np.minimum(flat[jaw : last + 1], wrap.reach + 0.01))
    path = np.concatenate(
        [np.stack([across, crown[:, 2]], 1), np.stack([flat[: last + 1], z[: last + 1]], 1)]
    )
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    place = np.linspace(0, along[-1], 64)
    rho, height = np.interp(place, along, path[:, 0]), np.interp(place, along, path[:, 1])
    return np.stack([np.sin(turn) * rho, axis[1] + np.cos(turn) * rho, height], 1)


def _opening(grid: Array, oval: Array, y: Array) -> Array | None:
    """Trace the edge (K, 3) of the opening for the face, in order; None when the cloth has none."""
    points = []
    columns, rows = oval.shape
    centre_x, centre_z = 0.0, 0.0
    for k in range(columns):
        for j in range(rows - 1):
            a, b = oval[k, j], oval[k, j + 1]
            if a * b < 0 and y[k, j] < -0.03:
                points.append(grid[k, j] + (grid[k, j + 1] - grid[k, j]) * (a / (a - b)))
    for j in range(rows):
        for k in range(columns):
            a, b = oval[k, j], oval[(k + 1) % columns, j]
            if a * b < 0 and y[k, j] < -0.03:
                points.append(grid[k, j] + (grid[(k + 1) % columns, j] - grid[k, j]) * (a / (a - b)))
    if len(points) < 12:
        return None
    ring = np.array(points)
    angle = np.arctan2(ring[:, 2] - centre_z, ring[:, 0] - centre_x)
    order = np.argsort(angle)
    even = np.linspace(-np.pi, np.pi, 96, endpoint=False)
    smooth = [np.interp(even, angle[order], ring[order, c], period=2 * np.pi) for c in range(3)]
    return np.asarray(gaussian_filter(np.stack(smooth, 1), (1.2, 0), mode="wrap"))


def _reach_of_grid(grid: Array, radius: Array) -> Callable[[Array], tuple[Array, BoolArray]]:
    """Give the limit that a wrap sets to hair, looked up in a map of its distance by direction."""
    azimuth, elevation, _ = angles_about_centre(grid)
    rows, columns = 64, 128
    column = ((azimuth / (2 * np.pi) + 0.5) * columns).astype(int) % columns
    row = np.clip(((elevation / np.pi + 0.5) * rows).astype(int), 0, rows - 1)
    total = np.bincount((row * columns + column).ravel(), radius.ravel(), rows * columns).reshape(
        rows, columns
    )
    count = np.bincount((row * columns + column).ravel(), minlength=rows * columns).reshape(rows, columns)
    mode = ("nearest", "wrap")
    weight = gaussian_filter(count.astype(float), 1.0, mode=mode)
    mean = gaussian_filter(total, 1.0, mode=mode) / np.maximum(weight, 1e-9)
    table = np.where(weight > 1e-3, mean, 1.0)

    def reach(points: Array) -> tuple[Array, BoolArray]:
        a, e, _ = angles_about_centre(points)
        return sample_radius(table, a, e) - ROOM, np.ones(a.shape, bool)

    return reach

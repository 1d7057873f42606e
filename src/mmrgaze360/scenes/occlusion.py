"""How much of a lamp's light, and of the light from all around, a solid keeps from a place: in closed form.

Both are approximations that are smooth and cheap enough for every pixel: lamps are discs, capsules are met
where they come nearest to the ray, and of a box the edge counts that the ray passes most narrowly.
"""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array
from mmrgaze360.scenes.hits import jit

_SHARPEST = 0.004
"""Half the width of the sharpest edge of a shadow, metres."""
_SLANTED = 0.25
"""How far below the horizon a round solid's middle still takes light away, as a cosine."""
_FILLED = 0.6
"""How much of its box a model fills, to light."""
_MOST_COVER = 0.85
"""No solid alone takes more of the light from all around."""


@jit
def _ramp(inside: float, width: float) -> float:
    """Rise smoothly from 0 at ``-width`` to 1 at ``width``."""
    t = min(max(0.5 + 0.5 * inside / width, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@jit
def _rod(solids: Array, n: int) -> tuple[float, float, float, float]:
    """Give half the axis (3,), and the radius, of what is round: spheres, capsules, and tall cylinders."""
    kind = int(solids[n, 0])
    if kind == 3:
        return solids[n, 4], solids[n, 5], solids[n, 6], solids[n, 18]
    if kind == 1:
        return 0.0, 0.0, 0.0, solids[n, 18]
    radius = np.sqrt(solids[n, 4] * solids[n, 5])
    return 0.0, 0.0, max(0.0, solids[n, 6] - 0.5 * radius), radius


@jit
def hidden_share(
    solids: Array,
    n: int,
    px: float,
    py: float,
    pz: float,
    lx: float,
    ly: float,
    lz: float,
    reach: float,
    spread: float,
) -> float:
    """Give the share of a lamp, in [0, 1], that a solid hides from a place.

    Parameters
    ----------
    solids, n
        The solid's number in a table of `solids.Solids.table`.
    px, py, pz
        The place, metres.
    lx, ly, lz
        Unit, towards the lamp.
    reach
        Metres to the lamp.
    spread
        The lamp's radius over ``reach``.
    """
    kind = int(solids[n, 0])
    cx, cy, cz = solids[n, 1] - px, solids[n, 2] - py, solids[n, 3] - pz
    if kind == 1 or kind == 3 or (kind == 2 and solids[n, 6] > 0.5 * max(solids[n, 4], solids[n, 5])):
        hx, hy, hz, radius = _rod(solids, n)
        ax, ay, az = hx - cx, hy - cy, hz - cz  # from the rod's beginning to the place
        bb = 4 * (hx * hx + hy * hy + hz * hz)
        along = 2 * (lx * hx + ly * hy + lz * hz)
        on_ray = lx * ax + ly * ay + lz * az
        on_rod = 2 * (hx * ax + hy * ay + hz * az)
        steep = bb - along * along
        share = min(max((on_rod - along * on_ray) / steep, 0.0), 1.0) if steep > 1e-9 else 0.5
        t = min(share * along - on_ray, reach)
        if t < 1e-3:
            return 0.0
        ex, ey, ez = ax + t * lx - 2 * share * hx, ay + t * ly - 2 * share * hy, az + t * lz - 2 * share * hz
        width = spread * t + _SHARPEST
        away = np.sqrt(ex * ex + ey * ey + ez * ez)
        of_rod: float = _ramp(radius - away, width) * min(1.0, radius / width)
        return of_rod
    c, s = solids[n, 19], solids[n, 20]
    dx, dy, dz = c * lx + s * ly, -s * lx + c * ly, lz
    ox, oy, oz = c * cx + s * cy, -s * cx + c * cy, cz
    hx, hy, hz = solids[n, 4], solids[n, 5], solids[n, 6]
    filled = _FILLED if kind == 4 else 1.0
    if kind == 2:  # a disc
        t = oz / dz if abs(dz) > 0.05 else -1.0
        if t < 1e-3 or t > reach:
            return 0.0
        ex, ey = (t * dx - ox) / hx, (t * dy - oy) / hy
        inside = (1.0 - np.sqrt(ex * ex + ey * ey)) * min(hx, hy) * abs(dz)
        return _ramp(inside, spread * t + _SHARPEST)
    dx = dx if abs(dx) > 1e-6 else 1e-6
    dy = dy if abs(dy) > 1e-6 else 1e-6
    dz = dz if abs(dz) > 1e-6 else 1e-6
    half_x, half_y, half_z = hx / abs(dx), hy / abs(dy), hz / abs(dz)
    mx, my, mz = ox / dx, oy / dy, oz / dz
    out = min(mx + half_x, my + half_y, mz + half_z)
    if out < 0.01:
        return 0.0
    near = max(mx - half_x, my - half_y, mz - half_z)
    if near > reach:
        return 0.0
    # A ray that leaves the slab of one axis after it has entered that of another is inside their edge.
    xy, yz, zx = np.sqrt(dx * dx + dy * dy), np.sqrt(dy * dy + dz * dz), np.sqrt(dz * dz + dx * dx)
    edge_xy = (half_x + half_y - abs(mx - my)) * abs(dx * dy) / xy
    edge_yz = (half_y + half_z - abs(my - mz)) * abs(dy * dz) / yz
    edge_zx = (half_z + half_x - abs(mz - mx)) * abs(dz * dx) / zx
    width = spread * max(near, 0.0) + _SHARPEST
    middle = max(min(hx, hy), min(max(hx, hy), hz))
    of_box: float = filled * _ramp(min(edge_xy, edge_yz, edge_zx), width) * min(1.0, middle / width)
    return of_box


@jit
def covered_share(
    solids: Array, n: int, px: float, py: float, pz: float, nx: float, ny: float, nz: float
) -> float:
    """Give the share of the light from all around, in [0, 1], that a solid keeps from a surface."""
    kind = int(solids[n, 0])
    cx, cy, cz = solids[n, 1] - px, solids[n, 2] - py, solids[n, 3] - pz
    if kind == 1 or kind == 3 or (kind == 2 and solids[n, 6] > 0.5 * max(solids[n, 4], solids[n, 5])):
        hx, hy, hz, radius = _rod(solids, n)
        bb = hx * hx + hy * hy + hz * hz
        share = min(max(-(cx * hx + cy * hy + cz * hz) / bb, -1.0), 1.0) if bb > 1e-9 else 0.0
        vx, vy, vz = cx + share * hx, cy + share * hy, cz + share * hz
        away = max(np.sqrt(vx * vx + vy * vy + vz * vz), radius)
        facing = ((nx * vx + ny * vy + nz * vz) / away + _SLANTED) / (1 + _SLANTED)
        by_rod: float = min(max(facing, 0.0) * radius * radius / (away * away), _MOST_COVER)
        return by_rod
    c, s = solids[n, 19], solids[n, 20]
    ox, oy = c * cx + s * cy, -s * cx + c * cy
    ux, uy = c * nx + s * ny, -s * nx + c * ny
    hx, hy, hz = solids[n, 4], solids[n, 5], solids[n, 6]
    height = ux * ox + uy * oy + nz * cz + abs(ux) * hx + abs(uy) * hy + abs(nz) * hz
    if height <= 1e-3:
        return 0.0  # wholly below the place's horizon
    vx = min(max(0.0, ox - hx), ox + hx)  # from the place to the nearest point of the box
    vy = min(max(0.0, oy - hy), oy + hy)
    vz = min(max(0.0, cz - hz), cz + hz)
    away = np.sqrt(vx * vx + vy * vy + vz * vz) + 1e-6
    above = max(0.0, ux * vx + uy * vy + nz * vz)
    beside = np.sqrt(max(0.0, away * away - above * above))
    crease = 0.5 * (1 - beside / np.sqrt(beside * beside + height * height))
    middle = max(min(hx, hy), min(max(hx, hy), hz))
    area = 4 * middle * middle
    crease *= _FILLED if kind == 4 else 1.0
    by_box: float = min(crease * (1 + above / away) * area / (area + np.pi * away * away), _MOST_COVER)
    return by_box

"""Light on the surfaces that rays meet: of lamps and from all around, shaded by what stands between."""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array
from mmrgaze360.scenes.hits import jit
from mmrgaze360.scenes.occlusion import covered_share, hidden_share

_COVER_REACH = 0.6
"""How far from its bound a solid takes light from all around, metres."""
_COVER_BOUNDS = 4.0
"""The same as a multiple of its bound, for what is small."""
_FAR_AWAY = 1000.0
"""Nothing is farther away than a distant light, metres."""


@jit
def list_shades(
    solids: Array, lamps: Array, middle: Array, radius: float, lists: Array, counts: Array
) -> None:
    """List the solids that may keep light from a ball: by lamp, and last those that are near."""
    last = lamps.shape[0]
    for k in range(last + 1):
        counts[k] = 0
    for n in range(solids.shape[0]):
        if solids[n, 16] > 0.0:
            continue
        vx, vy, vz = solids[n, 1] - middle[0], solids[n, 2] - middle[1], solids[n, 3] - middle[2]
        away, bound = vx * vx + vy * vy + vz * vz, solids[n, 17]
        reach = bound + radius + min(_COVER_REACH, _COVER_BOUNDS * bound)
        if away < reach * reach:
            lists[last, counts[last]] = n
            counts[last] += 1
        reach = bound + radius + 0.2
        if solids[n, 21] == 0.0:
            continue
        for k in range(last):
            near = lamps[k, 3]
            lx, ly, lz = (
                lamps[k, 0] - middle[0] * near,
                lamps[k, 1] - middle[1] * near,
                lamps[k, 2] - middle[2] * near,
            )
            length = np.sqrt(lx * lx + ly * ly + lz * lz) + 1e-6
            along = (vx * lx + vy * ly + vz * lz) / length
            along = max(0.0, min(along, length)) if near > 0 else max(0.0, along)
            ex, ey, ez = vx - along * lx / length, vy - along * ly / length, vz - along * lz / length
            wide = reach if near > 0 else reach + along * lamps[k, 7]
            if ex * ex + ey * ey + ez * ez < wide * wide:
                lists[k, counts[k]] = n
                counts[k] += 1


@jit
def light_surface(
    surface: Array,
    hit: int,
    tag: int,
    solids: Array,
    visible: int,
    lamps: Array,
    ambient: Array,
    lists: Array,
    counts: Array,
    out: Array,
) -> None:
    """Write the light (3,) that falls on a surface, shaded by what stands around it."""
    px, py, pz, nx, ny, nz = surface[0], surface[1], surface[2], surface[3], surface[4], surface[5]
    last = lamps.shape[0]
    openness = 1.0
    for m in range(counts[last]):
        n = lists[last, m]
        vx, vy, vz = solids[n, 1] - px, solids[n, 2] - py, solids[n, 3] - pz
        far = solids[n, 17] + min(_COVER_REACH, _COVER_BOUNDS * solids[n, 17])
        fade = 1.0 - (vx * vx + vy * vy + vz * vz) / (far * far)
        if fade <= 0.0:
            continue
        if n == hit or (n >= visible and int(solids[n, 15]) == tag):
            continue
        openness *= 1.0 - min(1.0, 2.0 * fade) * covered_share(solids, n, px, py, pz, nx, ny, nz)
    for c in range(3):
        out[c] = (ambient[0, c] * (0.5 + 0.5 * nz) + ambient[1, c] * (0.5 - 0.5 * nz)) * openness
    for k in range(last):
        near = lamps[k, 3]  # 1 for a lamp at a place, 0 for a distant light
        lx, ly, lz = lamps[k, 0] - px * near, lamps[k, 1] - py * near, lamps[k, 2] - pz * near
        length = np.sqrt(lx * lx + ly * ly + lz * lz) + 1e-6
        lx, ly, lz = lx / length, ly / length, lz / length
        strength = nx * lx + ny * ly + nz * lz
        if strength <= 0:
            continue
        strength /= 1 + 0.12 * near * length * length
        reach = length if near > 0 else _FAR_AWAY
        spread = lamps[k, 7] / (length if near > 0 else 1.0)
        for m in range(counts[k]):
            n = lists[k, m]
            vx, vy, vz = solids[n, 1] - px, solids[n, 2] - py, solids[n, 3] - pz
            along = vx * lx + vy * ly + vz * lz
            wide = solids[n, 17] + spread * abs(along) + 0.01
            if along < -solids[n, 17] or vx * vx + vy * vy + vz * vz - along * along > wide * wide:
                continue
            if n == hit or (n >= visible and int(solids[n, 15]) == tag):
                continue
            strength *= 1.0 - hidden_share(solids, n, px, py, pz, lx, ly, lz, reach, spread)
        for c in range(3):
            out[c] += lamps[k, 4 + c] * strength


@jit
def look_around(d: Array, around: Array, out: Array) -> None:
    """Write the light (3,) that a panorama sends along a ray, linearly between its pixels."""
    rows, columns = around.shape[0], around.shape[1]
    x = (np.arctan2(d[0], d[1]) / (2 * np.pi) + 0.5) * columns - 0.5
    y = (0.5 - np.arcsin(min(1.0, max(-1.0, d[2]))) / np.pi) * rows - 0.5
    y = min(max(y, 0.0), rows - 1.001)
    i, j = int(np.floor(x)), int(y)
    s, t = x - i, y - j
    i, right = i % columns, (i + 1) % columns
    for c in range(3):
        upper = around[j, i, c] * (1 - s) + around[j, right, c] * s
        lower = around[j + 1, i, c] * (1 - s) + around[j + 1, right, c] * s
        out[c] = upper * (1 - t) + lower * t

"""Casting rays at a room and its solids: what a panorama shows, how far away it is, and what it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head.arrays import Array
from mmrgaze360.scenes.hits import hash_noise, hit_solid, hit_walls, jit
from mmrgaze360.scenes.solids import ROOM_TAG

FAR = 1000.0
"""Distance of what a panorama shows where no solid is, metres."""
_TILE = 16
"""Pixels across a tile; the solids that it can show are found once for all of its rays."""
_CONTRAST = 0.07
"""Difference of neighbours in linear light from which a pixel is drawn of four rays."""


@jit
def first_hit(
    origin: Array, direction: Array, solids: Array, room: Array, walled: bool, own: int
) -> tuple[float, int]:
    """Find what a ray from anywhere meets first.

    Parameters
    ----------
    origin, direction
        (3,) metres, and unit.
    solids, room, walled
        As of `cast_panorama`.
    own
        Solids of this tag are not there: those of who looks. Another number for none.

    Returns
    -------
    distance, tag
        FAR and ROOM_TAG where there is nothing.
    """
    found = np.zeros(6)
    best, tag = FAR, ROOM_TAG
    if walled:
        best, _ = hit_walls(room, origin, direction)
    for n in range(solids.shape[0]):
        if int(solids[n, 15]) == own:
            continue
        hit_solid(solids[n], origin, direction, found)
        if found[0] < best:
            best, tag = found[0], int(solids[n, 15])
    return best, tag


@jit
def _shade(
    d: Array,
    solids: Array,
    listed: Array,
    count: int,
    room: Array,
    walled: bool,
    surfaces: Array,
    shadows: Array,
    lamps: Array,
    ambient: Array,
    around: Array,
    found: Array,
    kept: Array,
    out: Array,
) -> tuple[float, int]:
    """Write the light (3,) that comes back along a ray from the camera; give distance and tag."""
    origin = np.zeros(3)
    best, hit, side = FAR, -1, -1
    if walled:
        best, side = hit_walls(room, origin, d)
    for k in range(count):
        n = listed[k]
        hit_solid(solids[n], origin, d, found)
        if found[0] < best:
            best, hit = found[0], n
            kept[:] = found
    if hit < 0 and not walled:
        rows, columns = around.shape[0], around.shape[1]
        x = (np.arctan2(d[0], d[1]) / (2 * np.pi) + 0.5) * columns
        y = (0.5 - np.arcsin(min(1.0, max(-1.0, d[2]))) / np.pi) * rows
        for c in range(3):
            out[c] = around[min(rows - 1, int(y)), int(x) % columns, c]
        return FAR, ROOM_TAG
    px, py, pz = d[0] * best, d[1] * best, d[2] * best
    glow = 0.0
    if hit < 0:
        nx, ny, nz = 0.0, 0.0, 0.0
        sign = -1.0 if side % 2 else 1.0
        if side // 2 == 0:
            nx = sign
        elif side // 2 == 1:
            ny = sign
        else:
            nz = sign
        r, g, b = surfaces[side, 0], surfaces[side, 1], surfaces[side, 2]
        if side == 4:
            tile = surfaces[4, 3]
            odd = (int(np.floor(px / tile)) + int(np.floor(py / tile))) & 1
            tone = 0.84 + 0.18 * odd + 0.04 * hash_noise(int(np.floor(px * 25)), int(np.floor(py * 5)), 3)
            for n in range(shadows.shape[0]):  # what stands near shades the floor
                ex, ey, reach = px - shadows[n, 0], py - shadows[n, 1], shadows[n, 2]
                far = (ex * ex + ey * ey) / (reach * reach)
                if far < 5:
                    tone *= 1 - 0.35 * np.exp(-far)
        else:
            grain = hash_noise(int(np.floor((px + py) * 30)), int(np.floor(pz * 30)), 5)
            tone = 0.95 + 0.05 * grain
            if side < 4 and pz < room[4] + 0.09:
                tone *= 0.5
        r, g, b = r * tone, g * tone, b * tone
        tag = ROOM_TAG
    else:
        nx, ny, nz = kept[1], kept[2], kept[3]
        u, v = kept[4], kept[5]
        row = solids[hit]
        pattern = int(row[11])
        second = False
        if pattern == 1:
            second = ((int(np.floor(u)) + int(np.floor(v))) & 1) == 0
        elif pattern == 2:
            second = (int(np.floor(v * 1.5)) & 1) == 0
        elif pattern == 3:
            second = (int(np.floor(u * 1.5)) & 1) == 0
        elif pattern == 4:
            second = hash_noise(int(np.floor(u * 4)), int(np.floor(v * 4)), hit) > 0.6
        first = 12 if second else 8
        r, g, b = row[first], row[first + 1], row[first + 2]
        glow = row[16]
        tag = int(row[15])
    for c in range(3):
        light = ambient[0, c] * (0.5 + 0.5 * nz) + ambient[1, c] * (0.5 - 0.5 * nz)
        for k in range(lamps.shape[0]):
            near = lamps[k, 3]  # 1 for a lamp at a place, 0 for a distant light
            lx, ly, lz = lamps[k, 0] - px * near, lamps[k, 1] - py * near, lamps[k, 2] - pz * near
            length = np.sqrt(lx * lx + ly * ly + lz * lz) + 1e-6
            facing = (nx * lx + ny * ly + nz * lz) / length
            if facing > 0:
                light += lamps[k, 4 + c] * facing / (1 + 0.12 * near * length * length)
        albedo = r if c == 0 else (g if c == 1 else b)
        out[c] = albedo * (light + glow)
    return best, tag


@jit
def _cast(
    directions: Array,
    sub: Array,
    solids: Array,
    room: Array,
    walled: bool,
    surfaces: Array,
    shadows: Array,
    lamps: Array,
    ambient: Array,
    around: Array,
    colour: Array,
    distance: Array,
    tags: Array,
) -> None:
    height, width = distance.shape
    listed = np.zeros(solids.shape[0], np.int64)
    found, kept, out, ray = np.zeros(6), np.zeros(6), np.zeros(3), np.zeros(3)
    edge = np.zeros((_TILE, _TILE), np.bool_)
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            bottom, right = min(top + _TILE, height), min(left + _TILE, width)
            m = directions[(top + bottom) // 2, (left + right) // 2]
            spread = 0.0
            for j in (top, bottom - 1):
                for i in (left, right - 1):
                    e = directions[j, i]
                    spread = max(spread, np.arccos(min(1.0, m[0] * e[0] + m[1] * e[1] + m[2] * e[2])))
            spread = spread * 1.1 + 0.01
            count = 0
            for n in range(solids.shape[0]):
                x, y, z, bound = solids[n, 1], solids[n, 2], solids[n, 3], solids[n, 17]
                away = np.sqrt(x * x + y * y + z * z)
                if away > bound:
                    between = np.arccos(max(-1.0, min(1.0, (m[0] * x + m[1] * y + m[2] * z) / away)))
                    if between > spread + np.arcsin(bound / away):
                        continue
                listed[count] = n
                count += 1
            for j in range(top, bottom):
                for i in range(left, right):
                    distance[j, i], tags[j, i] = _shade(
                        directions[j, i], solids, listed, count, room, walled, surfaces, shadows,
                        lamps, ambient, around, found, kept, out,
                    )  # fmt: skip
                    for c in range(3):
                        colour[j, i, c] = out[c]
            for j in range(top, bottom):
                for i in range(left, right):
                    jump = 0.0
                    for step in range(4):
                        y = j + (1 if step == 0 else (-1 if step == 1 else 0))
                        x = i + (1 if step == 2 else (-1 if step == 3 else 0))
                        if top <= y < bottom and left <= x < right:
                            for c in range(3):
                                jump = max(jump, abs(colour[y, x, c] - colour[j, i, c]))
                    edge[j - top, i - left] = jump > _CONTRAST
            for j in range(top, bottom):
                for i in range(left, right):
                    if not edge[j - top, i - left]:
                        continue
                    for k in range(3):  # with the middle one, four rays
                        length = 0.0
                        for c in range(3):
                            ray[c] = directions[j, i, c] + sub[k, 0] * (
                                directions[j, (i + 1) % width, c] - directions[j, i, c]
                            )
                            below = j + 1 if j + 1 < height else j - 1
                            ray[c] += sub[k, 1] * (directions[below, i, c] - directions[j, i, c])
                            length += ray[c] * ray[c]
                        for c in range(3):
                            ray[c] /= np.sqrt(length)
                        _shade(
                            ray, solids, listed, count, room, walled, surfaces, shadows, lamps, ambient,
                            around, found, kept, out,
                        )  # fmt: skip
                        for c in range(3):
                            colour[j, i, c] = (colour[j, i, c] * (k + 1) + out[c]) / (k + 2)


_SUBPIXELS = np.array(((0.37, -0.12), (-0.12, 0.37), (-0.3, -0.3)))
"""Places of further rays in a pixel, right and down from its centre."""


def _shadows(solids: Array, floor: float) -> Array:
    """List where solids shade the floor (N, 3): place, and how far the shade reaches."""
    low = solids[solids[:, 3] - solids[:, 17] < floor + 0.5]
    return np.ascontiguousarray(np.concatenate([low[:, 1:3], low[:, 17:18] + 0.15], 1))


def cast_panorama(
    directions: Array,
    solids: Array,
    room: Array,
    surfaces: Array,
    lamps: Array,
    ambient: Array,
    around: Array | None,
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Draw a scene without its people.

    Parameters
    ----------
    directions
        (H, W, 3) unit: where each pixel looks.
    solids
        (N, COLUMNS) of `solids.Solids.table`.
    room
        (6,) metres: lower and upper end of the room in x, y and z.
    surfaces
        (6, 4) linear colour of the room's sides in that order, and of the floor the size of its tiles.
    lamps
        (L, 7) place and 1, or direction towards a distant light and 0; linear colour.
    ambient
        (2, 3) light from above and from below.
    around
        (h, 2 h, 3) linear: what is seen in place of the room's sides; None for these.

    Returns
    -------
    colour, distance, tags
        (H, W, 3) linear, (H, W) metres, (H, W).
    """
    height, width = directions.shape[:2]
    colour, distance = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    tags = np.zeros((height, width), np.int64)
    walled = around is None
    picture = np.zeros((1, 2, 3), np.float32) if around is None else np.asarray(around, np.float32)
    _cast(
        np.ascontiguousarray(directions),
        _SUBPIXELS,
        solids,
        room,
        walled,
        surfaces,
        _shadows(solids, float(room[4])),
        lamps,
        ambient,
        picture,
        colour,
        distance,
        tags,
    )
    return colour, distance, tags

"""Casting rays at a room and its solids: what a panorama shows, how far away it is, and what it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head.arrays import Array
from mmrgaze360.scenes.hits import hash_noise, hit_solid, hit_walls, jit
from mmrgaze360.scenes.lighting import light_surface, list_shades, look_around
from mmrgaze360.scenes.solids import COLUMNS, MODEL, ROOM_TAG
from mmrgaze360.scenes.triangle_tree import NO_TREE, TriangleTree, hit_tree

FAR = 1000.0
"""Distance of what a panorama shows where no solid is, metres."""
_TILE = 16
"""Pixels across a tile; the solids that it can show are found once for all of its rays."""
_CONTRAST = 0.07
"""Difference of neighbours in linear light from which a pixel is drawn of four rays."""


_FARTHEST_GROUND = 8.0
"""How far from the camera the ground of a panorama is shaded, metres."""


def first_hit(
    origin: Array,
    direction: Array,
    solids: Array,
    room: Array,
    walled: bool,
    own: int,
    trees: TriangleTree = NO_TREE,
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
    trees
        Triangles of the solids that are models.

    Returns
    -------
    distance, tag
        FAR and ROOM_TAG where there is nothing.
    """
    return _first_hit(origin, direction, solids, room, walled, own, trees.nodes, trees.triangles)


@jit
def _first_hit(
    origin: Array,
    direction: Array,
    solids: Array,
    room: Array,
    walled: bool,
    own: int,
    nodes: Array,
    triangles: Array,
) -> tuple[float, int]:
    found = np.zeros(6)
    best, tag = FAR, ROOM_TAG
    if walled:
        best, _ = hit_walls(room, origin, direction)
    for n in range(solids.shape[0]):
        if int(solids[n, 15]) == own:
            continue
        if solids[n, 0] == MODEL:
            hit_tree(solids, n, nodes, triangles, origin, direction, found)
        else:
            hit_solid(solids, n, origin, direction, found)
        if found[0] < best:
            best, tag = found[0], int(solids[n, 15])
    return best, tag


@jit
def _trace(
    origin: Array,
    d: Array,
    solids: Array,
    nodes: Array,
    triangles: Array,
    listed: Array,
    count: int,
    room: Array,
    walled: bool,
    surfaces: Array,
    found: Array,
    kept: Array,
    surface: Array,
) -> tuple[float, int, int]:
    """Find what the camera sees along a ray, before light falls on it.

    Writes place (3,), normal (3,), reflectance (3,) and glow to ``surface``, and gives distance, tag, and the
    number of the solid; -1 for the room's sides, and -2 for what a panorama shows. Of a panorama, the place
    is that on the ground, with a normal of length 0 where there is none near.
    """
    best, hit, side = FAR, -1, -1
    if walled:
        best, side = hit_walls(room, origin, d)
    for k in range(count):
        n = listed[k]
        if solids[n, 0] == MODEL:
            hit_tree(solids, n, nodes, triangles, origin, d, found)
        else:
            hit_solid(solids, n, origin, d, found)
        if found[0] < best:
            best, hit = found[0], n
            for c in range(6):
                kept[c] = found[c]
    if hit < 0 and not walled:
        ground = room[4] / d[2] if d[2] < -0.05 else _FARTHEST_GROUND + 1
        for c in range(3):
            surface[c], surface[3 + c] = d[c] * ground, 0.0
        surface[5] = 1.0 if ground < _FARTHEST_GROUND else 0.0
        return FAR, ROOM_TAG, -2
    for c in range(3):
        surface[c] = d[c] * best
    px, py, pz = surface[0], surface[1], surface[2]
    if hit >= 0:
        u, v = kept[4], kept[5]
        pattern = int(solids[hit, 11])
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
        for c in range(3):
            surface[3 + c] = kept[1 + c]
            surface[6 + c] = solids[hit, first + c]
            if solids[hit, 0] == MODEL:
                surface[6 + c] = triangles[int(kept[4]), 9 + c]
        surface[9] = solids[hit, 16]
        return best, int(solids[hit, 15]), hit
    for c in range(3):
        surface[3 + c] = 0.0
    surface[3 + side // 2] = -1.0 if side % 2 else 1.0
    if side == 4:
        tile = surfaces[4, 3]
        odd = (int(np.floor(px / tile)) + int(np.floor(py / tile))) & 1
        tone = 0.84 + 0.18 * odd + 0.04 * hash_noise(int(np.floor(px * 25)), int(np.floor(py * 5)), 3)
    else:
        tone = 0.95 + 0.05 * hash_noise(int(np.floor((px + py) * 30)), int(np.floor(pz * 30)), 5)
        if side < 4 and pz < room[4] + 0.09:
            tone *= 0.5
    for c in range(3):
        surface[6 + c] = surfaces[side, c] * tone
    surface[9] = 0.0
    return best, ROOM_TAG, -1


@jit
def _cast(
    directions: Array,
    sub: Array,
    solids: Array,
    nodes: Array,
    triangles: Array,
    visible: int,
    room: Array,
    walled: bool,
    surfaces: Array,
    lamps: Array,
    ambient: Array,
    around: Array,
    colour: Array,
    distance: Array,
    tags: Array,
) -> None:
    height, width = distance.shape
    listed = np.zeros(visible, np.int64)
    lists = np.zeros((lamps.shape[0] + 1, solids.shape[0]), np.int64)
    counts = np.zeros(lamps.shape[0] + 1, np.int64)
    found, kept, out, ray = np.zeros(6), np.zeros(6), np.zeros(3), np.zeros(3)
    origin, low, high = np.zeros(3), np.zeros(3), np.zeros(3)
    seen = np.zeros((_TILE, _TILE, 10))
    hits, shown = np.zeros((_TILE, _TILE), np.int64), np.zeros((_TILE, _TILE), np.int64)
    wanted = np.zeros((_TILE, _TILE), np.bool_)
    full = np.zeros(3)
    for c in range(3):  # what falls on open ground
        full[c] = ambient[0, c]
        for k in range(lamps.shape[0]):
            full[c] += lamps[k, 4 + c] * max(0.0, lamps[k, 2])
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
            for n in range(visible):
                x, y, z, bound = solids[n, 1], solids[n, 2], solids[n, 3], solids[n, 17]
                away = np.sqrt(x * x + y * y + z * z)
                if away > bound:
                    between = np.arccos(max(-1.0, min(1.0, (m[0] * x + m[1] * y + m[2] * z) / away)))
                    if between > spread + np.arcsin(bound / away):
                        continue
                listed[count] = n
                count += 1
            shaded = False
            for number in range(1 + sub.shape[0]):  # a ray through each pixel; through edges, more
                low[:], high[:] = 1e9, -1e9
                for j in range(top, bottom):
                    for i in range(left, right):
                        if number > 0 and not wanted[j - top, i - left]:
                            continue
                        for c in range(3):
                            ray[c] = directions[j, i, c]
                        if number > 0:
                            below = j + 1 if j + 1 < height else j - 1
                            length = 0.0
                            for c in range(3):
                                ray[c] += sub[number - 1, 0] * (
                                    directions[j, (i + 1) % width, c] - directions[j, i, c]
                                )
                                ray[c] += sub[number - 1, 1] * (directions[below, i, c] - directions[j, i, c])
                                length += ray[c] * ray[c]
                            for c in range(3):
                                ray[c] /= np.sqrt(length)
                        surface = seen[j - top, i - left]
                        away, tag, hit = _trace(
                            origin,
                            ray,
                            solids,
                            nodes,
                            triangles,
                            listed,
                            count,
                            room,
                            walled,
                            surfaces,
                            found,
                            kept,
                            surface,
                        )
                        hits[j - top, i - left], shown[j - top, i - left] = hit, tag
                        if hit == -2:
                            look_around(ray, around, out)
                            surface[6], surface[7], surface[8] = out[0], out[1], out[2]
                        if number == 0:
                            distance[j, i], tags[j, i] = away, tag
                            if hit != -2 or surface[5] > 0:
                                for c in range(3):
                                    low[c], high[c] = min(low[c], surface[c]), max(high[c], surface[c])
                if number == 0 and low[0] < 1e8:
                    middle, radius = (low + high) / 2, np.sqrt(((high - low) ** 2).sum()) / 2
                    list_shades(solids, lamps, middle, radius, lists, counts)
                    shaded = counts.sum() > 0
                for j in range(top, bottom):
                    for i in range(left, right):
                        if number > 0 and not wanted[j - top, i - left]:
                            continue
                        surface, hit = seen[j - top, i - left], hits[j - top, i - left]
                        if hit == -2 and (not shaded or surface[5] == 0.0):
                            for c in range(3):
                                out[c] = surface[6 + c]
                        else:
                            light_surface(
                                surface, hit, shown[j - top, i - left], solids, visible, lamps, ambient,
                                lists, counts, out,
                            )  # fmt: skip
                            for c in range(3):
                                if hit == -2:
                                    out[c] *= surface[6 + c] / full[c]
                                else:
                                    out[c] = surface[6 + c] * (out[c] + surface[9])
                        for c in range(3):
                            colour[j, i, c] += (out[c] - colour[j, i, c]) / (number + 1)
                if number > 0:
                    continue
                for j in range(top, bottom):
                    for i in range(left, right):
                        jump = 0.0
                        for step in range(4):
                            y = j + (1 if step == 0 else (-1 if step == 1 else 0))
                            x = i + (1 if step == 2 else (-1 if step == 3 else 0))
                            if top <= y < bottom and left <= x < right:
                                for c in range(3):
                                    jump = max(jump, abs(colour[y, x, c] - colour[j, i, c]))
                        wanted[j - top, i - left] = jump > _CONTRAST


_SUBPIXELS = np.array(((0.37, -0.12), (-0.12, 0.37), (-0.3, -0.3)))
"""Places of further rays in a pixel, right and down from its centre."""


def cast_panorama(
    directions: Array,
    solids: Array,
    room: Array,
    surfaces: Array,
    lamps: Array,
    ambient: Array,
    around: Array | None,
    unseen: Array | None = None,
    trees: TriangleTree = NO_TREE,
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
        (L, 8) place and 1, or direction towards a distant light and 0; linear colour; radius in metres, or
        of a distant light its tangent.
    ambient
        (2, 3) light from above and from below.
    around
        (h, 2 h, 3) linear: what is seen in place of the room's sides; None for these.
    unseen
        (M, COLUMNS) solids that only keep light from others: what is drawn in another way. They shade nothing
        of their own tag.
    trees
        Triangles of the solids that are models.

    Returns
    -------
    colour, distance, tags
        (H, W, 3) linear, (H, W) metres, (H, W).
    """
    height, width = directions.shape[:2]
    directions = np.ascontiguousarray(directions, np.float64).view()
    directions.flags.writeable = False  # always, so that numba compiles for one type
    colour, distance = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    tags = np.zeros((height, width), np.int64)
    walled = around is None
    picture = np.zeros((1, 2, 3), np.float32) if around is None else np.asarray(around, np.float32)
    further = np.zeros((0, COLUMNS)) if unseen is None else unseen
    _cast(
        directions,
        _SUBPIXELS,
        np.concatenate([solids, further]),
        trees.nodes,
        trees.triangles,
        len(solids),
        room,
        walled,
        surfaces,
        lamps,
        ambient,
        picture,
        colour,
        distance,
        tags,
    )
    return colour, distance, tags

"""Triangles in a tree of boxes, and where a ray meets the first of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hifi_portrait.head.arrays import Array
from mmrgaze360.scenes.hits import jit

_LEAF = 6
"""Triangles of a box that is not divided further."""
_DEEPEST = 64
"""Boxes that may wait to be looked into."""


@dataclass(frozen=True, eq=False)
class TriangleTree:
    """Triangles, ordered by the boxes they are in."""

    nodes: Array
    """(M, 8) lower and upper corner of each box; then the numbers of its two parts, or, of a box that is not
    divided, ``-1 - `` its first triangle and how many it has."""
    triangles: Array
    """(T, 12) a corner, the ways to the two others, and a linear colour."""

    @classmethod
    def build(cls, corners: Array, colours: Array) -> TriangleTree:
        """Sort triangles (T, 3, 3) and their colours (T, 3) into a tree."""
        low, high, middle = corners.min(1), corners.max(1), corners.mean(1)
        nodes: list[list[float]] = []
        order: list[Array] = []
        placed = 0

        def divide(rows: Array) -> int:
            nonlocal placed
            number = len(nodes)
            nodes.append([*low[rows].min(0), *high[rows].max(0), 0.0, 0.0])
            if len(rows) <= _LEAF:
                nodes[number][6:] = [-1.0 - placed, float(len(rows))]
                order.append(rows)
                placed += len(rows)
                return number
            spread = middle[rows]
            axis = int(np.argmax(spread.max(0) - spread.min(0)))
            half = len(rows) // 2
            split = np.argpartition(spread[:, axis], half)
            nodes[number][6:] = [float(divide(rows[split[:half]])), float(divide(rows[split[half:]]))]
            return number

        divide(np.arange(len(corners)))
        rows = np.concatenate(order)
        a, b, c = np.moveaxis(corners[rows], 1, 0)
        return cls(np.array(nodes), np.concatenate([a, b - a, c - a, colours[rows]], 1))

    @classmethod
    def join(cls, trees: list[TriangleTree]) -> TriangleTree:
        """Put trees into one table, one behind the other."""
        if not trees:
            return NO_TREE
        nodes, first, before = [], 0, 0
        for tree in trees:
            moved = tree.nodes.copy()
            leaf = moved[:, 6] < 0
            moved[leaf, 6] -= before
            moved[~leaf, 6:] += first
            nodes.append(moved)
            first, before = first + len(moved), before + len(tree.triangles)
        return cls(np.concatenate(nodes), np.concatenate([tree.triangles for tree in trees]))


NO_TREE = TriangleTree(np.zeros((0, 8)), np.zeros((0, 12)))
"""Where there are no models."""


@jit
def hit_tree(solids: Array, n: int, nodes: Array, triangles: Array, o: Array, d: Array, found: Array) -> None:
    """Write where a ray first meets a model, as `hits.hit_solid` does; its triangle's number in found[4]."""
    found[0] = 1e9
    c, s = solids[n, 19], solids[n, 20]
    ax, ay, oz = o[0] - solids[n, 1], o[1] - solids[n, 2], o[2] - solids[n, 3]
    ox, oy = c * ax + s * ay, -s * ax + c * ay
    dx, dy, dz = c * d[0] + s * d[1], -s * d[0] + c * d[1], d[2]
    ix = 1 / dx if abs(dx) > 1e-9 else 1e9
    iy = 1 / dy if abs(dy) > 1e-9 else 1e9
    iz = 1 / dz if abs(dz) > 1e-9 else 1e9
    waiting = np.empty(_DEEPEST, np.int64)
    waiting[0], count, met = int(solids[n, 18]), 1, -1
    best = 1e9
    while count > 0:
        count -= 1
        node = nodes[waiting[count]]
        ta, tb = (node[0] - ox) * ix, (node[3] - ox) * ix
        near, far = min(ta, tb), max(ta, tb)
        ta, tb = (node[1] - oy) * iy, (node[4] - oy) * iy
        near, far = max(near, min(ta, tb)), min(far, max(ta, tb))
        ta, tb = (node[2] - oz) * iz, (node[5] - oz) * iz
        near, far = max(near, min(ta, tb)), min(far, max(ta, tb))
        if near > far or far < 0 or near > best:
            continue
        if node[6] >= 0:
            waiting[count], waiting[count + 1] = int(node[6]), int(node[7])
            count += 2
            continue
        first = int(-1 - node[6])
        for k in range(first, first + int(node[7])):
            t = triangles[k]
            px, py, pz = dy * t[8] - dz * t[7], dz * t[6] - dx * t[8], dx * t[7] - dy * t[6]
            det = t[3] * px + t[4] * py + t[5] * pz
            if abs(det) < 1e-14:
                continue
            qx, qy, qz = ox - t[0], oy - t[1], oz - t[2]
            u = (qx * px + qy * py + qz * pz) / det
            if u < 0 or u > 1:
                continue
            rx, ry, rz = qy * t[5] - qz * t[4], qz * t[3] - qx * t[5], qx * t[4] - qy * t[3]
            v = (dx * rx + dy * ry + dz * rz) / det
            if v < 0 or u + v > 1:
                continue
            away = (t[6] * rx + t[7] * ry + t[8] * rz) / det
            if 1e-3 < away < best:
                best, met = away, k
    if met < 0:
        return
    t = triangles[met]
    nx, ny, nz = t[4] * t[8] - t[5] * t[7], t[5] * t[6] - t[3] * t[8], t[3] * t[7] - t[4] * t[6]
    length = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-18
    if nx * dx + ny * dy + nz * dz > 0:  # triangles are seen from both sides
        length = -length
    nx, ny = nx / length, ny / length
    found[0] = best
    found[1], found[2], found[3] = c * nx - s * ny, s * nx + c * ny, nz / length
    found[4] = met

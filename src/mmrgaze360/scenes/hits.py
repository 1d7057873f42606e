"""Where a ray meets a solid or the sides of a room."""

from __future__ import annotations

import numba
import numpy as np

from hifi_portrait.head.arrays import Array

jit = numba.njit(cache=True, fastmath=True, nogil=True)


@jit
def hash_noise(i: int, j: int, k: int) -> float:
    """Give a number in [0, 1] that looks random, always the same for a place."""
    n = (i * 374761393 + j * 668265263 + k * 1442695041) & 0x7FFFFFFF
    n = ((n ^ (n >> 13)) * 1274126177) & 0x7FFFFFFF
    return ((n ^ (n >> 16)) & 0xFFFF) / 65535.0


@jit
def hit_solid(solids: Array, n: int, o: Array, d: Array, found: Array) -> None:
    """Write where a ray first meets solid ``n``: distance, normal (3) and surface coordinates (2); or 1e9.

    The solid is not given as a row, to which numba would count references at every ray.
    """
    found[0] = 1e9
    kind = int(solids[n, 0])
    cx, cy, cz = solids[n, 1] - o[0], solids[n, 2] - o[1], solids[n, 3] - o[2]
    if kind == 1:
        r = solids[n, 18]
        b = d[0] * cx + d[1] * cy + d[2] * cz
        q = b * b - (cx * cx + cy * cy + cz * cz) + r * r
        if q <= 0:
            return
        t = b - np.sqrt(q)
        if t > 1e-3:
            found[0] = t
            found[1], found[2], found[3] = (d[0] * t - cx) / r, (d[1] * t - cy) / r, (d[2] * t - cz) / r
            found[4], found[5] = np.arctan2(found[2], found[1]) * 2, found[3] * 3
        return
    if kind == 3:
        hx, hy, hz, r = solids[n, 4], solids[n, 5], solids[n, 6], solids[n, 18]
        ax, ay, az = cx - hx, cy - hy, cz - hz
        bx, by, bz = 2 * hx, 2 * hy, 2 * hz
        bb = bx * bx + by * by + bz * bz
        bd = bx * d[0] + by * d[1] + bz * d[2]
        ab = -(bx * ax + by * ay + bz * az)
        ad = -(d[0] * ax + d[1] * ay + d[2] * az)
        aa = ax * ax + ay * ay + az * az
        qa, qb, qc = bb - bd * bd, bb * ad - ab * bd, bb * aa - ab * ab - r * r * bb
        h = qb * qb - qa * qc
        if h < 0:
            return
        t = (-qb - np.sqrt(h)) / max(qa, 1e-12)
        y = (ab + t * bd) / bb
        if y <= 0 or y >= 1:
            y = 0.0 if y <= 0 else 1.0
            ex, ey, ez = ax + bx * y, ay + by * y, az + bz * y
            b = d[0] * ex + d[1] * ey + d[2] * ez
            q = b * b - (ex * ex + ey * ey + ez * ez) + r * r
            if q <= 0:
                return
            t = b - np.sqrt(q)
        if t > 1e-3:
            found[0] = t
            found[1] = (d[0] * t - ax - bx * y) / r
            found[2] = (d[1] * t - ay - by * y) / r
            found[3] = (d[2] * t - az - bz * y) / r
            found[4], found[5] = np.arctan2(found[2], found[1]) * 2, y * np.sqrt(bb) * 12
        return
    c, s = solids[n, 19], solids[n, 20]
    dx, dy, dz = c * d[0] + s * d[1], -s * d[0] + c * d[1], d[2]
    ox, oy, oz = -(c * cx + s * cy), -(-s * cx + c * cy), -cz
    hx, hy, hz = solids[n, 4], solids[n, 5], solids[n, 6]
    nx, ny, nz = 0.0, 0.0, 0.0
    if kind == 2:
        ux, uy, vx, vy = dx / hx, dy / hy, ox / hx, oy / hy
        a, b, q = ux * ux + uy * uy, ux * vx + uy * vy, vx * vx + vy * vy - 1
        h = b * b - a * q
        if h > 0 and a > 1e-12:
            t = (-b - np.sqrt(h)) / a
            z = oz + dz * t
            if t > 1e-3 and abs(z) < hz:
                x, y = vx + ux * t, vy + uy * t
                found[0] = t
                nx, ny = x / hx, y / hy
                found[4], found[5] = np.arctan2(y, x) * 2, z / hz * 3
        if abs(dz) > 1e-9:
            t = ((hz if dz < 0 else -hz) - oz) / dz
            x, y = vx + ux * t, vy + uy * t
            if 1e-3 < t < found[0] and x * x + y * y < 1:
                found[0] = t
                nx, ny, nz = 0.0, 0.0, (1.0 if dz < 0 else -1.0)
                found[4], found[5] = x * 3, y * 3
        if found[0] > 1e8:
            return
    else:
        near, far, axis, sign = -1e9, 1e9, -1, 0.0
        for k in range(3):
            dk = dx if k == 0 else (dy if k == 1 else dz)
            ok = ox if k == 0 else (oy if k == 1 else oz)
            hk = solids[n, 4 + k]
            if abs(dk) < 1e-9:
                if abs(ok) > hk:
                    return
                continue
            ta, tb = (-hk - ok) / dk, (hk - ok) / dk
            if ta > tb:
                ta, tb = tb, ta
            if ta > near:
                near, axis, sign = ta, k, (-1.0 if dk > 0 else 1.0)
            far = min(far, tb)
        if near >= far or near < 1e-3:
            return
        found[0] = near
        x, y, z = ox + dx * near, oy + dy * near, oz + dz * near
        if axis == 0:
            nx, found[4], found[5] = sign, y, z
        elif axis == 1:
            ny, found[4], found[5] = sign, x, z
        else:
            nz, found[4], found[5] = sign, x, y
        found[4], found[5] = found[4] / max(min(hx, hy), 0.03) * 2, found[5] / max(hz, 0.03) * 2
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    nx, ny = nx / length, ny / length
    found[1], found[2], found[3] = c * nx - s * ny, s * nx + c * ny, nz / length


@jit
def hit_walls(room: Array, o: Array, d: Array) -> tuple[float, int]:
    """Distance to the room's inside, and which side: 2 * axis + (0 lower, 1 upper)."""
    best, side = 1e9, -1
    for axis in range(3):
        if abs(d[axis]) < 1e-9:
            continue
        upper = 1 if d[axis] > 0 else 0
        t = (room[2 * axis + upper] - o[axis]) / d[axis]
        if 0 < t < best:
            best, side = t, 2 * axis + upper
    return best, side

"""Rasterising into an inverse-depth buffer, for the camera and for the lights' shadow maps (numba)."""

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.compiled import compiled


@compiled(fastmath=True, nogil=True)
def draw_nearest(
    xy: FloatArray,
    inverse_depth: FloatArray,
    keep: FloatArray,
    triangles: NDArray[np.int32],
    depth: FloatArray,
    triangle_id: NDArray[np.int32] | None = None,
    weights: FloatArray | None = None,
) -> None:
    """Draw triangles nearest-first into ``depth`` (inverse depth) and, where given, the other buffers.

    Parameters
    ----------
    xy
        (N, 2) vertex places in pixels; pixel centres lie at +0.5.
    inverse_depth
        (N,) larger is nearer; linear on the screen.
    keep
        (N,) a field that is interpolated over the triangle: a pixel where it is negative is left out.
    triangles
        (F, 3) vertex numbers.
    depth, triangle_id, weights
        (H, W), (H, W), (H, W, 2): the buffers; ``weights`` are the screen-space weights of corners 1 and 2.
        A shadow map needs ``depth`` alone.
    """
    height, width = depth.shape
    for f in range(triangles.shape[0]):
        a = triangles[f, 0]
        b = triangles[f, 1]
        c = triangles[f, 2]
        ka = keep[a]
        kb = keep[b]
        kc = keep[c]
        if ka < 0.0 and kb < 0.0 and kc < 0.0:
            continue
        x0 = xy[a, 0]
        y0 = xy[a, 1]
        ux = xy[b, 0] - x0
        uy = xy[b, 1] - y0
        vx = xy[c, 0] - x0
        vy = xy[c, 1] - y0
        area = ux * vy - vx * uy
        if abs(area) < 1e-12:
            continue
        left = max(0, int(np.ceil(x0 + min(0.0, ux, vx) - 0.5)))
        right = min(width - 1, int(np.floor(x0 + max(0.0, ux, vx) - 0.5)))
        top = max(0, int(np.ceil(y0 + min(0.0, uy, vy) - 0.5)))
        bottom = min(height - 1, int(np.floor(y0 + max(0.0, uy, vy) - 0.5)))
        if left > right or top > bottom:
            continue
        inverse_area = 1.0 / area
        za = inverse_depth[a]
        zb = inverse_depth[b]
        zc = inverse_depth[c]
        for j in range(top, bottom + 1):
            py = j + 0.5 - y0
            for i in range(left, right + 1):
                px = i + 0.5 - x0
                w1 = (px * vy - vx * py) * inverse_area
                w2 = (ux * py - px * uy) * inverse_area
                w0 = 1.0 - w1 - w2
                if w0 < 0.0 or w1 < 0.0 or w2 < 0.0:
                    continue
                z = w0 * za + w1 * zb + w2 * zc
                if z > depth[j, i] and w0 * ka + w1 * kb + w2 * kc >= 0.0:
                    depth[j, i] = z
                    if triangle_id is not None and weights is not None:
                        triangle_id[j, i] = f
                        weights[j, i, 0] = w1
                        weights[j, i, 1] = w2


def turned_discs(samples: int) -> NDArray[np.float64]:
    """Spread samples over a disc of radius 1, turned in 16 ways that neighbouring pixels take in turn.

    Returns
    -------
    places
        (16, samples, 3): x, y and the distance from the middle, which grows evenly with the sample's number.
    """
    angle = np.arange(samples) * 2.39996 + 0.3927 * np.arange(16)[:, None]
    distance = np.broadcast_to((np.arange(samples) + 0.5) / samples, angle.shape)
    return np.stack([distance * np.cos(angle), distance * np.sin(angle), distance], -1)


@compiled(fastmath=True, nogil=True)
def ambient_occlusion(
    distance: FloatArray, radius: float, discs: NDArray[np.float64], out: FloatArray
) -> None:
    """Screen-space occlusion in [0, 1] from how far opposite neighbours stand in front (1 = open).

    ``radius`` is in pixels, ``discs`` of `turned_discs`.
    """
    height, width = distance.shape
    samples = discs.shape[1]
    for j in range(height):
        for i in range(width):
            d = distance[j, i]
            if d > 50.0:
                out[j, i] = 1.0
                continue
            blocked = 0.0
            turn = (i * 5 + j * 11) & 15
            for k in range(samples):
                dx = radius * discs[turn, k, 0]
                dy = radius * discs[turn, k, 1]
                r = radius * discs[turn, k, 2]
                x = int(i + dx)
                y = int(j + dy)
                x2 = int(i - dx)
                y2 = int(j - dy)
                if (
                    x < 0
                    or y < 0
                    or x >= width
                    or y >= height
                    or x2 < 0
                    or y2 < 0
                    or x2 >= width
                    or y2 >= height
                ):
                    continue
                first = max(-0.03, min(0.03, d - distance[y, x]))
                second = max(-0.03, min(0.03, d - distance[y2, x2]))
                blocked += max(0.0, min(1.0, 0.5 * (first + second) / (0.0006 * r + 0.004)))
            out[j, i] = 1.0 - 0.7 * blocked / samples

"""Per-pixel loops of the baked head: a mesh drawn with its texture, and layers put before and behind it.

Colours are in [0, 255], alpha in [0, 1], and depth is its reciprocal, in 1 / metre: 0 where there is nothing.
"""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.compiled import compiled


@compiled(fastmath=True)
def draw_nearest(
    xy: Array, inverse_depth: Array, triangles: Array, kept: Array, nearest: Array, triangle: Array
) -> None:  # pragma: no cover - compiled
    """Fill the reciprocal depth and the number (H, W) of the nearest of those triangles (F, 3) that are kept.

    Parameters
    ----------
    xy, inverse_depth
        (P, 2) pixels and (P,) of the points.
    triangles, kept
        (F, 3) and (F,) bool.
    nearest, triangle
        (H, W), which hold 0 and -1 before.
    """
    height, width = nearest.shape
    for f in range(triangles.shape[0]):
        if not kept[f]:
            continue
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        za, zb, zc = inverse_depth[a], inverse_depth[b], inverse_depth[c]
        if za <= 0 or zb <= 0 or zc <= 0:
            continue
        x0, y0 = xy[a, 0], xy[a, 1]
        e1x, e1y = xy[b, 0] - x0, xy[b, 1] - y0
        e2x, e2y = xy[c, 0] - x0, xy[c, 1] - y0
        area = e1x * e2y - e2x * e1y
        if abs(area) < 1e-9:
            continue
        left = max(0, int(np.ceil(x0 + min(0.0, e1x, e2x) - 0.5)))
        right = min(width - 1, int(np.floor(x0 + max(0.0, e1x, e2x) - 0.5)))
        top = max(0, int(np.ceil(y0 + min(0.0, e1y, e2y) - 0.5)))
        bottom = min(height - 1, int(np.floor(y0 + max(0.0, e1y, e2y) - 0.5)))
        if left > right or top > bottom:
            continue
        scale = 1 / area
        step1, step2 = e2y * scale, -e1y * scale
        dz = step1 * (zb - za) + step2 * (zc - za)
        for j in range(top, bottom + 1):
            py, px = j + 0.5 - y0, left + 0.5 - x0
            w1 = (px * e2y - e2x * py) * scale
            w2 = (e1x * py - px * e1y) * scale
            z = za + w1 * (zb - za) + w2 * (zc - za)
            for i in range(left, right + 1):
                if w1 >= 0 and w2 >= 0 and w1 + w2 <= 1 and z > nearest[j, i]:
                    nearest[j, i] = z
                    triangle[j, i] = f
                w1 += step1
                w2 += step2
                z += dz


@compiled(fastmath=True)
def shade(
    xy: Array,
    inverse_depth: Array,
    triangles: Array,
    uv: Array,
    uv_triangles: Array,
    texture: Array,
    nearest: Array,
    triangle: Array,
    out: Array,
) -> None:  # pragma: no cover - compiled
    """Look up what each pixel (H, W) shows in a texture (T, T', 4): linear between texels.

    Parameters
    ----------
    xy, inverse_depth, triangles
        The mesh, as of `draw_nearest`.
    uv, uv_triangles
        (U, 2) places in the texture, as fractions of its sides, and (F, 3) those of the triangles' corners.
    texture
        (T, T', 4) uint8.
    nearest, triangle
        (H, W) from `draw_nearest`.
    out
        (H, W, 4) float32, in [0, 255]; untouched where there is no triangle.
    """
    height, width = triangle.shape
    rows, columns = texture.shape[0], texture.shape[1]
    for j in range(height):
        for i in range(width):
            f = triangle[j, i]
            if f < 0:
                continue
            a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
            x0, y0 = xy[a, 0], xy[a, 1]
            e1x, e1y = xy[b, 0] - x0, xy[b, 1] - y0
            e2x, e2y = xy[c, 0] - x0, xy[c, 1] - y0
            scale = 1 / (e1x * e2y - e2x * e1y)
            px, py = i + 0.5 - x0, j + 0.5 - y0
            w1 = (px * e2y - e2x * py) * scale
            w2 = (e1x * py - px * e1y) * scale
            z = 1 / nearest[j, i]
            w0 = (1 - w1 - w2) * inverse_depth[a] * z
            w1 *= inverse_depth[b] * z
            w2 *= inverse_depth[c] * z
            ta, tb, tc = uv_triangles[f, 0], uv_triangles[f, 1], uv_triangles[f, 2]
            u = (w0 * uv[ta, 0] + w1 * uv[tb, 0] + w2 * uv[tc, 0]) * columns - 0.5
            v = (w0 * uv[ta, 1] + w1 * uv[tb, 1] + w2 * uv[tc, 1]) * rows - 0.5
            u = min(max(u, 0.0), columns - 1.001)
            v = min(max(v, 0.0), rows - 1.001)
            column, row = int(u), int(v)
            p, q = np.float32(u - column), np.float32(v - row)
            w00, w01, w10, w11 = (1 - p) * (1 - q), p * (1 - q), (1 - p) * q, p * q
            for k in range(4):
                out[j, i, k] = (
                    w00 * texture[row, column, k]
                    + w01 * texture[row, column + 1, k]
                    + w10 * texture[row + 1, column, k]
                    + w11 * texture[row + 1, column + 1, k]
                )


@compiled(fastmath=True)
def weigh_triangles(
    xy: Array, triangles: Array, longest: float, limits: Array, kept: Array, weights: Array
) -> None:  # pragma: no cover - compiled
    """Find which triangles of a card are drawn, and how far each of its points is.

    Those that show their back are left out. Those that are drawn out fade, and end where they are torn.

    Parameters
    ----------
    xy
        (P, 2) pixels of its points.
    triangles
        (F, 3), clockwise on the picture from the front.
    longest
        Pixels of a triangle's longest side where it is not drawn out.
    limits
        (2,) times that sides are drawn out between which a place fades.
    kept, weights
        (F,) bool and (P,), which are filled.
    """
    weights[:] = 1
    low, high = limits[0], limits[1]
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        e1x, e1y = xy[b, 0] - xy[a, 0], xy[b, 1] - xy[a, 1]
        e2x, e2y = xy[c, 0] - xy[a, 0], xy[c, 1] - xy[a, 1]
        e3x, e3y = e2x - e1x, e2y - e1y
        length = np.sqrt(max(e1x**2 + e1y**2, e2x**2 + e2y**2, e3x**2 + e3y**2)) / longest
        if e1x * e2y - e2x * e1y <= 0 or length > high:
            kept[f] = False
            weights[a] = weights[b] = weights[c] = 0
            continue
        kept[f] = True
        if length > low:
            t = (length - low) / (high - low)
            weight = 1 - t * t * (3 - 2 * t)
            weights[a] = min(weights[a], weight)
            weights[b] = min(weights[b], weight)
            weights[c] = min(weights[c], weight)


@compiled(fastmath=True)
def put_layer(
    colour: Array,
    alpha: Array,
    depth: Array,
    layer: Array,
    nearest: Array,
    points: tuple[Array, Array, Array, Array],
    triangle: Array,
    allowed: Array,
    emptiness: float,
    rim: Array,
) -> None:  # pragma: no cover - compiled
    """Put a layer before or behind what is drawn, by depth, in place.

    Parameters
    ----------
    colour, alpha, depth
        (H, W, 3), (H, W) and (H, W) of what is drawn. The depth becomes the layer's where it is nearer.
    layer, nearest, triangle
        (H, W, 4) its colour and alpha, both in [0, 255], and (H, W) its depth and triangles.
    points
        Its points: (P, 2) pixels, (P,) reciprocal depth, (P,) weights and (F, 3) triangles.
    allowed
        (H, W) metres by which it may be behind what is drawn, and still be its surface.
    emptiness
        In [0, 1], how far nothing else is where it is transparent.
    rim
        (2,) alpha between which its edge is not mixed with a background.
    """
    xy, inverse_depth, weights, triangles = points
    height, width = alpha.shape
    for j in range(height):
        for i in range(width):
            f = triangle[j, i]
            if f < 0:
                continue
            a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
            x0, y0 = xy[a, 0], xy[a, 1]
            e1x, e1y = xy[b, 0] - x0, xy[b, 1] - y0
            e2x, e2y = xy[c, 0] - x0, xy[c, 1] - y0
            scale = 1 / (e1x * e2y - e2x * e1y)
            px, py = i + 0.5 - x0, j + 0.5 - y0
            w1 = (px * e2y - e2x * py) * scale
            w2 = (e1x * py - px * e1y) * scale
            z = 1 / nearest[j, i]
            trust = (
                (1 - w1 - w2) * inverse_depth[a] * z * weights[a]
                + w1 * inverse_depth[b] * z * weights[b]
                + w2 * inverse_depth[c] * z * weights[c]
            )
            own = layer[j, i, 3] / 255
            before = 1.0
            if depth[j, i] > 0:
                gap = z - 1 / depth[j, i] - allowed[j, i]
                before = min(max(0.5 - gap / 0.004, 0.0), 1.0)
            t = min(max((own - rim[0]) / (rim[1] - rim[0]), 0.0), 1.0)
            covered = alpha[j, i] * before
            front = own * (1 - covered * (1 - emptiness) * (1 - t * t * (3 - 2 * t))) * before * trust
            behind = own * (1 - before) * trust
            rest = (1 - front) * alpha[j, i]
            under = (1 - front) * (1 - alpha[j, i]) * behind
            if emptiness > 0:  # where the photo shows nothing there is nothing
                rest *= 1 - emptiness * trust * before * (1 - own)
            total = front + rest + under
            if total <= 0:
                alpha[j, i] = total
                continue
            for k in range(3):
                colour[j, i, k] = ((front + under) * layer[j, i, k] + rest * colour[j, i, k]) / total
            alpha[j, i] = total
            if front > 0.5:
                depth[j, i] = max(depth[j, i], nearest[j, i])


@compiled(fastmath=True)
def mix_photos(
    base: Array, colours: Array, seen: Array, near: Array, on_head: Array, on_mouth: Array, out: Array
) -> None:  # pragma: no cover - compiled
    """Mix N photos about a mouth, each as far as it sees a place and holds the mouth as requested.

    Parameters
    ----------
    base
        (h, w, C) uint8, the texture; more channels than three are kept.
    colours, seen
        (N, h, w, 3) and (N, h, w) uint8, what each photo shows and how well.
    near
        (h, w) uint8, 255 at the mouth, falling to 0 around.
    on_head, on_mouth
        (N,) weights of each photo away from the mouth, and at it.
    out
        (h, w, C) uint8.
    """
    photos, height, width = seen.shape
    for j in range(height):
        for i in range(width):
            if near[j, i] == 0:
                continue
            share = near[j, i] / np.float32(255)
            red, green, blue, total = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for n in range(photos):
                visible = seen[n, j, i] / np.float32(255)
                weight = visible**3 * (on_head[n] + share * (on_mouth[n] - on_head[n]))
                red += weight * colours[n, j, i, 0]
                green += weight * colours[n, j, i, 1]
                blue += weight * colours[n, j, i, 2]
                total += weight
            if total < 1e-3:
                continue
            fade = min(np.float32(1), share * 8) * min(np.float32(1), total * 50)
            out[j, i, 0] = np.uint8(base[j, i, 0] + fade * (red / total - base[j, i, 0]) + 0.5)
            out[j, i, 1] = np.uint8(base[j, i, 1] + fade * (green / total - base[j, i, 1]) + 0.5)
            out[j, i, 2] = np.uint8(base[j, i, 2] + fade * (blue / total - base[j, i, 2]) + 0.5)


def empty_layer(height: int, width: int) -> tuple[FloatArray, Array]:
    """Make what `draw_nearest` fills: nothing is there, and no triangle."""
    return np.zeros((height, width), np.float32), np.full((height, width), -1, np.int32)

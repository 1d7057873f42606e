"""Per-pixel loops of the baked head: a mesh drawn with its texture, and layers put before and behind it.

Colours are in [0, 255], alpha in [0, 1], and depth is its reciprocal, in 1 / metre: 0 where there is nothing.
"""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.head.compiled import compiled


@compiled(fastmath=True, inline="always")
def _sides(xy: Array, a: int, b: int, c: int) -> tuple[float, float, float, float, float, float]:
    """Give a triangle's first corner, and the sides from there to the second and to the third."""
    x0, y0 = xy[a, 0], xy[a, 1]
    return x0, y0, xy[b, 0] - x0, xy[b, 1] - y0, xy[c, 0] - x0, xy[c, 1] - y0


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
    slack = np.float32(1e-4)  # of rounding, so that neighbours leave no gap
    for f in range(triangles.shape[0]):
        if not kept[f]:
            continue
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        za, zb, zc = inverse_depth[a], inverse_depth[b], inverse_depth[c]
        if za <= 0 or zb <= 0 or zc <= 0:
            continue
        x0, y0, e1x, e1y, e2x, e2y = _sides(xy, a, b, c)
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
                if w1 >= -slack and w2 >= -slack and w1 + w2 <= 1 + slack and z > nearest[j, i]:
                    nearest[j, i] = z
                    triangle[j, i] = f
                w1 += step1
                w2 += step2
                z += dz


@compiled(fastmath=True, inline="always")
def _weights_at(
    xy: Array, inverse_depth: Array, triangles: Array, f: int, i: int, j: int, nearest: float
) -> tuple[float, float, float]:  # pragma: no cover - compiled
    """Perspective-correct weights of a triangle's corners at a pixel."""
    a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
    x0, y0, e1x, e1y, e2x, e2y = _sides(xy, a, b, c)
    z = np.float32(1) / nearest
    scale = np.float32(1) / (e1x * e2y - e2x * e1y)
    px, py = np.float32(i + 0.5) - x0, np.float32(j + 0.5) - y0
    w1 = (px * e2y - e2x * py) * scale
    w2 = (e1x * py - px * e1y) * scale
    w0 = (np.float32(1) - w1 - w2) * inverse_depth[a] * z
    return w0, w1 * inverse_depth[b] * z, w2 * inverse_depth[c] * z


@compiled(fastmath=True, inline="always")
def _sample(texture: Array, x: float, y: float) -> tuple[float, float, float, float]:  # pragma: no cover
    """Colour and alpha of a texture (T, T', 4) uint8 at a place in [0, 1]^2: linear between texels."""
    rows, columns = texture.shape[0], texture.shape[1]
    u = min(max(x * np.float32(columns) - np.float32(0.5), np.float32(0)), np.float32(columns - 1.001))
    v = min(max(y * np.float32(rows) - np.float32(0.5), np.float32(0)), np.float32(rows - 1.001))
    column, row = np.uint32(u), np.uint32(v)
    p, q = u - np.float32(column), v - np.float32(row)
    right, low = np.uint32(column + 1), np.uint32(row + 1)
    w11 = p * q
    w01, w10 = p - w11, q - w11
    w00 = np.float32(1) - p - w10
    return (
        w00 * texture[row, column, 0]
        + w01 * texture[row, right, 0]
        + w10 * texture[low, column, 0]
        + w11 * texture[low, right, 0],
        w00 * texture[row, column, 1]
        + w01 * texture[row, right, 1]
        + w10 * texture[low, column, 1]
        + w11 * texture[low, right, 1],
        w00 * texture[row, column, 2]
        + w01 * texture[row, right, 2]
        + w10 * texture[low, column, 2]
        + w11 * texture[low, right, 2],
        w00 * texture[row, column, 3]
        + w01 * texture[row, right, 3]
        + w10 * texture[low, column, 3]
        + w11 * texture[low, right, 3],
    )


@compiled(fastmath=True)
def shade(
    points: tuple[Array, Array, Array],
    skin: tuple[Array, Array, Array, Array],
    known: float,
    drawn: tuple[Array, Array],
    colour: Array,
    alpha: Array,
) -> None:  # pragma: no cover - compiled
    """Look up what each pixel (H, W) shows of a mesh in its texture.

    Parameters
    ----------
    points
        (V, 2) pixels, (V,) reciprocal depth, and (F, 3) the triangles between them, all float32 and int32.
    skin
        (U, 2) places in the texture as fractions of its side, (F, 3) those of the triangles' corners, (F,)
        uint8, which triangles are of the body, and the texture (T, T, 4) uint8.
    known
        In [0, 1], how far the texture's alpha counts on the head; on the body it does in full.
    drawn
        (H, W) reciprocal depth and triangle, of `draw_nearest`.
    colour, alpha
        (H, W, 3) and (H, W) float32, which are filled; they hold 0 before.
    """
    xy, inverse_depth, triangles = points
    uv, uv_triangles, is_body, texture = skin
    nearest, triangle = drawn
    height, width = triangle.shape
    for j in range(height):
        for i in range(width):
            f = triangle[j, i]
            if f < 0:
                continue
            w0, w1, w2 = _weights_at(xy, inverse_depth, triangles, f, i, j, nearest[j, i])
            a, b, c = uv_triangles[f, 0], uv_triangles[f, 1], uv_triangles[f, 2]
            red, green, blue, person = _sample(
                texture,
                w0 * uv[a, 0] + w1 * uv[b, 0] + w2 * uv[c, 0],
                w0 * uv[a, 1] + w1 * uv[b, 1] + w2 * uv[c, 1],
            )
            colour[j, i, 0], colour[j, i, 1], colour[j, i, 2] = red, green, blue
            counts = np.float32(1) if is_body[f] else np.float32(known)
            alpha[j, i] = 1 - counts * (1 - person / np.float32(255))


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
        _, _, e1x, e1y, e2x, e2y = _sides(xy, a, b, c)
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
def put_card(
    points: tuple[Array, Array, Array],
    card: tuple[Array, Array, Array],
    drawn: tuple[Array, Array],
    under: tuple[Array, Array],
    limits: tuple[float, float, float, float, float],
    colour: Array,
    alpha: Array,
    depth: Array,
) -> None:  # pragma: no cover - compiled
    """Put a card before or behind what is drawn, by depth, in place.

    Parameters
    ----------
    points
        (P, 2) pixels, (P,) reciprocal depth, and (F, 3) the card's triangles between them.
    card
        (P, 2) places in the card's picture, as fractions of its sides, (P,) weights in [0, 1], and the
        picture (h, w, 4) uint8.
    drawn
        (H, W) reciprocal depth and triangle, of `draw_nearest`.
    under
        (H, W) the mesh's triangles, and (F', 1) for each of these whether it is of the nape.
    limits
        Metres by which the card may be behind what is drawn and still be its surface, and the same on the
        nape; in [0, 1], how far nothing else is where the card is transparent; and the least and greatest
        alpha between which its edge is not mixed with a background.
    colour, alpha, depth
        (H, W, 3), (H, W) and (H, W) of what is drawn. The depth becomes the card's where it is nearer.
    """
    xy, inverse_depth, triangles = points
    uv, weights, picture = card
    nearest, triangle = drawn
    mesh, is_nape = under
    one, nothing, byte = np.float32(1), np.float32(0), np.float32(255)
    allowed, on_nape, emptiness = np.float32(limits[0]), np.float32(limits[1]), np.float32(limits[2])
    low, span = np.float32(limits[3]), np.float32(limits[4] - limits[3])
    height, width = alpha.shape
    for j in range(height):
        for i in range(width):
            f = triangle[j, i]
            if f < 0:
                continue
            before = one
            if depth[j, i] > 0:
                most = on_nape if mesh[j, i] >= 0 and is_nape[mesh[j, i]] else allowed
                gap = one / nearest[j, i] - one / depth[j, i] - most
                before = min(max(np.float32(0.5) - gap * np.float32(250), nothing), one)
                if before == 0 and alpha[j, i] == 1:
                    continue
            w0, w1, w2 = _weights_at(xy, inverse_depth, triangles, f, i, j, nearest[j, i])
            a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
            trust = w0 * weights[a] + w1 * weights[b] + w2 * weights[c]
            red, green, blue, opacity = _sample(
                picture,
                w0 * uv[a, 0] + w1 * uv[b, 0] + w2 * uv[c, 0],
                w0 * uv[a, 1] + w1 * uv[b, 1] + w2 * uv[c, 1],
            )
            own = opacity / byte
            t = min(max((own - low) / span, nothing), one)
            rim = t * t * (np.float32(3) - 2 * t)
            covered = alpha[j, i] * before
            front = own * (one - covered * (one - emptiness) * (one - rim)) * before * trust
            rest = (one - front) * alpha[j, i] * (one - emptiness * trust * before * (one - own))
            behind = (one - front) * (one - alpha[j, i]) * own * (one - before) * trust
            total = front + rest + behind
            alpha[j, i] = total
            if total <= 0:
                continue
            share = (front + behind) / total
            colour[j, i, 0] += share * (red - colour[j, i, 0])
            colour[j, i, 1] += share * (green - colour[j, i, 1])
            colour[j, i, 2] += share * (blue - colour[j, i, 2])
            if front > 0.5:
                depth[j, i] = max(depth[j, i], nearest[j, i])


@compiled(fastmath=True)
def close_thin(triangle: Array, kinds: Array, side: int, colour: Array) -> None:  # pragma: no cover
    """Close openings that are lower than ``side`` pixels, in place: each takes the colour above or below it.

    A place near an opening that is higher, in the same row, belongs to it and stays.

    Parameters
    ----------
    triangle
        (H, W) of the mesh, -1 where none.
    kinds
        (F,) uint8 kind of each triangle: 0 for what closes over, other numbers for what is seen through an
        opening, each kind by itself.
    side
        In pixels.
    colour
        (H, W, 3).
    """
    height, width = triangle.shape
    high = np.zeros((height, width), np.uint8)
    runs = 0
    for i in range(width):
        j = 0
        while j < height:
            f = triangle[j, i]
            if f < 0 or kinds[f] == 0:
                j += 1
                continue
            kind, start = kinds[f], j
            while j < height and triangle[j, i] >= 0 and kinds[triangle[j, i]] == kind:
                j += 1
            mark = np.uint8(kind) if j - start > side else np.uint8(128 + kind)
            runs += j - start <= side
            high[start:j, i] = mark
    if runs == 0:
        return
    for i in range(width):
        j = 0
        while j < height:
            if high[j, i] <= 128:
                j += 1
                continue
            kind, start, near = high[j, i] - 128, j, False
            while j < height and high[j, i] == kind + 128:
                for k in range(max(i - side, 0), min(i + side + 1, width)):
                    near |= high[j, k] == kind
                j += 1
            if near:
                continue
            for row in range(start, j):
                other = start - 1 if row - start < j - row else j
                if 0 <= other < height and triangle[other, i] >= 0 and kinds[triangle[other, i]] == 0:
                    triangle[row, i], colour[row, i] = triangle[other, i], colour[other, i]


@compiled(fastmath=True)
def finish(
    colour: Array, alpha: Array, behind: Array, opaque: bool, out: Array
) -> None:  # pragma: no cover - compiled
    """Round a picture (H, W, 3) and alpha to uint8 (H, W, 4); before what is behind (H, W, 3), if opaque."""
    height, width = alpha.shape
    half = np.float32(0.5)
    for j in range(height):
        for i in range(width):
            share = alpha[j, i]
            for k in range(3):
                value = colour[j, i, k]
                if opaque:
                    value = behind[j, i, k] + share * (value - behind[j, i, k])
                out[j, i, k] = np.uint8(min(max(value + half, half), np.float32(255.4)))
            out[j, i, 3] = np.uint8(255) if opaque else np.uint8(share * np.float32(255) + half)


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

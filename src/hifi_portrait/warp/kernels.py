"""Per-pixel loops of the plain warp."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FAINT = 0.08
"""Visibility up to which a reference is not trusted with the colour of a place."""

FADE = 4.0
"""Multiples of `FAINT`, beyond it, within which one way to look a place up takes over from the next."""

FRAME = 0.01
"""Share of a crop's side beyond its edge within which its last pixels fade out: drawn on they are streaks."""

CLEAR = 0.012
"""Share of the picture's side by which hair's colour is looked for outside its place, clear of the mesh."""


@numba.njit(cache=True, fastmath=True, inline="always")
def _cubic(a: float) -> tuple[float, float, float, float]:  # pragma: no cover - compiled
    """Weights of four neighbours at a place from the second to the third: Catmull and Rom's.

    Keys, Cubic convolution interpolation for digital image processing (1981), a = -1/2. A linear mean of two
    pixels would be softer than either.
    """
    b = 1 - a
    return -0.5 * a * b * b, 1 + a * a * (1.5 * a - 2.5), 1 + b * b * (1.5 * b - 2.5), -0.5 * b * a * a


@numba.njit(cache=True, fastmath=True)
def _sample(
    crop: Array, matte: Array, x: float, y: float
) -> tuple[float, float, float, float]:  # pragma: no cover - compiled
    """Colour and matte at a place: cubic, and linear, which does not overshoot."""
    side = crop.shape[0]
    u = min(max(x * side - 0.5, 0.0), side - 1.001)
    v = min(max(y * side - 0.5, 0.0), side - 1.001)
    i, j = int(u), int(v)
    a, b = u - i, v - j
    upper = (1 - a) * matte[j, i] + a * matte[j, i + 1]
    lower = (1 - a) * matte[j + 1, i] + a * matte[j + 1, i + 1]
    across, down = _cubic(a), _cubic(b)
    red, green, blue = 0.0, 0.0, 0.0
    for dy in range(4):
        row = min(max(j + dy - 1, 0), side - 1)
        for dx in range(4):
            column = min(max(i + dx - 1, 0), side - 1)
            weight = down[dy] * across[dx]
            red += weight * crop[row, column, 0]
            green += weight * crop[row, column, 1]
            blue += weight * crop[row, column, 2]
    red, green, blue = min(max(red, 0.0), 255.0), min(max(green, 0.0), 255.0), min(max(blue, 0.0), 255.0)
    return red, green, blue, (1 - b) * upper + b * lower


@numba.njit(cache=True, fastmath=True, inline="always")
def _look_up(
    corners: Array, weights: Array, rows: Array, crop: Array, matte: Array
) -> tuple[float, float, float, float, float]:  # pragma: no cover - compiled
    """Colour, visibility and share inside matte and crop of a place on the mesh.

    `rows` (V, 3): x, y, visibility.
    """
    a, b, c = corners[0], corners[1], corners[2]
    seen = weights[0] * rows[a, 2] + weights[1] * rows[b, 2] + weights[2] * rows[c, 2]
    if seen <= 0.003:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    x = weights[0] * rows[a, 0] + weights[1] * rows[b, 0] + weights[2] * rows[c, 0]
    y = weights[0] * rows[a, 1] + weights[1] * rows[b, 1] + weights[2] * rows[c, 1]
    red, green, blue, inside = _sample(crop, matte, x, y)
    beyond = max(max(-x, x - 1), max(-y, y - 1)) / FRAME
    in_crop = min(max(1 - beyond, 0.0), 1.0)
    return red, green, blue, seen, in_crop * min(max((inside - 0.5) / 0.45, 0.0), 1.0)


@numba.njit(cache=True, fastmath=True)
def blend_on_mesh(
    triangle: Array,
    barycentric: Array,
    triangles: Array,
    is_body: Array,
    tables: Array,
    crops: Array,
    mattes: Array,
    gains: Array,
    corrections: Array,
    says: Array,
    colour: Array,
    seen: Array,
    coverage: Array,
) -> None:  # pragma: no cover - compiled
    """Weighted mean colour on the mesh, how well it is seen in any way, and how well in the first.

    `tables` (K N, V, 3): x, y, visibility, for each of K ways to look a place up in N references, the first
    of them where it is seen. Each other way counts only on the head, and where those before it see little.
    `says` (K N, V) of each on each vertex. Colours on the head are multiplied by `corrections`
    (K N, h, w, 3), of any size.
    """
    height, width = triangle.shape
    references = crops.shape[0]
    factor = np.ones(3)
    ways = tables.shape[0] // references
    sums, weights, best = np.zeros((ways, 3)), np.zeros(ways), np.zeros(ways)
    for row in range(height):
        for column in range(width):
            f = triangle[row, column]
            if f < 0:
                continue
            corners, place = triangles[f], barycentric[row, column]
            sums[:], weights[:], best[:] = 0, 0, 0
            for table in range(tables.shape[0]):
                n, way = table % references, table // references
                if way > 0 and is_body[f]:
                    continue
                red, green, blue, visible, inside = _look_up(
                    corners, place, tables[table], crops[n], mattes[n]
                )
                if inside <= 0:
                    continue
                factor[:] = 1
                if not is_body[f]:
                    _interpolate(corrections[table], (column + 0.5) / width, (row + 0.5) / height, factor)
                say = 0.0
                for corner in range(3):
                    say += place[corner] * says[table, corners[corner]]
                if say < 1e-4:
                    continue
                weight = say * visible**3 * inside
                sums[way, 0] += weight * red * gains[n, 0] * factor[0]
                sums[way, 1] += weight * green * gains[n, 1] * factor[1]
                sums[way, 2] += weight * blue * gains[n, 2] * factor[2]
                weights[way] += weight
                best[way] = max(best[way], visible * inside)
            coverage[row, column] = best[0]
            left = 1.0
            for way in range(ways):
                if weights[way] <= 0:
                    continue
                seen[row, column] = max(seen[row, column], best[way])
                share = left * min(max(best[way] / FAINT - 1, 1e-3), FADE) / FADE
                left -= share
                for channel in range(3):
                    colour[row, column, channel] += share * sums[way, channel] / weights[way]
            if left < 1:
                for channel in range(3):
                    colour[row, column, channel] /= 1 - left


@numba.njit(cache=True, fastmath=True)
def _interpolate(values: Array, x: float, y: float, out: Array) -> None:  # pragma: no cover - compiled
    """Bilinear value (C,) of a field (h, w, C) at a place in [0, 1]^2."""
    height, width = values.shape[0], values.shape[1]
    u = min(max(x * width - 0.5, 0.0), width - 1.001)
    v = min(max(y * height - 0.5, 0.0), height - 1.001)
    i, j = int(u), int(v)
    a, b = u - i, v - j
    for channel in range(out.shape[0]):
        upper = (1 - a) * values[j, i, channel] + a * values[j, i + 1, channel]
        lower = (1 - a) * values[j + 1, i, channel] + a * values[j + 1, i + 1, channel]
        out[channel] = (1 - b) * upper + b * lower


@numba.njit(cache=True, fastmath=True)
def _radius(outline: Array, angle: float) -> float:  # pragma: no cover - compiled
    count = outline.shape[0] - 2
    place = (angle / (2 * np.pi) * count) % count
    low = int(place)
    share = place - low
    return (1 - share) * outline[2 + low % count] + share * outline[2 + (low + 1) % count]


@numba.njit(cache=True, fastmath=True)
def draw_around(
    triangle: Array,
    target: Array,
    outline: Array,
    roll: float,
    crop: Array,
    matte: Array,
    gain: Array,
    colour: Array,
    alpha: Array,
) -> None:  # pragma: no cover - compiled
    """Colour and alpha of pixels off the mesh, where a reference's matte says there is hair.

    A place outside the target's outline is looked up as far outside the reference's, in the same direction
    from the middle of the head.
    """
    height, width = triangle.shape
    scale = outline[2:].mean() / target[2:].mean()
    for row in range(height):
        for column in range(width):
            if triangle[row, column] >= 0:
                continue
            dx = (column + 0.5) / height - target[0]  # both as shares of the height
            dy = (row + 0.5) / height - target[1]
            angle = np.arctan2(dy, dx)
            beyond = np.sqrt(dx * dx + dy * dy) - _radius(target, angle)
            turned = angle + roll
            distance = _radius(outline, turned) + beyond * scale
            x = outline[0] + distance * np.cos(turned)
            y = outline[1] + distance * np.sin(turned)
            if distance <= 0 or x < 0 or x >= 1 or y < 0 or y >= 1:
                continue
            inside = _sample(crop, matte, x, y)[3]
            if inside > 1e-6:
                x, y = x + CLEAR * np.cos(turned), y + CLEAR * np.sin(turned)
                red, green, blue, _ = _sample(crop, matte, x, y)
                alpha[row, column] = inside
                colour[row, column, 0] = red * gain[0]
                colour[row, column, 1] = green * gain[1]
                colour[row, column, 2] = blue * gain[2]

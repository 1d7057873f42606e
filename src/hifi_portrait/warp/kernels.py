"""Per-pixel loops of the plain warp: references blended on the mesh, and hair drawn around it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.compiled import compiled
from hifi_portrait.warp.settings import SurfaceSettings

_MIN_VISIBILITY = 0.003  # below it a place is not looked up at all, for speed
_MIN_WEIGHT = 1e-4  # the same of the weight of a reference


class _Limits(NamedTuple):
    """`SurfaceSettings` as the compiled loops read them: reciprocals, which they multiply by."""

    per_faint: float
    crossfade: float
    per_crossfade: float
    per_frame: float
    matte_from: float
    per_matte: float

    @classmethod
    def of(cls, settings: SurfaceSettings) -> _Limits:
        return cls(
            1 / settings.faint_visibility,
            settings.crossfade,
            1 / settings.crossfade,
            1 / settings.frame_fade,
            settings.matte_from,
            1 / settings.matte_fade,
        )


@compiled(fastmath=True, inline="always")
def _cubic(a: float) -> tuple[float, float, float, float]:  # pragma: no cover - compiled
    """Weights of four neighbours at a place from the second to the third: Catmull and Rom's.

    Keys, Cubic convolution interpolation for digital image processing (1981), a = -1/2. A linear mean of two
    pixels would be softer than either.
    """
    b = 1 - a
    return -0.5 * a * b * b, 1 + a * a * (1.5 * a - 2.5), 1 + b * b * (1.5 * b - 2.5), -0.5 * b * a * a


@compiled(fastmath=True)
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


@compiled(fastmath=True, inline="always")
def _look_up(
    corners: Array, weights: Array, rows: Array, crop: Array, matte: Array, limits: _Limits
) -> tuple[float, float, float, float, float]:  # pragma: no cover - compiled
    """Colour and visibility of a place on the mesh, and the fraction of it inside matte and crop.

    `rows` (V, 3): x, y, visibility.
    """
    a, b, c = corners[0], corners[1], corners[2]
    seen = weights[0] * rows[a, 2] + weights[1] * rows[b, 2] + weights[2] * rows[c, 2]
    if seen <= _MIN_VISIBILITY:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    x = weights[0] * rows[a, 0] + weights[1] * rows[b, 0] + weights[2] * rows[c, 0]
    y = weights[0] * rows[a, 1] + weights[1] * rows[b, 1] + weights[2] * rows[c, 1]
    red, green, blue, inside = _sample(crop, matte, x, y)
    beyond = max(max(-x, x - 1), max(-y, y - 1)) * limits.per_frame
    in_crop = min(max(1 - beyond, 0.0), 1.0)
    return (
        red,
        green,
        blue,
        seen,
        in_crop * min(max((inside - limits.matte_from) * limits.per_matte, 0.0), 1.0),
    )


def blend_on_mesh(
    triangle: Array,
    barycentric: Array,
    faces: Array,
    is_body: Array,
    tables: Array,
    photos: tuple[Array, Array, Array],
    corrections: Array,
    weights: Array,
    settings: SurfaceSettings,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weighted mean of the references' colours on the mesh.

    Parameters
    ----------
    triangle, barycentric
        (H, W) and (H, W, 3) of the raster that is drawn.
    faces, is_body
        (F, 3) vertices of the mesh's triangles, and (F,) which of them are shoulders.
    tables
        (M, V, 3): x, y and visibility of each vertex, for each of M / N ways to look a place up in N
        references. The first way is where a photo shows the place itself. Each other way counts only on the
        head, and where those before it see little.
    photos
        Crops (N, S, S, 3) uint8, mattes (N, S, S) and gains (N, 3).
    corrections
        (M, h, w, 3), of any size, by which colours on the head are multiplied.
    weights
        (M, V) of each table at each vertex.
    settings
        Limits of visibility.

    Returns
    -------
    colour
        (H, W, 3) in [0, 255]; 0 where nothing is seen.
    seen
        (H, W) in [0, 1], how well a place is seen in any way.
    coverage
        (H, W) in [0, 1], how well it is seen itself.
    """
    height, width = triangle.shape
    colour = np.zeros((height, width, 3), np.float32)
    seen, coverage = np.zeros((2, height, width), np.float32)
    _blend_on_mesh(
        triangle,
        barycentric,
        faces,
        is_body,
        tables,
        *photos,
        corrections,
        weights,
        _Limits.of(settings),
        colour,
        seen,
        coverage,
    )
    return colour, seen, coverage


@compiled(fastmath=True)
def _blend_on_mesh(
    triangle: Array,
    barycentric: Array,
    triangles: Array,
    is_body: Array,
    tables: Array,
    crops: Array,
    mattes: Array,
    gains: Array,
    corrections: Array,
    vertex_weights: Array,
    limits: _Limits,
    colour: Array,
    seen: Array,
    coverage: Array,
) -> None:  # pragma: no cover - compiled
    """Fill colour, seen and coverage; see `blend_on_mesh`."""
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
                    corners, place, tables[table], crops[n], mattes[n], limits
                )
                if inside <= 0:
                    continue
                factor[:] = 1
                if not is_body[f]:
                    _interpolate(corrections[table], (column + 0.5) / width, (row + 0.5) / height, factor)
                of_table = 0.0
                for corner in range(3):
                    of_table += place[corner] * vertex_weights[table, corners[corner]]
                if of_table < _MIN_WEIGHT:
                    continue
                weight = of_table * visible**3 * inside
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
                trusted = min(max(best[way] * limits.per_faint - 1, 1e-3), limits.crossfade)
                fraction = left * trusted * limits.per_crossfade
                left -= fraction
                for channel in range(3):
                    colour[row, column, channel] += fraction * sums[way, channel] / weights[way]
            if left < 1:
                for channel in range(3):
                    colour[row, column, channel] /= 1 - left


@compiled(fastmath=True)
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

"""Per-pixel loops of the plain warp."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

CLEAR = 0.012
"""Share of the picture's side by which hair is looked for outside an outline, to be clear of the mesh."""


@numba.njit(cache=True, fastmath=True)
def _sample(
    crop: Array, matte: Array, x: float, y: float
) -> tuple[float, float, float, float]:  # pragma: no cover - compiled
    side = crop.shape[0]
    u = min(max(x * side - 0.5, 0.0), side - 1.001)
    v = min(max(y * side - 0.5, 0.0), side - 1.001)
    i, j = int(u), int(v)
    a, b = u - i, v - j
    w00, w01, w10, w11 = (1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b
    red = (
        w00 * crop[j, i, 0] + w01 * crop[j, i + 1, 0] + w10 * crop[j + 1, i, 0] + w11 * crop[j + 1, i + 1, 0]
    )
    green = (
        w00 * crop[j, i, 1] + w01 * crop[j, i + 1, 1] + w10 * crop[j + 1, i, 1] + w11 * crop[j + 1, i + 1, 1]
    )
    blue = (
        w00 * crop[j, i, 2] + w01 * crop[j, i + 1, 2] + w10 * crop[j + 1, i, 2] + w11 * crop[j + 1, i + 1, 2]
    )
    inside = w00 * matte[j, i] + w01 * matte[j, i + 1] + w10 * matte[j + 1, i] + w11 * matte[j + 1, i + 1]
    return red, green, blue, inside


@numba.njit(cache=True, fastmath=True)
def blend_on_mesh(
    triangle: Array,
    barycentric: Array,
    faces: Array,
    is_body: Array,
    tables: Array,
    crops: Array,
    mattes: Array,
    gains: Array,
    face_say: Array,
    body_say: Array,
    colour: Array,
    total: Array,
    coverage: Array,
) -> None:  # pragma: no cover - compiled
    """Weighted mean colour, weight and coverage on the mesh. `tables` (2N, V, 3): x, y, visibility."""
    height, width = triangle.shape
    references = crops.shape[0]
    for row in range(height):
        for column in range(width):
            f = triangle[row, column]
            if f < 0:
                continue
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            wa, wb, wc = barycentric[row, column, 0], barycentric[row, column, 1], barycentric[row, column, 2]
            for table in range(2 * references):
                n = table % references
                rows = tables[table]
                seen = wa * rows[a, 2] + wb * rows[b, 2] + wc * rows[c, 2]
                if seen <= 0.003:
                    continue
                x = wa * rows[a, 0] + wb * rows[b, 0] + wc * rows[c, 0]
                y = wa * rows[a, 1] + wb * rows[b, 1] + wc * rows[c, 1]
                red, green, blue, inside = _sample(crops[n], mattes[n], x, y)
                inside = min(max((inside - 0.5) / 0.45, 0.0), 1.0)
                say = body_say[n] if is_body[f] else face_say[n]
                weight = say * seen**3 * inside
                colour[row, column, 0] += weight * red * gains[n, 0]
                colour[row, column, 1] += weight * green * gains[n, 1]
                colour[row, column, 2] += weight * blue * gains[n, 2]
                total[row, column] += weight
                if table < references:
                    coverage[row, column] = max(coverage[row, column], seen * inside)
            if total[row, column] > 0:
                for channel in range(3):
                    colour[row, column, channel] /= total[row, column]


@numba.njit(cache=True, fastmath=True)
def _radius(outline: Array, angle: float) -> float:  # pragma: no cover - compiled
    count = outline.shape[0] - 2
    place = (angle / (2 * np.pi) * count) % count
    low = int(place)
    share = place - low
    return (1 - share) * outline[2 + low % count] + share * outline[2 + (low + 1) % count]


@numba.njit(cache=True, fastmath=True)
def blend_off_mesh(
    triangle: Array,
    target: Array,
    outlines: Array,
    rolls: Array,
    crops: Array,
    mattes: Array,
    gains: Array,
    say: Array,
    colour: Array,
    alpha: Array,
) -> None:  # pragma: no cover - compiled
    """Colour and alpha of pixels off the mesh, where a reference's matte says there is a person.

    A place outside the target's outline is looked up as far outside the reference's, in the same direction
    from the middle of the head.
    """
    height, width = triangle.shape
    references = crops.shape[0]
    target_mean = target[2:].mean()
    for row in range(height):
        for column in range(width):
            if triangle[row, column] >= 0:
                continue
            dx = (column + 0.5) / width - target[0]
            dy = (row + 0.5) / height - target[1]
            angle = np.arctan2(dy, dx)
            beyond = np.sqrt(dx * dx + dy * dy) - _radius(target, angle)
            red = green = blue = weight = total = 0.0
            for n in range(references):
                turned = angle + rolls[n]
                scale = outlines[n, 2:].mean() / target_mean
                distance = _radius(outlines[n], turned) + beyond * scale + CLEAR
                x = outlines[n, 0] + distance * np.cos(turned)
                y = outlines[n, 1] + distance * np.sin(turned)
                total += say[n]
                if distance <= 0 or x < 0 or x >= 1 or y < 0 or y >= 1:
                    continue
                r, g, b, inside = _sample(crops[n], mattes[n], x, y)
                w = say[n] * inside
                red += w * r * gains[n, 0]
                green += w * g * gains[n, 1]
                blue += w * b * gains[n, 2]
                weight += w
            if weight > 1e-6:
                alpha[row, column] = weight / total
                colour[row, column, 0] = red / weight
                colour[row, column, 1] = green / weight
                colour[row, column, 2] = blue / weight

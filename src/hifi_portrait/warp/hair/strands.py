"""Hair where no photo shows it: pieces of the hair that is shown, laid along strands from the crown.

Pieces overlap on a triangular lattice over the scalp. Each is turned so that its strands lead away from the
crown, and they are mixed so that their contrast stays: Heitz and Neyret, High-performance by-example noise
using a histogram-preserving blending operator (2018), section 3.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.compiled import compiled
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.hair.comb import comb
from hifi_portrait.warp.hair.pieces import HairPieces, about_crown
from hifi_portrait.warp.image.inpaint import blur_wide, inpaint
from hifi_portrait.warp.image.morphology import disc, distance_to
from hifi_portrait.warp.settings import StrandSettings, WarpSettings

_SHADED = 65
"""Percent of hair that is no highlight."""


def continue_hair(
    picture: Array,
    shown: Array,
    where: Array,
    pieces: HairPieces | None,
    usual: Array | None,
    raster: Raster,
    model: HeadModel,
    settings: WarpSettings,
) -> FloatArray:
    """Continue hair over a part of the head: its colours (H, W, 3) in [0, 255].

    Parameters
    ----------
    picture
        (H, W, 3) in [0, 255].
    shown
        (H, W) in [0, 1], where it shows hair; somewhere it has to.
    where
        (H, W) bool, where it is to have strands.
    pieces
        What its strands are made of; without them it is plain.
    usual
        (3,) the colour that hair has far from what is shown; that of most of this if not given.
    raster, model
        What is drawn.
    settings
        Those of strands and of the scalp.
    """
    own = settings.strands
    plain = _continue_plainly(picture, shown, usual, own)
    if pieces is None:
        return plain
    straight = float(smoothstep(np.asarray(pieces.straightness), *own.straight))
    length = straight * own.combed * len(plain)
    about = raster.interpolate(about_crown(model, settings.scalp), model.triangles)
    around = cv2.dilate(where.astype(np.uint8), disc(2 + 4 * length)).astype(bool) & (about[..., 2] > 0)
    if not around.any():
        return plain
    rows, columns = (np.flatnonzero(around.any(axis=axis)) for axis in (1, 0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    laid = np.zeros((*around[window].shape, 3), np.float32)
    made_of = pieces.detail, pieces.middles, pieces.strands, pieces.radius, pieces.metres
    _lay_pieces(np.ascontiguousarray(about[window]), np.ascontiguousarray(around[window]), *made_of, laid)
    laid = comb(laid, about[window][..., :2], around[window], length, own.most_gain)
    plain[window] = (plain[window] + own.dark_offset) * np.exp(laid) - own.dark_offset
    return plain


def fray_outline(alpha: Array, hair: Array, settings: StrandSettings) -> FloatArray:
    """Let the outline of continued hair be uneven and soft, as strands make it; gives the alpha (H, W).

    Parameters
    ----------
    alpha
        (H, W) in [0, 1].
    hair
        (H, W) in [0, 1], how far what is drawn is hair that no photo shows.
    settings
        How deep, and how wide.
    """
    depth = settings.fray * len(alpha)
    inside = distance_to(alpha < 0.5)
    cut = depth * np.clip(0.5 + 0.3 * _noise(alpha.shape, settings.lock_width * len(alpha)), 0, 1)
    frayed = np.clip((inside - cut) / max(0.5 * depth, 1) + 0.5, 0, 1)
    return np.asarray(alpha * (1 - hair * (1 - frayed)), np.float32)


@lru_cache(maxsize=4)
def _noise(shape: tuple[int, int], width: float) -> FloatArray:
    """White noise (H, W), the same at each call, blurred by a width in pixels; of deviation 1."""
    noise = np.random.default_rng(0).standard_normal(shape, np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), max(width, 0.5))
    return np.asarray(smooth / smooth.std(), np.float32)


def _continue_plainly(
    picture: Array, shown: Array, usual: Array | None, settings: StrandSettings
) -> FloatArray:
    """Continue the colours of hair without strands; far from what is shown they are those of most of it.

    At its edge, where light shines through it and the background mixes in, hair counts little.
    """
    side = len(shown)
    inside = np.minimum(distance_to(shown < 0.5) / (settings.edge_width * side), 1) ** 2 * shown
    if inside.max() < 0.1:
        inside = shown
    inside = inside.astype(np.float32)
    around = inpaint(picture, inside)
    if usual is None:
        usual = usual_colour(picture[inside > 0.5 * inside.max()])
    far = 1 - np.exp(-distance_to(inside > 0.5) / (settings.reach * side))
    mixed = around + far[..., None] * (usual - around)
    return np.asarray(blur_wide(mixed, settings.plain_width * side), np.float32)


def usual_colour(colours: Array) -> FloatArray:
    """Mean colour (3,) of hair (P, 3) without its highlights: less light reaches what is not shown."""
    brightness = colours.mean(axis=1)
    return np.asarray(colours[brightness <= np.percentile(brightness, _SHADED)].mean(axis=0), np.float32)


@compiled(inline="always")
def _hash(i: int, j: int) -> int:  # pragma: no cover - compiled
    """Spread a place of the lattice over 24 bits."""
    mixed = (i * 73856093) ^ (j * 19349663)
    mixed = (mixed ^ (mixed >> 13)) * 1274126177
    return ((mixed ^ (mixed >> 16)) >> 3) & 0xFFFFFF


@compiled(fastmath=True)
def _lay_pieces(
    about: Array,
    where: Array,
    detail: Array,
    middles: Array,
    strands: Array,
    radius: float,
    metres: float,
    out: Array,
) -> None:  # pragma: no cover - compiled
    """Lay pieces of detail (S, S, 3) over a scalp (H, W), by its places about the crown (H, W, 3)."""
    height, width = where.shape
    side = detail.shape[0]
    cell = radius * metres
    count = middles.shape[0]
    corners = np.zeros((3, 2), np.int64)
    weights = np.zeros(3)
    for row in range(height):
        for column in range(width):
            if not where[row, column]:
                continue
            u, v, narrow = about[row, column, 0], about[row, column, 1], about[row, column, 2]
            x, y = (u - v / np.sqrt(3.0)) / cell, 2 * v / np.sqrt(3.0) / cell
            i, j = int(np.floor(x)), int(np.floor(y))
            a, b = x - i, y - j
            if a + b < 1:
                corners[0, 0], corners[0, 1], weights[0] = i, j, 1 - a - b
                corners[1, 0], corners[1, 1], weights[1] = i + 1, j, a
                corners[2, 0], corners[2, 1], weights[2] = i, j + 1, b
            else:
                corners[0, 0], corners[0, 1], weights[0] = i + 1, j + 1, a + b - 1
                corners[1, 0], corners[1, 1], weights[1] = i, j + 1, 1 - a
                corners[2, 0], corners[2, 1], weights[2] = i + 1, j, 1 - b
            red, green, blue, squares = 0.0, 0.0, 0.0, 0.0
            for n in range(3):
                p, q = corners[n, 0], corners[n, 1]
                centre_v = q * cell * np.sqrt(3.0) / 2
                centre_u = p * cell + q * cell / 2
                length = max(np.hypot(centre_u, centre_v), 1e-6)
                radial_u, radial_v = centre_u / length, centre_v / length
                du, dv = u - centre_u, v - centre_v
                along = (du * radial_u + dv * radial_v) / metres
                across = (-du * radial_v + dv * radial_u) * narrow / metres
                number = _hash(p, q)
                k = number % count
                if (number >> 12) & 1:
                    across = -across
                sx, sy = strands[k, 0], strands[k, 1]
                px = middles[k, 0] + along * sx - across * sy
                py = middles[k, 1] + along * sy + across * sx
                px, py = min(max(px, 0.0), side - 1.001), min(max(py, 0.0), side - 1.001)
                left, top = int(px), int(py)
                fx, fy = px - left, py - top
                weight = weights[n] ** 1.5
                squares += weight * weight
                c00, c10 = (1 - fx) * (1 - fy) * weight, fx * (1 - fy) * weight
                c01, c11 = (1 - fx) * fy * weight, fx * fy * weight
                red += c00 * detail[top, left, 0] + c10 * detail[top, left + 1, 0]
                red += c01 * detail[top + 1, left, 0] + c11 * detail[top + 1, left + 1, 0]
                green += c00 * detail[top, left, 1] + c10 * detail[top, left + 1, 1]
                green += c01 * detail[top + 1, left, 1] + c11 * detail[top + 1, left + 1, 1]
                blue += c00 * detail[top, left, 2] + c10 * detail[top, left + 1, 2]
                blue += c01 * detail[top + 1, left, 2] + c11 * detail[top + 1, left + 1, 2]
            keep = 1 / np.sqrt(max(squares, 1e-9))
            out[row, column, 0], out[row, column, 1], out[row, column, 2] = (
                red * keep,
                green * keep,
                blue * keep,
            )

"""Clothes below where photos end: they go on as they end there, and necklines close."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.warp.image.colour import colour_distance, drop_lightness, weighted_lab
from hifi_portrait.warp.image.inpaint import blur_wide, inpaint
from hifi_portrait.warp.image.morphology import disc, distance_to, nearest_of
from hifi_portrait.warp.settings import ClothesExtendSettings, WarpSettings


def extend_clothes(colour: Array, trust: Array, body: Array, skin: Array, settings: WarpSettings) -> Array:
    """Extend clothes below where photos end, as they are nearest to it: farther up are neck and hair.

    Parameters
    ----------
    colour
        (H, W, 3) in [0, 255].
    trust
        (H, W) in [0, 1], how far the colours are known.
    body
        (H, W) bool, the shoulders.
    skin
        (H, W) bool, known skin of the head.
    settings
        Those of clothes and of comparing colours.

    Returns
    -------
    Array
        (H, W, 3), the known colours and what goes on from them.
    """
    own, side = settings.extend, len(body)
    known = body & (trust > 0.5)
    around = inpaint(colour, trust)
    below = body & ~np.maximum.accumulate(known[::-1])[::-1]
    if not known.any() or not below.any():
        return around
    neck = skin & (distance_to(body) < own.neck_reach * side)
    told_by = neck if neck.sum() > own.min_neck * skin.sum() else skin
    worn, bare = _tell_clothes_from_skin(around, known, told_by, settings)
    # Above what goes on below, and above what it goes on from, nothing changes.
    top = int(np.flatnonzero((below | worn | bare).any(axis=1))[0] - 2 * own.plain_width * side)
    rows = slice(max(top, 0), side)
    deep = np.clip(distance_to(~below[rows]) / (own.fold_length * side), 0, 1)[..., None]
    last = side - 1 - known[::-1].argmax(axis=0) - rows.start
    plain = _extend_colours(around[rows], worn[rows], deep, last, side, own)
    if bare.any():
        necklines = _extend_necklines(bare, known, own)[rows]
        open_neck = cv2.GaussianBlur(necklines, (0, 0), own.neckline_softness * side)[..., None]
        plain += open_neck * (_extend_colours(around[rows], bare[rows], deep, last, side, own) - plain)
    above = np.clip(distance_to(below[rows]) / (own.joint * side), 0, 1)[..., None]
    extended = around.copy()
    extended[rows] = above * around[rows] + (1 - above) * plain
    return extended


def _extend_colours(
    colour: Array, of: Array, deep: Array, last: Array, side: int, settings: ClothesExtendSettings
) -> Array:
    """Colours (H, W, 3) of the nearest of some places (H, W), smoothed farther away, and their texture.

    The texture is that above the end, mirrored. Places at the edge of what they are of, where colours are
    mixed, do not count. ``last`` (W,) is the last known row of each column; lengths are fractions of
    ``side``, in pixels.
    """
    inside = cv2.erode(of.astype(np.uint8), disc(2 * settings.mixed * side), borderValue=1) > 0
    inside = inside if inside.any() else of
    nearest = nearest_of(colour, inside)
    ending, plain = (
        blur_wide(nearest, width * side) for width in (settings.streak_width, settings.plain_width)
    )
    detail = np.where(inside[..., None], colour - ending, 0)
    rows, columns = np.indices(of.shape)
    above = np.clip(np.minimum(rows, 2 * last - rows), 0, len(of) - 1)
    return np.asarray(ending + deep * (plain - ending) + (1 - deep) * detail[above, columns], np.float32)


def _tell_clothes_from_skin(
    colour: Array, body: Array, skin: Array, settings: WarpSettings
) -> tuple[BoolArray, BoolArray]:
    """Tell clothes from skin at the lower end of a body (H, W), as two masks.

    All of it is clothes if hardly any is.
    """
    own, rows = settings.extend, np.arange(len(body))[:, None]
    body = body & (rows > np.flatnonzero(body.any(axis=1))[-1] - own.lower_end * len(body))
    colours = weighted_lab(np.clip(colour, 0, 255).astype(np.uint8), settings.colour)
    from_skin = colour_distance(colours, colours[skin], settings.colour)
    if not np.isfinite(from_skin).all():
        return body, np.zeros_like(body)
    unlike = body & (from_skin >= max(np.percentile(from_skin[body], own.clothes_percent), own.skin_distance))
    worn = body & (
        from_skin > np.minimum(colour_distance(colours, colours[unlike], settings.colour), own.skin_distance)
    )
    hue = drop_lightness(colours)
    worn &= colour_distance(hue, hue[skin], settings.colour) > own.hue_fraction * colour_distance(
        hue, hue[unlike], settings.colour
    )
    return (worn, body & ~worn) if worn.any() else (body, np.zeros_like(body))


def _extend_necklines(bare: Array, known: Array, settings: ClothesExtendSettings) -> FloatArray:
    """Where skin (H, W) between clothes that reaches the end of what is known goes on below it, rounded."""
    side = len(known)
    last = side - 1 - known[::-1].argmax(axis=0)
    rows, columns = np.indices(known.shape)
    at_seam = known & (rows > last - settings.seam * side)
    of_skin = ((bare & at_seam).sum(axis=0) > 0.5 * at_seam.sum(axis=0)) & known.any(axis=0)
    edges = np.flatnonzero(np.diff(of_skin.astype(np.int8), prepend=0, append=0))
    neck = np.zeros(known.shape, np.float32)
    for left, right in edges.reshape(-1, 2):
        if right - left >= settings.min_neckline * side:
            half, middle = (right - left) / 2, (left + right - 1) / 2
            deep = np.maximum(rows - last, 0) / (2 * half * settings.neckline_depth)
            neck[((columns - middle) / half) ** 2 + deep**2 < 1] = 1
    return neck

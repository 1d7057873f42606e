"""Clothes below where photos end: they go on as they end there, and necklines close."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.warp.image.colour import colour_distance, drop_lightness, weighted_lab
from hifi_portrait.warp.image.inpaint import blur_wide, inpaint
from hifi_portrait.warp.image.morphology import distance_to, nearest_of
from hifi_portrait.warp.settings import WarpSettings

_ENDING = 0.05  # share of the picture's side over which clothes lose their folds below a photo's end
_STREAKS = 0.012  # share of the picture's side over which what ends there is smoothed at once
_JOINT = 0.008  # share of the picture's side above it over which they pass into what goes on
_LEAST_WORN = 80  # percent of a body that clothes are told by: what is least like skin
_LOWER_END = 0.1  # share of the picture's side above a photo's end
_SKIN_TONE = 15.0  # difference of `weighted_lab` up to which something may be skin
_LIT = 0.5  # of the difference of hue from clothes up to which something is skin, in another light
_PLAIN = 0.06  # share of the picture's side over which clothes are smoothed where none are seen
_NECK = 0.06  # share of the picture's side from the body within which skin is the neck's
_ENOUGH = 0.02  # share of all skin that it must be to tell the body's
_SEAM = 0.02  # share of the picture's side above a photo's end by which a column is told skin from clothes
_LEAST_NECK = 0.03  # share of the picture's side below which skin between clothes is none
_DEPTH = 0.25  # of the width of a neckline that a photo cuts off: how far below it closes
_SOFT = 0.004  # share of the picture's side over which it gives way to the clothes

Array = npt.NDArray[Any]


def going_on(colour: Array, trust: Array, body: Array, skin: Array, settings: WarpSettings) -> Array:
    """Clothes that go on below where photos end as they are nearest to it: farther up are neck and hair.

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
    known = body & (trust > 0.5)
    around = inpaint(colour, trust)
    below = body & ~np.maximum.accumulate(known[::-1])[::-1]
    if not known.any() or not below.any():
        return around
    neck = skin & (distance_to(body) < _NECK * len(body))
    worn, bare = _worn(around, known, neck if neck.sum() > _ENOUGH * skin.sum() else skin, settings)
    deep = np.clip(distance_to(~below) / (_ENDING * len(body)), 0, 1)[..., None]
    plain = _ending(around, worn, deep)
    if bare.any():
        open_neck = cv2.GaussianBlur(_necklines(bare, known), (0, 0), _SOFT * len(body))[..., None]
        plain += open_neck * (_ending(around, bare, deep) - plain)
    share = np.clip(distance_to(below) / (_JOINT * len(body)), 0, 1)[..., None]
    return np.asarray(share * around + (1 - share) * plain, np.float32)


def _ending(colour: Array, of: Array, deep: Array) -> Array:
    """Colours (H, W, 3) of the nearest of some places (H, W), and smoothed farther away."""
    nearest = nearest_of(colour, of)
    ending, plain = (blur_wide(nearest, share * len(colour)) for share in (_STREAKS, _PLAIN))
    return np.asarray(ending + deep * (plain - ending), np.float32)


def _worn(
    colour: Array, body: Array, skin: Array, settings: WarpSettings
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """What of the lower end of a body (H, W) is rather clothes than skin, and what is skin.

    All of it is clothes if hardly any is.
    """
    rows = np.arange(len(body))[:, None]
    body = body & (rows > np.flatnonzero(body.any(axis=1))[-1] - _LOWER_END * len(body))
    colours = weighted_lab(np.clip(colour, 0, 255).astype(np.uint8), settings.colour)
    from_skin = colour_distance(colours, colours[skin], settings.colour)
    if not np.isfinite(from_skin).all():
        return body, np.zeros_like(body)
    unlike = body & (from_skin >= max(np.percentile(from_skin[body], _LEAST_WORN), _SKIN_TONE))
    worn = body & (
        from_skin > np.minimum(colour_distance(colours, colours[unlike], settings.colour), _SKIN_TONE)
    )
    hue = drop_lightness(colours)
    worn &= colour_distance(hue, hue[skin], settings.colour) > _LIT * colour_distance(
        hue, hue[unlike], settings.colour
    )
    return (worn, body & ~worn) if worn.any() else (body, np.zeros_like(body))


def _necklines(bare: Array, known: Array) -> npt.NDArray[np.float32]:
    """Where skin (H, W) between clothes that reaches the end of what is known goes on below it, rounded."""
    side = len(known)
    last = side - 1 - known[::-1].argmax(axis=0)
    rows, columns = np.indices(known.shape)
    at_seam = known & (rows > last - _SEAM * side)
    of_skin = ((bare & at_seam).sum(axis=0) > 0.5 * at_seam.sum(axis=0)) & known.any(axis=0)
    edges = np.flatnonzero(np.diff(of_skin.astype(np.int8), prepend=0, append=0))
    neck = np.zeros(known.shape, np.float32)
    for left, right in edges.reshape(-1, 2):
        if right - left >= _LEAST_NECK * side:
            half, middle = (right - left) / 2, (left + right - 1) / 2
            deep = np.maximum(rows - last, 0) / (2 * half * _DEPTH)
            neck[((columns - middle) / half) ** 2 + deep**2 < 1] = 1
    return neck

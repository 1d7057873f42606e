"""The back of hair that hangs behind the neck: the hair that a photo shows on both sides, reflected."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.image.morphology import distance_to, nearest_of
from hifi_portrait.warp.settings.photo_grid import SpaceSettings

_RIM = 1 / 80
"""Width of an outline, as a fraction of the side."""

_OTHER = 0.2
"""Fraction of hair below which a place is surely something else; the outline of hair is blurred."""

_MIXED = 2.5
"""Width, in places of the grid, of the border in which a photo mixes hair with what is before it."""


@dataclass(frozen=True, eq=False)
class HairBack:
    """Hair that hangs behind a neck.

    Attributes
    ----------
    places
        (G, G, 2) of the photo, as fractions of its side, whose colours the back has.
    known
        (G, G), where these are hair; elsewhere colours go on from there.
    alpha
        (G, G) in [0, 1], where the back is hair.
    """

    places: FloatArray
    known: BoolArray
    alpha: FloatArray


def hang_behind(of_head: BoolArray, hanging: BoolArray, settings: SpaceSettings) -> BoolArray | None:
    """Find where hair hangs behind the neck: in each row, between what hangs on its two sides.

    Parameters
    ----------
    of_head
        (G, G), the silhouette of head and hair.
    hanging
        (G, G), hair beside and below the head.
    settings
        Over what height it has to hang there.

    Returns
    -------
    ndarray or None
        (G, G), `of_head` and what lies between the two sides; None where hair hangs on one side or on none.
    """
    if not hanging.any():
        return None
    column = np.arange(of_head.shape[1])
    middle = float(np.median(np.nonzero(of_head)[1]))
    left, right = hanging & (column < middle), hanging & (column >= middle)
    rows = np.flatnonzero(left.any(axis=1) & right.any(axis=1))
    if len(rows) < settings.least_hanging * len(of_head):
        return None
    closed = of_head.copy()
    for row in rows:
        closed[row, left[row].argmax() : len(column) - right[row, ::-1].argmax()] = True
    return closed


def place_hair_back(
    of_head: BoolArray,
    hair: Array,
    matte: Array,
    below_ears: Array,
    behind: BoolArray,
    settings: SpaceSettings,
) -> HairBack:
    """Find what the back of a head with long hair shows.

    Behind hair it is that hair. Behind face and neck it is the band of hair at the nearest outline, reflected
    to and fro. Above the ears the scalp's own shell is the back, and where the photo shows background beside
    the neck, such as within a curl, nothing hangs there.

    Parameters
    ----------
    of_head
        (G, G), the silhouette of head and hair.
    hair
        (G, G) in [0, 1], where the front is hair.
    matte
        (G, G) in [0, 1], the person.
    below_ears
        (G, G) fraction of the side below the end of the ears, negative above.
    behind
        (G, G), `hang_behind`.
    settings
        Width of bands, and where the back begins.
    """
    side = len(hair)
    y, x = np.mgrid[0:side, 0:side] + 0.5
    everywhere = np.stack([x, y], axis=-1)
    longer = lengthen(behind)
    distance, label = cv2.distanceTransformWithLabels(
        longer.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.asarray(label, np.int64)
    outline = nearest_of(everywhere, ~longer) if not longer.all() else everywhere
    is_hair = of_head & (hair > 0.5)
    is_hair &= distance_to(of_head & (hair < _OTHER)) > _MIXED  # at their border hair and skin are mixed
    width = np.zeros(nearest.max() + 1, np.float32)
    np.maximum.at(width, nearest[is_hair], distance[is_hair])
    least, most = (fraction * side for fraction in settings.hair_band)
    band = cv2.GaussianBlur(np.clip(width[nearest], least, most), (0, 0), _RIM * side)
    reflected = np.maximum(np.abs((distance / band + 1) % 2 - 1) * band, 2)
    inwards = (everywhere - outline) / np.maximum(distance, 1e-3)[..., None]
    places = np.where(is_hair[..., None], everywhere, outline + reflected[..., None] * inwards)
    column, row = np.clip(np.moveaxis(places, -1, 0), 0, side - 1).astype(np.int64)
    known = is_hair[row, column] & behind
    alpha = smoothstep(below_ears, *settings.back_from) * behind * matte
    return HairBack((places / side).astype(np.float32), known, np.asarray(alpha, np.float32))


def lengthen(silhouette: BoolArray) -> BoolArray:
    """Continue a silhouette's last row to the picture's edge, so that its outlines are those beside it."""
    rows = np.flatnonzero(silhouette.any(axis=1))
    if not len(rows):
        return silhouette
    longer = silhouette.copy()
    longer[rows[-1] :] |= silhouette[rows[-1]]
    return longer

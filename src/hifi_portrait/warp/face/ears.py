"""Keep the photos' own ears out of the hair: the mesh has ears, and a head would have four.

Where an ear stands out farther than that of the fitted mesh, its tip lies off the mesh, beside the hair. Near
the mesh's ears, what has rather the colour of the skin than that of the hair is ear, unless hair covers it.
"""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.image.colour import colour_distance
from hifi_portrait.warp.image.morphology import disc, square
from hifi_portrait.warp.settings import EarSettings, WarpSettings


def row_below_ears(rows: Array, height: int, model: HeadModel) -> int:
    """Find the row below the ears, inside a picture, from the rows (V,) of projected vertices."""
    lowest = rows[np.concatenate(ear_vertices(model))].max()
    return int(np.clip(lowest + 1, 0, height))


def remove_ears(
    loose: Array, colours: Array, xy: Array, visibility: Array, model: HeadModel, settings: WarpSettings
) -> FloatArray:
    """Remove ears from what of a photo's person is off the mesh.

    Parameters
    ----------
    loose
        (S, S) in [0, 1], the person off the mesh.
    colours
        (S, S, 3) of the photo, from `weighted_lab`.
    xy, visibility
        (V, 2) places of the vertices as fractions of the side, and (V,) how well each is seen.
    model
        Whose vertices they are.
    settings
        Those of ears and of comparing colours.
    """
    own, side = settings.ears, len(colours)
    skin = part_vertices(model, Part.SKIN)
    skin = np.clip((xy[skin[visibility[skin] > own.min_visibility]] * side).astype(np.int64), 0, side - 1)
    ears = [_find_ear(xy[ear], side, own.reach) for ear in ear_vertices(model)]
    if len(skin) == 0 or not any(near.any() for _, near in ears):
        return np.asarray(loose, np.float32)
    hair = (loose > 0.7) & ~(ears[0][1] | ears[1][1])
    hair[int(np.clip(xy[np.concatenate(ear_vertices(model)), 1].max(), 0, 1) * side) :] = False  # clothes
    from_skin = colour_distance(colours, colours[skin[:, 1], skin[:, 0]], settings.colour)
    from_hair = colour_distance(colours, colours[hair], settings.colour)
    is_skin, is_hair = from_skin < from_hair, from_hair < own.max_hair_distance
    dropped = np.zeros(loose.shape, np.uint8)
    for inside, near in ears:
        if not near.any():
            continue
        beside = near & ~inside & (loose > 0.5)
        bare = [is_skin[place].mean() for place in (inside, beside) if place.any()]
        if bare and not _hangs_below(loose * is_hair, near, own) and np.mean(bare) > own.bare_fraction:
            dropped[near & is_skin] = 1
    grown = cv2.morphologyEx(dropped, cv2.MORPH_CLOSE, square(own.reach / 2 * side))
    soft = cv2.GaussianBlur(grown.astype(np.float32), (0, 0), max(1.0, own.softness * side))
    return np.asarray(loose * (1 - np.clip(2 * soft, 0, 1)), np.float32)


def _hangs_below(hair: Array, near: Array, settings: EarSettings) -> bool:
    """Whether hair goes on below an ear: then what is beside the ear is hair too."""
    if not near.any():
        return False
    rows, columns = np.nonzero(near)
    below = rows.max() + 1
    reach = round(2 * settings.reach * len(hair))
    hanging = hair[below : below + reach, columns.min() : columns.max() + 1]
    return bool(hanging.size and hanging.mean() > settings.hanging_fraction)


def _find_ear(places: Array, side: int, reach: float) -> tuple[BoolArray, BoolArray]:
    """Where an ear of the mesh is, and where it and all around it is, both (side, side)."""
    inside = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.round(places * side).astype(np.int32)), 1)
    around = disc(2 * reach * side)
    return inside.astype(bool), cv2.dilate(inside, around).astype(bool)

"""Keep the photos' own ears out of the hair: the mesh has ears, and a head would have four.

Where an ear stands out farther than that of the fitted mesh, its tip lies off the mesh, beside the hair. Near
the mesh's ears, what has rather the colour of the skin than that of the hair is ear, unless hair covers it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.warp.image.colour import colour_distance
from hifi_portrait.warp.image.morphology import disc, square
from hifi_portrait.warp.settings import WarpSettings

NO_CLOTHES = 35.0
"""Distance, in `weighted_lab`, from the hair's colour beyond which something is clothes."""

_OUTERMOST = 0.85  # share of the mean head's half width beyond which its skin is an ear's
_REACH = 0.07  # share of the picture's side by which an ear may stand out of the mesh's
_BARE = 0.42  # mean of the shares of skin in and beside an ear from which on hair does not cover it
_HANGING = 0.4  # share of the area below an ear that is hair if it is long
_SOFTNESS = 0.012  # share of the side over which the decision fades

Array = npt.NDArray[Any]


@lru_cache(maxsize=4)
def ear_vertices(model: HeadModel) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indices of the vertices of the right and of the left ear."""
    skin = part_vertices(model, Part.SKIN)
    across = model.mean[skin, 0]
    limit = _OUTERMOST * np.abs(across).max()
    return skin[across < -limit], skin[across > limit]


def ears_end(rows: Array, height: int, model: HeadModel) -> int:
    """The row below the ears of vertices that are projected to rows (V,) of a picture, inside the picture."""
    lowest = rows[np.concatenate(ear_vertices(model))].max()
    return int(np.clip(lowest + 1, 0, height))


def without_ears(
    loose: Array, colours: Array, xy: Array, visibility: Array, model: HeadModel, settings: WarpSettings
) -> npt.NDArray[np.float32]:
    """What of a photo's person is off the mesh and no ear.

    Parameters
    ----------
    loose
        (S, S) in [0, 1], the person off the mesh.
    colours
        (S, S, 3) of the photo, from `weighted_lab`.
    xy, visibility
        (V, 2) places of the vertices as shares of the side, and (V,) how well each is seen.
    model
        Whose vertices they are.
    settings
        Those of ears and of comparing colours.
    """
    side = len(colours)
    skin = part_vertices(model, Part.SKIN)
    skin = np.clip((xy[skin[visibility[skin] > 0.4]] * side).astype(np.int64), 0, side - 1)
    ears = [_ear(xy[ear], side) for ear in ear_vertices(model)]
    if len(skin) == 0 or not any(near.any() for _, near in ears):
        return np.asarray(loose, np.float32)
    hair = (loose > 0.7) & ~(ears[0][1] | ears[1][1])
    hair[int(np.clip(xy[np.concatenate(ear_vertices(model)), 1].max(), 0, 1) * side) :] = False  # clothes
    from_skin = colour_distance(colours, colours[skin[:, 1], skin[:, 0]], settings.colour)
    from_hair = colour_distance(colours, colours[hair], settings.colour)
    is_skin, is_hair = from_skin < from_hair, from_hair < NO_CLOTHES
    dropped = np.zeros(loose.shape, np.uint8)
    for inside, near in ears:
        if not near.any():
            continue
        beside = near & ~inside & (loose > 0.5)
        bare = [is_skin[place].mean() for place in (inside, beside) if place.any()]
        if bare and not _hangs_below(loose * is_hair, near) and np.mean(bare) > _BARE:
            dropped[near & is_skin] = 1
    grown = cv2.morphologyEx(dropped, cv2.MORPH_CLOSE, square(_REACH / 2 * side))
    soft = cv2.GaussianBlur(grown.astype(np.float32), (0, 0), max(1.0, _SOFTNESS * side))
    return np.asarray(loose * (1 - np.clip(2 * soft, 0, 1)), np.float32)


def _hangs_below(hair: Array, near: Array) -> bool:
    """Whether hair goes on below an ear: then what is beside the ear is hair too."""
    if not near.any():
        return False
    rows, columns = np.nonzero(near)
    below = rows.max() + 1
    reach = round(2 * _REACH * len(hair))
    hanging = hair[below : below + reach, columns.min() : columns.max() + 1]
    return bool(hanging.size and hanging.mean() > _HANGING)


def _ear(places: Array, side: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Where an ear of the mesh is, and where it and all around it is, both (side, side)."""
    inside = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.round(places * side).astype(np.int32)), 1)
    around = disc(2 * _REACH * side)
    return inside.astype(bool), cv2.dilate(inside, around).astype(bool)

"""Clothes and necks that stand out of the mesh's shoulders: collars, the rims of sleeves.

They move with the shoulders, hair moves with the head; so each is told from the other.
"""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.warp.image.colour import colour_distance
from hifi_portrait.warp.image.morphology import distance_to
from hifi_portrait.warp.settings import WarpSettings


def split_hair_and_clothes(
    loose: Array, colours: Array, head: Array, body: Array, settings: WarpSettings
) -> tuple[FloatArray, FloatArray]:
    """Split what of a photo's person is off the mesh: what goes with the head, and what with the shoulders.

    Below the ears clothes and skin go with the shoulders, but skin along the head's outline with neither: it
    is a cheek, wider than the mesh's.

    Parameters
    ----------
    loose
        (S, S) in [0, 1], the person off the mesh.
    colours
        (S, S, 3) of the photo, from `weighted_lab`.
    head, body
        (S, S) bool, where the mesh's head and its shoulders are seen.
    settings
        Those of clothes and of comparing colours.

    Returns
    -------
    hair, clothes
        (S, S) in [0, 1].
    """
    own, side = settings.split, len(colours)
    rows = np.arange(side)[:, None]
    occupied = np.flatnonzero(head.any(axis=1))
    top, chin = (int(occupied[0]), int(occupied[-1])) if len(occupied) else (0, 0)
    low = rows > chin - own.neck_height * (chin - top)
    by_head, by_body = distance_to(head), distance_to(body)
    worn = body & (rows > np.median(np.nonzero(body)[0])) if body.any() else body
    samples = (loose > own.solid_alpha) & ~low, worn, head
    from_hair, from_clothes, from_skin = (
        colour_distance(colours, colours[sample], settings.colour) for sample in samples
    )
    rim = own.cheek_rim * side
    skin = low & (from_skin < np.minimum(from_hair, from_clothes))
    outermost = distance_to(loose + head + body < 0.5) < rim
    cheek = _find_majority(skin & outermost & (by_head < np.minimum(by_body, rim)), loose, own.window)
    alike = (from_clothes <= from_hair) | (skin & (by_body < rim))
    alike = np.where(np.isfinite(from_hair), alike, by_body < by_head)
    clothes = _find_majority(low & alike, loose, own.window) & low & ~cheek & body.any()
    loose = np.asarray(loose * ~cheek, np.float32)
    return loose * ~clothes, loose * clothes


def _find_majority(mask: Array, loose: Array, window: float) -> BoolArray:
    """Where the greater part of what is loose around is of a mask."""
    size = (2 * round(window * len(mask)) + 1,) * 2
    return np.asarray(cv2.blur(np.asarray(loose * mask, np.float32), size) > 0.5 * cv2.blur(loose, size))

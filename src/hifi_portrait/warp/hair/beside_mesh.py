"""Hair that a photo shows beside the fitted mesh, whose head is bald."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.warp.clothing.split import split_hair_and_clothes
from hifi_portrait.warp.face.ears import remove_ears
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.image.colour import weighted_lab
from hifi_portrait.warp.mesh_in_photo import mesh_in_photo
from hifi_portrait.warp.settings import LooseHairSettings, WarpSettings


def find_loose_hair(
    crop: Array, matte: Array, xy: Array, visibility: Array, model: HeadModel, settings: WarpSettings
) -> FloatArray:
    """How far a photo shows hair beside the mesh at each place, (S, S) in [0, 1].

    It is what of the person is beside the mesh without ears, cheeks, necks and clothes, and without crumbs.

    Parameters
    ----------
    crop, matte
        (S, S, 3) uint8 and (S, S) in [0, 1], the photo and its person.
    xy, visibility
        (V, 2) places of the vertices as fractions of the side, and (V,) how well each is seen.
    model
        Whose vertices they are.
    settings
        Those of hair, clothes, ears and of comparing colours.
    """
    shown = mesh_in_photo(xy, model)
    head = (shown >= 0) & (model.parts != Part.SHOULDERS)[shown]
    loose = matte * (1 - _enlarge(_shrink_mask(shown >= 0), len(matte)))
    colours = weighted_lab(crop, settings.colour)
    loose = remove_ears(loose, colours, xy, visibility, model, settings)
    on_head, on_body = (_enlarge(mask, len(matte)) > 0.5 for mask in (head, (shown >= 0) & ~head))
    hair, _ = split_hair_and_clothes(loose, colours, on_head, on_body, settings)
    ears = float(xy[np.concatenate(ear_vertices(model)), 1].max())
    return np.asarray(hair * find_pieces(hair, settings.loose_hair, ears), np.float32)


def find_pieces(alpha: Array, settings: LooseHairSettings, above: float = 1.0) -> BoolArray:
    """Where an alpha (H, W) is in pieces that are no crumbs and begin above a fraction of the height."""
    there = alpha > settings.crumb_alpha
    _, piece, stats, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8))
    kept = stats[:, cv2.CC_STAT_AREA] >= settings.max_crumb * alpha.size
    kept &= stats[:, cv2.CC_STAT_TOP] < above * len(alpha)
    return np.asarray(there & kept[piece])


def _shrink_mask(mask: Array) -> Array:
    """Shrink a mask (h, h) to a little inside its outline, where mesh and person part."""
    return cv2.erode(mask.astype(np.float32), np.ones((5, 5), np.uint8))


def _enlarge(mask: Array, side: int) -> Array:
    return cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)

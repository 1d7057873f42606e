"""Hair that a photo shows beside the fitted mesh, whose head is bald, and over its shoulders."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.clothing.split import split_hair_and_clothes
from hifi_portrait.warp.face.ears import remove_ears
from hifi_portrait.warp.face.places import cheek_vertices, ear_vertices
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.colour import colour_distance, weighted_lab
from hifi_portrait.warp.image.morphology import distance_to, touching
from hifi_portrait.warp.mesh_in_photo import mesh_in_photo
from hifi_portrait.warp.settings import LooseHairSettings, WarpSettings


@dataclass(frozen=True, eq=False)
class LooseHair:
    """How far a photo shows hair at each place, (S, S) in [0, 1] each.

    Attributes
    ----------
    beside
        Beside the mesh.
    on_body
        Over the mesh's shoulders, or its neck.
    alike
        Anywhere: where colours are rather the hair's than the face's. It is for the scalp, where hair may
        begin anywhere.
    """

    beside: FloatArray
    on_body: FloatArray
    alike: FloatArray


def find_loose_hair(
    crop: Array, matte: Array, xy: Array, visibility: Array, model: HeadModel, settings: WarpSettings
) -> LooseHair:
    """Find what hair a photo shows off the mesh's head.

    Beside the mesh it is what of the person is left without ears, cheeks, necks and clothes, and without
    crumbs. Over the shoulders it is what has its colour and hangs together with it.

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
    loose = matte * beyond_mesh(shown, len(matte))
    colours = weighted_lab(crop, settings.colour)
    loose = remove_ears(loose, colours, xy, visibility, model, settings)
    on_head, on_body = (enlarge(mask, len(matte)) > 0.5 for mask in (head, (shown >= 0) & ~head))
    hair, _ = split_hair_and_clothes(loose, colours, on_head, on_body, settings)
    ears = float(xy[np.concatenate(ear_vertices(model)), 1].max())
    beside = np.asarray(hair * find_pieces(hair, settings.loose_hair, ears), np.float32)
    on_shoulders = _find_on_body(beside, colours, on_head, on_body, settings)
    return LooseHair(beside, on_shoulders, _find_alike(beside, colours, xy, model, settings))


def _find_alike(
    beside: Array, colours: Array, xy: Array, model: HeadModel, settings: WarpSettings
) -> FloatArray:
    """Find where colours (S, S, 3) are rather those of hair than those of the cheeks, (S, S) in [0, 1]."""
    side = len(beside)
    grown = scalp(model, settings.scalp)
    crown = grown.vertices[grown.fullness > settings.loose_hair.crown]
    sample = beside > 0.9
    x, y = np.clip(xy[crown] * side, 0, side - 1).astype(np.int64).T
    sample[y, x] = True
    x, y = np.clip(xy[cheek_vertices(model)] * side, 0, side - 1).astype(np.int64).T
    from_hair = colour_distance(colours, colours[sample], settings.colour)
    from_skin = colour_distance(colours, colours[y, x], settings.colour)
    if not (np.isfinite(from_hair).all() and np.isfinite(from_skin).all()):
        return np.zeros_like(beside)
    share = from_skin / np.maximum(from_hair + from_skin, 1e-6)
    return np.asarray(smoothstep(share, *settings.loose_hair.alike), np.float32)


def _find_on_body(
    beside: Array, colours: Array, on_head: BoolArray, on_body: BoolArray, settings: WarpSettings
) -> FloatArray:
    """Find hair (S, S) over the shoulders: of the colour of what is beside them, and joined with it.

    Close below the chin what is dark is its shadow.
    """
    own, sample, side = settings.loose_hair, beside > 0.9, len(beside)
    rows = np.nonzero(on_body)[0]
    worn = on_body & (np.arange(side)[:, None] > (np.median(rows) if len(rows) else side))
    if sample.sum() < own.min_sample * beside.size or not worn.any():
        return np.zeros_like(beside)
    samples = colours[sample], colours[worn]
    from_hair, from_worn = (colour_distance(colours, each, settings.colour) for each in samples)
    alike = on_body & (from_hair < own.on_body * from_worn)
    alike &= distance_to(on_head) > own.chin_shadow * side
    alike = cv2.morphologyEx(alike.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0
    return touching(alike & on_body, beside > 0.5).astype(np.float32)


def find_pieces(alpha: Array, settings: LooseHairSettings, above: float = 1.0) -> BoolArray:
    """Where an alpha (H, W) is in pieces that are no crumbs and begin above a fraction of the height."""
    there = alpha > settings.crumb_alpha
    _, piece, stats, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8))
    kept = stats[:, cv2.CC_STAT_AREA] >= settings.max_crumb * alpha.size
    kept &= stats[:, cv2.CC_STAT_TOP] < above * len(alpha)
    return np.asarray(there & kept[piece])


def beyond_mesh(shown: Array, side: int) -> FloatArray:
    """Find what is beside the mesh, (side, side) in [0, 1], from a little inside its outline on.

    Parameters
    ----------
    shown
        (h, h) the triangle that each place shows, -1 where none: `mesh_in_photo`.
    side
        Of the result.
    """
    inside = cv2.erode((shown >= 0).astype(np.float32), np.ones((5, 5), np.uint8))
    return np.asarray(1 - enlarge(inside, side), np.float32)


def enlarge(mask: Array, side: int) -> FloatArray:
    """Enlarge a mask (h, h) to (side, side) in [0, 1]."""
    return np.asarray(
        cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR), np.float32
    )

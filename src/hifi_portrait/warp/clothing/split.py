"""Clothes and necks that stand out of the mesh's shoulders: collars, the rims of sleeves.

They move with the shoulders, hair moves with the head; so each is told from the other and looked up beside
the surface that it is next to.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.image.colour import colour_distance
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import distance_to
from hifi_portrait.warp.settings import ClothesSplitSettings, WarpSettings


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


@dataclass(frozen=True, eq=False)
class Dress:
    """The clothes of one reference.

    Attributes
    ----------
    crop
        (S, S, 3) uint8.
    clothes
        (S, S) in [0, 1], from `split_hair_and_clothes`.
    shown
        (S, S) in [0, 1], where the crop shows the photo.
    xy
        (V, 2) places of the vertices, as fractions of the side.
    scale
        Of the person in the photo, to that in the target's picture.
    """

    crop: Array
    clothes: Array
    shown: Array
    xy: Array
    scale: float


def draw_beside_shoulders(
    dress: Dress, raster: Raster, triangles: Array, is_body: Array, settings: ClothesSplitSettings
) -> tuple[Array, Array]:
    """Draw clothes around the target's shoulders.

    A place is looked up as far from the reference's surface as it is from the target's: the surface's way
    from the one picture to the other goes on smoothly beyond its edge. Below the photo's end clothes go on as
    they end there.

    Parameters
    ----------
    dress
        What is worn.
    raster
        The target's.
    triangles, is_body
        (F, 3), and (F,) bool for those of the shoulders.
    settings
        How far clothes stand out.

    Returns
    -------
    colour
        (H, W, 3) float32.
    alpha
        (H, W) float32 in [0, 1]; 0 on the mesh.
    """
    triangle = raster.triangle
    height, width = triangle.shape
    body = (triangle >= 0) & is_body[triangle]
    place = (np.indices((height, width))[::-1].transpose(1, 2, 0) + 0.5) / height * dress.scale
    corners = dress.xy[triangles[triangle[body]]]
    moved = np.zeros((height, width, 2), np.float32)
    moved[body] = (raster.barycentric[body][..., None] * corners).sum(axis=1) - place[body]
    at = ((inpaint(moved, body.astype(np.float32)) + place) * len(dress.crop) - 0.5).astype(np.float32)
    at[..., 1] = np.minimum(at[..., 1], np.flatnonzero(dress.shown.any(axis=1))[-1])
    beside = (triangle < 0) & (distance_to(body) < settings.reach * height)
    colour, alpha = (
        cv2.remap(np.asarray(values, np.float32), at[..., 0], at[..., 1], cv2.INTER_LINEAR)
        for values in (dress.crop, dress.clothes * _fade_sides(dress.shown, settings.edge_fade))
    )
    return colour, alpha * beside


def _fade_sides(shown: Array, length: float) -> FloatArray:
    """Make a mask (S, S) that falls to 0 at a photo's left and right edge, beyond which nothing is known."""
    columns, side = np.flatnonzero(shown.any(axis=0)), len(shown)
    inwards = np.minimum(np.arange(side) - columns[0], columns[-1] - np.arange(side)) / (length * side)
    return np.broadcast_to(np.clip(inwards, 0, 1), (side, side)).astype(np.float32)

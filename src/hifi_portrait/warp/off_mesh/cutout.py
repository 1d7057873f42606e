"""What of a reference's person is off the mesh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import rasterise
from hifi_portrait.warp.clothing.split import split_hair_and_clothes
from hifi_portrait.warp.face.ears import remove_ears
from hifi_portrait.warp.face.places import cheek_vertices, ear_vertices
from hifi_portrait.warp.image.colour import colour_distance, weighted_lab
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import distance_to
from hifi_portrait.warp.off_mesh.edges import find_pieces
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources

OUTLINE_SIDE = 128
"""Side in pixels of the pictures in which outlines are found."""

OUTLINE_DIRECTIONS = 120
"""Number of directions in which an outline's radius is measured."""


@dataclass(frozen=True, eq=False)
class Cutout:
    """What of a reference's person is off the mesh.

    Attributes
    ----------
    crop
        (S, S, 3) uint8.
    hair, clothes
        (S, S) in [0, 1].
    outline
        Of the mesh's head, from `measure_outline`.
    reach
        Fraction of the side by which hair stands off the mesh, at most; infinite if it is long.
    """

    crop: Array
    hair: Array
    clothes: Array
    outline: Array
    reach: float

    @classmethod
    def of(cls, sources: Sources, reference: int, model: HeadModel, settings: WarpSettings) -> Self:
        """Of one of the references, by its number."""
        crop, matte, xy = (values[reference] for values in (sources.crops, sources.mattes, sources.xy))
        is_head = model.parts != Part.SHOULDERS
        shown = mesh_in_photo(xy, model)
        head = (shown >= 0) & is_head[shown]
        loose = matte * (1 - _resized(_inner(shown >= 0), len(matte)))
        colours = weighted_lab(crop, settings.colour)
        loose = remove_ears(loose, colours, xy, sources.tables[reference, :, 2], model, settings)
        on_head, on_body = (_resized(mask, len(matte)) > 0.5 for mask in (head, (shown >= 0) & ~head))
        hair, clothes = split_hair_and_clothes(loose, colours, on_head, on_body, settings)
        ears = xy[np.concatenate(ear_vertices(model)), 1].max()
        hair = hair * find_pieces(hair, settings.edges, ears)
        hair = remove_backdrop(hair, crop, matte, settings)
        reach = _measure_reach(hair, on_head, ears, settings)
        if reach == np.inf:
            crop = remove_cheeks(crop, colours, hair, on_head, xy, model, settings)
        return cls(crop, hair, clothes, measure_outline(head), reach)


def mesh_in_photo(xy: Array, model: HeadModel) -> Array:
    """Find the triangle that each place of a photo shows, (h, h), coarsely; -1 where it shows none.

    ``xy`` (V, 2) are the places of the vertices, as fractions of the photo's side.
    """
    nearness = np.ones(len(xy))
    nearness[model.triangles[model.parts != Part.SHOULDERS]] = 2  # over the shoulders
    return rasterise(xy * OUTLINE_SIDE, nearness, model.triangles, OUTLINE_SIDE, OUTLINE_SIDE).triangle


def _measure_reach(hair: Array, on_head: Array, ears: float, settings: WarpSettings) -> float:
    """How far hair (S, S) stands off a head above the place of the ears' end, as a fraction of the side.

    Infinite for long hair, which goes on below. What little of short hair seems to hang there is a shadow.
    """
    side = len(hair)
    shown, below = hair > settings.edges.strand_alpha, np.arange(side)[:, None] >= ears * side
    if (shown & below).mean() > settings.cutout.long_fraction:
        return np.inf
    away = distance_to(on_head)[shown & ~below]
    return float(np.percentile(away, settings.cutout.reach_percent)) / side if len(away) else 0.0


def remove_cheeks(
    crop: Array,
    colours: Array,
    hair: Array,
    on_head: Array,
    xy: Array,
    model: HeadModel,
    settings: WarpSettings,
) -> ByteArray:
    """Continue a photo's long hair to the mesh, where a cheek or an ear that stands out of it shows.

    Parameters
    ----------
    crop, colours
        (S, S, 3) uint8, and the same from `weighted_lab`.
    hair, on_head
        (S, S) in [0, 1], and (S, S) bool, where the mesh's head is.
    xy, model
        (V, 2) places of the model's vertices, as fractions of the side.
    settings
        Those of what is off the mesh and of comparing colours.
    """
    own = settings.cutout
    side = len(hair)
    near = distance_to(on_head) < own.cheek_rim * side
    above = np.arange(side)[:, None] < xy[np.concatenate(ear_vertices(model)), 1].min() * side
    face = np.clip((xy[cheek_vertices(model)] * side).astype(np.int64), 0, side - 1)
    from_skin = colour_distance(colours, colours[face[:, 1], face[:, 0]], settings.colour)
    from_hair = colour_distance(colours, colours[(hair > own.solid_matte) & (above | ~near)], settings.colour)
    cheek = near & ~above & (hair > 0) & (from_skin < own.sure_skin * from_hair)
    of_hair = (hair > own.solid_matte) & (from_hair < np.minimum(from_skin, settings.ears.max_hair_distance))
    if of_hair.mean() < own.long_fraction:
        return np.asarray(crop, np.uint8)
    around = inpaint(crop.astype(np.float32), of_hair.astype(np.float32))
    return np.where(cheek[..., None], np.clip(around, 0, 255), crop).astype(np.uint8)


def remove_backdrop(hair: Array, crop: Array, matte: Array, settings: WarpSettings) -> FloatArray:
    """Remove from hair (S, S) what of the backdrop a matte shows between curls, if the two differ in colour.

    Parameters
    ----------
    hair
        (S, S) in [0, 1].
    crop, matte
        (S, S, 3) uint8 and (S, S) in [0, 1], the photo and its person.
    settings
        Those of what is off the mesh and of comparing colours.
    """
    own, colours = settings.cutout, weighted_lab(crop, settings.colour)
    behind = inpaint(colours, (matte < own.backdrop_matte).astype(np.float32))
    from_hair = colour_distance(colours, colours[hair > own.solid_matte], settings.colour)
    from_behind = np.linalg.norm(colours - behind, axis=2)
    if not np.isfinite(from_hair).all():
        return hair
    apart = np.median(from_behind[hair > own.solid_matte])
    way = from_behind / np.maximum(from_behind + from_hair, 1e-6)
    begin, end = own.backdrop_edge
    clear = np.clip((way - begin) / (end - begin), 0, 1)
    return np.asarray(hair * (clear if apart > own.distinct_backdrop else 1), np.float32)


def _inner(mask: Array) -> Array:
    """Shrink a mask (h, h) to a little inside its outline.

    What is on the mesh belongs to the surface: off the target's mesh it must not appear a second time.
    """
    return cv2.erode(mask.astype(np.float32), np.ones((5, 5), np.uint8))


def _resized(mask: Array, side: int) -> Array:
    return cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)


def measure_outline(mask: Array) -> FloatArray:
    """Centre x and y of a head's mask, then its radius in each direction, as fractions of the height."""
    height = len(mask)
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return np.concatenate([[0.5, 0.5], np.full(OUTLINE_DIRECTIONS, 0.2)]).astype(np.float32)
    x, y = (columns + 0.5) / height, (rows + 0.5) / height
    centre_x, centre_y = x.mean(), y.mean()
    angle = np.arctan2(y - centre_y, x - centre_x)
    direction = np.round(angle / (2 * np.pi) * OUTLINE_DIRECTIONS).astype(np.int64) % OUTLINE_DIRECTIONS
    radius = np.zeros(OUTLINE_DIRECTIONS)
    np.maximum.at(radius, direction, np.hypot(x - centre_x, y - centre_y))
    radius = np.where(radius > 0, radius, radius.mean())
    smooth = sum(np.roll(radius, shift) for shift in (-1, 0, 1)) / 3
    return np.concatenate([[centre_x, centre_y], smooth]).astype(np.float32)

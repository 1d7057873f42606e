"""What of a reference's person is off the mesh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.raster import rasterise
from hifi_portrait.warp.clothing.split import hair_and_clothes
from hifi_portrait.warp.face.ears import NO_CLOTHES, ear_vertices, without_ears
from hifi_portrait.warp.image.colour import colour_distance, weighted_lab
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import distance_to
from hifi_portrait.warp.off_mesh.edges import STRAND_ALPHA, in_pieces
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources

_COARSE = 128  # side in pixels of the pictures in which outlines are found
_SOLID = 0.9  # share of a matte from which on a colour is the person's alone
_LONG = 0.015  # share of a photo that hair below the ears takes if it is long
_CHEEK = 0.035  # share of the side by which a cheek may stand out of the mesh
_SURE = 0.5  # share of the distance from hair's colour below which one is skin's for sure
_BACKDROP = 0.05  # matte below which there is nothing of a person
_DISTINCT = 20.0  # difference of `weighted_lab` from which on hair is told from what is behind it
_THROUGH = (0.12, 0.3)  # share of the way from its colour to hair's between which hair begins
_DIRECTIONS = 120  # in which an outline's radius is measured

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Cutout:
    """What of a reference's person is off the mesh.

    Attributes
    ----------
    crop
        (S, S, 3) uint8.
    hair, clothes
        (S, S) in [0, 1].
    outline
        Of the mesh's head, from `outline_of`.
    reach
        Share of the side by which hair stands off the mesh, at most; infinite if it is long.
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
        loose = without_ears(loose, colours, xy, sources.tables[reference, :, 2], model, settings)
        on_head, on_body = (_resized(mask, len(matte)) > 0.5 for mask in (head, (shown >= 0) & ~head))
        hair, clothes = hair_and_clothes(loose, colours, on_head, on_body, settings)
        ears = xy[np.concatenate(ear_vertices(model)), 1].max()
        hair = hair * in_pieces(hair, ears)
        hair = without_backdrop(hair, crop, matte, settings)
        reach = _reach(hair, on_head, ears)
        if reach == np.inf:
            crop = without_cheeks(crop, colours, hair, on_head, xy, model, settings)
        return cls(crop, hair, clothes, outline_of(head), reach)


def mesh_in_photo(xy: Array, model: HeadModel) -> npt.NDArray[np.int32]:
    """The triangle that each place of a photo shows, (h, h), coarsely; -1 where it shows none.

    ``xy`` (V, 2) are the places of the vertices, as shares of the photo's side.
    """
    nearness = np.ones(len(xy))
    nearness[model.triangles[model.parts != Part.SHOULDERS]] = 2  # over the shoulders
    return rasterise(xy * _COARSE, nearness, model.triangles, _COARSE, _COARSE).triangle


def _reach(hair: Array, on_head: Array, ears: float) -> float:
    """How far hair (S, S) stands off a head above the place of the ears' end, as a share of the side.

    Infinite for long hair, which goes on below. What little of short hair seems to hang there is a shadow.
    """
    side = len(hair)
    shown, below = hair > STRAND_ALPHA, np.arange(side)[:, None] >= ears * side
    if (shown & below).mean() > _LONG:
        return np.inf
    away = distance_to(on_head)[shown & ~below]
    return float(np.percentile(away, 95)) / side if len(away) else 0.0


def without_cheeks(
    crop: Array,
    colours: Array,
    hair: Array,
    on_head: Array,
    xy: Array,
    model: HeadModel,
    settings: WarpSettings,
) -> npt.NDArray[np.uint8]:
    """A photo whose long hair goes on to the mesh, where a cheek or an ear that stands out of it shows."""
    side = len(hair)
    near = distance_to(on_head) < _CHEEK * side
    above = np.arange(side)[:, None] < xy[np.concatenate(ear_vertices(model)), 1].min() * side
    face = np.clip((xy[cheeks(model)] * side).astype(np.int64), 0, side - 1)
    from_skin = colour_distance(colours, colours[face[:, 1], face[:, 0]], settings.colour)
    from_hair = colour_distance(colours, colours[(hair > _SOLID) & (above | ~near)], settings.colour)
    cheek = near & ~above & (hair > 0) & (from_skin < _SURE * from_hair)
    of_hair = (hair > _SOLID) & (from_hair < np.minimum(from_skin, NO_CLOTHES))
    if of_hair.mean() < _LONG:
        return np.asarray(crop, np.uint8)
    around = inpaint(crop.astype(np.float32), of_hair.astype(np.float32))
    return np.where(cheek[..., None], np.clip(around, 0, 255), crop).astype(np.uint8)


@lru_cache(maxsize=4)
def cheeks(model: HeadModel) -> npt.NDArray[np.int64]:
    """Vertices between the eyes and the mouth, in front."""
    mean = model.mean[: model.num_vertices]
    eyes = mean[np.concatenate(model.eye_vertices)]
    teeth = mean[part_vertices(model, Part.UPPER_TEETH)]
    skin = part_vertices(model, Part.SKIN)
    place = mean[skin]
    between = (place[:, 2] < eyes[:, 2].min()) & (place[:, 2] > teeth[:, 2].max())
    return skin[between & (place[:, 1] < eyes[:, 1].max())]


def without_backdrop(
    hair: Array, crop: Array, matte: Array, settings: WarpSettings
) -> npt.NDArray[np.float32]:
    """Hair (S, S) without what of the backdrop a matte shows between curls, if the two differ in colour.

    Parameters
    ----------
    hair
        (S, S) in [0, 1].
    crop, matte
        (S, S, 3) uint8 and (S, S) in [0, 1], the photo and its person.
    settings
        Those of what is off the mesh and of comparing colours.
    """
    colours = weighted_lab(crop, settings.colour)
    behind = inpaint(colours, (matte < _BACKDROP).astype(np.float32))
    from_hair = colour_distance(colours, colours[hair > _SOLID], settings.colour)
    from_behind = np.linalg.norm(colours - behind, axis=2)
    if not np.isfinite(from_hair).all():
        return hair
    apart = np.median(from_behind[hair > _SOLID])
    share = from_behind / np.maximum(from_behind + from_hair, 1e-6)
    clear = np.clip((share - _THROUGH[0]) / (_THROUGH[1] - _THROUGH[0]), 0, 1)
    return np.asarray(hair * (clear if apart > _DISTINCT else 1), np.float32)


def _inner(mask: Array) -> Array:
    """A mask (h, h) a little inside its outline.

    What is on the mesh belongs to the surface: off the target's mesh it must not appear a second time.
    """
    return cv2.erode(mask.astype(np.float32), np.ones((5, 5), np.uint8))


def _resized(mask: Array, side: int) -> Array:
    return cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)


def outline_of(mask: Array) -> npt.NDArray[np.float32]:
    """Centre x and y of a head's mask, then its radius in each direction, as shares of the height."""
    height = len(mask)
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return np.concatenate([[0.5, 0.5], np.full(_DIRECTIONS, 0.2)]).astype(np.float32)
    x, y = (columns + 0.5) / height, (rows + 0.5) / height
    centre_x, centre_y = x.mean(), y.mean()
    angle = np.arctan2(y - centre_y, x - centre_x)
    direction = np.round(angle / (2 * np.pi) * _DIRECTIONS).astype(np.int64) % _DIRECTIONS
    radius = np.zeros(_DIRECTIONS)
    np.maximum.at(radius, direction, np.hypot(x - centre_x, y - centre_y))
    radius = np.where(radius > 0, radius, radius.mean())
    smooth = sum(np.roll(radius, shift) for shift in (-1, 0, 1)) / 3
    return np.concatenate([[centre_x, centre_y], smooth]).astype(np.float32)

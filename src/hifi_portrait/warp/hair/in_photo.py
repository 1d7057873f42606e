"""What the photo that decides shows of its hair: what hair that it does not show is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.hair.over_ears import hair_over_ears
from hifi_portrait.warp.hair.pieces import HairPieces, about_crown, find_pieces_of_hair
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.hair.strands import usual_colour
from hifi_portrait.warp.photo_grid.grid import grid_places, look_up
from hifi_portrait.warp.photo_grid.space import PhotoSpace
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources

_LIKELY = 0.7
"""Fraction from which on a place of a photo is taken to be hair, and of the person."""


@dataclass(frozen=True, eq=False)
class PhotoHair:
    """What a photo shows of its hair.

    Attributes
    ----------
    shown
        (H, W) in [0, 1], where what is drawn is hair by the photo's parsing; None if it was not parsed.
    over_ears
        (H, W) in [0, 1], where hair hides the skin about the ears; None if photos were not parsed.
    colour
        (3,) in [0, 255], that of most of it in the shade; None if it is not known.
    pieces
        Of it, for strands; None where there are none large enough.
    """

    shown: FloatArray | None = None
    over_ears: FloatArray | None = None
    colour: FloatArray | None = None
    pieces: HairPieces | None = None

    def crop(self, window: tuple[slice, slice]) -> Self:
        """Give what is shown in a part of the picture."""
        maps = {name: getattr(self, name) for name in ("shown", "over_ears")}
        return replace(self, **{name: None if each is None else each[window] for name, each in maps.items()})


def find_hair(sources: Sources, raster: Raster, model: HeadModel, settings: WarpSettings) -> PhotoHair:
    """Find what a raster (H, W) shows of the main reference's hair, and what that is made of."""
    main = sources.main
    space = sources.spaces[main]
    xy = sources.xy[main]
    made_of, covered = _hair_of(space, sources.colours[main], xy, model, settings)
    if space.parsed is None:
        return made_of
    shown = look_up(space.parsed[..., 0], raster.interpolate(xy, model.triangles)) * raster.mask
    over_ears = raster.interpolate(covered[:, None], model.triangles)[..., 0]
    return replace(made_of, shown=shown, over_ears=over_ears)


_found: WeakKeyDictionary[PhotoSpace, dict[object, tuple[PhotoHair, FloatArray]]] = WeakKeyDictionary()
"""What `_hair_of` found, by the photo: the same for every target."""


def _hair_of(
    space: PhotoSpace, photo: Array, xy: Array, model: HeadModel, settings: WarpSettings
) -> tuple[PhotoHair, FloatArray]:
    """Find what a photo's hair is made of, and which vertices (V,) it covers about the ears, once a photo."""
    known = _found.setdefault(space, {})
    if settings not in known:
        pieces = _find_pieces(space, photo, model, settings)
        covered = hair_over_ears(space, xy, model, settings.over_ears)
        known[settings] = PhotoHair(colour=_find_colour(space, photo), pieces=pieces), covered
    return known[settings]


def _find_colour(space: PhotoSpace, photo: Array) -> FloatArray | None:
    """Find the colour (3,) of a photo's parsed hair; None where there is none, or it was not parsed."""
    if space.parsed is None:
        return None
    hair = (space.parsed[..., 0] > _LIKELY) & (space.matte > _LIKELY)
    return usual_colour(look_up(photo, grid_places(len(hair)))[hair]) if hair.any() else None


def _find_pieces(
    space: PhotoSpace, photo: Array, model: HeadModel, settings: WarpSettings
) -> HairPieces | None:
    """Find the pieces of a photo's hair."""
    size = photo.shape[1::-1]
    about = space.raster.interpolate(about_crown(model, settings.scalp), model.triangles)
    fullness = scalp(model, settings.scalp).fullness_of(model.num_vertices)
    on_scalp = space.raster.interpolate(fullness[:, None], model.triangles)[..., 0] > 0
    hair = np.asarray(space.looseness * space.matte * on_scalp, np.float32)
    large, places = (np.asarray(cv2.resize(values, size), np.float32) for values in (hair, about))
    return find_pieces_of_hair(photo, large > _LIKELY, places, settings.strands)

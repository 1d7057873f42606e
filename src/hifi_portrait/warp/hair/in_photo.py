"""What the photo that decides shows of its hair: what hair that it does not show is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.numerics import smoothstep
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

_SIDES = 0.055
"""Metres beside the middle of the mean head from which on a place is at its side."""

_ENOUGH = 0.05
"""Fraction of the hair that must be there for its colour to count."""

_AS_SKIN = (0.65, 0.8)
"""Brightness of hair, in that of skin, between which a head comes to count as shaved."""


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
        known[settings] = PhotoHair(colour=_find_colour(space, photo, model), pieces=pieces), covered
    return known[settings]


def _find_colour(space: PhotoSpace, photo: Array, model: HeadModel) -> FloatArray | None:
    """Find the colour (3,) of a photo's parsed hair; None where there is none, or it was not parsed.

    Of a head whose hair is as bright as skin, shaved or bald on top, it is that of the sides.
    """
    if space.parsed is None:
        return None
    person = space.matte > _LIKELY
    hair = (space.parsed[..., 0] > _LIKELY) & person
    if not hair.any():
        return None
    colours = look_up(photo, grid_places(len(hair)))
    usual = usual_colour(colours[hair])
    across = space.raster.interpolate(model.mean[: model.num_vertices, :1], model.triangles)[..., 0]
    at_sides = space.raster.mask & (np.abs(across) > _SIDES)
    aside = hair & at_sides
    skin = person & space.raster.mask & ~at_sides & (space.parsed.max(axis=-1) < 1 - _LIKELY)
    if aside.sum() < _ENOUGH * hair.sum() or not skin.any():
        return usual
    brightness = usual.mean() / max(float(np.median(colours[skin].mean(axis=1))), 1.0)
    shaved = smoothstep(np.asarray(brightness), *_AS_SKIN)
    return np.asarray(usual + shaved * (usual_colour(colours[aside]) - usual), np.float32)


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

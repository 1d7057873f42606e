"""Cards: what a photo shows beside the mesh, as surfaces in space that carry the photo's own pixels."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from hifi_portrait.baked.parts import Card
from hifi_portrait.head.arrays import Array, BoolArray, ByteArray, FloatArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import Raster
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import distance_to, square
from hifi_portrait.warp.photo_grid.grid import grid_places, grid_triangles, look_up, spread_over
from hifi_portrait.warp.photo_grid.space import PhotoSpace
from hifi_portrait.warp.settings import WarpSettings

_STRIDE = 2
"""Every so many places of a photo's grid are a point of a card."""

_MARGIN = 0.02
"""Width of what is empty beside the person and still on a card, as a fraction of the photo's side."""

_OVERLAP = (0.008, 0.03)
"""Distances inside the mesh's outline, as fractions of the photo's side, between which a card fades out."""


def make_cards(
    space: PhotoSpace,
    colours: Array,
    matte: Array,
    shown: Array,
    part: BoolArray | None,
    settings: WarpSettings,
) -> list[Card]:
    """Make the cards of a photo: hair behind the neck, if any, and what is in front beside the mesh.

    Parameters
    ----------
    space
        Where the photo's places are.
    colours, matte, shown
        (S, S, 3) uint8, the person's own colours, going on beyond their edge; (S, S) the person, and where
        the crop shows the photo.
    part
        (G, G), what of the photo may be drawn; None for all of it.
    settings
        Those of the grid.
    """
    thin = _thin_out(space)
    side = thin.matte.shape[0]
    within = cv2.resize(np.asarray(shown, np.float32), (side, side)) > 0.99
    near = cv2.dilate(thin.matte, square(2 * _MARGIN * side)) > settings.space.person_matte
    inside = distance_to(~thin.raster.mask) / side
    fade = np.maximum(1 - smoothstep(inside, *_OVERLAP), np.where(_on_shoulders(thin), thin.looseness, 0))
    kept = near & within & (cv2.dilate(fade.astype(np.float32), square(3)) > 0)
    if part is not None:
        kept &= cv2.resize(part.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST) > 0
    triangles = grid_triangles(kept)
    apart = spread_over(thin.front[..., 1], triangles) > settings.grid.apart
    apart |= spread_over(thin.head_fraction, triangles) > settings.grid.apart_motion
    pixels = np.dstack([colours, np.clip(matte * 255 + 0.5, 0, 255)]).astype(np.uint8)
    cards = [_card(thin, grid_places(side), triangles[~apart], fade, pixels, is_back=False)]
    if thin.hair_back is not None and thin.back is not None:
        cards.insert(0, _make_back(thin, colours, settings))
    return [card for card in cards if len(card.triangles)]


def _on_shoulders(space: PhotoSpace) -> BoolArray:
    """Find where loose hair lies on the body rather than on the scalp: there the mesh does not show it."""
    return np.asarray(space.hanging > 0.3)


def _make_back(space: PhotoSpace, colours: Array, settings: WarpSettings) -> Card:
    """Make the card of hair that hangs behind the neck."""
    back = space.hair_back
    assert back is not None and space.back is not None
    side = len(back.alpha)
    mirrored = inpaint(look_up(colours, back.places, cv2.INTER_CUBIC), back.known.astype(np.float32))
    pixels = np.dstack([mirrored, 255 * back.alpha])
    triangles = grid_triangles(cv2.dilate(back.alpha, square(3)) > settings.space.person_matte)
    behind = replace(space, front=space.back, raster=_nothing(space.raster))
    uint8 = np.clip(pixels + 0.5, 0, 255).astype(np.uint8)
    return _card(behind, grid_places(side), triangles, np.ones((side, side)), uint8, is_back=True)


def _nothing(raster: Raster) -> Raster:
    """Give a raster that shows nothing."""
    return Raster(np.full_like(raster.triangle, -1), np.zeros_like(raster.barycentric), raster.depth)


def _thin_out(space: PhotoSpace) -> PhotoSpace:
    """Keep every other place, or so, of a photo's grid."""
    offset = _STRIDE // 2

    def thin(values: Array) -> Array:
        return np.ascontiguousarray(values[offset::_STRIDE, offset::_STRIDE])

    def shrink(values: Array) -> FloatArray:
        size = tuple(length // _STRIDE for length in values.shape[1::-1])
        return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)

    back = space.hair_back
    if back is not None:
        known = thin(back.known)
        back = replace(back, places=thin(back.places), known=known, alpha=shrink(back.alpha))
    return replace(
        space,
        raster=Raster(*(thin(each) for each in vars(space.raster).values())),
        front=thin(space.front),
        back=None if space.back is None else thin(space.back),
        head_fraction=thin(space.head_fraction),
        hanging=thin(space.hanging),
        looseness=thin(space.looseness),
        matte=shrink(space.matte),
        hair_back=back,
        parsed=None,
    )


def _card(
    space: PhotoSpace, xy: Array, triangles: Array, fade: Array, pixels: ByteArray, *, is_back: bool
) -> Card:
    """Make a card of the points of a grid (G, G) that triangles (F, 3) use."""
    used, numbers = np.unique(triangles, return_inverse=True)

    def row(values: Array) -> Array:
        return np.ascontiguousarray(values.reshape(-1, *values.shape[2:])[used][None])

    points = replace(
        space,
        raster=Raster(*(row(each) for each in vars(space.raster).values())),
        front=row(space.front),
        back=None,
        head_fraction=row(space.head_fraction),
        hanging=row(space.hanging),
        looseness=row(space.looseness),
        matte=row(space.matte),
        hair_back=None,
    )
    return Card(
        space=points,
        xy=row(xy)[0].astype(np.float32),
        triangles=np.ascontiguousarray(numbers.reshape(-1, 3)[:, [0, 2, 1]], np.int32),
        fade=row(np.asarray(fade, np.float32))[0],
        picture=pixels,
        step=float(np.sqrt(2)) / len(space.matte),
        is_back=is_back,
    )

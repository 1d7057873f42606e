"""The colours of a head, looked up in its photos once and laid down in a texture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from hifi_portrait.baked.atlas import Atlas
from hifi_portrait.baked.eyeballs import bake_eyeballs
from hifi_portrait.baked.front import FrontView
from hifi_portrait.baked.inner_mouth import paint_inner_mouth
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.head.eyeballs import EYES
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import Raster
from hifi_portrait.head.windows import window_around
from hifi_portrait.landmarks.generator import INNER_MOUTH, TEETH
from hifi_portrait.warp.canvas import LightCorrections
from hifi_portrait.warp.hair.in_photo import PhotoHair, find_hair
from hifi_portrait.warp.image.colour import measure_brightness
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import nearest_of
from hifi_portrait.warp.kernels import blend_on_mesh
from hifi_portrait.warp.light import measure_light
from hifi_portrait.warp.photo_grid.grid import look_up
from hifi_portrait.warp.settings import WarpSettings
from hifi_portrait.warp.sources import Sources
from hifi_portrait.warp.surface import fill_surface

_OWN_BODY = (0.15, 0.4)
"""Visibility of the shoulders between which the photo's own pixels take the place of the front view's."""


@dataclass(frozen=True, eq=False)
class Texture:
    """A head's colours.

    Attributes
    ----------
    colour
        (T, T, 3) uint8 RGB, also between the parts, so that nothing else is mixed in at their edges.
    person
        (T, T) uint8: where the photo that decides shows the person at a place of the head, and where the
        shoulders are the person's, 255.
    seen
        (T, T) in [0, 1], how well photos see a place themselves.
    light
        What brought the photos to one light.
    """

    colour: ByteArray
    person: ByteArray
    seen: FloatArray
    light: LightCorrections


def bake_texture(
    sources: Sources, front: FrontView, atlas: Atlas, side: int, model: HeadModel, settings: WarpSettings
) -> Texture:
    """Look up every place of a head in the photos, and fill in what none of them shows.

    Parameters
    ----------
    sources
        The photos, weighed for a head that looks ahead.
    front
        That head as the warp draws it, for shoulders that no photo shows.
    atlas, side
        Where parts lie in the texture, and its side in texels.
    model, settings
        The head model, and those of the warp.
    """
    raster = atlas.raster(side)
    light = measure_light(raster, sources.tables, sources.photos, sources.main, model, settings)
    parts = np.where(raster.mask, model.parts[raster.triangle], 255)
    ways = len(light.weights) // len(sources.weights)
    weights = np.tile(sources.weights, (ways, 1)) * light.weights[:, None]
    weights[:, part_vertices(model, *EYES)] = 0
    colour, seen, coverage = blend_on_mesh(
        raster.triangle,
        raster.barycentric,
        model.triangles,
        model.parts == Part.SHOULDERS,
        sources.tables,
        sources.photos,
        light.factors,
        weights,
        settings.surface,
    )
    skin = measure_brightness(
        colour, (parts == Part.SKIN) & (seen > 0.5), settings.colour.usual_skin_brightness
    )
    hair = find_hair(sources, raster, model, settings)
    filled = _fill_head(colour, seen, hair, raster, parts, model, settings)
    body = parts == Part.SHOULDERS
    at = raster.interpolate(front.xy, model.triangles)
    filled[body] = _fill_body(colour, coverage, at, body, front)[body]
    window = window_around(np.isin(parts, (*EYES, *TEETH, *INNER_MOUTH)))
    small, here = raster.crop(window), parts[window]
    eyes = bake_eyeballs(filled[window], small, here, sources, skin, model, settings)
    filled[window] = paint_inner_mouth(eyes, small, here, skin, model, settings)
    person = np.where(body, look_up(front.person, at), _shown_person(raster, sources, model))
    return Texture(
        colour=_spread_over_gaps(filled, parts),
        person=_spread_over_gaps(person * 255, parts),
        seen=coverage,
        light=light,
    )


def _fill_head(
    colour: Array,
    seen: Array,
    hair: PhotoHair,
    raster: Raster,
    parts: Array,
    model: HeadModel,
    settings: WarpSettings,
) -> FloatArray:
    """Fill in the skin and the hair that no photo shows, from what they show around."""
    window = window_around(parts == Part.SKIN)
    here, cropped = parts[window] == Part.SKIN, raster.crop(window)
    triangle = np.where(here, cropped.triangle, -1).astype(np.int32)
    alone = replace(cropped, triangle=triangle)
    known = np.where(here, seen[window], 0)
    filled = colour.copy()
    around, _ = fill_surface(colour[window], known, hair.crop(window), alone, model, settings)
    filled[window] = np.where(here[..., None], around, colour[window])
    return filled


def _fill_body(colour: Array, seen: Array, at: Array, body: Array, front: FrontView) -> FloatArray:
    """Fill in shoulders that no photo shows from a front view, and what it does not show from around.

    Parameters
    ----------
    colour, seen
        (T, T, 3) and (T, T), what photos show, and how well.
    at
        (T, T, 2) places in the front view.
    body
        (T, T) bool, where the shoulders are in the texture.
    front
        The front view.
    """
    window = window_around(body)
    own = smoothstep(seen[window], *_OWN_BODY)
    behind = look_up(front.colour, at[window])
    mixed = behind + own[..., None] * (colour[window] - behind)
    trust = np.maximum(own, look_up(front.body, at[window]) ** 2) * body[window]
    filled = np.asarray(colour, np.float32).copy()
    filled[window] = inpaint(np.asarray(mixed, np.float32), trust.astype(np.float32))
    return filled


def _shown_person(raster: Raster, sources: Sources, model: HeadModel) -> FloatArray:
    """Find where the photo that decides shows the person at places of the head, as `carve_head` does."""
    at = raster.interpolate(sources.xy[sources.main], model.triangles)
    matte = cv2.dilate(sources.mattes[sources.main], np.ones((3, 3), np.uint8))
    return np.asarray(np.clip(look_up(matte, at), 0, 1), np.float32)


def _spread_over_gaps(colour: Array, parts: Array) -> ByteArray:
    """Continue each part's colours beyond its edge: a smaller texture mixes texels with those around."""
    known = parts != 255
    nearest = nearest_of(np.asarray(colour, np.float32), known)
    return np.clip(nearest + 0.5, 0, 255).astype(np.uint8)

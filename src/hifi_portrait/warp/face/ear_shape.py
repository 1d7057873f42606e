"""Ears that photos see from the front alone, and that have turned to the camera.

There a photo shows the rim of the ear, and little of what lies inside. Drawn out over the ear it is a smear.
So such an ear gets the colour of its skin, shaded as the mesh's ear is by light from all around and by a lamp
above the camera.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from scipy.spatial import cKDTree

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.openness import openness
from hifi_portrait.head.windows import window_around
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.bare_skin import find_bare_skin, turned_share
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.hair.over_ears import bare_ears
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.settings import EarShapeSettings


def shape_ears(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: shade bare ears that have turned to the camera as the mesh is shaped."""
    settings, side = context.settings.ear_shape, len(canvas.alpha)
    *ears, light = _draw_ears(context, canvas)
    colour = np.array(canvas.colour, np.float32)
    changed = False
    for share in ears:  # each alone, as light may fall on one of them
        if not share.any():
            continue
        window = window_around(share > 0, round(4 * settings.shade_width * side))
        shaped = _shape(context, canvas.crop(window), share[window], light[window], side)
        if shaped is not None:
            colour[window], changed = shaped, True
    return replace(canvas, colour=colour) if changed else canvas


def _shape(context: WarpContext, canvas: Canvas, share: Array, light: Array, side: int) -> FloatArray | None:
    """Shade the ear in a window (h, w) of a picture of so many pixels; None where there is none."""
    settings = context.settings.ear_shape
    bare = find_bare_skin(context, canvas)
    turned = turned_share(context, canvas, bare.facing, settings.turned, settings.own_degrees)
    poorly_seen = turned * (1 - smoothstep(canvas.seen, *settings.well_seen))
    soft = cv2.GaussianBlur(np.asarray(poorly_seen, np.float32), (0, 0), settings.softness * side)
    weight = share * soft * (canvas.alpha > context.settings.skin.solid_alpha)
    if context.sources.spaces[context.sources.main].ears is None:
        weight = weight * bare.share
    inside = (share > 0.5) & (bare.share > 0.5)
    if weight.max(initial=0) < settings.least_weight or inside.sum() < settings.least_area * side**2:
        return None
    colour = np.asarray(canvas.colour, np.float32)
    own = colour.copy()
    own[inside] = np.median(colour[inside], axis=0)
    skin = cv2.GaussianBlur(inpaint(own, bare.share), (0, 0), settings.shade_width * side)
    fine = cv2.GaussianBlur(light, (0, 0), settings.detail * side)
    shaded = skin * (fine / max(float(fine[share > 0.5].mean()), 1e-3))[..., None]
    return np.asarray(colour + weight[..., None] * (shaded - colour), np.float32)


def _draw_ears(context: WarpContext, canvas: Canvas) -> Iterator[Array]:
    """Draw how far each pixel (H, W) is the bare right ear, how far the left one, and how lit it is."""
    model, settings, sources = context.model, context.settings, context.sources
    space, xy = sources.spaces[sources.main], sources.xy[sources.main]
    from_above = np.array(settings.ear_shape.lamp, np.float64)
    facing = np.maximum(model.normals(context.target.vertices) @ from_above / np.linalg.norm(from_above), 0)
    lamp = settings.ear_shape.lamp_share
    light = openness(model) * (1 - lamp + lamp * facing)
    share = _nearness(model, settings.ear_shape) * bare_ears(space, xy, model, settings.over_ears)
    right = model.mean[: model.num_vertices, 0] < 0
    attributes = np.stack([share * right, share * ~right, light], axis=1)
    return iter(np.moveaxis(canvas.raster.interpolate(attributes, model.triangles), -1, 0))


@lru_cache(maxsize=4)
def _nearness(model: HeadModel, settings: EarShapeSettings) -> FloatArray:
    """For each vertex (V,) 1 on the ears, falling to 0 around and beneath them."""
    mean = model.mean[: model.num_vertices]
    ears = mean[np.concatenate(ear_vertices(model))]
    away, _ = cKDTree(ears).query(mean)
    above = mean[:, 2] - ears[:, 2].min()
    near = (1 - smoothstep(away, *settings.reach)) * smoothstep(above, *settings.beneath)
    return np.asarray(near, np.float32)

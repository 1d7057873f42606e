"""Skin that photos see from the side alone, and that has turned to the camera: cheeks before the ears, jaws.

There a photo shows the dark edge of the head, mixed with what is behind it: drawn out over the cheek it is a
grey smear. Its wide shade becomes that of the skin that is seen well, and it gets pores.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.hair.shell import scalp
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.photo_grid.trust import turn_degrees

_TEXELS = 256
"""Side of the tile of pores."""


def even_skin(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: give skin that was seen from the side, and is turned to the camera, the shade of skin nearby."""
    settings, side = context.settings.skin, len(canvas.alpha)
    skin, near_ears, facing, place = _find_skin(context, canvas)
    reliable = skin * smoothstep(canvas.seen, *settings.reliable)
    turned = smoothstep(facing / np.maximum(canvas.seen, settings.least_seen), *settings.turned)
    sources = context.sources
    degrees = turn_degrees(sources.heads[sources.main], context.target.geometry)
    as_photo = np.exp(-((degrees / settings.own_degrees) ** 2))  # at its own pose a photo stays as it is
    weight = (1 - as_photo) * (skin - reliable) * turned * (1 - near_ears)
    if reliable.sum() < settings.min_pixels or weight.max(initial=0) < settings.least_weight:
        return canvas
    sigma = settings.shade_width * side
    colour = np.asarray(canvas.colour, np.float32)
    around = inpaint(colour, np.asarray(reliable, np.float32))
    shade = _mean_within(colour, skin, sigma)
    wanted = _mean_within(around, skin, sigma)
    soft = cv2.GaussianBlur(np.asarray(weight, np.float32), (0, 0), settings.softness * side) * (skin > 0)
    strength = _measure_pores(colour.mean(axis=-1), reliable, settings.pore_width * side)
    pores = strength * _look_up_pores(place * settings.pores_per_metre)
    change = wanted - shade - settings.smoothing * (colour - shade - pores[..., None])
    return replace(canvas, colour=np.asarray(colour + soft[..., None] * change, np.float32))


def _find_skin(context: WarpContext, canvas: Canvas) -> tuple[FloatArray, FloatArray, Array, Array]:
    """Find bare skin (H, W), ears (H, W), the facing cosine (H, W), and the place (H, W, 2) on the head."""
    model, settings, raster = context.model, context.settings, canvas.raster
    side, vertices = len(canvas.alpha), context.target.vertices
    towards = -vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    attributes = np.zeros((model.num_vertices, 5), np.float32)
    attributes[:, 0] = scalp(model, settings.scalp).fullness_of(model.num_vertices)
    attributes[np.concatenate(ear_vertices(model)), 1] = 1
    attributes[:, 2] = np.einsum("vi,vi->v", model.normals(vertices), towards)
    attributes[:, 3:] = model.mean[: model.num_vertices, 1:]  # seen from the side
    fullness, ear, facing, *place = np.moveaxis(raster.interpolate(attributes, model.triangles), -1, 0)
    skin = (context.parts(raster) == Part.SKIN) & (fullness < settings.unseen.skin_fullness)
    skin = skin * (canvas.alpha > settings.skin.solid_alpha) * (1 - canvas.hair_on_mesh)
    if canvas.parsed is not None:
        skin = skin * np.clip(1 - canvas.parsed, 0, 1).prod(axis=-1)
    skin = cv2.erode(np.asarray(skin, np.float32), np.ones((3, 3), np.uint8))
    ear = cv2.GaussianBlur(np.asarray(ear > 0.3, np.float32), (0, 0), settings.skin.ear_margin * side)
    return np.asarray(skin), np.clip(1.5 * ear, 0, 1), facing, np.stack(place, axis=-1)


def _mean_within(colour: Array, mask: Array, sigma: float) -> Array:
    """Blur colours (H, W, 3) within a mask (H, W)."""
    total = cv2.GaussianBlur(np.asarray(colour * mask[..., None], np.float32), (0, 0), sigma)
    near = cv2.GaussianBlur(np.asarray(mask, np.float32), (0, 0), sigma)
    return np.asarray(total / np.maximum(near, 1e-3)[..., None])


def _measure_pores(brightness: Array, reliable: Array, width: float) -> float:
    """Measure how strong the fine detail of well seen skin is: the usual one, not that of brows and lips."""
    fine = brightness - cv2.GaussianBlur(np.asarray(brightness, np.float32), (0, 0), max(width, 0.5))
    seen = np.abs(fine)[reliable > 0.9]
    return float(np.median(seen)) if len(seen) else 0.0


def _look_up_pores(place: Array) -> FloatArray:
    """Give pores (H, W), of deviation 1, that stay in their places (H, W, 2) on the head."""
    at = np.asarray(np.mod(place, _TEXELS), np.float32)
    found = cv2.remap(_pores(), at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(found, np.float32)


@cache
def _pores() -> FloatArray:
    noise = np.random.default_rng(5).normal(size=(_TEXELS, _TEXELS)).astype(np.float32)
    tiled = np.tile(noise, (3, 3))
    fine = cv2.GaussianBlur(tiled, (0, 0), 0.8) - cv2.GaussianBlur(tiled, (0, 0), 3)
    tile = fine[_TEXELS : 2 * _TEXELS, _TEXELS : 2 * _TEXELS]
    return np.asarray(tile / tile.std(), np.float32)

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
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.bare_skin import find_bare_skin, mean_within, turned_share
from hifi_portrait.warp.image.inpaint import inpaint

_TEXELS = 256
"""Side of the tile of pores."""


def even_skin(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: give skin that was seen from the side, and is turned to the camera, the shade of skin nearby."""
    settings, side = context.settings.skin, len(canvas.alpha)
    bare = find_bare_skin(context, canvas)
    skin = bare.share
    near_ears = cv2.GaussianBlur(np.asarray(bare.ears > 0.3, np.float32), (0, 0), settings.ear_margin * side)
    near_ears = np.clip(1.5 * near_ears, 0, 1)
    reliable = skin * smoothstep(canvas.seen, *settings.reliable)
    turned = turned_share(context, canvas, bare.facing, settings.turned, settings.own_degrees)
    weight = (skin - reliable) * turned * (1 - near_ears)
    if reliable.sum() < settings.min_pixels or weight.max(initial=0) < settings.least_weight:
        return canvas
    sigma = settings.shade_width * side
    colour = np.asarray(canvas.colour, np.float32)
    around = inpaint(colour, np.asarray(reliable, np.float32))
    shade = mean_within(colour, skin, sigma)
    wanted = mean_within(around, skin, sigma)
    soft = cv2.GaussianBlur(np.asarray(weight, np.float32), (0, 0), settings.softness * side) * (skin > 0)
    strength = _measure_pores(colour.mean(axis=-1), reliable, settings.pore_width * side)
    pores = strength * _look_up_pores(bare.place * settings.pores_per_metre)
    change = wanted - shade - settings.smoothing * (colour - shade - pores[..., None])
    return replace(canvas, colour=np.asarray(colour + soft[..., None] * change, np.float32))


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

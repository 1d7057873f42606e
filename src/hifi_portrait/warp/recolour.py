"""Hair and clothes of another colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.prompts.clothes import CLOTHES_COLOURS
from hifi_portrait.prompts.hair import HAIR_COLOURS
from hifi_portrait.scenery.tone import DISPLAY_GAMMA
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.clothing.segment import segment_clothes
from hifi_portrait.warp.hair.dye import dye_hair, refine_hair
from hifi_portrait.warp.hair.segment import segment_hair
from hifi_portrait.warp.image.colour import has_colour
from hifi_portrait.warp.image.inpaint import blur_wide
from hifi_portrait.warp.settings import RecolourSettings, WarpSettings

_WIDEST_MEDIAN = 255
"""Pixels across the widest neighbourhood that OpenCV takes a median of."""

_HAIR, _CLOTHES = 0, 1
"""What the last axis of `Canvas.parsed` holds."""

Colours = Mapping[str, tuple[int, int, int]]


def recolour(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: give hair and clothes the colours that the target names, if it names any."""
    target, settings = context.target, context.settings
    if target.hair not in HAIR_COLOURS and target.clothes not in CLOTHES_COLOURS:
        return canvas
    colour, dyed, remainder = canvas.colour, canvas.dyed, canvas.remainder
    height, width = canvas.alpha.shape
    behind = np.asarray(cv2.resize(context.sources.behind, (width, height)), np.float32)
    hair = segment_hair(colour, canvas.hair, canvas.raster, context.model, settings, canvas.alpha)
    if canvas.parsed is not None:  # colours alone mistake temples and shaded ears for hair
        hair = canvas.parsed[..., _HAIR] + (1 - canvas.photo) * np.maximum(hair, canvas.hair_on_mesh)
    if target.clothes in CLOTHES_COLOURS:
        loose = (canvas.alpha - canvas.hair).clip(0, 1) * (canvas.raster.triangle < 0)
        clothes = segment_clothes(colour, loose, hair, canvas.raster, context.model, settings)
        if canvas.parsed is not None:  # parsing finds collars behind the neck, colours the seam's exact edge
            worn = canvas.parsed[..., _CLOTHES] / np.maximum(canvas.alpha, settings.hair_dye.least_alpha)
            clothes = _over_seams(np.maximum(clothes, np.minimum(worn, 1)))
        colour = dye(colour, clothes, str(target.clothes), CLOTHES_COLOURS, settings)
        dyed = np.maximum(dyed, clothes)
        remainder = recolour_beyond(remainder, canvas.colour, colour, clothes, behind, settings.recolour)
    if target.hair in HAIR_COLOURS:
        before, strands = colour, refine_hair(colour, hair, canvas.alpha, settings.hair_dye)
        colour = dye_hair(colour, strands, canvas.alpha, str(target.hair), HAIR_COLOURS, settings)
        dyed = np.maximum(dyed, strands)
        remainder = recolour_beyond(remainder, before, colour, strands, behind, settings.recolour)
    return replace(canvas, colour=colour, dyed=dyed, remainder=remainder)


def recolour_beyond(
    remainder: Array, before: Array, after: Array, fraction: Array, behind: Array, settings: RecolourSettings
) -> FloatArray:
    """Recolour what lies in the background of what was recoloured: single hairs that no matte holds.

    Parameters
    ----------
    remainder
        (H, W, 3), what is added to the background.
    before, after
        (H, W, 3) in [0, 255], the person.
    fraction
        (H, W) in [0, 1], what was recoloured of them.
    behind
        (H, W, 3) in [0, 255], the background.
    settings
        Lengths and contrasts.
    """
    side, weight = len(fraction), np.asarray(fraction, np.float32)
    near = blur_wide(weight, settings.beyond * side)[..., None]
    scaled = np.maximum(near, 1e-4)
    old, new = (
        blur_wide(np.asarray(each * weight[..., None], np.float32), settings.beyond * side) / scaled
        for each in (before, after)
    )
    apart = old - behind
    clear = np.abs(apart) > settings.least_contrast
    ratio = np.where(clear, np.clip((new - behind) / np.where(clear, apart, 1), -1, 1), 1)
    # A shade of the background is wider than hairs are, and stays: without it there would be a halo.
    width = min(round(settings.detail * side) | 1, _WIDEST_MEDIAN)
    shifted = np.clip(remainder + 128, 0, 255).astype(np.uint8)
    detail = remainder - (cv2.medianBlur(shifted, width).astype(np.float32) - 128)
    return np.asarray(remainder + np.clip(4 * near, 0, 1) * (ratio - 1) * detail, np.float32)


def _over_seams(clothes: Array) -> FloatArray:
    """Widen clothes (H, W) by the pixel in which a photo mixes them with skin, and soften their edge."""
    wider = cv2.dilate(np.asarray(clothes, np.float32), np.ones((3, 3), np.uint8))
    return np.asarray(np.maximum(clothes, cv2.GaussianBlur(wider, (0, 0), 0.8)), np.float32)


def dye(
    colour: Array,
    fraction: Array,
    name: str,
    colours: Colours,
    settings: WarpSettings,
) -> FloatArray:
    """Give what a picture shows at some places one of several colours.

    Folds stay lighter and darker than each other as they are, within bounds: a black coat's sheen would else
    be blinding in white. What has the colour already stays as it is.

    Parameters
    ----------
    colour
        (H, W, 3) in [0, 255].
    fraction
        (H, W) in [0, 1], where it shows what is dyed.
    name, colours
        The requested colour, and all among which it is named, RGB in [0, 255].
    settings
        Those of recolouring and of comparing colours.

    Returns
    -------
    FloatArray
        (H, W, 3).
    """
    own = settings.recolour
    picture = np.asarray(colour, np.float32)
    there = fraction > 0.5
    if there.sum() < own.min_pixels:
        return picture
    if has_colour(np.median(picture[there], axis=0), name, colours, own.same_colour, settings.colour):
        return picture
    darkest, lightest = own.brightness_range
    linear = (np.clip(picture, 0, 255) / 255) ** DISPLAY_GAMMA
    bright = linear.mean(axis=2) + own.dark_offset
    ratio = np.log(bright / np.median(bright[there]))
    contrast = np.std(np.clip(ratio[there], *np.percentile(ratio[there], (5, 95))))
    ratio = ratio * min(1.0, own.max_contrast / max(float(contrast), 1e-6))
    bound = np.where(ratio < 0, -darkest, lightest)
    ratio = bound * np.tanh(ratio / bound)  # sheen and shade keep their detail near the bounds
    # At its edge what is dyed is mixed with what is not, whose brightness is none of its own.
    ratio = np.minimum(ratio, lightest * np.clip(2 * fraction - 1, 0, 1))[..., None]
    requested = (np.array(colours[name]) / 255) ** DISPLAY_GAMMA
    lit = np.clip(requested * np.exp(ratio), 0, 1)
    dyed = 255 * lit ** (1 / DISPLAY_GAMMA)
    return np.asarray(picture + fraction[..., None] * (dyed - picture), np.float32)

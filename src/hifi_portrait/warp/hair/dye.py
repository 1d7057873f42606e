"""Hair of another colour: which pixels are hair, to the strand, and what they look like when dyed."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.image.colour import has_colour
from hifi_portrait.warp.image.inpaint import blur_wide
from hifi_portrait.warp.image.morphology import disc
from hifi_portrait.warp.settings import HairDyeSettings, WarpSettings


def refine_hair(colour: Array, hair: Array, alpha: Array, settings: HairDyeSettings) -> FloatArray:
    """Find how far each pixel is hair, along its edges by its colour between that of hair and of skin nearby.

    Parameters
    ----------
    colour
        (H, W, 3) in [0, 255], the person without a background.
    hair
        (H, W) in [0, 1], how far each pixel of the picture is roughly hair.
    alpha
        (H, W) in [0, 1], how far it is the person.
    settings
        Lengths and contrasts.

    Returns
    -------
    FloatArray
        (H, W) in [0, 1], as a fraction of the person's part of each pixel: 1 out to the end of the hair.
    """
    side, solid = len(hair), alpha > settings.solid_alpha
    rough = np.asarray(hair > 0.5 * np.maximum(alpha, settings.least_alpha), np.uint8)
    near_edge = disc(2 * settings.edge_width * side)
    sure = cv2.erode(rough, near_edge).astype(bool) & solid
    near = cv2.dilate(rough, near_edge)
    if not sure.any():
        return np.asarray(rough, np.float32)
    other = (near == 0) & solid
    sigma = settings.colour_reach * side
    of_hair, hair_near = _mean_within(colour, sure, sigma)
    of_skin, skin_near = _mean_within(colour, other, sigma)
    of_hair = np.where(hair_near[..., None] > settings.near, of_hair, np.median(colour[sure], axis=0))
    axis = of_hair - of_skin
    contrast = np.linalg.norm(axis, axis=-1)
    place = ((colour - of_skin) * axis).sum(-1) / np.maximum(contrast**2, 1)
    place = np.clip(place, 0, 1).astype(np.float32)
    beside_skin = smoothstep(skin_near, settings.near, 6 * settings.near)
    told = beside_skin * smoothstep(contrast, *settings.contrast)
    softness = settings.softness * side
    outwards = (1 - beside_skin) * cv2.GaussianBlur(near.astype(np.float32), (0, 0), softness)
    plain = np.maximum(cv2.GaussianBlur(rough.astype(np.float32), (0, 0), softness), outwards)
    edge = near * (told * smoothstep(place, *settings.strand) + (1 - told) * plain)
    of_skin_colour = 1 - smoothstep(cv2.GaussianBlur(place, (0, 0), 2 * softness), *settings.patch)
    return np.asarray(np.clip(np.where(sure, 1 - told * of_skin_colour, edge), 0, 1), np.float32)


def _mean_within(colour: Array, mask: Array, sigma: float) -> tuple[Array, Array]:
    """Mean colour (H, W, 3) of what is near within a mask (H, W), and how much of it is near, in [0, 1]."""
    within = mask.astype(np.float32)
    near = blur_wide(within, sigma)
    total = blur_wide(np.asarray(colour * within[..., None], np.float32), sigma)
    return total / np.maximum(near, 1e-4)[..., None], near


def dye_hair(
    colour: Array,
    fraction: Array,
    alpha: Array,
    name: str,
    colours: Mapping[str, tuple[int, int, int]],
    settings: WarpSettings,
) -> FloatArray:
    """Dye what a picture shows of hair.

    Its lightness follows the hair's own, in strands and in shades, as far apart as hair of the requested
    lightness has them: black hair hides most of its shades, and these come out. Where hair ends at skin it is
    darker, as it is at its roots.

    Parameters
    ----------
    colour
        (H, W, 3) in [0, 255].
    fraction
        (H, W) in [0, 1], from `refine_hair`.
    alpha
        (H, W) in [0, 1], how far each pixel is the person.
    name, colours
        The requested colour, and all among which it is named, RGB in [0, 255].
    settings
        Those of dyeing and of comparing colours.

    Returns
    -------
    FloatArray
        (H, W, 3); as it is where hair has that colour already, or there is too little of it.
    """
    own, picture, side = settings.hair_dye, np.asarray(colour, np.float32), len(fraction)
    there = fraction > 0.7
    if there.sum() < settings.recolour.min_pixels:
        return picture
    same = settings.recolour.same_colour
    if has_colour(np.median(picture[there], axis=0), name, colours, same, settings.colour):
        return picture
    lab = _to_lab(picture)
    requested = _to_lab(np.array(colours[name], np.float32)[None, None])[0, 0]
    lightness, light = lab[..., 0], float(requested[0])
    shade = _weighted_blur(lightness, fraction, own.strand_width * side)
    strands = lightness - shade
    usual = _weighted_blur(strands**2, fraction, own.colour_reach * side)
    gain = (own.strands[0] + own.strands[1] * light) / (np.sqrt(np.maximum(usual, 0)) + own.noise)
    strands = strands * np.clip(gain, *own.strand_gain)
    shade = shade - np.median(shade[there])
    spread = max(float(np.percentile(np.abs(shade[there]), 80)), 2.0)
    shade = shade * np.clip((own.shades[0] + own.shades[1] * light) / spread, *own.shade_gain)
    skin = ((fraction < 0.2) & (alpha > own.solid_alpha)).astype(np.uint8)
    from_skin = np.minimum(cv2.distanceTransform(1 - skin, cv2.DIST_L2, 5), side) / (own.root_length * side)
    change = strands + shade - own.root_shade * light * np.exp(-(from_skin**2))
    room = np.where(change > 0, min(97 - light, 12 + 0.16 * light), min(light - 2, 8 + 0.35 * light))
    new = light + room * np.tanh(change / np.maximum(room, 1))
    chroma = np.where(
        new > light, np.clip(1 - (new - light) / 90, 0.5, 1), np.clip(new / light, 0.2, 1) ** 0.8
    )
    hue = requested[1:] * chroma[..., None]
    hue = hue + own.own_hue * (lab[..., 1:] - np.median(lab[there][:, 1:], axis=0))
    dyed = cv2.cvtColor(np.dstack([new, hue]).astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(picture + fraction[..., None] * (255 * dyed - picture), np.float32)


def _to_lab(picture: Array) -> FloatArray:
    """Convert RGB (H, W, 3) in [0, 255] to CIELAB, lightness in [0, 100]."""
    scaled = np.clip(picture, 0, 255).astype(np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), np.float32)


def _weighted_blur(values: Array, weight: Array, sigma: float) -> Array:
    weighted = blur_wide(np.asarray(values * weight, np.float32), sigma)
    return np.asarray(weighted / np.maximum(blur_wide(np.asarray(weight, np.float32), sigma), 1e-3))

"""A face in a picture's light: the picture's shades on it, and its edge as the skin around it."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.faces.pull_push import inpaint
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.numerics import smoothstep

# Lengths are fractions of the face's height.
_SHADE_REACH = 0.35
"""Standard deviation of the blur by which the picture's light on the face is found."""
_MEAN_SHADE_WEIGHT = 1e-3
"""Weight of a face's mean shade beside the shade nearby, which counts where little of the face is near."""
_MAX_RATIO = 6.0
"""Factor by which a shade is made lighter or darker at most."""
_SHADE_OFFSET = 4
"""Added to shades, in [0, 255], before they are divided, so that black stays black."""
_FEATURE_SIZE = 0.012
"""Standard deviation of the blur that parts eyes, brows and shading from pores, hairs and noise."""
_LIGHT_EXPONENT = 0.25
"""Power of the ratio of shades by which what is lighter than its surroundings is made lighter still."""
_DARK_EXPONENT = 0.25
"""Power of the ratio of shades by which what is darker, such as brows, gains contrast."""
_ROLLED_OFF = (1.0, 1.5)
"""Ratio of shades between which what is lighter comes to approach white instead of reaching it."""
_TINT_EXPONENT = -0.7
"""Power of the ratio of shades by which differences in hue fade where a face becomes lighter."""
_DETAIL_EXPONENT = 0.4
"""Power of the ratio of shades by which pores, hairs and noise grow."""
_RIM_WIDTH = 0.16
"""Width inside the face's edge over which its shade becomes that of the skin around."""
_RIM_BLUR = 0.02
"""Standard deviation of the blur by which both shades at the edge are found."""
_MAX_RIM_RATIO = 2.2
"""Factor between the two from which on the picture shows no skin there, but hair."""


def relight(
    crop: FloatArray, face: FloatArray, lit: FloatArray, shown: FloatArray, height: float
) -> FloatArray:
    """Give a face the light that falls on another one in a picture.

    Wide shades become the picture's. What is darker than the face's own shade, such as brows and nostrils,
    keeps its fraction of the shade; what is lighter keeps its distance from it, because gloss, teeth and the
    whites of eyes are as light on dark skin as on light skin (Shafer, Using color to separate reflection
    components, 1985). At the edge the face takes the shade of the picture's skin.

    Parameters
    ----------
    crop
        (S, S, 3) in [0, 255], the picture.
    face
        (S, S, 3) in [0, 255], what is put into it.
    lit, shown
        (S, S) in [0, 1], where the picture's face is, and the one put there.
    height
        Of the face, in pixels.

    Returns
    -------
    FloatArray
        (S, S, 3) in [0, 255]; the face as it is if the picture shows none.
    """
    if lit.sum() < 1:
        return face
    towards, own = (_wide_shade(*each, _SHADE_REACH * height) for each in ((crop, lit), (face, shown)))
    ratio = np.clip((towards + _SHADE_OFFSET) / (own + _SHADE_OFFSET), 1 / _MAX_RATIO, _MAX_RATIO)
    features = cv2.GaussianBlur(face, (0, 0), max(_FEATURE_SIZE * height, 0.5))
    bright, usual, aim, gain = (each.mean(axis=2, keepdims=True) for each in (features, own, towards, ratio))
    fraction = bright / np.maximum(usual, 1)
    darker = np.minimum(fraction, 1) ** (gain**_DARK_EXPONENT)
    lighter, room = np.maximum(bright - usual, 0) * gain**_LIGHT_EXPONENT, np.maximum(255 - aim, 1)
    gloss = lighter + smoothstep(gain, *_ROLLED_OFF) * (room * (1 - np.exp(-lighter / room)) - lighter)
    wanted = aim * darker + gloss
    tint = features / np.maximum(own * fraction, 1)
    moved = wanted * (towards / np.maximum(aim, 1)) * tint ** np.minimum(gain**_TINT_EXPONENT, 1)
    relit = np.clip(moved + (face - features) * ratio**_DETAIL_EXPONENT, 0, 255)
    return np.asarray(np.clip(relit * _rim_ratio(crop, relit, shown, height), 0, 255), np.float32)


def _wide_shade(picture: FloatArray, mask: FloatArray, reach: float) -> FloatArray:
    """Wide shades (S, S, 3) of a picture within a mask; far from it, its mean."""
    total = cv2.GaussianBlur(picture * mask[..., None], (0, 0), reach)
    fraction = cv2.GaussianBlur(mask, (0, 0), reach)[..., None]
    mean = (picture * mask[..., None]).sum(axis=(0, 1)) / max(float(mask.sum()), 1e-4)
    return np.asarray((total + _MEAN_SHADE_WEIGHT * mean) / (fraction + _MEAN_SHADE_WEIGHT), np.float32)


def _rim_ratio(crop: FloatArray, relit: FloatArray, shown: FloatArray, height: float) -> Array:
    """Factors (S, S, 3) that make a face's edge as light as the picture's skin there; 1 farther in."""
    inside = cv2.distanceTransform((shown > 0).astype(np.uint8), cv2.DIST_L2, 5)
    band = (inside > 0) & (inside < 2 * _RIM_BLUR * height)
    if not band.any():
        return np.ones_like(relit)
    sigma = max(_RIM_BLUR * height, 0.5)
    smooth = [cv2.GaussianBlur(each, (0, 0), sigma) + _SHADE_OFFSET for each in (crop, relit)]
    apart = np.log(smooth[0] / smooth[1])
    limit = np.log(_MAX_RIM_RATIO)
    skin = band & (np.abs(apart).max(axis=2) < limit)
    if not skin.any():
        return np.ones_like(relit)
    around = inpaint(np.clip(apart, -limit, limit), skin.astype(np.float32))
    fading = np.exp(-((inside / (_RIM_WIDTH * height)) ** 2))[..., None]
    return np.asarray(np.exp(fading * around), np.float32)

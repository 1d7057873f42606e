"""A photo's background without the person: closed where they were, with the photo's grain."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.model import HeadModel
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import square
from hifi_portrait.warp.mesh_in_photo import mesh_in_photo
from hifi_portrait.warp.settings import BackgroundSettings

_MEDIAN_OF_NOISE = 0.588
"""Median absolute residual that a Gaussian blur of deviation 1 leaves of white noise of deviation 1."""


def background_of(
    crop: Array, matte: Array, shown: Array, xy: Array, model: HeadModel, settings: BackgroundSettings
) -> FloatArray:
    """Background (S, S, 3) of a photo as `clear_background` makes it, with the fitted mesh left out too.

    ``xy`` (V, 2) are the places of the model's vertices, as fractions of the photo's side.
    """
    in_front = (mesh_in_photo(xy, model) >= 0).astype(np.float32)
    person = np.maximum(matte, cv2.resize(in_front, matte.shape[::-1]))
    return np.asarray(clear_background(crop, person, shown, settings), np.float32)


def clear_background(crop: Array, matte: Array, in_photo: Array, settings: BackgroundSettings) -> Array:
    """Remove the person from a photo: its background goes on over the person and beyond the photo.

    Parameters
    ----------
    crop, matte
        (S, S, 3) uint8 and (S, S) in [0, 1], the photo and its person.
    in_photo
        (S, S), 1 where the crop shows its photo.
    settings
        What belongs to the background.

    Returns
    -------
    Array
        (S, S, 3) float32 in [0, 255].
    """
    side = crop.shape[0]
    matte = np.asarray(matte, np.float32)
    person = cv2.dilate(matte, square(side * settings.person_margin))
    shown = np.clip(1 - 2 * person, 0, 1) * in_photo
    if shown.mean() < settings.min_background:
        return np.full(crop.shape, settings.unknown_grey, np.float32)
    strands, plain = _find_strands(crop, matte, settings)
    behind = inpaint(crop + strands[..., None] * (plain - crop), shown)
    noise = _match_noise(crop, shown, settings.max_noise)
    return np.asarray(behind + (1 - shown * (1 - strands))[..., None] * noise)


def _find_strands(crop: Array, matte: Array, settings: BackgroundSettings) -> tuple[Array, Array]:
    """How far each place beside a person is a strand not in the matte, (S, S), and what is behind it.

    Beside a person whose background is plain farther away, all that differs from it is.
    """
    side, coarse = len(crop), settings.strand_side
    small = cv2.resize(crop, (coarse, coarse), interpolation=cv2.INTER_AREA)
    person = cv2.resize(matte, (coarse, coarse), interpolation=cv2.INTER_AREA)
    beside = cv2.dilate(person, square(2 * settings.strand_reach * coarse))
    near = cv2.GaussianBlur(beside, (0, 0), settings.strand_reach / 4 * coarse)
    width = 2 * round(settings.strand_width * coarse / 2) + 1
    median = cv2.medianBlur(small, width).astype(np.float32)
    beyond = inpaint(small.astype(np.float32), 1 - beside)
    shown = (beside > settings.shown_matte) & (person < 1 - settings.solid_matte)
    beyond = _shade_background(beyond, median, person, settings)
    apart = np.abs(beyond - small)[shown].max(axis=1, initial=0)
    contrast = settings.strand_contrast
    is_plain = 0.0
    if len(apart):
        is_plain = float(np.clip(2 - np.percentile(apart, settings.plain_percent) / contrast, 0, 1))
    plain = cv2.resize(median + is_plain * (beyond - median), (side, side))
    apart = cv2.GaussianBlur(np.abs(plain - crop).max(axis=2), (0, 0), side / 256)
    strands = np.maximum(is_plain, np.clip(apart / contrast - 1, 0, 1))  # a photo's noise stays
    return cv2.resize(near, (side, side)) * strands, plain


def _shade_background(beyond: Array, seen: Array, person: Array, settings: BackgroundSettings) -> Array:
    """Give a background (h, w, 3) that goes on from farther away the light that is seen beside the person."""
    away = seen - beyond
    alike = (np.abs(away).max(axis=2) < settings.strand_contrast) & (person < 1 - settings.solid_matte)
    light = inpaint(away.astype(np.float32), alike.astype(np.float32))
    return np.asarray(beyond + cv2.GaussianBlur(light, (0, 0), settings.strand_width * len(seen)), np.float32)


def _match_noise(crop: Array, shown: Array, max_noise: float) -> FloatArray:
    """Noise (S, S, 3) as strong as that of a photo where it is shown: what is filled in is not smoother."""
    picture = crop.astype(np.float32)
    residual = np.abs(picture - cv2.GaussianBlur(picture, (0, 0), 1.0))[shown > 0.9]
    noise = np.random.default_rng(0).standard_normal(crop.shape, np.float32)
    if not len(residual):
        return 0 * noise
    return noise * min(float(np.median(residual)) / _MEDIAN_OF_NOISE, max_noise)

"""Comparing colours: what tells skin, hair and clothes apart."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.warp.settings import ColourSettings


def lab(picture: Array) -> FloatArray:
    """Convert a uint8 RGB picture (H, W, 3) to CIELAB, as 8 bits scale it: all three in [0, 255]."""
    return cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2LAB).astype(np.float32)


def weighted_lab(picture: Array, settings: ColourSettings) -> FloatArray:
    """Convert a uint8 RGB picture (H, W, 3) to CIELAB with less lightness, which depends on the light."""
    colours = lab(picture)
    colours[..., 0] *= settings.lightness_weight
    return colours


def drop_lightness(colours: Array) -> FloatArray:
    """CIELAB colours (H, W, 3) without their lightness."""
    return np.asarray(colours * np.array([0, 1, 1], np.float32), np.float32)


def colour_distance(colours: Array, sample: Array, settings: ColourSettings) -> Array:
    """Euclidean distance (H, W) of `weighted_lab` colours (H, W, 3) from the median of a sample (P, 3).

    It is infinite everywhere if the sample is too small to tell a colour.
    """
    if len(sample) < settings.min_sample:
        return np.full(colours.shape[:2], np.inf, np.float32)
    apart = colours - np.median(sample, axis=0).astype(np.float32)
    return np.asarray(np.sqrt(np.einsum("hwc,hwc->hw", apart, apart)))  # the norm, in a third of its time


def measure_brightness(colour: Array, where: Array, otherwise: float, percentile: float = 50) -> float:
    """How bright a picture (H, W, 3) is at places (H, W), in its own units; if none, ``otherwise``."""
    return float(np.percentile(colour[where].mean(axis=1), percentile)) if where.any() else otherwise


def has_colour(
    colour: Array,
    name: str,
    colours: Mapping[str, tuple[int, int, int]],
    same_colour: float,
    settings: ColourSettings,
) -> bool:
    """Whether a colour (3,) in [0, 255] is the named one: near to it, and nearer than to the others.

    Parameters
    ----------
    colour
        RGB.
    name, colours
        Which, and all among which it is named.
    same_colour
        Distance of `weighted_lab` up to which it is near.
    settings
        Those of comparing colours.
    """
    names = list(colours)
    compared = np.array([[colour, *(colours[each] for each in names)]]).round().astype(np.uint8)
    known = weighted_lab(compared, settings)[0]
    apart = np.linalg.norm(known[1:] - known[0], axis=1)
    return names[int(apart.argmin())] == name and float(apart.min()) < same_colour

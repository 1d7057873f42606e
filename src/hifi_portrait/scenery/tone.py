"""From linear light to what a screen shows."""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array

DISPLAY_GAMMA = 2.2
"""Exponent from a display's values to linear light: that of sRGB, nearly."""

LUMINANCE = np.array((0.2126, 0.7152, 0.0722))
"""Weights of linear red, green and blue in luminance (Rec. 709)."""


def to_display(linear: Array) -> Array:
    """Tone-map linear light (..., 3), 0 or more, to sRGB, with a film's soft shoulder and toe."""
    mapped = 1 - np.exp(-1.35 * np.maximum(linear, 0))
    srgb = np.where(mapped < 0.0031308, 12.92 * mapped, 1.055 * mapped ** (1 / 2.4) - 0.055)
    return np.asarray(srgb + 0.035 * np.sin(2 * np.pi * (srgb - 0.5)) * 0.8)

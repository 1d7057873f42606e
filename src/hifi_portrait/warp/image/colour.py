"""Telling skin, hair and clothes apart by their colours."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

_LIGHTNESS = 0.3  # its weight beside the colours': ears and what hair hangs over are in the shade
_LEAST = 40  # pixels that tell a colour
_USUAL = 160.0  # of 255: brightness of skin that no photo shows

Array = npt.NDArray[Any]


def lab(picture: Array) -> npt.NDArray[np.float32]:
    """A uint8 RGB picture (H, W, 3) in CIELAB, as 8 bits scale it."""
    return cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2LAB).astype(np.float32)


def tones(crop: Array) -> npt.NDArray[np.float32]:
    """Colours (S, S, 3) of a photo, uint8 RGB, whose Euclidean distances say how much two differ."""
    colours = lab(crop)
    colours[..., 0] *= _LIGHTNESS
    return colours


def hues(tones: Array) -> npt.NDArray[np.float32]:
    """The same colours without their lightness, which depends on the light."""
    return np.asarray(tones * np.array([0, 1, 1], np.float32), np.float32)


def unlikeness(colours: Array, sample: Array) -> npt.NDArray[Any]:
    """Distance (S, S) of each of the `tones` from the median of a sample (P, 3); infinite if P is small."""
    if len(sample) < _LEAST:
        return np.full(colours.shape[:2], np.inf, np.float32)
    return np.asarray(np.linalg.norm(colours - np.median(sample, axis=0), axis=2))


def brightness(colour: Array, where: Array, percentile: float = 50, otherwise: float = _USUAL) -> float:
    """How bright a picture (H, W, 3) is at places (H, W), in [0, 255]; if none, as skin usually is."""
    return float(np.percentile(colour[where].mean(axis=1), percentile)) if where.any() else otherwise

"""The person's own colours at the edge of a matte, where a photo shows them mixed with the background's."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.faces.pull_push import inpaint
from hifi_portrait.head.arrays import Array, FloatArray

_PURE = 0.95
"""Matte from which on a photo's colour is the person's alone; the background's, below 1 minus this."""

_SQUARES = (1 / 64, 1 / 160)
"""Sides of the squares in which colours are made smooth, as fractions of the picture's longer side."""


def estimate_foreground(picture: Array, matte: Array) -> FloatArray:
    """Estimate the colours that the person has where the matte is between 0 and 1.

    Put before another background by this matte, the person then has no rim of the photo's own background.
    Both layers' colours go on from where they are pure; then they are smoothed and corrected in turns, as
    in Forte, Approximate Fast Foreground Colour Estimation (2021), so that they give the photo when they are
    mixed again.

    Parameters
    ----------
    picture
        (H, W, 3) uint8, RGB.
    matte
        (H, W) in [0, 1], 1 on the person.

    Returns
    -------
    FloatArray
        (H, W, 3) in [0, 255]: the picture where the matte is 1; beyond the person, the nearest such colours.

    Raises
    ------
    ValueError
        The matte is not of the picture's height and width.
    """
    if picture.shape[:2] != matte.shape:
        raise ValueError(
            f"a matte of shape {matte.shape} does not fit a picture of shape {picture.shape};"
            " it needs the picture's height and width"
        )
    shown = picture.astype(np.float32)
    alpha = np.clip(matte, 0, 1).astype(np.float32)
    person = inpaint(shown, (alpha > _PURE).astype(np.float32))
    behind = inpaint(shown, (alpha < 1 - _PURE).astype(np.float32))
    person, behind = _correct(shown, alpha, person, behind)
    for square in _SQUARES:
        side = max(3, 2 * round(square * max(alpha.shape) / 2) + 1)
        person, behind = _average(person, alpha, side), _average(behind, 1 - alpha, side)
        person, behind = _correct(shown, alpha, person, behind)
    return np.where(alpha[..., None] > _PURE, shown, person)


def _average(colours: FloatArray, weights: FloatArray, side: int) -> FloatArray:
    """Average colours (H, W, 3) in a square about each place by squared weights, where there are any."""
    squared = (weights * weights)[..., None]
    size = (side, side)
    known = cv2.blur(weights * weights, size)[..., None]
    mean = cv2.blur(colours * squared, size) / np.maximum(known, 1e-6)
    return np.where(known > 1e-6, mean, colours)


def _correct(
    shown: FloatArray, alpha: FloatArray, person: FloatArray, behind: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Change both layers as little as is needed for them to give the photo when they are mixed."""
    weight = alpha[..., None]
    left = shown - weight * person - (1 - weight) * behind
    left /= weight**2 + (1 - weight) ** 2
    return np.clip(person + weight * left, 0, 255), np.clip(behind + (1 - weight) * left, 0, 255)

"""Teeth, tongue and the dark of a mouth, where no photo shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.geometry import EXPRESSION_NAMES
from hifi_portrait.head.mesh import TOOTH_WIDTHS, Part

_ARCH = 30.0  # millimetres: radius of the arch in which they stand
_SHOWN = (2.5, 6.5)  # millimetres of the upper row that a raised jaw shows, and that a smile shows besides
_RAISING = {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5, "mouthUpperUpLeft": 1.0, "mouthUpperUpRight": 1.0}
_MOST = 0.75  # share of the opening that they fill at most
_CURVE = 0.35  # share of their height by which the row is lower in the middle than at the corners
_ROUNDED = 0.6  # millimetres by which a tooth's corners are shorter than its middle
_ENAMEL = (1.0, 0.97, 0.9)
_BETWEEN = 0.72  # brightness between two of them
_GAP = 0.4  # millimetres from a tooth's side to where it is as light as its middle
_UNDER_LIP = (0.7, 2.5)  # brightness under the lip's edge, and millimetres below it where its shade ends
_CORNERS = (14.0, 32.0)  # millimetres along the arch between which they pass into the dark
_BRIGHTEST = 225.0  # of 255
_DIM = 0.3  # share of the light that reaches what is just behind the lips' edge
_DEEP = 0.012  # share of the picture's side over which the lips shade what is behind them
_DARK = (0.25, 0.11, 0.1)
# Colours, as a share of the skin's brightness, and how lit they are.
_BEHIND = {Part.LOWER_TEETH: ((0.95, 0.93, 0.88), 0.5), Part.TONGUE: ((0.75, 0.38, 0.38), 0.8)}

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Opening:
    """What is between the lips of a target: P pixels.

    Attributes
    ----------
    aside
        (P,) millimetres from the middle of the lips, along them.
    below, above
        (P,) millimetres below the upper lip's edge, and above the lower lip's.
    pixel
        Millimetres.
    """

    aside: Array
    below: Array
    above: Array
    pixel: float


def behind(parts: Array, inside: Array, brightness: float) -> Array:
    """Colours (P, 3) of tongue, lower teeth and the dark inside (H, W): what is farther in is lit more."""
    sigma = _DEEP * len(parts)
    openness = 1.4 * cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma)
    dark = np.array(_DARK, np.float32) * brightness
    colours = np.tile(dark, (*parts.shape, 1))
    for part, (shares, lit) in _BEHIND.items():
        here = parts == part
        light = np.clip(lit * openness[here][:, None], _DIM, 1)
        colours[here] = dark + light * (np.array(shares) * brightness - dark)
    return np.asarray(colours[inside])


def upper_teeth(opening: Opening, expression: Array, white: float) -> tuple[Array, Array]:
    """Colours (P, 3) of the upper row, and its share (P,) of each pixel.

    The lip of an expression (52,) hides more or less of it; ``white`` is the brightness in [0, 255] of teeth.
    """
    across = np.abs(opening.aside)
    along = _ARCH * np.arcsin(np.minimum(across / _ARCH, 0.98))
    ends = np.cumsum(TOOTH_WIDTHS)
    tooth = np.minimum(np.searchsorted(ends, along), len(ends) - 1)
    place = (along - (ends - TOOTH_WIDTHS)[tooth]) / TOOTH_WIDTHS[tooth]  # 0 to 1 through a tooth
    height = opening.below + opening.above
    length = upper_teeth_shown(expression)
    length = np.minimum(length * (1 - _CURVE * (across / max(across.max(), 1.0)) ** 2), _MOST * height)
    length = length - _ROUNDED * (2 * place - 1) ** 4
    share = np.clip((length - opening.below) / opening.pixel + 0.5, 0, 1)
    gap = np.minimum(place, 1 - place) * TOOTH_WIDTHS[tooth]
    light = _BETWEEN + (1 - _BETWEEN) * _step(gap / _GAP)
    light *= _UNDER_LIP[0] + (1 - _UNDER_LIP[0]) * _step(opening.below / _UNDER_LIP[1])
    light *= 1 - 0.85 * _step((along - _CORNERS[0]) / (_CORNERS[1] - _CORNERS[0]))
    return np.minimum(white, _BRIGHTEST) * light[:, None] * np.array(_ENAMEL), share


def upper_teeth_shown(expression: Array) -> float:
    """Millimetres of the upper row that the lip of an expression (52,) leaves bare if the mouth is open."""
    raised = sum(share * expression[EXPRESSION_NAMES.index(name)] for name, share in _RAISING.items())
    return _SHOWN[0] + _SHOWN[1] * min(float(raised), 1.0)


def _step(share: Array) -> Array:
    t = np.clip(share, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))

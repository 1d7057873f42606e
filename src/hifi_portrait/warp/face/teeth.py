"""Teeth, tongue and the dark of a mouth, where no photo shows them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.head.geometry import EXPRESSION_NAMES
from hifi_portrait.head.mesh import TOOTH_WIDTHS, Part
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.settings import TeethSettings

_SMILES = [EXPRESSION_NAMES.index(name) for name in ("mouthSmileLeft", "mouthSmileRight")]
_LIP_RAISES = [EXPRESSION_NAMES.index(name) for name in ("mouthUpperUpLeft", "mouthUpperUpRight")]


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


def draw_behind_teeth(
    parts: Array, inside: Array, brightness: float, height: int, settings: TeethSettings
) -> Array:
    """Colours (P, 3) of tongue, lower teeth and the dark, where the mouth is open.

    What is farther from the lips' edge is lit more.

    Parameters
    ----------
    parts
        (h, w) number of the `Part` that each pixel shows, of the picture or a window of it.
    inside
        (h, w) bool, which P pixels are inside the mouth.
    brightness
        Of the skin, in [0, 255].
    height
        Of the picture.
    settings
        Colours and light.
    """
    sigma = settings.inner_shadow * height
    openness = settings.inner_gain * cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma)
    dark = np.array(settings.dark, np.float32) * brightness
    colours = np.tile(dark, (*parts.shape, 1))
    drawn = (
        (Part.LOWER_TEETH, settings.lower_teeth, settings.lower_teeth_light),
        (Part.TONGUE, settings.tongue, settings.tongue_light),
    )
    for part, colour, lit in drawn:
        here = parts == part
        light = np.clip(lit * openness[here][:, None], settings.inner_light, 1)
        colours[here] = dark + light * (np.array(colour) * brightness - dark)
    return np.asarray(colours[inside])


def draw_upper_teeth(
    opening: Opening, expression: Array, white: float, settings: TeethSettings
) -> tuple[Array, Array]:
    """Colours (P, 3) of the upper row, and the fraction (P,) of each pixel that it covers.

    Parameters
    ----------
    opening
        The pixels between the lips.
    expression
        (52,) coefficients: lips hide more or less of the teeth.
    white
        Brightness in [0, 255] of teeth.
    settings
        Their shape and light.
    """
    across = np.abs(opening.aside)
    shortness = np.array(settings.shortness)
    along = settings.arch_radius * np.arcsin(np.minimum(across / settings.arch_radius, 0.98))
    ends = np.cumsum(TOOTH_WIDTHS)
    tooth = np.minimum(np.searchsorted(ends, along), len(ends) - 1)
    place = (along - (ends - TOOTH_WIDTHS)[tooth]) / TOOTH_WIDTHS[tooth]  # 0 to 1 through a tooth
    height = opening.below + opening.above
    curved = 1 - settings.row_curve * (across / max(across.max(), 1.0)) ** 2
    length = np.minimum(bared_teeth(expression, settings) * curved, settings.max_fill * height)
    length = length - settings.rounding * (2 * place - 1) ** 4
    length = length - np.minimum(shortness[np.minimum(tooth, len(shortness) - 1)], 0.3 * length)
    covered = np.clip((length - opening.below) / opening.pixel + 0.5, 0, 1)
    to_gap = np.minimum(place, 1 - place) * TOOTH_WIDTHS[tooth]
    between, under_lip = settings.gap_brightness, settings.lip_shadow_brightness
    light = between + (1 - between) * smoothstep(to_gap / settings.gap_width)
    light *= under_lip + (1 - under_lip) * smoothstep(opening.below / settings.lip_shadow)
    to_edge = np.maximum(length - opening.below, 0)
    edge = settings.edge_brightness
    light *= edge + (1 - edge) * smoothstep(to_edge / settings.edge_length)
    first, last = settings.dark_corners
    light *= 1 - settings.corner_darkening * smoothstep((along - first) / (last - first))
    bright = np.minimum(white, settings.max_brightness)
    return bright * light[:, None] * np.array(settings.enamel), covered


def bared_teeth(expression: Array, settings: TeethSettings) -> float:
    """Millimetres of the upper row that the lip of an expression (52,) leaves bare if the mouth is open."""
    smiles = [settings.smile_raise * expression[index] for index in _SMILES]
    raises = [settings.lip_raise * expression[index] for index in _LIP_RAISES]
    raised = min(float(sum(smiles + raises)), 1.0)
    return settings.resting_length + settings.smiling_length * raised

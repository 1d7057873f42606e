"""Captions from what was measured: expression, light, and the background's colour."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head import HeadGeometry
from hifi_portrait.head.arrays import ByteArray, FloatArray
from hifi_portrait.head.geometry import EXPRESSION_NAMES

_SIGNS = (
    ("laughing", ("mouthSmileLeft", "mouthSmileRight", "jawOpen"), (0.35, 0.35, 0.3)),
    ("smiling", ("mouthSmileLeft", "mouthSmileRight"), (0.3, 0.3)),
    ("with an open mouth", ("jawOpen",), (0.35,)),
    ("with pursed lips", ("mouthPucker",), (0.6,)),
    ("with closed eyes", ("eyeBlinkLeft", "eyeBlinkRight"), (0.7, 0.7)),
    ("winking", ("eyeBlinkLeft",), (0.8,)),
    ("frowning", ("browDownLeft", "browDownRight"), (0.5, 0.5)),
)
"""What a caption says -> coefficients that are all at least so large; the first that holds is said."""

_COLOURS = {
    "white": (235, 235, 235),
    "grey": (140, 140, 140),
    "black": (25, 25, 25),
    "blue": (70, 110, 180),
    "green": (80, 130, 70),
    "brown": (120, 85, 60),
    "red": (170, 50, 50),
    "beige": (205, 185, 155),
}

_DARK, _BRIGHT = 70, 190
"""Mean brightness of the face, of 255, below and above which its light is named."""

_PLAIN = 22.0
"""Standard deviation of the background's brightness below which it is plain."""

_GREY_SATURATION = 6.0
"""Mean difference between colour channels, of 255, below which a picture has no colours."""


_MEAN_OF_CHANNELS = np.full((1, 3), 1 / 3, np.float32)

_SIDE = 160
"""Pixels a side that are looked at: means and spreads of colours are those of the whole."""


def describe(crop: ByteArray, matte: FloatArray, fit: HeadGeometry) -> tuple[str, dict[str, str]]:
    """Describe a portrait.

    Parameters
    ----------
    crop, matte
        (S, S, 3) and (S, S), of the person.
    fit
        The head in it.

    Returns
    -------
    caption, attributes
        Clauses between commas, and what they were made of.
    """
    step = max(len(crop) // _SIDE, 1)
    crop, matte = np.ascontiguousarray(crop[::step, ::step]), matte[::step, ::step]
    found: dict[str, str] = {"style": _style(crop)}
    expression = dict(zip(EXPRESSION_NAMES, fit.expression, strict=True))
    for said, names, limits in _SIGNS:
        if all(expression[name] >= limit for name, limit in zip(names, limits, strict=True)):
            found["expression"] = said
            break
    person, beside = (each.astype(np.uint8) for each in (matte > 0.5, matte < 0.1))
    brightness = float(np.mean(cv2.mean(crop, person)[:3])) if person.any() else 128.0
    if brightness < _DARK:
        found["light"] = "in dim light"
    elif brightness > _BRIGHT:
        found["light"] = "in bright light"
    if int(beside.sum()) > crop.shape[0] and found["style"] == "photo":
        mean = np.array(cv2.mean(crop, beside)[:3])
        colour = min(_COLOURS, key=lambda name: float(np.abs(mean - _COLOURS[name]).sum()))
        spread = cv2.meanStdDev(cv2.transform(crop.astype(np.float32), _MEAN_OF_CHANNELS), mask=beside)[1]
        plain = "plain " if float(spread[0, 0]) < _PLAIN else ""
        found["background"] = f"{plain}{colour}"
    clauses = [f"a {found['style']} of a person", found.get("expression"), found.get("light")]
    if "background" in found:
        clauses.append(f"in front of a {found['background']} background")
    return ", ".join(clause for clause in clauses if clause), found


def _style(crop: ByteArray) -> str:
    red, green, blue = cv2.split(crop)
    most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    saturation = cv2.mean(cv2.subtract(most, least))[0]
    return "black and white photo" if saturation < _GREY_SATURATION else "photo"

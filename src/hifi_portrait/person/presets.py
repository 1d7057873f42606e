"""Named expressions: the presets that a target may ask for."""

from __future__ import annotations

from collections.abc import Mapping

from hifi_portrait.head.geometry import EXPRESSION_NAMES

_COEFFICIENTS: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "smile": {"mouthSmile*": 0.7, "cheekSquint*": 0.4, "mouthUpperUp*": 0.05, "eyeSquint*": 0.2},
    "slight-smile": {"mouthSmile*": 0.4, "cheekSquint*": 0.15},
    "laugh": {
        "mouthSmile*": 0.9,
        "cheekSquint*": 0.6,
        "mouthUpperUp*": 0.4,
        "mouthLowerDown*": 0.3,
        "jawOpen": 0.32,
        "eyeSquint*": 0.4,
    },
    "smirk": {
        "mouthSmileLeft": 0.75,
        "mouthDimpleLeft": 0.6,
        "mouthLeft": 0.25,
        "cheekSquintLeft": 0.4,
        "eyeSquintLeft": 0.3,
    },
    "surprise": {
        "jawOpen": 0.4,
        "browInnerUp": 1.6,
        "browOuterUp*": 1.4,
        "eyeWide*": 1.2,
        "mouthFunnel": 0.3,
    },
    "sad": {
        "browInnerUp": 1.8,
        "mouthFrown*": 1.15,
        "mouthShrugLower": 0.4,
        "mouthStretch*": 0.3,
        "eyeSquint*": 0.2,
    },
    "angry": {
        "browDown*": 1.5,
        "noseSneer*": 0.6,
        "mouthPress*": 0.7,
        "eyeSquint*": 0.4,
        "eyeWide*": 0.3,
        "mouthFrown*": 0.7,
    },
    "disgust": {
        "noseSneer*": 1.6,
        "mouthUpperUp*": 1.1,
        "browDown*": 0.5,
        "cheekSquint*": 0.8,
        "mouthFrown*": 0.5,
        "eyeSquint*": 0.5,
    },
    "fear": {
        "browInnerUp": 1.8,
        "browOuterUp*": 0.6,
        "eyeWide*": 1.4,
        "mouthStretch*": 1.2,
        "mouthLowerDown*": 0.5,
        "jawOpen": 0.18,
    },
    "contempt": {
        "mouthSmileRight": 0.45,
        "mouthDimpleRight": 1.0,
        "mouthPressRight": 0.5,
        "browDownRight": 0.7,
        "browOuterUpLeft": 0.6,
        "eyeSquint*": 0.5,
    },
    "doubt": {
        "browOuterUpLeft": 1.2,
        "browInnerUp": 0.6,
        "browDownRight": 1.2,
        "mouthFrown*": 0.9,
        "mouthRight": 0.4,
        "eyeSquintRight": 0.8,
    },
    "wink": {"eyeBlinkLeft": 1.0, "cheekSquintLeft": 0.9, "browDownLeft": 0.5, "mouthSmile*": 0.5},
    "wink-right": {"eyeBlinkRight": 1.0, "cheekSquintRight": 0.9, "browDownRight": 0.5, "mouthSmile*": 0.5},
    "kiss": {"mouthPucker": 1.1, "mouthFunnel": 0.3},
    "pout": {"mouthShrugLower": 1.3, "mouthShrugUpper": 0.3, "mouthFrown*": 0.5, "mouthPucker": 0.7},
    "talk": {"jawOpen": 0.22, "mouthFunnel": 0.3, "mouthUpperUp*": 0.3, "mouthLowerDown*": 0.4},
    "shout": {
        "jawOpen": 0.65,
        "mouthUpperUp*": 0.7,
        "mouthLowerDown*": 0.8,
        "mouthStretch*": 0.3,
        "browDown*": 1.0,
        "noseSneer*": 0.5,
        "eyeSquint*": 0.3,
    },
    "eyes-closed": {"eyeBlink*": 1.0},
    "squint": {"eyeSquint*": 1.6, "cheekSquint*": 0.9, "browDown*": 0.8, "noseSneer*": 0.3},
}
"""Coefficients in [0, 2] of each preset; a trailing * stands for Left and Right, and all others are 0."""


def _expand_sides(coefficients: Mapping[str, float]) -> tuple[float, ...]:
    """Give all 52 coefficients of a preset."""
    values = dict.fromkeys(EXPRESSION_NAMES, 0.0)
    for name, value in coefficients.items():
        for side in ("Left", "Right") if name.endswith("*") else ("",):
            values[name.rstrip("*") + side] = value
    return tuple(values[name] for name in EXPRESSION_NAMES)


PRESETS: Mapping[str, tuple[float, ...]] = {
    name: _expand_sides(preset) for name, preset in _COEFFICIENTS.items()
}
"""Expression presets: 52 coefficients each, in the order of ``EXPRESSION_NAMES``."""

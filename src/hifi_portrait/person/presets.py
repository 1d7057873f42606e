"""Named expressions: the presets that a target may ask for."""

from __future__ import annotations

from collections.abc import Mapping

from hifi_portrait.head.geometry import EXPRESSION_NAMES

_COEFFICIENTS: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "smile": {"mouthSmile*": 0.65, "cheekSquint*": 0.25, "mouthUpperUp*": 0.05},
    "slight-smile": {"mouthSmile*": 0.35, "cheekSquint*": 0.1},
    "laugh": {
        "mouthSmile*": 0.85,
        "cheekSquint*": 0.45,
        "mouthUpperUp*": 0.2,
        "mouthLowerDown*": 0.15,
        "jawOpen": 0.28,
        "eyeSquint*": 0.15,
    },
    "smirk": {"mouthSmileLeft": 0.6, "mouthSmileRight": 0.1, "mouthDimpleLeft": 0.4, "cheekSquintLeft": 0.2},
    "surprise": {
        "jawOpen": 0.35,
        "browInnerUp": 0.85,
        "browOuterUp*": 0.8,
        "eyeWide*": 0.7,
        "mouthFunnel": 0.15,
    },
    "sad": {"browInnerUp": 0.8, "mouthFrown*": 0.65, "mouthShrugLower": 0.25},
    "angry": {
        "browDown*": 0.9,
        "noseSneer*": 0.3,
        "mouthPress*": 0.4,
        "eyeSquint*": 0.15,
        "mouthFrown*": 0.2,
    },
    "disgust": {
        "noseSneer*": 0.8,
        "mouthUpperUp*": 0.4,
        "browDown*": 0.4,
        "cheekSquint*": 0.3,
        "mouthFrown*": 0.25,
    },
    "fear": {
        "browInnerUp": 0.85,
        "browOuterUp*": 0.35,
        "eyeWide*": 0.8,
        "mouthStretch*": 0.55,
        "jawOpen": 0.15,
    },
    "contempt": {"mouthSmileRight": 0.45, "mouthDimpleRight": 0.5, "browDownRight": 0.25, "mouthPress*": 0.2},
    "doubt": {"browOuterUpLeft": 0.8, "browInnerUp": 0.3, "browDownRight": 0.4, "mouthFrown*": 0.2},
    "wink": {"eyeBlinkLeft": 1.0, "cheekSquintLeft": 0.45, "mouthSmile*": 0.45},
    "wink-right": {"eyeBlinkRight": 1.0, "cheekSquintRight": 0.45, "mouthSmile*": 0.45},
    "kiss": {"mouthPucker": 0.8, "mouthFunnel": 0.1},
    "pout": {"mouthShrugLower": 0.7, "mouthFrown*": 0.3, "mouthPucker": 0.2},
    "talk": {"jawOpen": 0.2, "mouthFunnel": 0.2, "mouthUpperUp*": 0.12, "mouthLowerDown*": 0.1},
    "shout": {"jawOpen": 0.6, "mouthUpperUp*": 0.3, "mouthLowerDown*": 0.3, "browDown*": 0.4},
    "eyes-closed": {"eyeBlink*": 1.0},
    "squint": {"eyeSquint*": 0.8, "cheekSquint*": 0.4, "browDown*": 0.3},
}
"""Coefficients in [0, 1] of each preset; a trailing * stands for Left and Right, and all others are 0."""


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

"""Named kinds of expression and the ARKit coefficients they are drawn from."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

KINDS = (
    "neutral",
    "smile",
    "laugh",
    "surprise",
    "sad",
    "angry",
    "disgust",
    "fear",
    "wink",
    "kiss",
    "talk",
    "eyes closed",
)
WEIGHTS = (0.26, 0.22, 0.11, 0.07, 0.055, 0.055, 0.035, 0.035, 0.03, 0.04, 0.08, 0.01)

Recipe = dict[str, tuple[float, float]]

_RECIPES: dict[str, Recipe] = {
    "neutral": {"mouthSmile*": (0.04, 0.20), "browInnerUp": (0.0, 0.15)},
    "smile": {"mouthSmile*": (0.35, 0.85), "cheekSquint*": (0.0, 0.35), "mouthUpperUp*": (0.0, 0.12)},
    "laugh": {
        "mouthSmile*": (0.65, 1.0),
        "cheekSquint*": (0.2, 0.6),
        "mouthUpperUp*": (0.05, 0.3),
        "jawOpen": (0.10, 0.35),
        "eyeSquint*": (0.0, 0.2),
        "mouthLowerDown*": (0.0, 0.2),
    },
    "surprise": {
        "jawOpen": (0.15, 0.5),
        "browInnerUp": (0.5, 1.0),
        "browOuterUp*": (0.5, 1.0),
        "eyeWide*": (0.4, 0.9),
        "mouthFunnel": (0.0, 0.35),
    },
    "sad": {"browInnerUp": (0.5, 1.0), "mouthFrown*": (0.35, 0.9), "mouthShrugLower": (0.0, 0.4)},
    "angry": {
        "browDown*": (0.5, 1.0),
        "noseSneer*": (0.0, 0.5),
        "mouthPress*": (0.0, 0.6),
        "eyeSquint*": (0.0, 0.25),
        "mouthFrown*": (0.0, 0.35),
    },
    "disgust": {
        "noseSneer*": (0.5, 1.0),
        "mouthUpperUp*": (0.2, 0.6),
        "browDown*": (0.2, 0.6),
        "cheekSquint*": (0.1, 0.4),
        "mouthFrown*": (0.0, 0.4),
    },
    "fear": {
        "browInnerUp": (0.5, 1.0),
        "browOuterUp*": (0.1, 0.5),
        "eyeWide*": (0.5, 1.0),
        "mouthStretch*": (0.3, 0.8),
        "jawOpen": (0.05, 0.25),
    },
    "wink": {"mouthSmile*": (0.2, 0.7), "cheekSquint*": (0.0, 0.2)},
    "kiss": {"mouthPucker": (0.5, 0.95), "mouthFunnel": (0.0, 0.15)},
    "talk": {"jawOpen": (0.08, 0.3), "mouthFunnel": (0.0, 0.45), "mouthUpperUp*": (0.0, 0.25)},
    "eyes closed": {"eyeBlink*": (0.95, 1.0), "mouthSmile*": (0.0, 0.4)},
}

_JITTERED = (
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "mouthLeft",
    "mouthRight",
    "jawLeft",
    "jawRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthRollLower",
    "mouthShrugUpper",
    "cheekPuff",
)


def sample_expression(rng: np.random.Generator, kind: str, names: tuple[str, ...]) -> NDArray[np.float32]:
    """Draw the coefficients (52,) in [0, 1] of an expression.

    Parameters
    ----------
    rng
        Random numbers.
    kind
        One of ``KINDS``.
    names
        The order of the coefficients.

    Raises
    ------
    ValueError
        When ``kind`` is unknown.
    """
    if kind not in _RECIPES:
        raise ValueError(f"unknown expression kind {kind!r}: take one of {', '.join(KINDS)}")
    values = dict.fromkeys(names, 0.0)
    put = _setter(values, rng)
    for name in _JITTERED:
        values[name] = float(abs(rng.normal(0, 0.035)))
    for name, (low, high) in _RECIPES[kind].items():
        put(name, rng.uniform(low, high))
    if kind == "wink":
        side = "Left" if rng.random() < 0.5 else "Right"
        values["eyeBlink" + side] = float(rng.uniform(0.9, 1.0))
        values["cheekSquint" + side] = float(rng.uniform(0.3, 0.6))
    elif kind != "eyes closed":
        put("eyeBlink*", max(0.0, rng.normal(0.0, 0.03)))
    return np.clip([values[name] for name in names], 0, 1).astype(np.float32)


def _setter(values: dict[str, float], rng: np.random.Generator) -> Callable[[str, float], None]:
    def put(name: str, value: float) -> None:
        if name.endswith("*"):
            for side in ("Left", "Right"):
                values[name[:-1] + side] = float(np.clip(value + rng.normal(0, 0.03) * (value > 0), 0, 1))
        else:
            values[name] = float(value)

    return put

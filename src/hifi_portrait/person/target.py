"""What a portrait is to show: expression, head pose, gaze and framing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, TypeAlias

import numpy as np

from hifi_portrait.errors import TargetError
from hifi_portrait.faces import FaceAnalyser, ImageLike, analyse, source_name
from hifi_portrait.fitting import fit
from hifi_portrait.head import DEFAULT_FACE_SHARE, EXPRESSION_NAMES, HeadGeometry, HeadPose, framing_of
from hifi_portrait.head.glasses import FRAMES
from hifi_portrait.prompts.clothes import CLOTHES_COLOURS, clothes_in
from hifi_portrait.prompts.glasses import glasses_in
from hifi_portrait.prompts.hair import HAIR_COLOURS, hair_in

ExpressionLike: TypeAlias = str | Mapping[str, float] | Sequence[float] | np.ndarray
"""A preset's name, ARKit coefficients by name (the rest 0), or all 52 in ``EXPRESSION_NAMES``' order."""

POSE_RANGE: Mapping[str, float] = {"yaw": 60.0, "pitch": 40.0, "roll": 40.0}
"""Largest absolute head angles, in degrees."""

GAZE_RANGE: Mapping[str, float] = {"yaw": 40.0, "pitch": 30.0}
"""Largest absolute gaze angles, in degrees, relative to the head."""

GLASSES = ("own", "none", *FRAMES)
"""What a target may say of glasses."""

HAIR = ("own", *HAIR_COLOURS)
"""What a target may say of the colour of hair."""

CLOTHES = ("own", *CLOTHES_COLOURS)
"""What a target may say of the colour of clothes."""

# A trailing * stands for the Left and the Right coefficient.
_PRESETS: Mapping[str, Mapping[str, float]] = {
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


def _expand(coefficients: Mapping[str, float]) -> tuple[float, ...]:
    values = dict.fromkeys(EXPRESSION_NAMES, 0.0)
    for name, value in coefficients.items():
        for side in ("Left", "Right") if name.endswith("*") else ("",):
            values[name.rstrip("*") + side] = value
    return tuple(values[name] for name in EXPRESSION_NAMES)


PRESETS: Mapping[str, tuple[float, ...]] = {name: _expand(preset) for name, preset in _PRESETS.items()}
"""Expression presets: 52 coefficients each, in the order of ``EXPRESSION_NAMES``."""


@dataclass(frozen=True)
class Framing:
    """How large the head is in the picture, and where.

    Attributes
    ----------
    scale
        Height of the mean face (forehead to chin, neutral, facing the camera) as a share of the picture's
        height, in [0.1, 0.9].
    x, y
        Place of the head's centre, in [0, 1] from the left and from the top.
    """

    scale: float = DEFAULT_FACE_SHARE
    x: float = 0.5
    y: float = 0.51

    def __post_init__(self) -> None:
        _check_range("framing scale", self.scale, 0.1, 0.9)
        _check_range("framing x", self.x, 0.0, 1.0)
        _check_range("framing y", self.y, 0.0, 1.0)


@dataclass(frozen=True)
class Target:
    """The wished expression, head pose, gaze and framing of a portrait.

    Attributes
    ----------
    expression
        Given as a preset's name, ARKit coefficients by name, or all 52; kept as 52 numbers in [0, 1].
    pose
        Head pose in degrees: \\|yaw\\| <= 60, \\|pitch\\| <= 40, \\|roll\\| <= 40.
    gaze
        Yaw and pitch in degrees relative to the head: \\|yaw\\| <= 40, \\|pitch\\| <= 30.
    framing
        Size and place of the head in the picture.
    glasses
        "none"; or ``"round"``, ``"rectangular"``, ``"square"``, ``"browline"``, ``"cat-eye"`` or
        ``"sunglasses"``, which are put on; or "own" for what most references show. None leaves it to the
        prompt: what it says of glasses, or else "own". Dark lenses cannot be taken off, if all
        references wear some.
    hair
        The hair's colour: one of `HAIR` ("black", "light-blond", "red", "grey", "pink", ...),
        or "own". None leaves it to the prompt: what it says of hair, or else "own".
    clothes
        The clothes' colour: one of `CLOTHES` ("white", "navy", "light-blue", ...), or "own"; None as of hair.
        A given scene keeps hair and clothes, whatever the target says of them.

    Raises
    ------
    TargetError
        An unknown preset, coefficient, kind of glasses or colour, or a value out of range.
    """

    expression: ExpressionLike = "neutral"
    pose: HeadPose = field(default_factory=HeadPose)
    gaze: tuple[float, float] = (0.0, 0.0)
    framing: Framing = field(default_factory=Framing)
    glasses: str | None = None
    hair: str | None = None
    clothes: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "expression", _coefficients(self.expression))
        if len(self.gaze) != 2:
            raise TargetError(f"gaze must be yaw and pitch in degrees, got {len(self.gaze)} numbers")
        object.__setattr__(self, "gaze", (float(self.gaze[0]), float(self.gaze[1])))
        for axis, limit in POSE_RANGE.items():
            _check_range(axis, getattr(self.pose, axis), -limit, limit, " degrees")
        for value, (axis, limit) in zip(self.gaze, GAZE_RANGE.items(), strict=True):
            _check_range(f"gaze {axis}", value, -limit, limit, " degrees")
        if self.glasses is not None:
            object.__setattr__(self, "glasses", _named(self.glasses, "glasses", GLASSES))
        if self.hair is not None:
            object.__setattr__(self, "hair", _named(self.hair, "colour of hair", HAIR))
        if self.clothes is not None:
            object.__setattr__(self, "clothes", _named(self.clothes, "colour of clothes", CLOTHES))

    @classmethod
    def preset(cls, name: str, strength: float = 1.0, **changes: Any) -> Target:
        """A preset expression, scaled by ``strength`` in [0, 1]; other fields as keyword arguments.

        Raises
        ------
        TargetError
            The preset is unknown, or a value is out of range.
        """
        _check_range("strength", strength, 0.0, 1.0)
        return cls(expression=[strength * value for value in _preset(name)], **changes)

    @classmethod
    def from_photo(cls, photo: ImageLike, *, analyser: FaceAnalyser | None = None) -> Target:
        """The expression, head pose, gaze and framing of the largest face in a photo.

        The framing is that of the photo's portrait crop, not of the whole photo.

        Raises
        ------
        ImageError, NoFaceError
            The photo cannot be used.
        TargetError
            The head is turned further than a target may be.
        """
        face = analyse(photo, analyser=analyser)
        size = face.crop.shape[0]
        geometry = fit([face.crop_landmarks], [(size, size)]).geometries[0]
        try:
            return cls.from_geometry(geometry)
        except TargetError as error:
            raise TargetError(f"{source_name(photo)} cannot be followed as a target: {error}") from error

    @classmethod
    def from_geometry(cls, geometry: HeadGeometry) -> Target:
        """The target that a head in a picture fulfils.

        Raises
        ------
        TargetError
            The head is turned further than a target may be.
        """
        yaw_limit, pitch_limit = GAZE_RANGE.values()
        gaze_yaw, gaze_pitch = (float(angle) for angle in geometry.gaze)
        return cls(
            expression=np.clip(geometry.expression, 0.0, 1.0),
            pose=geometry.pose,
            gaze=(
                min(max(gaze_yaw, -yaw_limit), yaw_limit),
                min(max(gaze_pitch, -pitch_limit), pitch_limit),
            ),
            framing=Framing(*framing_of(geometry)),
        )

    def replace(self, **changes: Any) -> Target:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def prompted(self, prompts: str | Sequence[str]) -> Target:
        """This target with glasses, hair and clothes as all prompts name them, unless it does so itself."""
        texts = [prompts] if isinstance(prompts, str) else prompts
        changes = {}
        for name, read in (("glasses", glasses_in), ("hair", hair_in), ("clothes", clothes_in)):
            said = {read(text) for text in texts}
            if getattr(self, name) is None and len(said) == 1:
                changes[name] = said.pop()
        return self.replace(**changes)

    def expression_vector(self) -> np.ndarray:
        """The expression as float32 (52,), in the order of ``EXPRESSION_NAMES``."""
        return np.array(self.expression, dtype=np.float32)


def _coefficients(expression: ExpressionLike) -> tuple[float, ...]:
    if isinstance(expression, str):
        return _preset(expression)
    if isinstance(expression, Mapping):
        unknown = [name for name in expression if name not in EXPRESSION_NAMES]
        if unknown:
            raise TargetError(_unknown_message("expression coefficient", unknown[0], EXPRESSION_NAMES))
        values = [float(expression.get(name, 0.0)) for name in EXPRESSION_NAMES]
    else:
        values = [float(value) for value in expression]
        if len(values) != len(EXPRESSION_NAMES):
            raise TargetError(f"an expression has {len(EXPRESSION_NAMES)} coefficients, got {len(values)}")
    for name, value in zip(EXPRESSION_NAMES, values, strict=True):
        _check_range(name, value, 0.0, 1.0)
    return tuple(values)


def _preset(name: str) -> tuple[float, ...]:
    return PRESETS[_named(name, "expression preset", tuple(PRESETS))]


def _named(name: str, kind: str, known: Sequence[str]) -> str:
    """A name as it is known, however it is written."""
    key = name.strip().lower().replace(" ", "-").replace("_", "-")
    if key not in known:
        raise TargetError(_unknown_message(kind, name, known))
    return key


def _unknown_message(kind: str, name: str, known: Sequence[str]) -> str:
    lowered = {item.lower(): item for item in known}
    close = [lowered[item] for item in get_close_matches(name.lower(), lowered, n=3)]
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"unknown {kind} {name!r}.{hint} Known: {', '.join(known)}"


def _check_range(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    if not math.isfinite(value) or not low <= value <= high:
        raise TargetError(f"{name} = {value:g} is out of range: it must lie in [{low:g}, {high:g}]{unit}")

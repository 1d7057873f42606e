"""What a portrait is to show: expression, head pose, gaze and framing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, TypeAlias

import numpy as np

from hifi_portrait.errors import TargetError
from hifi_portrait.faces import FaceAnalyser, ImageLike, analyse, source_name
from hifi_portrait.fitting import fit
from hifi_portrait.head import DEFAULT_FACE_SHARE, EXPRESSION_NAMES, HeadGeometry, HeadPose, find_framing
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.glasses import FRAMES
from hifi_portrait.person.presets import PRESETS
from hifi_portrait.prompts.clothes import CLOTHES_COLOURS, find_clothes
from hifi_portrait.prompts.glasses import find_glasses
from hifi_portrait.prompts.hair import HAIR_COLOURS, find_hair

ExpressionLike: TypeAlias = str | Mapping[str, float] | Sequence[float] | Array
"""A preset's name, ARKit coefficients by name (the rest 0), or all 52 in ``EXPRESSION_NAMES``' order."""

POSE_RANGE: Mapping[str, float] = {"yaw": 60.0, "pitch": 40.0, "roll": 40.0}
"""Largest absolute head angles, in degrees."""

GAZE_RANGE: Mapping[str, float] = {"yaw": 40.0, "pitch": 30.0}
"""Largest absolute gaze angles, in degrees, relative to the head."""

GLASSES = ("own", "none", *FRAMES)
"""Values of `Target.glasses`: the references' own, none, or a frame that is put on."""

HAIR = ("own", *HAIR_COLOURS)
"""Values of `Target.hair`: the references' own colour, or one to change it to."""

CLOTHES = ("own", *CLOTHES_COLOURS)
"""Values of `Target.clothes`: the references' own colour, or one to change it to."""


@dataclass(frozen=True)
class Framing:
    """How large the head is in the picture, and where.

    Raises
    ------
    TargetError
        A value is out of range.
    """

    scale: float = DEFAULT_FACE_SHARE
    """Height of the mean face (forehead to chin, neutral, facing the camera) as a fraction of the picture's
    height, in [0.1, 0.9]."""
    x: float = 0.5
    """Place of the head's centre, from 0 at the left of the picture to 1 at its right."""
    y: float = 0.51
    """The same from 0 at the top to 1 at the bottom."""

    def __post_init__(self) -> None:
        _check_range("framing scale", self.scale, 0.1, 0.9)
        _check_range("framing x", self.x, 0.0, 1.0)
        _check_range("framing y", self.y, 0.0, 1.0)


@dataclass(frozen=True)
class Target:
    """The requested expression, head pose, gaze and framing of a portrait.

    Raises
    ------
    TargetError
        A preset, coefficient, kind of glasses or colour is unknown, or a value is out of range.
    """

    expression: ExpressionLike = "neutral"
    """A preset's name, ARKit coefficients by name, or all 52; kept as 52 numbers in [0, 1]."""
    pose: HeadPose = field(default_factory=HeadPose)
    """Head pose in degrees, within `POSE_RANGE`."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Yaw and pitch in degrees relative to the head, within `GAZE_RANGE`."""
    framing: Framing = field(default_factory=Framing)
    """Size and place of the head in the picture."""
    glasses: str | None = None
    """One of `GLASSES`: "none"; a frame such as "round" or "sunglasses", which is put on; or "own" for what
    most references show. None leaves it to the prompt, and where that names none, means "own". Dark lenses
    cannot be taken off if all references wear some."""
    hair: str | None = None
    """The hair's colour, one of `HAIR`, such as "light-blond" or "own". None leaves it to the prompt, as for
    glasses."""
    clothes: str | None = None
    """The clothes' colour, one of `CLOTHES`, such as "navy" or "own"; None as for hair. A given scene keeps
    hair and clothes, whatever the target asks for."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "expression", _read_coefficients(self.expression))
        if len(self.gaze) != 2:
            raise TargetError(f"gaze must be yaw and pitch in degrees, got {len(self.gaze)} numbers")
        object.__setattr__(self, "gaze", (float(self.gaze[0]), float(self.gaze[1])))
        for axis, limit in POSE_RANGE.items():
            _check_range(axis, getattr(self.pose, axis), -limit, limit, " degrees")
        for value, (axis, limit) in zip(self.gaze, GAZE_RANGE.items(), strict=True):
            _check_range(f"gaze {axis}", value, -limit, limit, " degrees")
        if self.glasses is not None:
            object.__setattr__(self, "glasses", _normalise_name(self.glasses, "glasses", GLASSES))
        if self.hair is not None:
            object.__setattr__(self, "hair", _normalise_name(self.hair, "colour of hair", HAIR))
        if self.clothes is not None:
            object.__setattr__(self, "clothes", _normalise_name(self.clothes, "colour of clothes", CLOTHES))

    @classmethod
    def preset(cls, name: str, strength: float = 1.0, **changes: Any) -> Target:
        """Make a target of a preset expression.

        Parameters
        ----------
        name
            One of `PRESETS`.
        strength
            Factor on the expression, in [0, 1].
        changes
            Other fields of the target.

        Raises
        ------
        TargetError
            The preset is unknown, or a value is out of range.
        """
        _check_range("strength", strength, 0.0, 1.0)
        return cls(expression=[strength * value for value in _get_preset(name)], **changes)

    @classmethod
    def from_photo(cls, photo: ImageLike, *, analyser: FaceAnalyser | None = None) -> Target:
        """Make the target that the largest face of a photo fulfils.

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
        """Make the target that a head in a picture fulfils, with gaze clipped to `GAZE_RANGE`.

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
            framing=Framing(*find_framing(geometry)),
        )

    def replace(self, **changes: Any) -> Target:
        """Make a copy with some fields changed."""
        return replace(self, **changes)

    def with_prompt(self, prompts: str | Sequence[str]) -> Target:
        """Take glasses, hair and clothes that are None here from the prompts, where all of them agree."""
        texts = [prompts] if isinstance(prompts, str) else prompts
        changes = {}
        for name, find in (("glasses", find_glasses), ("hair", find_hair), ("clothes", find_clothes)):
            mentioned = {find(text) for text in texts}
            if getattr(self, name) is None and len(mentioned) == 1:
                changes[name] = mentioned.pop()
        return self.replace(**changes)

    def expression_vector(self) -> FloatArray:
        """Give the expression as an array (52,), in the order of ``EXPRESSION_NAMES``."""
        return np.array(self.expression, dtype=np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Give the target as plain values, which can be written as JSON.

        Angles are in degrees; ``expression`` names only the coefficients that are not zero.
        """
        coefficients = zip(EXPRESSION_NAMES, _read_coefficients(self.expression), strict=True)
        return {
            "expression": {name: value for name, value in coefficients if value != 0},
            "pose": {axis: float(value) for axis, value in asdict(self.pose).items()},
            "gaze": list(self.gaze),
            "framing": {name: float(value) for name, value in asdict(self.framing).items()},
            "glasses": self.glasses,
            "hair": self.hair,
            "clothes": self.clothes,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Target:
        """Make the target that `to_dict` described; what is missing has its default.

        Parameters
        ----------
        values
            As of `to_dict`; ``expression`` may also be a preset's name or all 52 coefficients.

        Raises
        ------
        TargetError
            A key is unknown, or a value is unknown, of a wrong type or out of range.
        """
        known = [each.name for each in fields(cls)]
        unknown = [name for name in values if name not in known]
        if unknown:
            raise TargetError(_describe_unknown("field of a target", unknown[0], known))
        changes = dict(values)
        try:
            if "pose" in changes:
                changes["pose"] = HeadPose(**changes["pose"])
            if "framing" in changes:
                changes["framing"] = Framing(**changes["framing"])
            return cls(**changes)
        except (TypeError, ValueError) as error:
            raise TargetError(f"this does not describe a target: {error}") from error


def _read_coefficients(expression: ExpressionLike) -> tuple[float, ...]:
    if isinstance(expression, str):
        return _get_preset(expression)
    if isinstance(expression, Mapping):
        unknown = [name for name in expression if name not in EXPRESSION_NAMES]
        if unknown:
            raise TargetError(_describe_unknown("expression coefficient", unknown[0], EXPRESSION_NAMES))
        values = [float(expression.get(name, 0.0)) for name in EXPRESSION_NAMES]
    else:
        values = [float(value) for value in expression]
        if len(values) != len(EXPRESSION_NAMES):
            raise TargetError(f"an expression has {len(EXPRESSION_NAMES)} coefficients, got {len(values)}")
    for name, value in zip(EXPRESSION_NAMES, values, strict=True):
        _check_range(name, value, 0.0, 1.0)
    return tuple(values)


def _get_preset(name: str) -> tuple[float, ...]:
    return PRESETS[_normalise_name(name, "expression preset", tuple(PRESETS))]


def _normalise_name(name: str, kind: str, known: Sequence[str]) -> str:
    """Give a known name, however it is written."""
    key = name.strip().lower().replace(" ", "-").replace("_", "-")
    if key not in known:
        raise TargetError(_describe_unknown(kind, name, known))
    return key


def _describe_unknown(kind: str, name: str, known: Sequence[str]) -> str:
    lowered = {item.lower(): item for item in known}
    close = [lowered[item] for item in get_close_matches(name.lower(), lowered, n=3)]
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return f"unknown {kind} {name!r}.{hint} Known: {', '.join(known)}"


def _check_range(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    if not math.isfinite(value) or not low <= value <= high:
        raise TargetError(f"{name} = {value:g} is out of range: it must lie in [{low:g}, {high:g}]{unit}")

"""What a portrait is to show: expression, head pose, gaze and framing."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hifi_portrait.errors import TargetError
from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.framing import find_framing
from hifi_portrait.head.geometry import DEFAULT_FACE_SHARE, EXPRESSION_NAMES, HeadGeometry, HeadPose
from hifi_portrait.head.glasses import FRAMES
from hifi_portrait.head.numerics import as_whole
from hifi_portrait.person.expressions import (
    ExpressionLike,
    ExpressionParts,
    check_parts,
    check_range,
    describe_unknown,
    mix_parts,
    normalise_name,
    parse_expression,
    read_expression,
)
from hifi_portrait.person.target_angles import GAZE_RANGE as GAZE_RANGE
from hifi_portrait.person.target_angles import POSE_RANGE as POSE_RANGE
from hifi_portrait.person.target_angles import clip_gaze, read_gaze, read_pose
from hifi_portrait.prompts.clothes import CLOTHES_COLOURS, find_clothes
from hifi_portrait.prompts.glasses import find_glasses
from hifi_portrait.prompts.hair import HAIR_COLOURS, find_hair

if TYPE_CHECKING:
    from hifi_portrait.faces import FaceAnalyser, ImageLike

logger = logging.getLogger(__name__)

EYE_LEVEL = 3.6
"""Degrees by which eyes that look straight ahead stand above the rest of the head model's eyes.

It is the median over 102 photos of people who look into the lens: `scripts/measure_head.py --photos DIR`. A
target's gaze is counted from there, a `HeadGeometry`'s from the model's rest.
"""

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
        for name, low, high in (("scale", 0.1, 0.9), ("x", 0.0, 1.0), ("y", 0.0, 1.0)):
            check_range(f"framing {name}", getattr(self, name), low, high)
            object.__setattr__(self, name, float(getattr(self, name)))


@dataclass(frozen=True)
class Target:
    """The requested expression, head pose, gaze and framing of a portrait.

    Raises
    ------
    TargetError
        A preset, coefficient, kind of glasses or colour is unknown, or a value is out of range.
    """

    expression: ExpressionLike = "neutral"
    """A preset ("smile"), with a strength ("smile:0.5"), or a mix of several, of which the largest of each
    coefficient counts ("smile+wink"); ARKit coefficients by name; or all 52. Kept as 52 numbers in [0, 2],
    where 1 is a usual face's most."""
    pose: HeadPose = field(default_factory=HeadPose)
    """Head pose in degrees, within `POSE_RANGE`. Taken also as its angles, (25, 0, 0) or {"yaw": 25}, and one
    by one as `yaw`, `pitch` and `roll`."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Yaw and pitch in degrees relative to the head, within `GAZE_RANGE`. At (0, 0) the eyes look straight
    ahead: at the viewer if the head faces the camera. `look_at_camera` finds the gaze that does if not."""
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
    look: int | None = None
    """Number, from 0, of the person's photo that decides hair, clothes, light and background; the others fill
    in the face. None takes the one nearest in pose, which may be another one for the next target:
    `Identity.best_look` finds one for several."""
    expression_parts: ExpressionParts = field(default=(), compare=False)
    """The presets with their strengths, and the coefficients, that `expression` was mixed of, if it was given
    in words. It is set from these; given with another expression, it is left out."""
    yaw: InitVar[float | None] = None
    """An angle of the pose by itself; it holds in the place of that of `pose`. Read it from there."""
    pitch: InitVar[float | None] = None
    """As `yaw`."""
    roll: InitVar[float | None] = None
    """As `yaw`."""

    if TYPE_CHECKING:  # what the generated one takes, beyond the types that the fields have then

        def __init__(
            self,
            expression: ExpressionLike = "neutral",
            pose: HeadPose | Sequence[float] | Mapping[str, float] = ...,
            gaze: Sequence[float] = ...,
            framing: Framing = ...,
            glasses: str | None = None,
            hair: str | None = None,
            clothes: str | None = None,
            look: int | None = None,
            expression_parts: ExpressionParts = (),
            yaw: float | None = None,
            pitch: float | None = None,
            roll: float | None = None,
        ) -> None: ...

    def __post_init__(self, yaw: float | None, pitch: float | None, roll: float | None) -> None:
        self._read_expression()
        object.__setattr__(self, "pose", read_pose(self.pose, {"yaw": yaw, "pitch": pitch, "roll": roll}))
        object.__setattr__(self, "gaze", read_gaze(self.gaze))
        if not isinstance(self.framing, Framing):
            raise TargetError(f"framing must be a Framing, but is {self.framing!r}")
        if self.glasses is not None:
            object.__setattr__(self, "glasses", normalise_name(self.glasses, "glasses", GLASSES))
        if self.hair is not None:
            object.__setattr__(self, "hair", normalise_name(self.hair, "colour of hair", HAIR))
        if self.clothes is not None:
            object.__setattr__(self, "clothes", normalise_name(self.clothes, "colour of clothes", CLOTHES))
        if self.look is not None:
            number = as_whole(self.look)
            if number is None or number < 0:
                raise TargetError(f"look must be the number of a photo, from 0, but is {self.look!r}")
            object.__setattr__(self, "look", number)

    def _read_expression(self) -> None:
        """Keep the expression as 52 numbers, and what it was mixed of."""
        given = self.expression
        if isinstance(given, str):
            parts = parse_expression(given)
            values = mix_parts(parts)
        else:
            values = read_expression(given)
            parts = check_parts([(name, value) for name, value in self.expression_parts])
            if parts and not np.allclose(values, mix_parts(parts), atol=1e-6):
                parts = ()
        object.__setattr__(self, "expression", values)
        object.__setattr__(self, "expression_parts", parts)

    @classmethod
    def preset(cls, name: str, strength: float = 1.0, **changes: Any) -> Target:
        """Make a target of a preset expression.

        Parameters
        ----------
        name
            One of `PRESETS`, or a mix of them.
        strength
            Factor on the expression, in [0, 1].
        changes
            Other fields of the target.

        Raises
        ------
        TargetError
            The preset is unknown, or a value is out of range.
        """
        check_range("strength", strength, 0.0, 1.0)
        parts = tuple((part, strength * value) for part, value in parse_expression(name))
        return cls(expression=mix_parts(parts), expression_parts=parts, **changes)

    @classmethod
    def from_photo(
        cls, photo: ImageLike, *, face: int | None = None, analyser: FaceAnalyser | None = None
    ) -> Target:
        """Make the target that a face of a photo fulfils.

        The framing is that of the photo's portrait crop, not of the whole photo. A head that is turned
        further than a target may be gives the nearest one that may, and a warning in the log.

        Parameters
        ----------
        photo
            A path, a PIL image or an array.
        face
            Which face, counted from the largest (0). The largest if not given, and a warning in the log where
            there are several.
        analyser
            The parts that analyse a face; the default ones if not given.

        Raises
        ------
        ImageError, NoFaceError
            The photo cannot be used, or has no such face.
        TargetError
            The face is too near to the picture's edge, or too small in it.
        """
        from hifi_portrait.faces import analyse, source_name
        from hifi_portrait.fitting import fit
        from hifi_portrait.person.covered_faces import describe_odd_places

        found = analyse(photo, index=face, analyser=analyser)
        size = found.crop.shape[0]
        geometry = fit([found.crop_landmarks], [(size, size)]).geometries[0]
        odd = describe_odd_places(found, geometry)
        if odd is not None:
            logger.warning(
                "%s: something may cover %s: the expression there is a guess", source_name(photo), odd
            )
        try:
            target = cls.from_geometry(geometry, clip=True)
        except TargetError as error:
            raise TargetError(f"{source_name(photo)} cannot be followed as a target: {error}") from error
        for axis, angle in asdict(geometry.pose).items():
            if abs(angle) > POSE_RANGE[axis]:
                logger.warning(
                    "%s: the head's %s of %.0f degrees is more than a portrait can follow; %.0f is taken",
                    *(source_name(photo), axis, angle, getattr(target.pose, axis)),
                )
        return target

    @classmethod
    def from_geometry(cls, geometry: HeadGeometry, *, clip: bool = False) -> Target:
        """Make the target that a head in a picture fulfils, with gaze clipped to `GAZE_RANGE`.

        Parameters
        ----------
        geometry
            The head.
        clip
            Whether the pose is clipped, too, to `POSE_RANGE`.

        Raises
        ------
        TargetError
            The head is turned further than a target may be.
        """
        angles = asdict(geometry.pose)
        if clip:
            limits = POSE_RANGE.items()
            angles = {axis: min(max(angles[axis], -limit), limit) for axis, limit in limits}
        return cls(
            expression=np.clip(geometry.expression, 0.0, 1.0),
            pose=angles,
            gaze=clip_gaze(float(geometry.gaze[0]), float(geometry.gaze[1]) - EYE_LEVEL),
            framing=Framing(*find_framing(geometry)),
        )

    def replace(self, **changes: Any) -> Target:
        """Make a copy with some fields changed."""
        return replace(self, **changes)

    def look_at_camera(self, yaw: float = 0.0, pitch: float = 0.0) -> Target:
        """Make a copy whose eyes look at the camera or beside it, however the head is turned.

        Eyes turn as far as `GAZE_RANGE` lets them. Set the pose before: the gaze stays relative to the head.

        Parameters
        ----------
        yaw, pitch
            Degrees from the direction to the camera: to the picture's right, and up; in [-180, 180].

        Raises
        ------
        TargetError
            An angle is no number, or out of range.
        """
        for axis, angle in (("yaw", yaw), ("pitch", pitch)):
            check_range(f"gaze {axis}", angle, -180, 180, " degrees")
        across, up = np.radians([float(yaw), float(pitch)])
        direction = [np.sin(across) * np.cos(up), -np.cos(across) * np.cos(up), np.sin(up)]
        x, y, z = self.pose.matrix().T @ direction
        return self.replace(gaze=clip_gaze(np.degrees(np.arctan2(x, -y)), np.degrees(np.arcsin(z))))

    def eye_angles(self) -> FloatArray:
        """Give the gaze (2,) as a `HeadGeometry` has it: degrees from the rest of the model's eyes."""
        return np.array([self.gaze[0], self.gaze[1] + EYE_LEVEL], np.float32)

    def with_prompt(self, prompts: str | Sequence[str]) -> Target:
        """Take glasses, hair and clothes that are None here from the prompts, where all of them agree."""
        texts = [prompts] if isinstance(prompts, str) else prompts or [""]
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
        coefficients = zip(EXPRESSION_NAMES, read_expression(self.expression), strict=True)
        return {
            "expression": {name: value for name, value in coefficients if value != 0},
            "pose": {axis: float(value) for axis, value in asdict(self.pose).items()},
            "gaze": list(self.gaze),
            "framing": {name: float(value) for name, value in asdict(self.framing).items()},
            "glasses": self.glasses,
            "hair": self.hair,
            "clothes": self.clothes,
            "look": self.look,
            "expression_parts": [[name, value] for name, value in self.expression_parts],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Target:
        """Make the target that `to_dict` described; what is missing has its default.

        Parameters
        ----------
        values
            As of `to_dict`; ``expression`` may also be words such as "smile:0.5", or all 52 coefficients.

        Raises
        ------
        TargetError
            A key is unknown, or a value is unknown, of a wrong type or out of range.
        """
        known = [each.name for each in fields(cls)]
        unknown = [name for name in values if name not in known]
        if unknown:
            raise TargetError(describe_unknown("field of a target", unknown[0], known))
        changes = dict(values)
        try:
            if "framing" in changes:
                changes["framing"] = _read_framing(changes["framing"])
            return cls(**changes)
        except (TargetError, TypeError, ValueError) as error:
            raise TargetError(f"this does not describe a target: {error}") from error


def _read_framing(values: Any) -> Framing:
    if not isinstance(values, Mapping):
        raise TargetError(f"framing must have scale, x and y by name, but is {values!r:.80}")
    return Framing(**values)

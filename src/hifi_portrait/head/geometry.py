"""A head in a picture: camera, head pose, and the geometry that joins them with a person's shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.arrays import Array, FloatArray

IDENTITY_COMPONENTS = 80
"""Number of identity coefficients: unit-variance scores of the shape basis."""

FIT_FOV = 20.0
"""Vertical field of view, in degrees, that fits and targets use over the portrait crop."""

DEFAULT_FACE_SHARE = 0.43
"""Height of the mean face (landmarks 10 to 152, forehead to chin) as a fraction of the picture's height."""

# ARKit's blendshapes in anny's order; a trailing * stands for the Left and the Right one.
_EXPRESSION_GROUPS = (
    "browDown* browInnerUp browOuterUp* cheekPuff cheekSquint* eyeBlink* eyeLookDown* eyeLookIn* eyeLookOut* "
    "eyeLookUp* eyeSquint* eyeWide* jawForward jawLeft jawOpen jawRight mouthClose mouthDimple* mouthFrown* "
    "mouthFunnel mouthLeft mouthLowerDown* mouthPress* mouthPucker mouthRight mouthRollLower mouthRollUpper "
    "mouthShrugLower mouthShrugUpper mouthSmile* mouthStretch* mouthUpperUp* noseSneer* tongueOut"
)


def _expand(groups: str) -> tuple[str, ...]:
    names: list[str] = []
    for group in groups.split():
        names += [group[:-1] + "Left", group[:-1] + "Right"] if group.endswith("*") else [group]
    return tuple(names)


EXPRESSION_NAMES: tuple[str, ...] = _expand(_EXPRESSION_GROUPS)
"""The 52 ARKit expression coefficients, in the order of every expression vector. "Left" is the person's."""


def axis_rotation(axis: int, degrees: float) -> npt.NDArray[np.float64]:
    """Make the right-handed rotation (3, 3) about coordinate axis 0, 1 or 2."""
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    rotation = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    rotation[i, i] = rotation[j, j] = c
    rotation[i, j], rotation[j, i] = -s, s
    return rotation


@dataclass(frozen=True)
class Camera:
    """Pinhole camera at the origin looking along +y.

    ``u = cx + focal * X / Y`` and ``v = cy - focal * Z / Y``, in pixels, with pixel centres at +0.5.
    """

    focal: float
    cx: float
    cy: float
    width: int
    height: int

    @classmethod
    def from_fov(cls, size: int | tuple[int, int], fov: float = FIT_FOV) -> Self:
        """Centre a camera on a picture of ``size`` (side, or width and height); ``fov`` is vertical."""
        width, height = size if isinstance(size, tuple) else (size, size)
        focal = height / 2 / np.tan(np.radians(fov) / 2)
        return cls(float(focal), width / 2, height / 2, int(width), int(height))

    def project(self, points: Array) -> Array:
        """Project camera-space points (..., 3) in metres to pixels (..., 2)."""
        inverse_depth = 1 / points[..., 1]
        u = self.cx + self.focal * points[..., 0] * inverse_depth
        v = self.cy - self.focal * points[..., 2] * inverse_depth
        return np.stack([u, v], axis=-1)

    def scaled_to(self, size: int | tuple[int, int]) -> Camera:
        """Give the same view at another resolution: ``size`` is the new height, or width and height."""
        width, height = (round(self.width * size / self.height), size) if isinstance(size, int) else size
        sx, sy = width / self.width, height / self.height
        return Camera(self.focal * sy, self.cx * sx, self.cy * sy, int(width), int(height))

    def to_numbers(self) -> tuple[float, float, float, float, float]:
        """Give focal length, centre (x, y) and picture size (width, height), as files keep them."""
        return self.focal, self.cx, self.cy, self.width, self.height


@dataclass(frozen=True)
class HeadPose:
    """Head rotation in degrees: ``R = Rz(yaw) @ Rx(-pitch) @ Ry(roll)``.

    ``yaw`` > 0 turns the nose to the image's right, ``pitch`` > 0 looks up, ``roll`` > 0 leans the head
    clockwise in the image.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    def matrix(self) -> npt.NDArray[np.float64]:
        """Make the rotation (3, 3) from head space to camera space."""
        return axis_rotation(2, self.yaw) @ axis_rotation(0, -self.pitch) @ axis_rotation(1, self.roll)

    @classmethod
    def from_matrix(cls, rotation: Array) -> Self:
        """Find the pose of a rotation (3, 3), with |pitch| < 90 degrees: the inverse of `matrix`."""
        rotation = np.asarray(rotation, dtype=np.float64)
        pitch = -np.degrees(np.arcsin(np.clip(rotation[2, 1], -1, 1)))
        yaw = np.degrees(np.arctan2(-rotation[0, 1], rotation[1, 1]))
        roll = np.degrees(np.arctan2(-rotation[2, 0], rotation[2, 2]))
        return cls(float(yaw), float(pitch), float(roll))


GEOMETRY_SHAPES: dict[str, tuple[int, ...]] = {
    "identity": (IDENTITY_COMPONENTS,),
    "expression": (len(EXPRESSION_NAMES),),
    "rotation": (3, 3),
    "translation": (3,),
    "gaze": (2,),
    "camera": (5,),
}
"""Shapes of the arrays that files keep of a head, in the order of `HeadGeometry.to_vector`."""


@dataclass(frozen=True, eq=False)
class HeadGeometry:
    """A head in a picture: whose, with what expression, gaze and pose, seen by which camera.

    One type for ground truth and for fits.
    """

    identity: Array
    """(80,) float32, unit-variance scores."""
    expression: Array
    """(52,) float32 in [0, 1], ordered as ``EXPRESSION_NAMES``."""
    rotation: Array
    """(3, 3) float32, head space to camera space."""
    translation: Array
    """(3,) float32 metres, the head joint in camera space."""
    gaze: Array
    """(2,) float32 degrees, yaw and pitch relative to the head."""
    camera: Camera
    """The picture's camera."""

    def __post_init__(self) -> None:
        for name, shape in GEOMETRY_SHAPES.items():
            if name == "camera":
                continue
            value = np.asarray(getattr(self, name), dtype=np.float32)
            if value.shape != shape:
                raise ValueError(f"HeadGeometry.{name} must have shape {shape}, got {value.shape}")
            object.__setattr__(self, name, value)

    @property
    def pose(self) -> HeadPose:
        """Yaw, pitch and roll of ``rotation``."""
        return HeadPose.from_matrix(self.rotation)

    def replace(self, **changes: Any) -> HeadGeometry:
        """Make a copy with some fields changed."""
        return replace(self, **changes)

    def scaled_to(self, size: int | tuple[int, int]) -> HeadGeometry:
        """Give the same head in the same picture at another resolution."""
        return replace(self, camera=self.camera.scaled_to(size))

    def to_dict(self) -> dict[str, FloatArray]:
        """Give plain float32 arrays of `GEOMETRY_SHAPES`; ``camera`` is as `Camera.to_numbers`."""
        camera = np.array(self.camera.to_numbers(), np.float32)
        names = [name for name in GEOMETRY_SHAPES if name != "camera"]
        return {name: np.asarray(getattr(self, name), np.float32) for name in names} | {"camera": camera}

    @classmethod
    def from_dict(cls, arrays: Mapping[str, npt.ArrayLike]) -> HeadGeometry:
        """Invert `to_dict`. Arrays may be nested lists or flat, and ``camera`` of double precision."""
        values = {
            name: np.asarray(arrays[name], np.float32).reshape(shape)
            for name, shape in GEOMETRY_SHAPES.items()
            if name != "camera"
        }
        focal, cx, cy, width, height = np.asarray(arrays["camera"], np.float64).tolist()
        return cls(camera=Camera(focal, cx, cy, round(width), round(height)), **values)

    def to_vector(self) -> FloatArray:
        """Give all arrays of `to_dict` as one vector (151,)."""
        return np.concatenate([array.ravel() for array in self.to_dict().values()])

    @classmethod
    def from_vector(cls, vector: FloatArray) -> HeadGeometry:
        """Invert `to_vector`."""
        sizes = [math.prod(shape) for shape in GEOMETRY_SHAPES.values()]
        parts = np.split(np.array(vector), np.cumsum(sizes)[:-1])
        return cls.from_dict(dict(zip(GEOMETRY_SHAPES, parts, strict=True)))

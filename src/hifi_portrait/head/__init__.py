"""The parametric 3D head: model, fit to landmarks, landmark generator, rasteriser."""

from hifi_portrait.head.geometry import (
    DEFAULT_FACE_SHARE,
    EXPRESSION_NAMES,
    FIT_FOV,
    IDENTITY_COMPONENTS,
    Camera,
    HeadGeometry,
    HeadPose,
)

__all__ = [
    "DEFAULT_FACE_SHARE",
    "EXPRESSION_NAMES",
    "FIT_FOV",
    "IDENTITY_COMPONENTS",
    "Camera",
    "HeadGeometry",
    "HeadPose",
]

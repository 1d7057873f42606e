"""Geometries and expressions that the head's tests share."""

from __future__ import annotations

import numpy as np

from hifi_portrait.head import EXPRESSION_NAMES, Camera, HeadGeometry, HeadPose


def expression_of(**values: float) -> np.ndarray:
    """Expression vector (52,); a name without Left or Right sets both sides."""
    vector = np.zeros(len(EXPRESSION_NAMES), np.float32)
    for name, value in values.items():
        sides = [name] if name in EXPRESSION_NAMES else [f"{name}Left", f"{name}Right"]
        for side in sides:
            vector[EXPRESSION_NAMES.index(side)] = value
    return vector


def geometry_of(
    identity: np.ndarray | None = None,
    expression: np.ndarray | None = None,
    pose: HeadPose | None = None,
    gaze: tuple[float, float] = (0.0, 0.0),
    size: int = 256,
) -> HeadGeometry:
    return HeadGeometry(
        identity=np.zeros(80) if identity is None else identity,
        expression=np.zeros(len(EXPRESSION_NAMES)) if expression is None else expression,
        rotation=(pose or HeadPose()).matrix(),
        translation=np.array([0.01, 1.4, -0.02]),
        gaze=np.array(gaze),
        camera=Camera.from_fov(size),
    )

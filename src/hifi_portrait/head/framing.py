"""Where a head of a wished size stands, so that it lies at a wished place in the picture, and the inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.geometry import Camera, HeadGeometry

FACE_HEIGHT = 0.178
"""Height in metres of the mean face, neutral, from the forehead's upper edge to under the chin."""

HEAD_CENTRE = np.array([0.0, -0.064, 0.02])
"""The point of the head, from its joint, that framing places."""


def place_head(
    rotation: npt.NDArray[Any], scale: float, x: float, y: float, camera: Camera
) -> npt.NDArray[np.float32]:
    """Translation (3,) of the head joint.

    Args:
        rotation: (3, 3) of the head.
        scale: height of the mean face as a share of the picture's height.
        x: place of the head's centre, from 0 at the left of the picture to 1 at its right.
        y: the same from 0 at the top to 1 at the bottom.
        camera: of the picture.
    """
    distance = camera.focal * FACE_HEIGHT / (scale * camera.height)
    across = (x * camera.width - camera.cx) * distance / camera.focal
    up = (camera.cy - y * camera.height) * distance / camera.focal
    return (np.array([across, distance, up]) - np.asarray(rotation, np.float64) @ HEAD_CENTRE).astype(
        np.float32
    )


def framing_of(geometry: HeadGeometry) -> tuple[float, float, float]:
    """Scale, x and y of a head in a picture: the inverse of ``place_head``."""
    camera = geometry.camera
    centre = geometry.translation.astype(np.float64) + geometry.rotation.astype(np.float64) @ HEAD_CENTRE
    pixel = camera.project(centre)
    scale = camera.focal * FACE_HEIGHT / (centre[1] * camera.height)
    return float(scale), float(pixel[0] / camera.width), float(pixel[1] / camera.height)

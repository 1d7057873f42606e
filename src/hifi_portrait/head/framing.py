"""Framing: where a head stands to have a requested size and place in the picture, and the inverse."""

from __future__ import annotations

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import Camera, HeadGeometry

FACE_HEIGHT = 0.178
"""Height in metres of the mean face, neutral, from the forehead's upper edge to under the chin."""

HEAD_CENTRE = np.array([0.0, -0.064, 0.02])
"""The point of the head that framing places, in metres from the head joint."""


def place_head(rotation: Array, scale: float, x: float, y: float, camera: Camera) -> FloatArray:
    """Find the translation (3,) of the head joint, in metres, that frames a head as requested.

    Parameters
    ----------
    rotation
        (3, 3) rotation of the head.
    scale
        Height of the mean face as a fraction of the picture's height.
    x
        Place of the head's centre, from 0 at the left of the picture to 1 at its right.
    y
        The same from 0 at the top to 1 at the bottom.
    camera
        The picture's camera.
    """
    distance = camera.focal * FACE_HEIGHT / (scale * camera.height)
    across = (x * camera.width - camera.cx) * distance / camera.focal
    up = (camera.cy - y * camera.height) * distance / camera.focal
    centre = np.array([across, distance, up])
    return np.asarray(centre - np.asarray(rotation, np.float64) @ HEAD_CENTRE, np.float32)


def find_framing(geometry: HeadGeometry) -> tuple[float, float, float]:
    """Find scale, x and y of a head in a picture: the inverse of `place_head`."""
    camera = geometry.camera
    centre = geometry.translation.astype(np.float64) + geometry.rotation.astype(np.float64) @ HEAD_CENTRE
    pixel = camera.project(centre)
    scale = camera.focal * FACE_HEIGHT / (centre[1] * camera.height)
    return float(scale), float(pixel[0] / camera.width), float(pixel[1] / camera.height)

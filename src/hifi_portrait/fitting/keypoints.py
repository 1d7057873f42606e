"""Five keypoints of a head: the coarse control that other face models take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import Camera
from hifi_portrait.head.model import HeadModel

KEYPOINTS = {"right eye": 468, "left eye": 473, "nose": 4, "right mouth corner": 61, "left mouth corner": 291}
"""The person's right and left, and MediaPipe's numbers: middles of the irises, tip of the nose, corners.

Of the nose that landmark which lies where ArcFace's template (arXiv 1801.07698) puts its tip.
"""


def five_keypoints(model: HeadModel, vertices: Array, camera: Camera) -> FloatArray:
    """Find a head's `KEYPOINTS` (5, 2), as fractions of the picture's width and height.

    Parameters
    ----------
    model
        The head model.
    vertices
        (V, 3) of the head in camera space.
    camera
        The picture's.
    """
    pixels = project_landmarks(model, vertices, camera, list(KEYPOINTS.values()))
    return np.asarray(pixels / [camera.width, camera.height], np.float32)


def project_landmarks(model: HeadModel, vertices: Array, camera: Camera, landmarks: Sequence[int]) -> Array:
    """Project some of MediaPipe's landmarks to pixels (K, 2); arguments as for :func:`five_keypoints`."""
    points = LandmarkModel.load(model).correspondence.points(vertices, model.triangles)
    pixels: Array = camera.project(points[list(landmarks)])
    return pixels

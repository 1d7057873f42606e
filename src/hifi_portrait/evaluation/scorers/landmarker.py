"""Reads head pose, expression and gaze off a picture, by signs that a calibration turns into units."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hifi_portrait.head import HeadPose
from hifi_portrait.head.arrays import Array, ByteArray

LANDMARKER_FILE = "face_landmarker.task"

# MediaPipe's head axes are x right, y up, z towards the viewer; ours are x right, y away, z up.
_FROM_MEDIAPIPE = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])

# Landmarks; left and right are the image's.
_EYES = (33, 263)
_MOUTH_CORNERS = (61, 291)
_INNER_LIPS = (13, 14)
_INNER_BROWS = (107, 66, 336, 296)
_OUTER_BROWS = (70, 63, 105, 300, 293, 334)
_INNER_EYES = (133, 362)
# Iris and the two corners of its eye, from left to right.
_LEFT_IRIS = (468, 33, 133)
_RIGHT_IRIS = (473, 362, 263)
# Degrees of yaw over which the far eye loses its weight.
_FAR_EYE_YAW = 8.0


class FaceLandmarkerReader:
    """MediaPipe's face landmarker: 478 landmarks, 52 blendshape scores, head transform (Apache-2.0)."""

    def __init__(self, folder: Path) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(folder / LANDMARKER_FILE)),
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
            num_faces=1,
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)

    def read(self, image: ByteArray) -> dict[str, Any]:
        """Read the signs of each quantity, see `compute_signs`; empty if no face is found."""
        result = self._detect(image)
        if not result.face_blendshapes:
            return {}
        height, width = image.shape[:2]
        landmarks = np.array([(p.x * width, p.y * height, p.z * width) for p in result.face_landmarks[0]])
        scores = {shape.category_name: shape.score for shape in result.face_blendshapes[0]}
        rotation = np.asarray(result.facial_transformation_matrixes[0])[:3, :3]
        return {"signs": compute_signs(landmarks, scores, rotation)}

    def read_landmarks(self, image: ByteArray) -> Array | None:
        """Read the 478 landmarks (478, 2), in pixels; None if no face is found."""
        faces = self._detect(image).face_landmarks
        height, width = image.shape[:2]
        return np.array([(point.x * width, point.y * height) for point in faces[0]]) if faces else None

    def read_scores(self, image: ByteArray) -> dict[str, float]:
        """Read the blendshapes' scores in [0, 1], by MediaPipe's names; empty if no face is found."""
        shapes = self._detect(image).face_blendshapes
        return {shape.category_name: float(shape.score) for shape in shapes[0]} if shapes else {}

    def _detect(self, image: ByteArray) -> Any:
        import mediapipe

        picture = mediapipe.Image(mediapipe.ImageFormat.SRGB, np.ascontiguousarray(image))
        return self._landmarker.detect(picture)


def compute_signs(landmarks: Array, scores: Mapping[str, float], rotation: Array) -> dict[str, Array]:
    """Compute what shows each quantity: yaw, pitch, roll, smile, jaw, blink, brow, gaze_yaw, each (F,).

    Lengths are fractions of the distance between the eyes' outer corners, in the head's own frame, so that a
    turned head does not shorten them. The scores alone are not enough: ``jawOpen`` stays near zero for an
    open mouth that smiles, and the depth of a mouth's corners tells more of a smile than its score.

    Parameters
    ----------
    landmarks:
        (478, 3) in pixels; y down, z away from the viewer.
    scores:
        The blendshapes, by MediaPipe's names.
    rotation:
        (3, 3) of the head, in MediaPipe's axes.
    """
    points = (landmarks * (1, -1, -1)) @ rotation
    points /= np.linalg.norm(points[_EYES[0]] - points[_EYES[1]])
    pose = HeadPose.from_matrix(_FROM_MEDIAPIPE @ rotation @ _FROM_MEDIAPIPE.T)

    def score(name: str) -> float:
        return (scores[f"{name}Left"] + scores[f"{name}Right"]) / 2

    def middle(indices: tuple[int, ...]) -> Array:
        mean: Array = points[list(indices)].mean(0)
        return mean

    corners = middle(_MOUTH_CORNERS) - middle(_INNER_LIPS)
    blink = score("eyeBlink")
    look_right = scores["eyeLookOutLeft"] + scores["eyeLookInRight"]
    look_left = scores["eyeLookInLeft"] + scores["eyeLookOutRight"]
    signs = {
        "yaw": (pose.yaw,),
        "pitch": (pose.pitch,),
        "roll": (pose.roll,),
        "smile": (score("mouthSmile"), corners[1], corners[2], _length(points, _MOUTH_CORNERS)),
        "jaw": (_length(points, _INNER_LIPS),),
        "blink": (blink, blink**2),
        "brow": (
            scores["browInnerUp"],
            score("browOuterUp"),
            score("browDown"),
            middle(_INNER_BROWS)[1] - middle(_INNER_EYES)[1],
            middle(_OUTER_BROWS)[1] - middle(_EYES)[1],
        ),
        "gaze_yaw": (_iris_place(landmarks[:, :2], pose.yaw), look_right - look_left),
    }
    return {name: np.array(values, dtype=np.float64) for name, values in signs.items()}


def _length(points: Array, ends: tuple[int, int]) -> float:
    return float(np.linalg.norm(points[ends[0]] - points[ends[1]]))


def _iris_place(points: Array, yaw: float) -> float:
    """Measure where the irises are between their eyes' corners, -0.5 (left) to 0.5.

    The nearer eye counts more.
    """
    left = 1 / (1 + np.exp(-yaw / _FAR_EYE_YAW))
    return float(left * _along(points, *_LEFT_IRIS) + (1 - left) * _along(points, *_RIGHT_IRIS))


def _along(points: Array, iris: int, start: int, end: int) -> float:
    axis = points[end] - points[start]
    return float((points[iris] - (points[start] + points[end]) / 2) @ axis / (axis @ axis))

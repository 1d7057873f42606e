"""The default landmarker: MediaPipe's FaceMesh with irises, whose model comes inside its package."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from hifi_portrait.faces.geometry import cut_out, square_transform, transform_points
from hifi_portrait.faces.mediapipe_graph import Graph
from hifi_portrait.faces.protocols import Detection
from hifi_portrait.head.arrays import ByteArray, FloatArray

_REGION_SIZE = 384
"""Side in pixels of the square view of a face that FaceMesh is given."""

_REGION_BOXES = 2.0
"""Side of that square in sides of the detection's box."""


class MediaPipeLandmarker:
    """MediaPipe's FaceMesh with irises, run on an upright, enlarged view of each face."""

    def __init__(self, min_score: float = 0.3) -> None:
        self._graph = Graph(partial(_face_mesh, min_detection_confidence=min_score))

    def __call__(self, image: ByteArray, detection: Detection) -> FloatArray | None:
        """Find landmarks (478, 3) of a detected face, in pixels of the picture; None if it is no face."""
        centre = (detection.box[:2] + detection.box[2:]) / 2
        eyes = detection.keypoints[1] - detection.keypoints[0]
        angle = float(np.degrees(np.arctan2(eyes[1], eyes[0])))
        transform = square_transform(centre, _REGION_BOXES * detection.size, _REGION_SIZE, angle)
        faces = self._graph.process(cut_out(image, transform, _REGION_SIZE)).multi_face_landmarks
        if not faces:
            return None
        points = np.array([[point.x, point.y, point.z] for point in faces[0].landmark]) * _REGION_SIZE
        return transform_points(points, np.linalg.inv(transform)).astype(np.float32)


def _face_mesh(**options: Any) -> Any:
    from mediapipe.python.solutions.face_mesh import FaceMesh

    return FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True, **options)

"""The default face detector: MediaPipe's two, whose models come inside its package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np

from hifi_portrait.faces.geometry import cut_out, square_transform, transform_points
from hifi_portrait.faces.mediapipe_graph import Graph
from hifi_portrait.faces.protocols import Detection
from hifi_portrait.head.arrays import Array, ByteArray

_DETECTION_SIZE = 640
"""Larger pictures are shrunk to this many pixels before a face is looked for."""

_MAX_FACES = 50
"""Only so many detections, the surest, are kept."""

_MIN_TILE_SIDE = 192
"""Pixels of the picture below which tiles are not searched for small faces."""

_SAME_FACE_OVERLAP = 0.3
"""Boxes that overlap more than this (intersection over union) are one face."""


class MediaPipeFaceDetector:
    """MediaPipe's short- and full-range face detectors together.

    Where both find nothing, it looks again in the picture turned by 35 degrees either way (leaning heads) and
    in overlapping tiles (small faces). A second look mistakes more things for faces; landmarks then tell.
    """

    def __init__(self, min_score: float = 0.5) -> None:
        self.min_score = min_score
        self._graphs = [
            Graph(partial(_face_detection, model_selection=model, min_detection_confidence=min_score))
            for model in (0, 1)
        ]

    def __call__(self, image: ByteArray) -> Sequence[Detection]:
        """Find the faces in a uint8 RGB picture (H, W, 3), largest first."""
        found = self._look(image, np.eye(3))
        if not found:
            for transform, size in _second_looks(image):
                found += self._look(cut_out(image, transform, size), transform)
        distinct = _distinct([detection for detection in found if _mostly_inside(detection, image)])
        return sorted(distinct[:_MAX_FACES], key=lambda detection: -detection.size)

    def _look(self, image: ByteArray, transform: Array) -> list[Detection]:
        """Find faces in a view of the picture; the transform (3, 3) leads from the picture to the view."""
        view: Array = image
        if max(image.shape[:2]) > _DETECTION_SIZE:
            scale = _DETECTION_SIZE / max(image.shape[:2])
            view = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        to_picture = np.linalg.inv(transform)
        extent = np.array([image.shape[1], image.shape[0]])
        results = [graph.process(view).detections or [] for graph in self._graphs]
        return [_detection(found, extent, to_picture) for result in results for found in result]


def _face_detection(**options: Any) -> Any:
    from mediapipe.python.solutions.face_detection import FaceDetection

    return FaceDetection(**options)


def _second_looks(image: ByteArray) -> Iterator[tuple[Array, int]]:
    """Yield views (transform, size) for a second look: turned by 35 degrees, then ever smaller tiles."""
    height, width = image.shape[:2]
    size = _DETECTION_SIZE // 2
    centre = np.array([width, height]) / 2
    for angle in (-35.0, 35.0):
        yield square_transform(centre, max(width, height), size, angle), size
    for share in (0.5, 0.3, 0.16):
        side = share * max(width, height)
        if side < _MIN_TILE_SIDE:
            return
        for y in np.arange(side / 2, max(height - side / 4, side), side / 2):
            for x in np.arange(side / 2, max(width - side / 4, side), side / 2):
                yield square_transform(np.array([x, y]), side, size), size


def _detection(found: Any, extent: Array, to_picture: Array) -> Detection:
    data = found.location_data
    box = data.relative_bounding_box
    keypoints = np.array([[point.x, point.y] for point in data.relative_keypoints]) * extent
    keypoints = transform_points(keypoints, to_picture)
    side = np.array([box.width, box.height]) * extent
    middle = np.array([[box.xmin, box.ymin]]) * extent + side / 2
    half = side / 2 * np.sqrt(abs(np.linalg.det(to_picture[:2, :2])))
    centre = transform_points(middle, to_picture)[0]
    return Detection(np.concatenate([centre - half, centre + half]), keypoints, float(found.score[0]))


def _mostly_inside(detection: Detection, image: ByteArray) -> bool:
    left, top, right, bottom = detection.box
    inside = max(0.0, min(right, image.shape[1]) - max(left, 0)) * max(
        0.0, min(bottom, image.shape[0]) - max(top, 0)
    )
    return bool(inside > 0.5 * (right - left) * (bottom - top))


def _distinct(detections: Sequence[Detection]) -> list[Detection]:
    """Drop detections of a face that is there already; the surest come first."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda found: -found.score):
        if all(_overlap(detection.box, other.box) < _SAME_FACE_OVERLAP for other in kept):
            kept.append(detection)
    return kept


def _overlap(a: Array, b: Array) -> float:
    """Compute the intersection over union of two boxes (4,)."""
    sides = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    common = float(sides.prod())
    return common / (float((a[2:] - a[:2]).prod()) + float((b[2:] - b[:2]).prod()) - common)

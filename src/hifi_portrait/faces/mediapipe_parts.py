"""The default detector, landmarker and matting: MediaPipe's, whose models come inside its package."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import cv2
import numpy as np

from hifi_portrait.faces.geometry import cut_out, square_transform, transform_points
from hifi_portrait.faces.protocols import Detection
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray

_REGION_SIZE = 384
"""Side in pixels of the square view of a face that FaceMesh is given."""

_REGION_BOXES = 2.0
"""Side of that square in sides of the detection's box."""

_DETECTION_SIZE = 640
"""Larger pictures are shrunk to this many pixels before a face is looked for."""

_MAX_FACES = 50
"""Only so many detections, the surest, are kept."""

_MIN_TILE_SIDE = 192
"""Pixels of the picture below which tiles are not searched for small faces."""

_MATTE_SIZE = 256
"""Side in pixels of the square that MediaPipe's selfie segmentation sees."""

_MAX_STEPLESS_SCALE = 2.0
"""A matte that is enlarged more than this shows steps along its outlines."""

_SMOOTHED_CONTRAST = 2.0
"""Contrast about 0.5 that outlines get back after the blur that takes their steps out."""

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
            _Graph(partial(_face_detection, model_selection=model, min_detection_confidence=min_score))
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


class MediaPipeLandmarker:
    """MediaPipe's FaceMesh with irises, run on an upright, enlarged view of each face."""

    def __init__(self, min_score: float = 0.3) -> None:
        self._graph = _Graph(partial(_face_mesh, min_detection_confidence=min_score))

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


class MediaPipeMatting:
    """MediaPipe's selfie segmentation (general model)."""

    def __init__(self) -> None:
        self._graph = _Graph(_selfie_segmentation)

    def __call__(self, image: ByteArray) -> FloatArray:
        """Make the matte (H, W) in [0, 1], 1 on the person, of a uint8 RGB picture (H, W, 3)."""
        matte = np.clip(self._graph.process(image).segmentation_mask, 0.0, 1.0).astype(np.float32)
        return smooth_steps(matte, max(image.shape[:2]) / _MATTE_SIZE)


def smooth_steps(matte: FloatArray, enlarged: float) -> FloatArray:
    """Smooth the stepped outlines of a matte (H, W) that is ``enlarged`` times its network's own size.

    What is less than a quarter there, as loose strands are, is gone then.
    """
    if enlarged <= _MAX_STEPLESS_SCALE:
        return matte
    smooth = np.clip(0.5 + _SMOOTHED_CONTRAST * (cv2.GaussianBlur(matte, (0, 0), enlarged) - 0.5), 0.0, 1.0)
    return np.asarray(matte + min(enlarged - _MAX_STEPLESS_SCALE, 1.0) * (smooth - matte))


class _Graph:
    """A MediaPipe solution, built on first use, once per thread and process: it may not be shared."""

    def __init__(self, build: Callable[[], Any]) -> None:
        self._build = build
        self._local = threading.local()

    def process(self, image: ByteArray) -> Any:
        """Run on a uint8 RGB picture (H, W, 3)."""
        image = np.ascontiguousarray(image)
        if getattr(self._local, "process_id", None) != os.getpid():
            with _silent_stderr():
                self._local.solution = self._build()
                self._local.process_id = os.getpid()
                return self._local.solution.process(image)
        return self._local.solution.process(image)

    def __getstate__(self) -> dict[str, Any]:
        return {"_build": self._build}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["_build"])  # type: ignore[misc]


def _face_detection(**options: Any) -> Any:
    from mediapipe.python.solutions.face_detection import FaceDetection

    return FaceDetection(**options)


def _face_mesh(**options: Any) -> Any:
    from mediapipe.python.solutions.face_mesh import FaceMesh

    return FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True, **options)


def _selfie_segmentation() -> Any:
    from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

    return SelfieSegmentation(model_selection=0)


_stderr_lock = threading.Lock()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Keep MediaPipe's C++ start-up messages, which no setting turns off, out of the user's terminal."""
    with _stderr_lock, open(os.devnull, "w") as devnull:
        sys.stderr.flush()
        saved = os.dup(2)
        try:
            os.dup2(devnull.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


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

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

_QUARTER_TURNS = (90.0, 180.0, 270.0)
"""Degrees by which photos are turned whose camera did not say how it was held."""

_SURE = 0.93
"""Score of an upright face from which on none is looked for in the picture turned.

Faces that are mistaken for upright ones have less."""

_OWN_TURN = 0.11
"""What the score of a face counts more that is upright in the photo as it is.

Few photos are turned without saying so. A face with a mask may look more like one upside down, by up to 0.08
in photos of 13 people, and a drawn one in a hood by 0.09. Of 306 turned photos of 51 people, the score of the
right turn was higher by more than this wherever landmarks confirmed an upright face, too.
"""

_TILED_FROM = 1280
"""Pixels of the longer side from which on tiles are searched, too, for small faces."""

_LARGEST_IN_TILE = 0.35
"""Fraction of a tile above which a face in it is left to views that show more of it."""

_ANOTHER_TURN = 45.0
"""Degrees between two detections of one face from which on they do not agree how it is turned."""

_CLOSE_UP = 3.0
"""Side, in boxes, of the view in which a small face is looked at again."""

_SMALL = 0.25
"""Fraction of the picture's longer side below which a face is looked at again: its eyes, by which landmarks
are checked, are placed by networks that see the whole picture in 128 and 192 pixels."""

_MAX_FACES = 50
"""Only so many detections, the surest, are kept."""

_MIN_TILE_SIDE = 192
"""Pixels of the picture below which tiles are not searched for small faces."""

SAME_FACE_OVERLAP = 0.3
"""Boxes that overlap more than this (intersection over union) are one face."""


class MediaPipeFaceDetector:
    """MediaPipe's short- and full-range face detectors together.

    Unless a face is surely upright, the picture is looked at in all four quarter turns, and the surest of
    what they show at a place comes first, an upright one unless another is clearly surer. Large pictures are
    searched in tiles, too. Where nothing is found, it looks again in the picture turned by 35 degrees either
    way (leaning heads) and in smaller tiles (small faces). A second look mistakes more things for faces;
    landmarks then tell.
    """

    def __init__(self, min_score: float = 0.5) -> None:
        self.min_score = min_score
        self._graphs = [
            Graph(partial(_face_detection, model_selection=model, min_detection_confidence=min_score))
            for model in (0, 1)
        ]

    def __call__(self, image: ByteArray) -> Sequence[Detection]:
        """Find the faces in a uint8 RGB picture (H, W, 3), largest first.

        Where one may be turned in several ways, there is a detection for each, the surest first.
        """
        found = self._look(image, np.eye(3))
        surest = max((detection.score for detection in found), default=0.0)
        longer = max(image.shape[:2])
        found = [self._look_closer(image, each) if each.size < _SMALL * longer else each for each in found]
        if surest < _SURE:
            for transform, size in _turned_views(image, _QUARTER_TURNS):
                found += self._look(cut_out(image, transform, size), transform)
        if longer >= _TILED_FROM:
            found += self._look_into_tiles(image, found)
        if not found:
            for transform, size in _second_looks(image):
                found += self._look(cut_out(image, transform, size), transform)
        places = _group_by_place([detection for detection in found if _mostly_inside(detection, image)])
        places = _turned_alike(places)[:_MAX_FACES]
        places = sorted(places, key=lambda place: -place[0].size)
        return [detection for place in places for detection in place]

    def _look_into_tiles(self, image: ByteArray, found: Sequence[Detection]) -> list[Detection]:
        """Find small faces that are none of those found already, with the full-range detector."""
        small = []
        for transform, size in _tiles(image, 0.5):
            for detection in self._look(cut_out(image, transform, size), transform, self._graphs[1:]):
                side = size / np.sqrt(abs(np.linalg.det(transform[:2, :2])))
                if detection.size < _LARGEST_IN_TILE * side and not _is_inside_any(detection, found):
                    small.append(self._look_closer(image, detection))
        return small

    def _look_closer(self, image: ByteArray, detection: Detection) -> Detection:
        """Find a small face again in a view of its own, where its places are more exact."""
        size, middle = _DETECTION_SIZE // 2, (detection.box[:2] + detection.box[2:]) / 2
        transform = square_transform(middle, _CLOSE_UP * detection.size, size)
        again = self._look(cut_out(image, transform, size), transform)
        same = [other for other in again if overlap(other.box, detection.box) > SAME_FACE_OVERLAP]
        return max(same, default=detection, key=lambda found: found.score)

    def _look(
        self, image: ByteArray, transform: Array, graphs: Sequence[Graph] | None = None
    ) -> list[Detection]:
        """Find faces in a view of the picture; the transform (3, 3) leads from the picture to the view."""
        view: Array = image
        if max(image.shape[:2]) > _DETECTION_SIZE:
            scale = _DETECTION_SIZE / max(image.shape[:2])
            view = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        to_picture = np.linalg.inv(transform)
        extent = np.array([image.shape[1], image.shape[0]])
        results = [graph.process(view).detections or [] for graph in graphs or self._graphs]
        return [_detection(found, extent, to_picture) for result in results for found in result]


def _face_detection(**options: Any) -> Any:
    from mediapipe.python.solutions.face_detection import FaceDetection

    return FaceDetection(**options)


def _turned_views(image: ByteArray, angles: Sequence[float]) -> Iterator[tuple[Array, int]]:
    """Yield views (transform, size) of the whole picture, turned by so many degrees."""
    height, width = image.shape[:2]
    size = _DETECTION_SIZE // 2
    for angle in angles:
        yield square_transform(np.array([width, height]) / 2, max(width, height), size, angle), size


def _tiles(image: ByteArray, share: float) -> Iterator[tuple[Array, int]]:
    """Yield views (transform, size) of overlapping squares, fractions of the picture's longer side."""
    height, width = image.shape[:2]
    size, side = _DETECTION_SIZE // 2, share * max(image.shape[:2])
    for y in np.arange(side / 2, max(height - side / 4, side), side / 2):
        for x in np.arange(side / 2, max(width - side / 4, side), side / 2):
            yield square_transform(np.array([x, y]), side, size), size


def _second_looks(image: ByteArray) -> Iterator[tuple[Array, int]]:
    """Yield views (transform, size) for a second look: turned by 35 degrees, then ever smaller tiles."""
    yield from _turned_views(image, (-35.0, 35.0))
    for share in (0.5, 0.3, 0.16):
        if share * max(image.shape[:2]) < _MIN_TILE_SIDE:
            return
        yield from _tiles(image, share)


def _is_inside_any(detection: Detection, others: Sequence[Detection]) -> bool:
    """Tell whether the middle of a detection lies in the box of another one."""
    middle = (detection.box[:2] + detection.box[2:]) / 2
    return any(bool((middle > other.box[:2]).all() and (middle < other.box[2:]).all()) for other in others)


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


def _group_by_place(detections: Sequence[Detection]) -> list[list[Detection]]:
    """Group detections of one face, one for each way in which it may be turned; the surest come first."""
    places: list[list[Detection]] = []
    for detection in sorted(detections, key=_rank):
        here = [place for place in places if any(show_one_face(detection, other) for other in place)]
        if not here:
            places.append([detection])
        elif all(turned_otherwise(detection, other) for other in here[0]):
            here[0].append(detection)
    return places


def _turned_alike(places: Sequence[list[Detection]]) -> list[list[Detection]]:
    """Leave out what is upside down beside the surest face of the photo; people who lie stay."""
    upside_down = 180 - _ANOTHER_TURN
    alike = [
        [found for found in place if place is places[0] or _turned_between(found, places[0][0]) < upside_down]
        for place in places
    ]
    return [place for place in alike if place]


def _rank(detection: Detection) -> float:
    """Give a number that is the lower the surer a detection is of how a face is turned."""
    return -detection.score - _OWN_TURN * is_upright(detection)


def is_upright(detection: Detection) -> bool:
    """Tell whether a face's eyes are about level, the right one on the left, as in a photo held upright."""
    right_to_left = detection.keypoints[1] - detection.keypoints[0]
    return bool(right_to_left[0] > abs(right_to_left[1]))


def show_one_face(a: Detection, b: Detection) -> bool:
    """Tell whether two detections are of one face.

    If they take it to be turned in two ways, their boxes may overlap little, as one holds the hair or the
    neck in the forehead's place. The middle of one lies in the other then.
    """
    if overlap(a.box, b.box) >= SAME_FACE_OVERLAP:
        return True
    return turned_otherwise(a, b) and (_is_inside_any(a, [b]) or _is_inside_any(b, [a]))


def turned_otherwise(a: Detection, b: Detection) -> bool:
    """Tell whether the eye lines of two detections differ so much that only one can be right."""
    return _turned_between(a, b) > _ANOTHER_TURN


def _turned_between(a: Detection, b: Detection) -> float:
    """Compute the angle in degrees between the eye lines of two detections."""
    first, second = (each.keypoints[1] - each.keypoints[0] for each in (a, b))
    angle = np.degrees(np.arctan2(first[1], first[0]) - np.arctan2(second[1], second[0]))
    return float(abs((angle + 180) % 360 - 180))


def overlap(a: Array, b: Array) -> float:
    """Compute the intersection over union of two boxes (4,)."""
    sides = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    common = float(sides.prod())
    return common / (float((a[2:] - a[:2]).prod()) + float((b[2:] - b[:2]).prod()) - common)

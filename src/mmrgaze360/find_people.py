"""Finding heads in a panorama: given as boxes, by the head detector, or by a face detector without one."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hifi_portrait.errors import NoFaceError, TargetError
from hifi_portrait.faces.detector import MediaPipeFaceDetector
from hifi_portrait.faces.protocols import Detection
from hifi_portrait.head.arrays import Array
from hifi_portrait.io.names import printable
from mmrgaze360.dataset.records import box_of_corners
from mmrgaze360.detect_heads import detect_heads, keep_surest
from mmrgaze360.network.detector import HeadDetector
from mmrgaze360.panorama import Panorama
from mmrgaze360.sphere import (
    TangentPatch,
    angle_between,
    direction_to_lonlat,
    lonlat_to_direction,
    rotation_of_view,
    unit,
)

_VIEWS = (
    *((float(lon), 0.0) for lon in range(-180, 180, 60)),
    *((float(lon), lat) for lat in (-45.0, 45.0) for lon in range(-180, 180, 90)),
)
"""Longitude and latitude of the tangent views, degrees: they overlap."""
_FOV = 85.0
_SIZE = 640
_LEAST_SCORE = 0.6
_HEAD_OF_FACE = (1.25, 1.65)
"""Width and height of a head's box over those of the face detector's, which ends at the brows."""
_RAISED = 0.18
"""How far the head's middle lies above the face box's, as a fraction of the face box's height."""


def find_heads(panorama: Panorama, detector: HeadDetector | None = None) -> list[Array]:
    """Find heads.

    Parameters
    ----------
    panorama
        Where.
    detector
        Finds heads from whatever side they are seen. Without it faces are looked for, which takes ten times
        as long and misses people who are turned away.

    Returns
    -------
    list of (4,)
        Longitude and latitude of each middle, width and height, degrees; the largest first.

    Raises
    ------
    NoFaceError
        None is found.
    """
    boxes = find_faces(panorama) if detector is None else detect_heads(detector, panorama)[0]
    if not boxes:
        what = "head" if detector is not None else "face"
        raise NoFaceError(f"no {what} is found in {panorama.name}: give boxes (--heads FILE)")
    return sorted(boxes, key=lambda box: -float(box[3]))


def find_faces(panorama: Panorama) -> list[Array]:
    """Find heads whose faces can be seen, with MediaPipe's detector over tangent views.

    Returns
    -------
    list of (4,)
        Longitude and latitude of each middle, width and height, degrees; the surest first.
    """
    detector = MediaPipeFaceDetector()
    found: list[tuple[float, Array]] = []
    for longitude, latitude in _VIEWS:
        rotation = rotation_of_view(lonlat_to_direction(longitude, latitude))
        patch = TangentPatch(rotation=rotation, fov=_FOV, size=_SIZE)
        for detection in detector(panorama.read(patch)):
            if detection.score >= _LEAST_SCORE:
                found.append((detection.score, _head_box(detection, patch)))
    scores = [score for score, _ in found]
    return keep_surest([box for _, box in found], scores)[0]


def _head_box(detection: Detection, patch: TangentPatch) -> Array:
    """Enlarge a face's box in a patch to the head's on the sphere."""
    left, top, right, bottom = map(float, detection.box)
    across, up = right - left, bottom - top
    x, y = (left + right) / 2, (top + bottom) / 2 - _RAISED * up
    half_across, half_up = _HEAD_OF_FACE[0] * across / 2, _HEAD_OF_FACE[1] * up / 2
    steps = np.array([(0, 0), (-half_across, 0), (half_across, 0), (0, -half_up), (0, half_up)])
    offset = steps + np.array((x, y)) - patch.size / 2
    rays = np.stack([offset[:, 0], np.full(5, patch.focal), -offset[:, 1]], -1) @ patch.rotation.T
    middle, *edges = unit(rays)
    width = float(np.degrees(angle_between(edges[0], edges[1])))
    height = float(np.degrees(angle_between(edges[2], edges[3])))
    return np.array((*direction_to_lonlat(middle), width, height))


def read_heads(path: Path, panorama: Panorama) -> list[Array]:
    """Read boxes of heads from a JSON file.

    It holds a list; each entry is ``{"box": [longitude, latitude, width, height]}`` in degrees, or
    ``{"pixels": [left, top, right, bottom]}`` of the panorama. One of pixels may reach over the left or the
    right border, which are one.

    Raises
    ------
    TargetError
        The file cannot be read, or an entry is not a box within the panorama.
    """
    name = printable(path)
    try:
        entries = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        what = error.strerror if isinstance(error, OSError) else error
        raise TargetError(f"boxes of heads cannot be read from {name}: {what}") from error
    if not isinstance(entries, list) or not entries:
        raise TargetError(f"{name} must hold a list of one box or more")
    return [
        _read_box(entry, panorama, f"{name}: entry {number}, {reprlib.repr(entry)},")
        for number, entry in enumerate(entries, 1)
    ]


def _read_box(entry: Any, panorama: Panorama, name: str) -> Array:
    """Read one entry, which messages call by a name."""
    for key in ("box", "pixels"):
        if isinstance(entry, dict) and key in entry:
            try:
                values = np.array([float(value) for value in entry[key]])
            except (TypeError, ValueError, OverflowError):
                break
            if values.shape != (4,):
                break
            return _check_box(values if key == "box" else _box_of_pixels(values, panorama, name), name)
    raise TargetError(
        f'{name} is no box: write {{"box": [longitude, latitude, width, height]}} in degrees, or '
        '{"pixels": [left, top, right, bottom]}'
    )


def _box_of_pixels(values: Array, panorama: Panorama, name: str) -> Array:
    """Turn left, top, right and bottom into a box in degrees."""
    left, top, right, bottom = values
    if not (left < right and top < bottom):
        raise TargetError(f"{name} has no size: write [left, top, right, bottom], left and top the smaller")
    if not (0 <= (left + right) / 2 <= panorama.width and top >= 0 and bottom <= panorama.height):
        raise TargetError(
            f"{name} is outside of {panorama.name}, which is {panorama.width} x {panorama.height} pixels"
        )
    return box_of_corners(values.reshape(2, 2), panorama.width, panorama.height)


def check_heads(boxes: Sequence[Array]) -> list[Array]:
    """Check boxes (4,) in degrees.

    Raises
    ------
    TargetError
        One is not on the sphere, or has no size.
    """
    return [_check_box(box, f"head box {[float(value) for value in box]}") for box in boxes]


def _check_box(box: Array, name: str) -> Array:
    lon, lat, width, height = map(float, box)
    if not (-360 <= lon <= 360 and abs(lat) <= 90 and 0 < width < 170 and 0 < height < 170):
        raise TargetError(
            f"{name} is not on the sphere: longitude from -360 to 360, latitude from -90 to 90, and width "
            "and height above 0 and below 170, in degrees"
        )
    return np.asarray(box, np.float64)

"""Where the portrait crop and the recogniser's chip lie, given 478 landmarks; and cutting them out."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import DEFAULT_FACE_SHARE

CROP_SIZES = (256, 512, 1024)
"""Portrait crops are made at the largest of these that the photo has the pixels for, else at the first."""

_MIN_FILLED = 0.75
"""Fraction of a crop's side that the photo must have in its own pixels."""

_LEANING_HEAD = 60.0
"""Degrees up to which a head is taken to lean in an upright photo."""

_WIDE_MARGIN = 1 / 8
"""Width of what a wide crop shows on each side of the portrait crop, as a fraction of that one's side."""

_LEAST_MARGIN = 0.02
"""The same that a photo must have in its own pixels, on one side at least, for a wide crop to be made."""

# Landmarks of the upper face and nose: they move little with jaw, mouth and brows.
# fmt: off
_RIGID = np.array([
    1, 2, 4, 5, 6, 10, 21, 33, 54, 63, 66, 67, 98, 103, 105, 107, 109, 127, 133, 162, 168, 195, 197, 234,
    251, 263, 284, 293, 296, 297, 300, 327, 332, 334, 336, 338, 356, 362, 389, 454,
])
# fmt: on
# The crop in units of the rigid points' RMS radius, fitted on synthetic people's photos of default framing:
# the mean face's height, and the crop's centre as steps down the face, into the head and up the picture.
# Going into the head lets the crop follow a turning face in part only, as their framing does.
_CROP_FACE_HEIGHT = 3.0
_DOWN_FACE, _INTO_HEAD, _UP_PICTURE = 0.94, 0.61, 0.54


def face_axes(landmarks: FloatArray) -> Array:
    """Find the face's right (in the picture), down and inward directions: columns of a rotation (3, 3)."""
    right = (landmarks[454] - landmarks[234]) + (landmarks[263] - landmarks[33])
    right = right / np.linalg.norm(right)
    down = landmarks[2] - landmarks[10]
    down = down - right * (right @ down)
    down = down / np.linalg.norm(down)
    return np.stack([right, down, np.cross(right, down)], axis=1)


def crop_square(landmarks: FloatArray) -> tuple[Array, float]:
    """Find centre (2,) and side of the portrait crop of landmarks (478, 3), in their pixels.

    Turning the head or changing the expression barely moves the square.
    """
    points = landmarks[_RIGID].astype(np.float64)
    middle = points.mean(axis=0)
    radius = float(np.sqrt(((points - middle) ** 2).sum(axis=1).mean()))
    axes = face_axes(landmarks.astype(np.float64))
    centre = middle + radius * (_DOWN_FACE * axes[:, 1] + _INTO_HEAD * axes[:, 2])
    return np.array(
        [centre[0], centre[1] - _UP_PICTURE * radius]
    ), _CROP_FACE_HEIGHT / DEFAULT_FACE_SHARE * radius


def upright_turn(landmarks: FloatArray) -> Array:
    """Find the quarter turns (3, 3), about the origin, after which landmarks (478, 3) stand upright.

    None for a head that leans, up to `_LEANING_HEAD`: turned photos are meant, not people who lie.
    """
    right = face_axes(landmarks.astype(np.float64))[:2, 0]
    angle = float(np.degrees(np.arctan2(right[1], right[0])))
    turns = 0 if abs(angle) <= _LEANING_HEAD else 2 if abs(angle) >= 180 - _LEANING_HEAD else np.sign(angle)
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[int(turns) % 4]
    return np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0, 0, 1]])


def crop_size(side: float) -> int:
    """Choose the size in pixels at which a crop of this side (in photo pixels) is made."""
    return max((size for size in CROP_SIZES if side >= _MIN_FILLED * size), default=CROP_SIZES[0])


def wide_margin(size: int) -> int:
    """Give the pixels that a wide crop has on each side of a portrait crop of a size."""
    return round(_WIDE_MARGIN * size)


def shows_more(photo: tuple[int, ...], matrix: Array, size: int) -> bool:
    """Tell whether a photo, of height and width and so on, shows anything about its portrait crop.

    Parameters
    ----------
    photo
        Height and width in pixels.
    matrix, size
        (3, 3) from photo pixels to crop pixels, and the crop's side.
    """
    corners = np.array([[0, 0, 1], [photo[1], photo[0], 1]]) @ matrix.T
    low, high = corners[:, :2].min(axis=0), corners[:, :2].max(axis=0)
    return bool(max(-low.min(), (high - size).max()) > _LEAST_MARGIN * size)


def square_transform(centre: Array, side: float, size: int, angle: float = 0.0) -> Array:
    """Make the matrix (3, 3) from picture pixels to a square cut-out of ``size`` pixels.

    The square is turned by ``angle`` degrees, clockwise in the picture. Pixel centres lie at +0.5.
    """
    scale = size / side
    cos, sin = scale * np.cos(np.radians(angle)), scale * np.sin(np.radians(angle))
    linear = np.array([[cos, sin], [-sin, cos]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = size / 2 - linear @ centre
    return matrix


def similarity(source: Array, target: Array) -> Array:
    """Fit a similarity (3, 3) from points (K, 2) to points (K, 2) (Umeyama 1991), never mirrored."""
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    cos = (a * b).sum() / (a**2).sum()
    sin = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / (a**2).sum()
    matrix = np.eye(3)
    matrix[:2, :2] = [[cos, -sin], [sin, cos]]
    matrix[:2, 2] = target.mean(axis=0) - matrix[:2, :2] @ source.mean(axis=0)
    return matrix


def transform_points(points: Array, matrix: Array) -> Array:
    """Apply a similarity (3, 3) to points (N, 2) or landmarks (N, 3), whose depth is scaled too."""
    moved = points.astype(np.float64)
    moved[:, :2] = points[:, :2] @ matrix[:2, :2].T + matrix[:2, 2]
    if points.shape[1] == 3:
        moved[:, 2] *= np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    return moved.astype(points.dtype)


def pixel_affine(matrix: Array) -> Array:
    """Turn a matrix (3, 3) into the (2, 3) of `cv2.warpAffine`, whose pixel centres are whole numbers."""
    half_pixel = np.array([[1.0, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return np.asarray((np.linalg.inv(half_pixel) @ matrix @ half_pixel)[:2])


def cut_out(image: Array, matrix: Array, size: int | tuple[int, int]) -> Array:
    """Resample a picture (H, W, 3) by a similarity (3, 3) to a ``size``; edges are replicated outwards.

    ``size`` is a square's side, or width and height. Reductions are averaged, not skipped over.
    """
    size = size if isinstance(size, tuple) else (size, size)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    if scale < 0.7:
        left, top, right, bottom = _covered(image, matrix, size)
        part = image[top:bottom, left:right]
        width = max(1, round(part.shape[1] * scale * 1.2))
        height = max(1, round(part.shape[0] * scale * 1.2))
        sx, sy = part.shape[1] / width, part.shape[0] / height
        image = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.array([[sx, 0, left], [0, sy, top], [0, 0, 1]])
    affine = pixel_affine(matrix)
    interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    return cv2.warpAffine(image, affine, size, flags=interpolation, borderMode=cv2.BORDER_REPLICATE)


def _covered(image: Array, matrix: Array, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Find the part of the picture that a cut-out needs, never empty: left, top, right, bottom."""
    across, down = size
    corners = np.array([[0, 0, 1], [across, 0, 1], [0, down, 1], [across, down, 1]]) @ np.linalg.inv(matrix).T
    height, width = image.shape[:2]
    margin = 4 * np.ptp(corners[:, 0]) / across
    left, top = np.floor(corners[:, :2].min(axis=0) - margin).astype(int)
    right, bottom = np.ceil(corners[:, :2].max(axis=0) + margin).astype(int)
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    return left, top, min(max(right, left + 1), width), min(max(bottom, top + 1), height)

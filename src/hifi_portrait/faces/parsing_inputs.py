"""What the parsing network sees: a crop's colours, its matte, and where its landmarks lie.

Matte and landmarks are known when a face is parsed. With them the network need not find the person and the
face again, which it would learn on rendered people and do worse on photos.
"""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, ByteArray, FloatArray

PARSING_SIZE = 128
"""Side in pixels of the network's inputs."""

CHANNELS = 13
"""Red, green, blue; the matte; face, eyes, brows, lips as areas; the place on the face across and down; the
difference from the face's own median colour, red, green, blue."""

# MediaPipe's contours, each in order around its area.
# fmt: off
FACE_OVAL = np.array([
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
    149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
])
"""The outline of the face, from the forehead's middle clockwise in the picture."""
EYES = (
    np.array([33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246]),
    np.array([263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466]),
)
_BROWS = (
    np.array([46, 53, 52, 65, 55, 107, 66, 105, 63, 70]),
    np.array([276, 283, 282, 295, 285, 336, 296, 334, 293, 300]),
)
LIPS = np.array([
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
])
"""The outer contour of the lips."""
# fmt: on

_COLOUR_SPREAD = 64.0
"""Difference from the face's colour, of 255, that is 1 to the network."""

_FARTHEST = 4.0
"""Places farther from between the eyes than so many distances of the eyes are alike to the network."""


def parsing_inputs(crop: ByteArray, matte: Array, landmarks: Array) -> FloatArray:
    """Make the network's inputs.

    Parameters
    ----------
    crop
        (S, S, 3) uint8 RGB.
    matte
        (S, S) in [0, 1], the person.
    landmarks
        (478, 2) or (478, 3), in the crop's pixels.

    Returns
    -------
    ndarray
        (`CHANNELS`, `PARSING_SIZE`, `PARSING_SIZE`) float32.
    """
    size = (PARSING_SIZE, PARSING_SIZE)
    points = np.asarray(landmarks[:, :2], np.float32) * (PARSING_SIZE / len(crop))
    pixels = cv2.resize(crop, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    person = cv2.resize(np.asarray(matte, np.float32), size, interpolation=cv2.INTER_AREA)
    face, eyes, brows, lips = (fill_areas(points, a) for a in ((FACE_OVAL,), EYES, _BROWS, (LIPS,)))
    plain = face & ~(eyes | brows | lips)
    own = np.median(pixels[plain], axis=0) if plain.any() else np.full(3, 128.0)
    areas = np.stack([face, eyes, brows, lips]).astype(np.float32)
    relative = np.clip((pixels - own) / _COLOUR_SPREAD, -3, 3).transpose(2, 0, 1)
    return np.concatenate(
        [
            pixels.transpose(2, 0, 1) / 127.5 - 1,
            2 * person[None] - 1,
            areas,
            _places_on_face(points),
            relative,
        ]
    ).astype(np.float32)


def fill_areas(points: FloatArray, contours: tuple[Array, ...], size: int = PARSING_SIZE) -> BoolArray:
    """Fill contours, each the numbers of landmarks in order, of points (478, 2) in a square's pixels."""
    mask = np.zeros((size, size), np.uint8)
    for contour in contours:
        polygon = np.rint((points[contour] - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(mask, [polygon], 1, shift=4)
    return mask.astype(bool)


def _places_on_face(points: FloatArray) -> FloatArray:
    """Coordinates (2, S, S) across and down the upright face from between its eyes, by their distance."""
    eyes = [points[contour].mean(axis=0) for contour in EYES]
    middle, across = (eyes[0] + eyes[1]) / 2, eyes[1] - eyes[0]
    chin = points[152] - middle
    # Turned heads bring the eyes together; the distance to the chin does not shrink with them.
    length = max(float(np.linalg.norm(across)), 0.55 * float(np.linalg.norm(chin)), 1e-3)
    direction = across / max(float(np.linalg.norm(across)), 1e-3)
    column, row = np.meshgrid(*2 * (np.arange(PARSING_SIZE, dtype=np.float32) + 0.5,))
    x, y = column - middle[0], row - middle[1]
    along = (x * direction[0] + y * direction[1]) / length
    down = (y * direction[0] - x * direction[1]) / length
    return np.asarray(np.clip(np.stack([along, down]) / _FARTHEST, -1, 1))

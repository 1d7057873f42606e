"""How far a photo of a face can be trusted, as one number."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import cv2
import numpy as np

from hifi_portrait.faces.geometry import face_axes
from hifi_portrait.head.arrays import ByteArray, FloatArray

_NEIGHBOURS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)

_MEDIAN_OF_NORMAL = 0.6745
"""Median of the absolute value of a normally distributed number, in standard deviations."""


@dataclass(frozen=True)
class FaceQuality:
    """What makes a photo of a face good; each in [0, 1], 1 best."""

    sharpness: float
    """Fine detail in the face at recogniser size: low when blurred or enlarged."""
    size: float
    """1 where the portrait crop has 256 photo pixels a side or more."""
    exposure: float
    """Share of the face that is neither black nor burnt out, and has contrast."""
    pose: float
    """1 facing the camera, 0 at 75 degrees away."""
    visibility: float
    """The detector's confidence, which falls when parts of the face are hidden."""
    grain: float = 1.0
    """1 without noise; noise of a standard deviation of 20 levels of 255 halves it."""
    compression: float = 1.0
    """1 without the edges of JPEG's blocks; JPEG of quality 8 gives about .8, of quality 3 about .3."""

    @property
    def score(self) -> float:
        """The geometric mean of the first five, times grain and compression: one bad one spoils a photo."""
        *shown, grain, compression = np.clip(astuple(self), 1e-3, 1.0)
        return float(np.prod(shown) ** (1 / len(shown)) * grain * compression)


@dataclass(frozen=True, eq=False)
class FaceView:
    """The face as the photo's own pixels show it."""

    grey: FloatArray
    """(H, W) in [0, 255]."""
    corner: tuple[int, int]
    """Column and row of its first pixel in the photo, where JPEG's blocks are counted from."""


def face_view(image: ByteArray, box: FloatArray) -> FaceView:
    """Cut a face's box (4,) out of a photo (H, W, 3)."""
    left, top = (max(0, int(value)) for value in box[:2])
    part = image[top : max(top + 16, int(box[3])), left : max(left + 16, int(box[2]))]
    return FaceView(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32), (left, top))


def face_quality(
    chip: ByteArray, landmarks: FloatArray, side: float, score: float, view: FaceView | None = None
) -> FaceQuality:
    """Judge a photo of a face.

    Parameters
    ----------
    chip
        (150, 150, 3), aligned.
    landmarks
        (478, 3).
    side
        Of the portrait crop, in the photo's pixels.
    score
        The detector's.
    view
        The face in the photo's own pixels, which alone show noise and compression.
    """
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY).astype(np.float32)[20:130, 20:130]
    return FaceQuality(
        sharpness=_sharpness(grey),
        size=float(np.clip(side / 256, 0.0, 1.0)),
        exposure=_exposure(grey),
        pose=_frontality(landmarks),
        visibility=float(np.clip((score - 0.3) / 0.6, 0.0, 1.0)),
        grain=1.0 if view is None else _grain(view.grey),
        compression=1.0 if view is None else _compression(view),
    )


def _grain(grey: FloatArray) -> float:
    """Judge noise by its standard deviation, found in what neighbours do not explain (Immerkaer 1996)."""
    unexplained = np.abs(cv2.filter2D(grey, cv2.CV_32F, _NEIGHBOURS))
    deviation = float(np.median(unexplained)) / _MEDIAN_OF_NORMAL / 6
    return float(np.clip(1 - (deviation - 4) / 32, 0.2, 1.0))


def _compression(view: FaceView) -> float:
    """Judge compression by how much stronger steps between JPEG's blocks are than those inside."""
    excess = []
    for axis, start in ((1, view.corner[0]), (0, view.corner[1])):
        steps = np.abs(np.diff(view.grey, axis=axis)).mean(axis=1 - axis)
        place = (np.arange(len(steps)) + start + 1) % 8
        if len(steps) < 16:
            return 1.0
        by_place = [float(steps[place == number].mean()) for number in range(8)]
        excess.append(by_place[0] / (float(np.median(by_place[1:])) + 0.3))
    return float(np.clip(1 - (float(np.mean(excess)) - 1.5) / 6, 0.2, 1.0))


def _sharpness(grey: FloatArray) -> float:
    detail = cv2.Laplacian(grey, cv2.CV_32F).std()
    return float(np.clip(detail / (0.25 * grey.std() + 1e-3), 0.0, 1.0))


def _exposure(grey: FloatArray) -> float:
    usable = float(((grey > 12) & (grey < 246)).mean())
    contrast = float(np.clip(grey.std() / 25, 0.0, 1.0))
    return usable * contrast


def _frontality(landmarks: FloatArray) -> float:
    toward_camera = face_axes(landmarks.astype(np.float64))[2, 2]
    limit = np.cos(np.radians(75))
    return float(np.clip((toward_camera - limit) / (1 - limit), 0.0, 1.0))

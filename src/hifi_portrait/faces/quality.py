"""How far a photo of a face can be trusted, as one number."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import cv2
import numpy as np

from hifi_portrait.faces.geometry import face_axes
from hifi_portrait.head.arrays import ByteArray, FloatArray


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

    @property
    def score(self) -> float:
        """The geometric mean: one bad property spoils a photo."""
        return float(np.prod(np.clip(astuple(self), 1e-3, 1.0)) ** (1 / 5))


def face_quality(chip: ByteArray, landmarks: FloatArray, side: float, score: float) -> FaceQuality:
    """Judge a photo by an aligned chip (150, 150, 3), landmarks (478, 3), crop side and detector score."""
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY).astype(np.float32)[20:130, 20:130]
    return FaceQuality(
        sharpness=_sharpness(grey),
        size=float(np.clip(side / 256, 0.0, 1.0)),
        exposure=_exposure(grey),
        pose=_frontality(landmarks),
        visibility=float(np.clip((score - 0.3) / 0.6, 0.0, 1.0)),
    )


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

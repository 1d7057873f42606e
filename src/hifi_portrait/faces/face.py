"""What analysis finds out about one face in one photo."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, eq=False)
class Face:
    """One analysed face. Its arrays cannot be written to.

    Attributes
    ----------
    source
        The photo's path, or a description of it.
    box
        (4,) left, top, right, bottom of the detected face, in photo pixels.
    keypoints
        (5, 2) eyes, nose tip and mouth corners, image-left before image-right, in photo pixels.
    landmarks
        (478, 3) float32, in photo pixels.
    crop
        The portrait crop, uint8 RGB (S, S, 3), S of `CROP_SIZES`; beyond the photo its edges are replicated.
    crop_landmarks
        (478, 3) float32, in crop pixels.
    crop_transform
        (3, 3) from photo pixels to crop pixels: a scaling and a shift.
    matte
        (S, S) float32 in [0, 1], 1 on the person.
    aligned
        uint8 RGB (S, S, 3): the recogniser's aligned view; S is 150 for the default one.
    embedding
        (D,) float32 as the recogniser gave it: of unit length by the default one.
    quality
        In [0, 1]; see ``FaceQuality``.
    """

    source: str
    box: np.ndarray
    keypoints: np.ndarray
    landmarks: np.ndarray
    crop: np.ndarray
    crop_landmarks: np.ndarray
    crop_transform: np.ndarray
    matte: np.ndarray
    aligned: np.ndarray
    embedding: np.ndarray
    quality: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def similarity(self, other: Face) -> float:
        """Cosine of the two embeddings, in [-1, 1]."""
        return float(self.direction @ other.direction)

    @property
    def direction(self) -> np.ndarray:
        """The embedding (D,) at unit length."""
        return self.embedding / np.linalg.norm(self.embedding)

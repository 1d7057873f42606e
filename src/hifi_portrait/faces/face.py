"""What analysis finds out about one face in one photo."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, eq=False)
class Face:
    """One analysed face. Its arrays cannot be written to."""

    source: str
    """The photo's path, or a description of it."""
    box: np.ndarray
    """(4,) left, top, right, bottom of the detected face, in photo pixels."""
    keypoints: np.ndarray
    """(5, 2) eyes, nose tip and mouth corners, image-left before image-right, in photo pixels."""
    landmarks: np.ndarray
    """(478, 3) float32, in photo pixels."""
    crop: np.ndarray
    """(S, S, 3) uint8 RGB portrait crop, S of `CROP_SIZES`; beyond the photo its edges are replicated."""
    crop_landmarks: np.ndarray
    """(478, 3) float32, in crop pixels."""
    crop_transform: np.ndarray
    """(3, 3) from photo pixels to crop pixels: a scaling and a shift."""
    matte: np.ndarray
    """(S, S) float32 in [0, 1], 1 on the person."""
    aligned: np.ndarray
    """uint8 RGB (S, S, 3): the recogniser's aligned view; S is 150 for the default one."""
    embedding: np.ndarray
    """(D,) float32 as the recogniser gave it: of unit length by the default one."""
    quality: float
    """In [0, 1]; see ``FaceQuality``."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def similarity(self, other: Face) -> float:
        """Compute the cosine of the two embeddings, in [-1, 1]."""
        return float(self.direction @ other.direction)

    @property
    def direction(self) -> np.ndarray:
        """The embedding (D,) at unit length."""
        return np.asarray(self.embedding / np.linalg.norm(self.embedding))

"""What analysis finds out about one face in one photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hifi_portrait.faces.quality import FaceQuality
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray, make_arrays_read_only


@dataclass(frozen=True, eq=False)
class MeasuredFace:
    """A face as it lies in its photo, before its portrait crop, matte and embedding are made."""

    box: FloatArray
    """(4,) left, top, right, bottom of the detected face, in photo pixels."""
    landmarks: FloatArray
    """(478, 3) float32, in photo pixels."""
    crop_transform: Array
    """(3, 3) from photo pixels to pixels of the portrait crop."""
    crop_size: int
    """Side of the portrait crop, of `CROP_SIZES`."""
    aligned: ByteArray
    """uint8 RGB (S, S, 3): the recogniser's aligned view."""
    measures: FaceQuality
    """What the photo's quality is made of."""


@dataclass(frozen=True, eq=False)
class Face:
    """One analysed face. Its arrays are read-only views."""

    source: str
    """The photo's path, or a description of it."""
    box: FloatArray
    """(4,) left, top, right, bottom of the detected face, in photo pixels."""
    keypoints: FloatArray
    """(5, 2) eyes, nose tip and mouth corners, image-left before image-right, in photo pixels."""
    landmarks: FloatArray
    """(478, 3) float32, in photo pixels."""
    crop: ByteArray
    """(S, S, 3) uint8 RGB portrait crop, S of `CROP_SIZES`; beyond the photo its edges are replicated."""
    crop_landmarks: FloatArray
    """(478, 3) float32, in crop pixels."""
    crop_transform: Array
    """(3, 3) from photo pixels to crop pixels: a scaling, a shift, and quarter turns for a turned photo."""
    matte: FloatArray
    """(S, S) float32 in [0, 1], 1 on the person."""
    aligned: ByteArray
    """uint8 RGB (S, S, 3): the recogniser's aligned view; S is 150 for the default one."""
    embedding: FloatArray
    """(D,) float32 as the recogniser gave it: of unit length by the default one."""
    quality: float
    """In [0, 1]; see ``FaceQuality``."""
    measures: FaceQuality | None = None
    """What ``quality`` is made of; None where it is not known."""
    wide_crop: ByteArray | None = None
    """(S + 2 M, S + 2 M, 3): the crop with ``faces.geometry.wide_margin(S)`` more pixels on each side; None
    where that was not asked for, or where the photo shows nothing there."""
    wide_matte: FloatArray | None = None
    """(S + 2 M, S + 2 M) in [0, 1], its matte, which is ``matte`` in the middle; None where there is no wide
    crop, and until ``FaceAnalyser.matte_wide`` adds it."""

    def __post_init__(self) -> None:
        make_arrays_read_only(self)

    def similarity(self, other: Face) -> float:
        """Compute the cosine of the two embeddings, in [-1, 1]."""
        return float(self.direction @ other.direction)

    @property
    def direction(self) -> FloatArray:
        """The embedding (D,) at unit length."""
        return np.asarray(self.embedding / np.linalg.norm(self.embedding))

"""The exchangeable parts of face analysis. Each is a small protocol, so that any object that fits will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hifi_portrait.head.arrays import ByteArray, FloatArray


@dataclass(frozen=True, eq=False)
class Detection:
    """One face found in a picture, in pixels."""

    box: FloatArray
    """(4,) left, top, right, bottom."""
    keypoints: FloatArray
    """(K, 2), K >= 2; the first two are the eyes, image-left first."""
    score: float
    """The detector's confidence, in [0, 1]."""

    @property
    def size(self) -> float:
        """The longer side of the box, in pixels."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))


class FaceDetector(Protocol):
    """Finds faces."""

    def __call__(self, image: ByteArray) -> Sequence[Detection]:
        """Find the faces in a uint8 RGB picture (H, W, 3), largest first."""
        ...


class Landmarker(Protocol):
    """Places MediaPipe's 478 face landmarks."""

    def __call__(self, image: ByteArray, detection: Detection) -> FloatArray | None:
        """Find landmarks (478, 3) of a detected face, in pixels of the picture; None if it is no face."""
        ...


class Matting(Protocol):
    """Tells the person from the background."""

    def __call__(self, image: ByteArray) -> FloatArray:
        """Make the matte (H, W) in [0, 1], 1 on the person, of a uint8 RGB picture (H, W, 3)."""
        ...


class Parsing(Protocol):
    """Tells what each pixel of a portrait crop shows."""

    def __call__(self, crop: ByteArray, matte: FloatArray, landmarks: FloatArray) -> ByteArray:
        """Label each pixel.

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
            (P, P) uint8, each a `hifi_portrait.faces.FaceLabel`; P is 256 for the default parsing.
        """
        ...


class Recogniser(Protocol):
    """Embeds aligned faces so that the same person's lie close together."""

    @property
    def same_person(self) -> float:
        """Embeddings with a smaller cosine belong to two people."""
        ...

    def align(self, image: ByteArray, landmarks: FloatArray) -> ByteArray:
        """Cut out the aligned view, a uint8 RGB chip (S, S, 3), of a face with landmarks (478, 3)."""
        ...

    def __call__(self, chips: ByteArray) -> FloatArray:
        """Embed aligned chips (B, S, S, 3) as (B, E) float32, of any length."""
        ...

"""Follow one face through the frames of a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from hifi_portrait.faces.analyser import FaceAnalyser
from hifi_portrait.faces.geometry import crop_square, square_transform, transform_points, upright_turn
from hifi_portrait.faces.protocols import Detection
from hifi_portrait.faces.recogniser import align_chip
from hifi_portrait.fitting.keypoints import KEYPOINTS
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray

FIT_SIZE = 512
"""Side in pixels of the square portrait crop in whose places landmarks are kept."""

_EYES = list(KEYPOINTS.values())[:2]

_VERIFY_EVERY = 1.0
"""Seconds after which it is checked that the face is still the same person's."""

_LARGEST_STEP = 0.5
"""Distance that a face moves from frame to frame, in its own sizes, beyond which it is checked, too."""

_CUT = 12.0
"""Mean difference between a face's coarse colours in two frames, in grey levels, beyond which it is checked,
too: there may have been a cut. Somebody who talks and turns in one light has 6 at most."""

_MIN_SIZE = 24.0
"""Pixels of a face below which its landmarks say nothing."""

_BOX_PER_FACE = 0.9
"""Side of a detector's box in the longer sides of the box around all landmarks."""

_BLURRED = 0.04
"""Cosine by which frames of videos may fall short of the recogniser's threshold: they are often blurred."""


@dataclass
class FaceFollower:
    """Finds the same face in one frame after another.

    A face that was found in the frame before is looked for near its place, which is quicker than looking for
    all faces. Now and then, and after a jump, the recogniser tells whether it is still the same person.

    Attributes
    ----------
    analyser
        Finds faces and landmarks, and recognises people.
    vectors
        (K, E) unit embeddings of the person who is followed; of nobody, the first face decides.
    face
        Which face of the first frame that shows so many is followed, counted from the largest (0), where
        there are no embeddings.
    """

    analyser: FaceAnalyser
    vectors: FloatArray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    face: int | None = None
    most_faces: int = field(default=0, init=False)
    """The most faces that were seen in a frame."""
    _last: FloatArray | None = field(default=None, init=False)
    _verified: float = field(default=-np.inf, init=False)
    _look: Array | None = field(default=None, init=False)

    def __call__(self, time: float, image: ByteArray) -> FloatArray | None:
        """Find the face in the next frame.

        Parameters
        ----------
        time
            Seconds.
        image
            (H, W, 3) uint8 RGB.

        Returns
        -------
        ndarray or None
            Landmarks (478, 3) in pixels of the frame; None where the face is not seen.
        """
        found = None if self._last is None else self.analyser.landmarker(image, _where(self._last))
        look = None if found is None else _look_of(image, found)
        if found is not None and look is not None and self._needs_check(look, found, time):
            found = found if self._is_person(image, found) else None
            self._verified = time
        if found is None:
            found = self._find_again(image)
            look = None if found is None else _look_of(image, found)
            self._verified = time
        self._last, self._look = found, look
        return found

    def _needs_check(self, look: Array, landmarks: FloatArray, time: float) -> bool:
        """Tell whether it may be another person by now: after a while, a jump, or a cut."""
        assert self._last is not None and self._look is not None
        step = np.linalg.norm(landmarks[:, :2].mean(axis=0) - self._last[:, :2].mean(axis=0))
        return bool(
            time - self._verified >= _VERIFY_EVERY
            or step > _LARGEST_STEP * _where(self._last).size
            or np.abs(look - self._look).mean() > _CUT
        )

    def _find_again(self, image: ByteArray) -> FloatArray | None:
        """Look for the person among all faces of a frame."""
        found = [landmarks for box, landmarks in self.analyser.find_faces(image) if box.size >= _MIN_SIZE]
        self.most_faces = max(self.most_faces, len(found))
        if not found:
            return None
        if not len(self.vectors):
            chosen = self.face or 0
            if chosen >= len(found):
                return None
            self.vectors = self._embed(image, [found[chosen]])
            return found[chosen]
        likeness = (self._embed(image, found) @ self.vectors.T).max(axis=1)
        best = int(likeness.argmax())
        return found[best] if likeness[best] >= self._threshold else None

    def _is_person(self, image: ByteArray, landmarks: FloatArray) -> bool:
        return bool((self._embed(image, [landmarks]) @ self.vectors.T).max() >= self._threshold)

    @property
    def _threshold(self) -> float:
        return self.analyser.recogniser.same_person - _BLURRED

    def _embed(self, image: ByteArray, faces: Sequence[FloatArray]) -> FloatArray:
        recogniser = self.analyser.recogniser
        return recogniser(np.stack([recogniser.align(image, face) for face in faces]))


def to_crop(landmarks: FloatArray) -> FloatArray:
    """Move landmarks (478, 3) from a frame into the portrait crop about them, `FIT_SIZE` pixels a side."""
    upright = upright_turn(landmarks)
    centre, side = crop_square(transform_points(landmarks, upright))
    return transform_points(landmarks, square_transform(centre, side, FIT_SIZE) @ upright)


def spread_over(values: Array, count: int) -> list[int]:
    """Choose places of (N,) values, at most so many, that lie evenly between the least and the greatest."""
    order = np.argsort(values, kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int))]
    return sorted(int(place) for place in chosen)


def _look_of(image: ByteArray, landmarks: FloatArray) -> Array:
    """Give a face's colours, coarsely: (8, 8, 3) in [0, 255]."""
    return np.asarray(cv2.resize(align_chip(image, landmarks), (8, 8), interpolation=cv2.INTER_AREA), float)


def _where(landmarks: FloatArray) -> Detection:
    """Say where a face with these landmarks would be detected."""
    points = landmarks[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    centre, half = (low + high) / 2, _BOX_PER_FACE * float((high - low).max()) / 2
    return Detection(np.concatenate([centre - half, centre + half]).astype(np.float32), points[_EYES], 1.0)

"""Which of a detector's faces are faces: those whose landmarks confirm them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hifi_portrait.faces.detector import is_upright, show_one_face, turned_otherwise
from hifi_portrait.faces.protocols import Detection, Landmarker
from hifi_portrait.fitting.keypoints import KEYPOINTS
from hifi_portrait.head.arrays import ByteArray, FloatArray

_EYES = [KEYPOINTS["right eye"], KEYPOINTS["left eye"]]
"""Landmarks of the eyes, in the order in which detections have them."""

_EYE_TOLERANCE = 0.12
"""Largest distance between the detector's and the landmarks' eyes, as a fraction of the detection's box."""

_SECOND_LOOK = 0.7
"""Score of a detection from which on a second look at the landmarks may confirm it.

In drawn, dim and compressed photos the detector puts the eyes less exactly, and sees the face all the same.
"""

_STEADY = 0.025
"""Mean distance between the landmarks of both looks, in sides of the face, up to which they are right.

Of the faces in 205 rendered photos that the detector's eyes did not confirm, half are as steady. The
landmarks of these were where they should be in all but one, of which the detector was not sure.
"""

_BOX_OF_LANDMARKS = 0.8
"""Side of a detector's box in the longer side of the landmarks."""

_PROFILE_EYES = 0.25
"""Distance between the eyes, in boxes of the detection, below which a face is seen from the side."""


def confirmed_faces(
    image: ByteArray, detections: Sequence[Detection], landmarker: Landmarker
) -> Iterator[tuple[Detection, FloatArray]]:
    """Yield the detections that landmarks confirm, one at each place, with these.

    Where they do not confirm an upright face, another way in which it may be turned counts only if the
    detector was surer of that one.

    Parameters
    ----------
    image
        A uint8 RGB picture (H, W, 3).
    detections
        The faces that a detector found there. Of one face that may be turned in several ways, the first that
        is confirmed is taken.
    landmarker
        Places the landmarks (478, 3), in pixels.
    """
    taken: list[Detection] = []
    refused: list[Detection] = []
    for detection in detections:
        if any(show_one_face(detection, other) for other in taken):
            continue
        surer = [other for other in detections if _is_surer(other, detection)]
        if any(other in refused and is_upright(other) for other in surer):
            continue
        landmarks = _confirm(image, detection, landmarker, doubtful=bool(surer))
        if landmarks is None:
            refused.append(detection)
        else:
            taken.append(detection)
            yield detection, landmarks


def is_profile(detection: Detection) -> bool:
    """Tell by the detector's keypoints whether a face is seen from the side: its eyes are close together."""
    eyes = detection.keypoints[1] - detection.keypoints[0]
    return bool(detection.score > 0.7 and np.linalg.norm(eyes) < _PROFILE_EYES * detection.size)


def _is_surer(other: Detection, detection: Detection) -> bool:
    """Tell whether the detector was surer of another way in which the face of a detection may be turned."""
    if other.score <= detection.score:
        return False
    return turned_otherwise(other, detection) and show_one_face(other, detection)


def _confirm(
    image: ByteArray, detection: Detection, landmarker: Landmarker, *, doubtful: bool
) -> FloatArray | None:
    """Find a detected face's landmarks; None where they do not confirm that it is one.

    They do if they put the eyes where the detector does. If they do not, the detector may be less exact than
    they are: where it is sure of an upright face, they do, too, if they are in its place, not in that of the
    person beside, and are found there again. It is ``doubtful`` where it is surer of another way in which the
    face may be turned.
    """
    landmarks = landmarker(image, detection)
    if landmarks is None or _agree(detection, landmarks):
        return landmarks
    around = _around(landmarks, detection.score)
    sure = detection.score >= _SECOND_LOOK and is_upright(detection) and not doubtful
    if not sure or is_profile(around) or not show_one_face(around, detection):
        return None
    again = landmarker(image, around)
    if again is None:
        return None
    sides = landmarks[:, :2].max(axis=0) - landmarks[:, :2].min(axis=0)
    apart = np.linalg.norm(again[:, :2] - landmarks[:, :2], axis=1).mean()
    return again if apart < _STEADY * float(np.sqrt(sides.prod())) else None


def _agree(detection: Detection, landmarks: FloatArray) -> bool:
    """Tell whether detector and landmarks put the eyes in about the same places."""
    off = np.linalg.norm(landmarks[_EYES, :2] - detection.keypoints[:2], axis=1).max()
    return bool(off < _EYE_TOLERANCE * detection.size)


def _around(landmarks: FloatArray, score: float) -> Detection:
    """Give what a detector would find where a face's landmarks are."""
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    middle, half = (low + high) / 2, _BOX_OF_LANDMARKS / 2 * (high - low).max()
    return Detection(np.concatenate([middle - half, middle + half]), landmarks[_EYES, :2], score)

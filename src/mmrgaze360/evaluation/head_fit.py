"""The gaze by HiFi-Portrait's head fit, where a face is found in a head's close-up."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.faces.detector import MediaPipeFaceDetector
from hifi_portrait.faces.landmarker import MediaPipeLandmarker
from hifi_portrait.fitting import fit
from hifi_portrait.head.arrays import Array
from hifi_portrait.synthetic import gaze_in_head

FIT_SIZE = 256
"""Pixels across the close-ups that faces are looked for in."""


def fit_gaze(close_up: NDArray[np.uint8]) -> Array | None:
    """Fit a head to the face in a close-up (S, S, 3).

    Returns
    -------
    gaze
        (3,) unit, in the patch's frame (x right, y ahead, z up); None where no face is found.
    """
    detector, landmarker = _finders()
    for detection in detector(close_up):
        landmarks = landmarker(close_up, detection)
        if landmarks is not None:
            size = (close_up.shape[1], close_up.shape[0])
            geometry = fit([landmarks], [size]).geometries[0]
            yaw, pitch = map(float, geometry.gaze)
            return np.asarray(geometry.rotation @ gaze_in_head(yaw, pitch), np.float64)
    return None


@cache
def _finders() -> tuple[MediaPipeFaceDetector, MediaPipeLandmarker]:
    return MediaPipeFaceDetector(), MediaPipeLandmarker()

"""Soft masks of what a label map shows."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.head.arrays import Array, FloatArray


def region_mask(labels: Array, *chosen: FaceLabel, size: int) -> FloatArray:
    """Make a soft mask of what has one of the chosen labels.

    Parameters
    ----------
    labels
        (P, P) a label map.
    *chosen
        One or more labels.
    size
        Side of the mask in pixels.

    Returns
    -------
    ndarray
        (size, size) float32 in [0, 1].
    """
    hard = np.isin(labels, [int(label) for label in chosen]).astype(np.float32)
    if size > len(hard):  # without the steps of the label map's own pixels
        hard = np.asarray(cv2.GaussianBlur(hard, (0, 0), 0.7))
    method = cv2.INTER_AREA if size < len(hard) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(hard, (size, size), interpolation=method), np.float32)

"""The default matting network: MediaPipe's selfie segmentation, whose model comes inside its package."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from hifi_portrait.faces.mediapipe_graph import Graph
from hifi_portrait.head.arrays import ByteArray, FloatArray

_MATTE_SIZE = 256
"""Side in pixels of the square that MediaPipe's selfie segmentation sees."""

_MAX_STEPLESS_SCALE = 2.0
"""A matte that is enlarged more than this shows steps along its outlines."""

_SMOOTHED_CONTRAST = 2.0
"""Contrast about 0.5 that outlines get back after the blur that takes their steps out."""


class MediaPipeMatting:
    """MediaPipe's selfie segmentation (general model)."""

    def __init__(self) -> None:
        self._graph = Graph(_selfie_segmentation)

    def __call__(self, image: ByteArray) -> FloatArray:
        """Make the matte (H, W) in [0, 1], 1 on the person, of a uint8 RGB picture (H, W, 3)."""
        matte = np.clip(self._graph.process(image).segmentation_mask, 0.0, 1.0).astype(np.float32)
        return smooth_steps(matte, max(image.shape[:2]) / _MATTE_SIZE)


def smooth_steps(matte: FloatArray, enlarged: float) -> FloatArray:
    """Smooth the stepped outlines of a matte (H, W) that is ``enlarged`` times its network's own size.

    What is less than a quarter there, as loose strands are, is gone then.
    """
    if enlarged <= _MAX_STEPLESS_SCALE:
        return matte
    smooth = np.clip(0.5 + _SMOOTHED_CONTRAST * (cv2.GaussianBlur(matte, (0, 0), enlarged) - 0.5), 0.0, 1.0)
    return np.asarray(matte + min(enlarged - _MAX_STEPLESS_SCALE, 1.0) * (smooth - matte))


def _selfie_segmentation() -> Any:
    from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

    return SelfieSegmentation(model_selection=0)

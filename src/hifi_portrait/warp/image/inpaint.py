"""Values spread from where they are known to where they are not."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def spread(values: Array, trust: Array) -> Array:
    """Keep values (H, W, C) where trusted (H, W); elsewhere take them from ever wider surroundings."""
    known = values * trust[..., None]
    if min(trust.shape) <= 2:
        mean = known.sum(axis=(0, 1)) / max(float(trust.sum()), 1e-6)
        return np.asarray(known + mean * (1 - trust)[..., None], np.float32)
    height, width = trust.shape
    half = (max(width // 2, 1), max(height // 2, 1))
    below_trust = cv2.resize(trust, half, interpolation=cv2.INTER_AREA)
    below = cv2.resize(known, half, interpolation=cv2.INTER_AREA) / np.maximum(below_trust, 1e-6)[..., None]
    below = spread(below, np.minimum(below_trust * 4, 1))
    around = cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(known + around * (1 - trust)[..., None], np.float32)


def blurred(values: Array, sigma: float) -> Array:
    """A wide Gaussian blur of (H, W) or (H, W, 3), in a smaller picture, for speed."""
    height, width = values.shape[:2]
    factor = max(1, int(sigma / 2))
    small = cv2.resize(values, (-(-width // factor), -(-height // factor)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / factor), (width, height))

"""Values carried from where they are known to where they are not."""

from __future__ import annotations

import cv2

from hifi_portrait.faces.pull_push import inpaint
from hifi_portrait.head.arrays import Array

__all__ = ["blur_wide", "inpaint"]


def blur_wide(values: Array, sigma: float) -> Array:
    """Blur (H, W) or (H, W, 3) by a wide Gaussian, computed in a smaller picture for speed."""
    height, width = values.shape[:2]
    factor = max(1, int(sigma / 2))
    small = cv2.resize(values, (-(-width // factor), -(-height // factor)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / factor), (width, height))

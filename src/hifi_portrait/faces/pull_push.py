"""Values carried from where they are known to where they are not, from ever wider surroundings."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array


def inpaint(values: Array, trust: Array) -> Array:
    """Fill in values by pull-push inpainting: from ever wider surroundings.

    Gortler et al., The Lumigraph (1996), section 3.4.

    Parameters
    ----------
    values
        (H, W, C), C from 1 to 4.
    trust
        (H, W) in [0, 1], how far each value is known; it is kept so far.

    Returns
    -------
    Array
        (H, W, C) float32.
    """
    known = values * trust[..., None]
    if min(trust.shape) <= 2:
        mean = known.sum(axis=(0, 1)) / max(float(trust.sum()), 1e-6)
        return np.asarray(known + mean * (1 - trust)[..., None], np.float32)
    height, width = trust.shape
    half = (max(width // 2, 1), max(height // 2, 1))
    below_trust = cv2.resize(trust, half, interpolation=cv2.INTER_AREA)
    below = _resize(known, half, cv2.INTER_AREA) / np.maximum(below_trust, 1e-6)[..., None]
    below = inpaint(below, np.minimum(below_trust * 4, 1))
    around = _resize(below, (width, height), cv2.INTER_LINEAR)
    return np.asarray(known + around * (1 - trust)[..., None], np.float32)


def _resize(values: Array, size: tuple[int, int], interpolation: int) -> Array:
    """Resize (H, W, C), also with a single channel, which OpenCV would drop."""
    return cv2.resize(values, size, interpolation=interpolation).reshape(*size[::-1], -1)

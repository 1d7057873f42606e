"""Neighbourhoods in masks: discs and squares to grow and shrink them by, and distances to them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def odd(size: float) -> int:
    """The odd number of pixels nearest to a size: it has a middle."""
    return 2 * round(size / 2) + 1


def disc(side: int) -> npt.NDArray[np.uint8]:
    """A structuring element so many pixels across, at least one."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (max(side, 1),) * 2), np.uint8)


def square(side: int) -> npt.NDArray[np.uint8]:
    """A structuring element with so many pixels a side, at least one."""
    return np.ones((max(side, 1),) * 2, np.uint8)


def distance_to(mask: Array) -> npt.NDArray[np.float32]:
    """Pixels from each place (H, W) to the nearest of a mask; infinite where the mask is empty."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5), np.float32)

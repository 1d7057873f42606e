"""Neighbourhoods in masks: discs and squares to dilate and erode them by, and distances to them."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, ByteArray, FloatArray


def disc(size: float) -> ByteArray:
    """Make a structuring element about so many pixels across."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_odd(size),) * 2), np.uint8)


def square(size: float) -> ByteArray:
    """Make a structuring element with about so many pixels a side."""
    return np.ones((_odd(size),) * 2, np.uint8)


def _odd(size: float) -> int:
    """Find the odd number nearest to a size: an element without a middle shifts masks by a pixel."""
    return 2 * max(round((size - 1) / 2), 0) + 1


def distance_to(mask: Array) -> FloatArray:
    """Pixels from each place (H, W) to the nearest of a mask; infinite where the mask is empty."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def nearest_of(values: Array, mask: Array) -> Array:
    """Values (H, W) or (H, W, C) of a mask (H, W), and elsewhere those of its nearest place."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros((nearest.max() + 1, *values.shape[2:]), values.dtype)
    of_label[nearest[mask]] = values[mask]
    return np.asarray(of_label[nearest])


def touching(mask: Array, other: Array) -> BoolArray:
    """Find the pieces of a mask (H, W) that touch another."""
    _, piece = cv2.connectedComponents(mask.astype(np.uint8))
    near = cv2.dilate(other.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return np.asarray(mask & np.isin(piece, np.unique(piece[near & mask])))

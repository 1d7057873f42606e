"""Pictures as the networks take them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head.arrays import Array, FloatArray
from mmrgaze360.network.scene import PANORAMA_SIZE


def shrink(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a panorama (H, 2 H, 3) to the size that all networks take."""
    if picture.shape[1] == PANORAMA_SIZE[0]:
        return picture
    kind = cv2.INTER_AREA if picture.shape[1] > PANORAMA_SIZE[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, PANORAMA_SIZE, interpolation=kind), np.uint8)


def to_network(picture: Array) -> FloatArray:
    """Give a picture (H, W, 3), 0 to 255, as a network's input (3, H, W) in [-1, 1]."""
    return np.ascontiguousarray(np.moveaxis(picture.astype(np.float32) / 127.5 - 1, -1, 0))

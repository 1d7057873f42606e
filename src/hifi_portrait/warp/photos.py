"""References' pictures as the warp reads them: of its size, and of the person alone."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.warp.image.inpaint import spread
from hifi_portrait.warp.image.morphology import square
from hifi_portrait.warp.image.photo_frame import in_photo

_MATTE_EDGE = 0.008  # share of the side inside a matte's edge up to which a reference does not count
_MATTE_SOFT = 0.006  # share of the side over which it fades out there
_EDGE = 0.012  # share of the side by which a person's edge is mixed with the background
_PURE = 0.9  # share of a matte from which on a colour is the person's alone

Array = npt.NDArray[Any]


def fitted_to(size: int, photos: Array, alphas: Array) -> tuple[Array, Array, Array]:
    """Crops, mattes and `in_photo`, shrunk where much larger than the picture, which would alias."""
    crops = np.ascontiguousarray(photos)
    mattes = np.ascontiguousarray(alphas, np.float32)
    shown = np.stack([in_photo(crop) for crop in crops])
    if crops.shape[1] <= 1.5 * size:
        return crops, mattes, shown
    shrunk = [
        np.stack([cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in pictures])
        for pictures in (crops, mattes, shown)
    ]
    return shrunk[0], shrunk[1], shrunk[2]


def without_background(crop: Array, matte: Array) -> npt.NDArray[np.uint8]:
    """A photo whose person's colours go on beyond the person's edge, where those of both are mixed."""
    solid = (cv2.erode(matte, np.ones((3, 3), np.uint8)) > _PURE).astype(np.float32)
    edge = cv2.dilate(solid, square(2 * _EDGE * len(matte))) - solid
    around = np.clip(spread(crop.astype(np.float32), solid), 0, 255)
    return np.where(edge[..., None] > 0, around, crop).astype(np.uint8)


def solid_part(mattes: Array) -> Array:
    """Mattes without the person's edge, where a head fitted a little too large would show background."""
    kernel = square(mattes.shape[1] * _MATTE_EDGE)
    sigma = _MATTE_SOFT * mattes.shape[1]
    return np.stack([cv2.GaussianBlur(cv2.erode(matte, kernel), (0, 0), sigma) for matte in mattes])

"""References' pictures as the warp reads them: of its size, and of the person alone."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import square
from hifi_portrait.warp.image.photo_frame import in_photo
from hifi_portrait.warp.settings import PhotoSettings


def fit_photos(
    size: int, photos: Array, alphas: Array, settings: PhotoSettings
) -> tuple[ByteArray, FloatArray, FloatArray]:
    """Shrink photos that are much larger than the picture, which would alias.

    Parameters
    ----------
    size
        Height of the picture in pixels.
    photos, alphas
        (N, S, S, 3) uint8, and mattes (N, S, S) in [0, 1].
    settings
        What counts as much larger.

    Returns
    -------
    crops, mattes, shown
        (N, S', S', 3), (N, S', S'), and where the crops show their photos, from `in_photo`, (N, S', S').
    """
    crops = np.ascontiguousarray(photos)
    mattes = np.ascontiguousarray(alphas, np.float32)
    shown = np.stack([in_photo(crop) for crop in crops])
    if crops.shape[1] <= settings.shrink_from * size:
        return crops, mattes, shown
    shrunk = [
        np.stack([cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in pictures])
        for pictures in (crops, mattes, shown)
    ]
    return shrunk[0], shrunk[1], shrunk[2]


def remove_background(crop: Array, matte: Array, settings: PhotoSettings) -> ByteArray:
    """Continue a person's colours (S, S, 3) beyond the matte's edge, where they are mixed with others."""
    solid = (cv2.erode(matte, np.ones((3, 3), np.uint8)) > settings.pure_matte).astype(np.float32)
    edge = cv2.dilate(solid, square(2 * settings.mixed_edge * len(matte))) - solid
    around = np.clip(inpaint(crop.astype(np.float32), solid), 0, 255)
    return np.where(edge[..., None] > 0, around, crop).astype(np.uint8)


def erode_mattes(mattes: Array, settings: PhotoSettings) -> FloatArray:
    """Mattes (N, S, S) without the person's edge, where too large a head would show background."""
    kernel = square(mattes.shape[1] * settings.matte_margin)
    sigma = settings.matte_softness * mattes.shape[1]
    return np.stack([cv2.GaussianBlur(cv2.erode(matte, kernel), (0, 0), sigma) for matte in mattes])

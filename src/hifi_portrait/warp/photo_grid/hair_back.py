"""The back of hair that a photo shows from the front: the same hair, reflected at its outline."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.warp.image.morphology import nearest_of
from hifi_portrait.warp.settings.photo_grid import SpaceSettings

_RIM = 1 / 80
"""Width of an outline, as a fraction of the side."""


def place_hair_back(
    of_head: BoolArray, hair: Array, settings: SpaceSettings
) -> tuple[FloatArray, FloatArray]:
    """Find what the back of a head's silhouette shows.

    Behind hair it is that hair. Behind the face it is the band of hair at the nearest outline, reflected to
    and fro, if there is hair at that outline.

    Parameters
    ----------
    of_head
        (G, G), the silhouette of head and hair.
    hair
        (G, G) in [0, 1], where the front is hair.
    settings
        Width of bands, and what counts as hair.

    Returns
    -------
    places
        (G, G, 2) of the photo, as fractions of its side, whose colours the back has.
    alpha
        (G, G) in [0, 1], where the back is hair.
    """
    side = len(hair)
    y, x = np.mgrid[0:side, 0:side] + 0.5
    distance, label = cv2.distanceTransformWithLabels(
        of_head.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    is_hair = of_head & (hair > 0.5)
    rim = of_head & (distance < max(_RIM * side, 2))
    at_outline = cv2.GaussianBlur((is_hair & rim).astype(np.float32), (0, 0), _RIM * side)
    at_outline = at_outline / np.maximum(cv2.GaussianBlur(rim.astype(np.float32), (0, 0), _RIM * side), 1e-3)
    spread = nearest_of(at_outline, rim) if rim.any() else np.zeros_like(at_outline)
    spread = cv2.GaussianBlur(spread, (0, 0), _RIM * side)
    alpha = smoothstep(spread, *settings.back_hair) * of_head
    nearest = np.asarray(label, np.int64)
    width = np.zeros(nearest.max() + 1, np.float32)
    np.maximum.at(width, nearest[is_hair], distance[is_hair])
    least, most = (fraction * side for fraction in settings.hair_band)
    band = cv2.GaussianBlur(np.clip(width[nearest], least, most), (0, 0), _RIM * side)
    reflected = np.maximum(np.abs((distance / band + 1) % 2 - 1) * band, 1.5)
    inwards = np.stack(np.gradient(cv2.GaussianBlur(distance, (0, 0), 1.5))[::-1], axis=-1)
    inwards /= np.maximum(np.linalg.norm(inwards, axis=-1, keepdims=True), 1e-3)
    outwards = np.where(is_hair, 0, distance - reflected)[..., None]
    places = (np.stack([x, y], axis=-1) - outwards * inwards) / side
    return places.astype(np.float32), np.asarray(alpha, np.float32)

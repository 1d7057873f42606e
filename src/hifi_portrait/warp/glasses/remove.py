"""Take clear glasses out of a photo: rims are thin lines about the eyes, and skin goes on on both sides."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import rasterise
from hifi_portrait.warp.face.places import FacePlaces
from hifi_portrait.warp.image.colour import lab
from hifi_portrait.warp.image.morphology import disc

# Metres on the mean head, from the middle of the eyes, as in `FacePlaces`.
_RIMS = ((-0.062, 0.062), (-0.020, 0.040), (-0.031, 0.026))
_BARS = ((-0.100, 0.100), (-0.070, 0.005), (-0.004, 0.026))
_EYE = (0.018, 0.0095)  # half axes of what is eye and lashes
_BROW = (0.010, 0.024)  # height of brows above it
_BROW_THINNER = 0.5  # share of a rim's width up to which a line among them is a rim
_RIM = 0.0075  # width up to which a line is a rim
_LINE = 13.0  # CIELAB distance (8 bits) of a rim from what is around it
_BEYOND = 0.0016  # metres by which a rim is wider than what stands out of it

Array = npt.NDArray[Any]


def without_glasses(
    crop: Array, points: Array, geometry: HeadGeometry, model: HeadModel
) -> npt.NDArray[np.uint8]:
    """A photo (S, S, 3) uint8 with the skin beside rims and bars in their place; dark lenses stay.

    Parameters
    ----------
    crop
        Of the head.
    points
        (V, 3) its camera-space vertices.
    geometry
        Of the head in the crop.
    model
        Whose vertices they are.
    """
    side = len(crop)
    camera = geometry.camera.scaled_to(side)
    raster = rasterise(camera.project(points), 1 / points[:, 1], model.triangles, side, side)
    places = FacePlaces(raster, model)
    metre = camera.focal / float(np.median(points[:, 1]))
    beside = np.abs(places.left) - places.eye
    of_eye = (beside / _EYE[0]) ** 2 + (places.up / _EYE[1]) ** 2 < 1
    brows = (places.up > _BROW[0]) & (places.up < _BROW[1])
    zone = (places.within(_RIMS) | places.within(_BARS)) & ~of_eye
    result = np.asarray(crop, np.float32)
    for width, part in ((_RIM, zone & ~brows), (_BROW_THINNER * _RIM, zone & brows)):
        around = cv2.medianBlur(np.ascontiguousarray(crop), 2 * max(2, round(width * metre)) + 1)
        apart = np.linalg.norm(lab(crop) - lab(around), axis=2)
        line = ((apart > _LINE) & part).astype(np.uint8)
        grown = cv2.dilate(line, disc(2 * _BEYOND * metre + 1)) * part
        share = cv2.GaussianBlur(grown.astype(np.float32), (0, 0), max(0.6, _BEYOND / 2 * metre))[..., None]
        result += np.maximum(share, grown[..., None]) * (around - result)
    return np.asarray(result.round().clip(0, 255), np.uint8)

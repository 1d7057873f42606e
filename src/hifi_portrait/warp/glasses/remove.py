"""Take clear glasses out of a photo: rims are thin lines about the eyes, and skin goes on on both sides."""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, ByteArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import rasterise
from hifi_portrait.warp.face.places import FacePlaces
from hifi_portrait.warp.image.colour import lab
from hifi_portrait.warp.image.morphology import disc
from hifi_portrait.warp.settings import GlassesRemovalSettings


def remove_glasses(
    crop: Array, points: Array, geometry: HeadGeometry, model: HeadModel, settings: GlassesRemovalSettings
) -> ByteArray:
    """Put the skin beside rims and bars in their place, in a photo (S, S, 3) uint8; dark lenses stay.

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
    settings
        Where rims and bars are, and how thick.
    """
    side = len(crop)
    camera = geometry.camera.scaled_to(side)
    raster = rasterise(camera.project(points), 1 / points[:, 1], model.triangles, side, side)
    places = FacePlaces(raster, model)
    metre = camera.focal / float(np.median(points[:, 1]))
    beside = np.abs(places.left) - places.eye
    across, up = settings.eye_axes
    of_eye = (beside / across) ** 2 + (places.up / up) ** 2 < 1
    low, high = settings.brow_height
    brows = (places.up > low) & (places.up < high)
    zone = (places.in_box(settings.rim_zone) | places.in_box(settings.bar_zone)) & ~of_eye
    result = np.asarray(crop, np.float32)
    rim, margin = settings.rim_width, settings.rim_margin
    for width, part in ((rim, zone & ~brows), (settings.brow_rim_fraction * rim, zone & brows)):
        around = cv2.medianBlur(np.ascontiguousarray(crop), 2 * max(2, round(width * metre)) + 1)
        apart = np.linalg.norm(lab(crop) - lab(around), axis=2)
        line = ((apart > settings.rim_distance) & part).astype(np.uint8)
        grown = cv2.dilate(line, disc(2 * margin * metre + 1)) * part
        soft = cv2.GaussianBlur(grown.astype(np.float32), (0, 0), max(0.6, margin / 2 * metre))[..., None]
        result += np.maximum(soft, grown[..., None]) * (around - result)
    return np.asarray(result.round().clip(0, 255), np.uint8)

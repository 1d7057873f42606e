"""Does a photo show glasses? Rims are detail where a face has none: below the eyes, and between them."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.warp.image.colour import lab
from hifi_portrait.warp.settings import GlassesDetectionSettings

STRIP_WIDTH, STRIP_HEIGHT = 120, 64
"""Millimetres, and pixels, of the strip about the eyes in which rims are looked for."""

BANDS = ((41, 62, 8, 50), (41, 62, 70, 112), (16, 40, 54, 66))
"""Rows and columns of the strip that a rim crosses: below the right eye, below the left, across the nose."""


def wears_glasses(
    crop: Array, xy: Array, visibility: Array, model: HeadModel, settings: GlassesDetectionSettings
) -> bool:
    """Whether rims cross at least two of three places, or all that are seen.

    Parameters
    ----------
    crop
        (S, S, 3) uint8.
    xy, visibility
        (V, 2) places of the vertices as fractions of the side, and (V,) how well each is seen.
    model
        Whose vertices they are.
    settings
        What counts as a rim.
    """
    raster, triangles = _front(model)
    table = np.concatenate([xy * len(crop), visibility[:, None]], axis=1)
    place = raster.interpolate(table, triangles)
    seen = place[..., 2] > settings.min_visibility
    x, y = place[..., 0] - 0.5, place[..., 1] - 0.5
    strip = cv2.remap(np.ascontiguousarray(crop), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    colours = lab(strip)
    detail = np.abs(colours - cv2.GaussianBlur(colours, (0, 0), settings.detail_size)).sum(axis=2) * seen
    lines = []
    for top, bottom, left, right in BANDS:
        band = np.s_[top:bottom, left:right]
        columns = seen[band].mean(axis=0) > settings.min_seen
        if columns.sum() >= settings.min_columns:
            lines.append(np.median(detail[band].max(axis=0)[columns]))
    return bool(lines) and float(np.median(lines)) > settings.rim_distance


@lru_cache(maxsize=4)
def _front(model: HeadModel) -> tuple[Raster, Array]:
    """Draw the mean face about its eyes from the front, a pixel a millimetre, and its triangles."""
    mean = model.mean[: model.num_vertices]
    eyes = np.concatenate([mean[vertices] for vertices in model.eye_vertices])
    height = (eyes[:, 2].min() + eyes[:, 2].max()) / 2
    pixels = np.stack(
        [STRIP_WIDTH / 2 + 1000 * mean[:, 0], STRIP_HEIGHT / 2 - 1000 * (mean[:, 2] - height)], axis=1
    )
    triangles = model.triangles[np.isin(model.parts, (Part.SKIN, Part.LEFT_EYE, Part.RIGHT_EYE))]
    return rasterise(pixels, 1 / (mean[:, 1] + 1), triangles, STRIP_HEIGHT, STRIP_WIDTH), triangles

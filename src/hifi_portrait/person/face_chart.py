"""The face laid flat: photos of a person, each looked up on one chart of the head's surface.

On the chart an eye is at the same place in every photo, however the head is turned and whatever the
expression is: lips stay lips where a mouth opens. So photos can be compared place by place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt

from hifi_portrait.faces.parsing_inputs import EYES, FACE_OVAL, LIPS
from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.arrays import Array, BoolArray, ByteArray, FloatArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.head.surface import SurfaceView

STEP = 0.002
"""Metres of the mean face that a pixel of the chart is wide."""

CHART_HEIGHT, CHART_WIDTH = 100, 80
"""Of the chart in pixels; the middle of the eyes is `_EYES_FROM_TOP` below its upper edge."""

_EYES_FROM_TOP = 0.075
"""Metres."""

_LOOKED_UP_SIDE = 320
"""Pixels to which larger crops are shrunk first: the chart shows no more."""

_DEPTH_TOLERANCE = 0.06
"""Metres behind the chart's surface up to which vertices belong to it: teeth do, the nape does not."""

_REACH = 0.024
"""Metres beyond the outline of the face to which the chart goes on as it ends there."""


@dataclass(frozen=True, eq=False)
class FaceChart:
    """The mean face, drawn from the front.

    Attributes
    ----------
    raster, triangles
        What each pixel shows of the mesh.
    face
        (H, W) within the outline of the face.
    areas
        (H, W) each: the forehead, eyes, nose, cheeks, mouth and chin, by name.
    places
        (V, 2) pixel of each vertex.
    shown
        (V,) whether a vertex is on the chart, or behind something on it by little.
    """

    raster: Raster
    triangles: Array
    face: BoolArray
    areas: dict[str, BoolArray]
    places: Array
    shown: BoolArray

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, model: HeadModel) -> Self:
        """Draw the chart of a head model."""
        mean = model.mean[: model.num_vertices]
        eyes = np.concatenate([mean[vertices] for vertices in model.eye_vertices])
        top = (eyes[:, 2].min() + eyes[:, 2].max()) / 2 + _EYES_FROM_TOP

        def place(points: Array) -> Array:
            return np.stack([CHART_WIDTH / 2 + points[:, 0] / STEP, (top - points[:, 2]) / STEP], axis=1)

        triangles = model.triangles[np.isin(model.parts, (Part.SKIN, Part.LEFT_EYE, Part.RIGHT_EYE))]
        places = place(mean)
        raster = rasterise(places, 1 / (mean[:, 1] + 1), triangles, CHART_HEIGHT, CHART_WIDTH)
        landmarks = place(LandmarkModel.load(model).mean)
        face = _fill(landmarks[FACE_OVAL]) & raster.mask
        column, row = np.clip(places.astype(int), 0, (CHART_WIDTH - 1, CHART_HEIGHT - 1)).T
        behind = mean[:, 1] + 1 - raster.depth[row, column]
        shown = ((places > 0) & (places < (CHART_WIDTH, CHART_HEIGHT))).all(axis=1)
        shown &= np.abs(behind) < _DEPTH_TOLERANCE
        return cls(raster, triangles, face, _areas(landmarks, face), places, shown)

    def look_up(
        self, crops: ByteArray, geometries: Sequence[HeadGeometry], model: HeadModel
    ) -> tuple[FloatArray, FloatArray]:
        """Look up photos (N, S, S, 3) of fitted heads.

        Returns
        -------
        colours
            (N, H, W, 3) in [0, 255].
        seen
            (N, H, W) in [0, 1], how well each place is seen; 0 off the face.
        """
        colours, seen = [], []
        for crop, geometry in zip(crops, geometries, strict=True):
            picture: Array = np.ascontiguousarray(crop)
            if len(picture) > _LOOKED_UP_SIDE:
                picture = cv2.resize(picture, 2 * (_LOOKED_UP_SIDE,), interpolation=cv2.INTER_AREA)
            view = SurfaceView.from_geometry(model, geometry)
            table = np.concatenate([view.xy * len(picture), view.visibility[:, None]], axis=1)
            at = self.raster.interpolate(table, self.triangles)
            x, y = at[..., 0] - 0.5, at[..., 1] - 0.5
            found = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            colours.append(cv2.GaussianBlur(found.astype(np.float32), (0, 0), 1.0))
            seen.append(at[..., 2] * self.face)
        return np.stack(colours), np.stack(seen)

    def on_vertices(self, mask: Array) -> FloatArray:
        """Look up values (H, W) at each vertex (V,): around the face as they end there, 0 off the chart."""
        away, nearest = distance_transform_edt(~self.face, return_indices=True)
        going_on = np.asarray(mask, np.float32)[tuple(nearest)] * (away < _REACH / STEP)
        at = np.asarray(self.places, np.float32)[None] - np.float32(0.5)
        values = cv2.remap(going_on, at[..., 0], at[..., 1], cv2.INTER_LINEAR)[0]
        return np.asarray(values * self.shown, np.float32)


def _fill(polygon: Array) -> BoolArray:
    mask = np.zeros((CHART_HEIGHT, CHART_WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon).astype(np.int32)], 1)
    return mask.astype(bool)


def _areas(landmarks: Array, face: BoolArray) -> dict[str, BoolArray]:
    """Divide the face (H, W) by landmarks (478, 2)."""
    row, column = np.mgrid[0:CHART_HEIGHT, 0:CHART_WIDTH]
    brows, nose, upper_lip, lower_lip = (landmarks[number, 1] for number in (105, 2, 0, 17))
    around = np.ones((9, 9), np.uint8)
    eyes = np.zeros_like(face)
    for contour in EYES:
        eyes |= cv2.dilate(_fill(landmarks[contour]).astype(np.uint8), around).astype(bool)
    mouth = cv2.dilate(_fill(landmarks[LIPS]).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    half = 0.5 * (landmarks[327, 0] - landmarks[98, 0]) + 3
    middle = np.abs(column - CHART_WIDTH / 2) < half
    low = row > upper_lip
    return {
        "forehead": face & (row < brows) & ~eyes,
        "eyes": face & eyes,
        "nose": face & middle & (row > brows) & (row < nose + 2) & ~eyes,
        "cheeks": face & ~middle & (row >= brows) & ~low & ~eyes & ~mouth,
        "mouth": face & mouth,
        "chin": face & (row > lower_lip) & ~mouth,
    }

"""Places on the face: regions of the mesh, and where on the face each pixel of a drawn head is."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hifi_portrait.head.arrays import BoolArray, FloatArray, IntArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices, triangles_around_eyes
from hifi_portrait.head.raster import Raster

EAR_FROM = 0.85
"""Fraction of the mean head's half width beyond which its skin is an ear's."""

Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
"""Least and most of each axis: to the person's left, forwards, up."""


@lru_cache(maxsize=4)
def ear_vertices(model: HeadModel) -> tuple[IntArray, IntArray]:
    """Find the indices of the vertices of the right and of the left ear."""
    skin = part_vertices(model, Part.SKIN)
    across = model.mean[skin, 0]
    limit = EAR_FROM * np.abs(across).max()
    return skin[across < -limit], skin[across > limit]


@lru_cache(maxsize=4)
def cheek_vertices(model: HeadModel) -> IntArray:
    """Find the indices of the vertices between the eyes and the mouth, in front."""
    mean = model.mean[: model.num_vertices]
    eyes = mean[np.concatenate(model.eye_vertices)]
    teeth = mean[part_vertices(model, Part.UPPER_TEETH)]
    skin = part_vertices(model, Part.SKIN)
    place = mean[skin]
    between = (place[:, 2] < eyes[:, 2].min()) & (place[:, 2] > teeth[:, 2].max())
    return np.asarray(skin[between & (place[:, 1] < eyes[:, 1].max())])


@lru_cache(maxsize=4)
def vertices_behind_glasses(model: HeadModel, reach: float) -> IntArray:
    """Vertices within so many metres of the eyes, where glasses sit."""
    return np.unique(model.triangles[triangles_around_eyes(model, reach)])


@lru_cache(maxsize=4)
def mouth_nearness(model: HeadModel, inner: float, outer: float) -> FloatArray:
    """For each vertex (V,) 1 about the mean head's mouth, falling to 0 on cheeks, nose and chin.

    It falls between so many metres from the upper teeth.
    """
    mean = model.mean[: model.num_vertices]
    teeth = mean[part_vertices(model, Part.UPPER_TEETH)].mean(axis=0)
    away = np.linalg.norm((mean - teeth) * (1, 0.5, 1), axis=1)  # the teeth lie behind the lips
    return np.asarray(np.clip((outer - away) / (outer - inner), 0, 1).astype(np.float32))


class FacePlaces:
    """Places on the face of a raster's pixels, in metres of the mean head from the middle of its eyes.

    Attributes
    ----------
    left, forward, up
        (H, W) in metres; meaningless off the mesh.
    eye
        How far to the side of the middle an eye is.
    """

    def __init__(self, raster: Raster, model: HeadModel) -> None:
        mean = model.mean[: model.num_vertices]
        eyes = np.stack([(mean[eye].min(axis=0) + mean[eye].max(axis=0)) / 2 for eye in model.eye_vertices])
        self.left, back, self.up = np.moveaxis(
            raster.interpolate(mean - eyes.mean(axis=0), model.triangles), 2, 0
        )
        self.forward = -back
        self.eye = float(np.abs(eyes[:, 0]).mean())
        self._on_mesh = raster.mask

    def in_box(self, box: Box) -> BoolArray:
        """Which pixels (H, W) are on the mesh and within a box."""
        axes = zip((self.left, self.forward, self.up), box, strict=True)
        inside = [(values > least) & (values < most) for values, (least, most) in axes]
        return np.asarray(np.logical_and.reduce([self._on_mesh, *inside]))

"""Hair as a second surface: the scalp, raised by as much as a photo's outline shows hair to stand off.

A fitted head is bald. Hair that a photo shows beside it is nearer to or farther from the camera than the
scalp's outline is, and turns with the head; so the mesh's scalp is raised until its outline in the photo is
that of the hair, and hair is then drawn on the raised surface like skin on the face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import HAIRLINE, Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.face.ears import ear_vertices

_OFF_EARS = 0.004  # metres about the ears where there is none
_RISE = 0.045  # metres inside the hairline where hair has its full thickness
_THICKEST = 0.1  # metres
_STEP = 0.002  # metres in which thickness is measured
_ROUND = 0.09  # metres, radius of a skull
_LIMB = 0.4  # cosine to the camera from which on a vertex tells nothing of the outline
_SPREAD = 0.02  # metres over which measurements are averaged
_OTHERS = 1e-3  # how much other photos count where this one tells nothing
_INSIDE = 0.5  # matte

Array = npt.NDArray[Any]


def raise_hair(context: WarpContext, canvas: Canvas) -> Canvas:
    """Stage: draw the main reference's hair on the target's bald head, as a second surface."""
    geometry, model = context.target.geometry, context.model
    points = raised(model.posed(geometry), context.sources.hair, model)
    return replace(canvas, raster=with_hair(canvas.raster, points, geometry, model))


@dataclass(frozen=True)
class Scalp:
    """Where a model's hair grows.

    Attributes
    ----------
    vertices
        (P,) indices.
    fullness
        (P,) in [0, 1]: the share of its thickness that hair may have there; 0 at the hairline.
    nearness
        (P, P) weights by which a measurement at one vertex counts at another.
    """

    vertices: npt.NDArray[np.int64]
    fullness: npt.NDArray[np.float32]
    nearness: npt.NDArray[np.float32]

    def on_all(self, values: Array, count: int) -> npt.NDArray[np.float32]:
        """Values (P,) on all of a model's vertices, (count,); 0 off the scalp."""
        everywhere = np.zeros(count, np.float32)
        everywhere[self.vertices] = values
        return everywhere


@lru_cache(maxsize=4)
def scalp(model: HeadModel) -> Scalp:
    """The scalp of a model."""
    mean = model.mean[: model.num_vertices]
    skin = part_vertices(model, Part.SKIN)
    places = mean[skin]
    from_ears, _ = cKDTree(mean[np.concatenate(ear_vertices(model))]).query(places)
    inside = np.minimum(places[:, 2] - np.interp(places[:, 1], *HAIRLINE), from_ears - _OFF_EARS)
    grows = inside > 0
    fullness = np.clip(inside[grows] / _RISE, 0, 1)
    places = places[grows]
    squared = ((places[:, None] - places[None]) ** 2).sum(axis=2)
    return Scalp(
        skin[grows],
        (fullness**2 * (3 - 2 * fullness)).astype(np.float32),
        np.exp(-squared / (2 * _SPREAD**2)).astype(np.float32),
    )


def hair_thickness(
    posed: Sequence[Array], geometries: Sequence[HeadGeometry], mattes: Array, model: HeadModel
) -> npt.NDArray[np.float32]:
    """By how much hair stands off the scalp in each of N photos.

    Along the head's outline a photo shows it; elsewhere it is that of the outline around, or of the other
    photos', but no more than fits into the photo's matte.

    Parameters
    ----------
    posed
        Camera-space vertices (V, 3) of each photo's head.
    geometries
        Of each photo; their cameras are used.
    mattes
        (N, S, S) in [0, 1].
    model
        Whose vertices they are.

    Returns
    -------
    thickness
        (N, P) in metres, of the scalp's vertices.
    """
    hair = scalp(model)
    room, measured, told = [], [], []
    for points, geometry, matte in zip(posed, geometries, mattes, strict=True):
        normals, places = model.normals(points)[hair.vertices], points[hair.vertices]
        to_camera = -places / np.linalg.norm(places, axis=1, keepdims=True)
        facing = np.abs((normals * to_camera).sum(axis=1))
        until = _until_outside(places, normals, geometry, matte)
        weight = np.clip(1 - facing / _LIMB, 0, 1) * (until < _THICKEST)
        across = np.sqrt(1 - np.minimum(facing, 1) ** 2)
        beyond = np.maximum((_ROUND + until) * across - _ROUND, 0)  # than a bald head's outline
        room.append(until)
        measured.append(hair.nearness @ (weight * beyond))
        told.append(hair.nearness @ weight)
    others, others_told = _OTHERS * np.sum(measured, axis=0), _OTHERS * np.sum(told, axis=0) + 1e-6
    thickness = [(own + others) / (weight + others_told) for own, weight in zip(measured, told, strict=True)]
    return np.asarray(np.minimum(thickness, room) * hair.fullness, np.float32)


def _until_outside(places: Array, normals: Array, geometry: HeadGeometry, matte: Array) -> Array:
    """Metres from places (P, 3) along normals to the matte's edge, (P,); `_THICKEST` if it is farther."""
    steps = np.arange(0, _THICKEST, _STEP)
    along = places[:, None] + steps[:, None] * normals[:, None]
    x, y = np.moveaxis(geometry.camera.scaled_to(len(matte)).project(along) - 0.5, -1, 0).astype(np.float32)
    outside = cv2.remap(matte, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) < _INSIDE
    last_inside = np.maximum(outside.argmax(axis=1) - 0.5, 0) * _STEP
    return np.where(outside.any(axis=1), last_inside, _THICKEST)


def raised(points: Array, thickness: Array, model: HeadModel) -> npt.NDArray[np.float32]:
    """Camera-space vertices (V, 3) with the scalp raised."""
    offset = scalp(model).on_all(thickness, len(points))
    return (points + offset[:, None] * model.normals(points)).astype(np.float32)


def with_hair(raster: Raster, points: Array, geometry: HeadGeometry, model: HeadModel) -> Raster:
    """A head's raster and, before it, the scalp of camera-space vertices (V, 3), from `raised`."""
    numbers = _scalp_triangles(model)
    height, width = raster.triangle.shape
    camera = geometry.camera.scaled_to((width, height))
    drawn = rasterise(camera.project(points), 1 / points[:, 1], model.triangles[numbers], height, width)
    before = drawn.depth < raster.depth
    return Raster(
        np.where(before, numbers[drawn.triangle], raster.triangle).astype(np.int32),
        np.where(before[..., None], drawn.barycentric, raster.barycentric),
        np.where(before, drawn.depth, raster.depth),
    )


@lru_cache(maxsize=4)
def _scalp_triangles(model: HeadModel) -> npt.NDArray[np.int32]:
    of_scalp = np.isin(model.triangles, scalp(model).vertices)
    return np.flatnonzero(of_scalp.any(axis=1)).astype(np.int32)

"""Hair as a second surface: the scalp, raised by as much as a photo's outline shows hair to stand off.

A fitted head is bald. Hair that a photo shows beside it is nearer to or farther from the camera than the
scalp's outline is, and turns with the head; so the mesh's scalp is raised until its outline in the photo is
that of the hair, and hair is then drawn on the raised surface like skin on the face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from scipy.spatial import cKDTree

from hifi_portrait.head.arrays import Array, FloatArray, IntArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import HAIRLINE, Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.head.raster import Raster, rasterise
from hifi_portrait.warp.face.places import ear_vertices
from hifi_portrait.warp.settings import ScalpSettings, ThicknessSettings, WarpSettings


@dataclass(frozen=True)
class Scalp:
    """Where a model's hair grows.

    Attributes
    ----------
    vertices
        (P,) indices.
    triangles
        (T,) indices of the model's triangles that have such a vertex.
    fullness
        (P,) in [0, 1]: the fraction of its thickness that hair may have there; 0 at the hairline.
    nearness
        (P, P) weights by which a measurement at one vertex counts at another.
    """

    vertices: IntArray
    triangles: Array
    fullness: FloatArray
    nearness: FloatArray

    def fullness_of(self, count: int) -> FloatArray:
        """Fullness of all of a model's vertices, (count,); 0 off the scalp."""
        return self.spread_to(self.fullness, count)

    def spread_to(self, values: Array, count: int) -> FloatArray:
        """Values (P,) on all of a model's vertices, (count,); 0 off the scalp."""
        everywhere = np.zeros(count, np.float32)
        everywhere[self.vertices] = values
        return everywhere


@lru_cache(maxsize=4)
def scalp(model: HeadModel, settings: ScalpSettings) -> Scalp:
    """Find the scalp of a model."""
    mean = model.mean[: model.num_vertices]
    skin = part_vertices(model, Part.SKIN)
    places = mean[skin]
    from_ears, _ = cKDTree(mean[np.concatenate(ear_vertices(model))]).query(places)
    above_line = places[:, 2] - np.interp(places[:, 1], *HAIRLINE)
    inside = np.minimum(above_line, from_ears - settings.ear_clearance)
    grows = inside > 0
    vertices, places = skin[grows], places[grows]
    of_scalp = np.isin(model.triangles, vertices).any(axis=1)
    squared = ((places[:, None] - places[None]) ** 2).sum(axis=2)
    return Scalp(
        vertices,
        np.flatnonzero(of_scalp).astype(np.int32),
        smoothstep(inside[grows] / settings.rise).astype(np.float32),
        np.exp(-squared / (2 * settings.smoothing**2)).astype(np.float32),
    )


@dataclass(frozen=True, eq=False)
class PosedHeads:
    """The heads of N photos, with the hair that these show.

    Attributes
    ----------
    bald
        N times (V, 3), the heads' vertices in camera space.
    hair
        (N, P) thickness in metres of the hair on the scalp.
    haired
        N times (V, 3), the vertices with the scalp raised by their hair.
    """

    bald: tuple[Array, ...]
    hair: FloatArray
    haired: tuple[Array, ...]


def pose_heads(
    heads: Sequence[HeadGeometry], mattes: Array, model: HeadModel, settings: WarpSettings
) -> PosedHeads:
    """Pose the heads of N photos, and raise their scalps to the hair that mattes (N, S, S) show."""
    bald = tuple(model.posed(head) for head in heads)
    hair = measure_thickness(bald, heads, mattes, model, settings)
    grown = scalp(model, settings.scalp)
    haired = [raise_scalp(points, own, grown, model) for points, own in zip(bald, hair, strict=True)]
    return PosedHeads(bald, hair, tuple(haired))


def measure_thickness(
    posed: Sequence[Array],
    geometries: Sequence[HeadGeometry],
    mattes: Array,
    model: HeadModel,
    settings: WarpSettings,
) -> FloatArray:
    """Measure by how much hair stands off the scalp in each of N photos.

    Along the head's outline a photo shows it; elsewhere it is that of the outline around, or of the other
    photos', and far from any outline as thick as hair usually is along it; but no more than fits into the
    photo's matte.

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
    settings
        Those of the scalp and of measuring.

    Returns
    -------
    thickness
        (N, P) in metres, of the scalp's vertices.
    """
    hair, own = scalp(model, settings.scalp), settings.thickness
    room, measured, weights = [], [], []
    for points, geometry, matte in zip(posed, geometries, mattes, strict=True):
        normals, places = model.normals(points)[hair.vertices], points[hair.vertices]
        to_camera = -places / np.linalg.norm(places, axis=1, keepdims=True)
        facing = np.abs((normals * to_camera).sum(axis=1))
        until = _measure_room(places, normals, geometry, matte, own)
        weight = np.clip(1 - facing / own.max_facing, 0, 1) * (until < own.max_thickness)
        across = np.sqrt(1 - np.minimum(facing, 1) ** 2)
        beyond = np.maximum((own.skull_radius + until) * across - own.skull_radius, 0)
        usual_weight = own.usual_weight * (weight.sum() > 0)
        room.append(until)
        measured.append(hair.nearness @ (weight * beyond) + usual_weight * _usual(weight, beyond, own))
        weights.append(hair.nearness @ weight + usual_weight)
    others = own.others_weight * np.sum(measured, axis=0)
    others_weight = own.others_weight * np.sum(weights, axis=0) + 1e-6
    shown = zip(measured, weights, strict=True)
    thickness = [(own_hair + others) / (weight + others_weight) for own_hair, weight in shown]
    return np.asarray(np.minimum(thickness, room) * hair.fullness, np.float32)


def _usual(weight: Array, thickness: Array, settings: ThicknessSettings) -> float:
    """Find the thickness that hair has at most at a fraction of the outline (P,): without quiff and bun."""
    if weight.sum() <= 0:
        return 0.0
    order = np.argsort(thickness)
    below = np.cumsum(weight[order]) / weight.sum()
    return float(thickness[order][np.searchsorted(below, settings.usual_fraction)])


def _measure_room(
    places: Array, normals: Array, geometry: HeadGeometry, matte: Array, settings: ThicknessSettings
) -> Array:
    """Metres from places (P, 3) along normals to the matte's edge, (P,), or the greatest thickness."""
    steps = np.arange(0, settings.max_thickness, settings.step)
    along = places[:, None] + steps[:, None] * normals[:, None]
    x, y = np.moveaxis(geometry.camera.scaled_to(len(matte)).project(along) - 0.5, -1, 0).astype(np.float32)
    outside = (
        cv2.remap(matte, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) < settings.person_matte
    )
    last_inside = np.maximum(outside.argmax(axis=1) - 0.5, 0) * settings.step
    return np.where(outside.any(axis=1), last_inside, settings.max_thickness)


def raise_scalp(points: Array, thickness: Array, hair: Scalp, model: HeadModel) -> FloatArray:
    """Raise the scalp of camera-space vertices (V, 3) by a thickness (P,) in metres."""
    offset = hair.spread_to(thickness, len(points))
    return np.asarray((points + offset[:, None] * model.normals(points)).astype(np.float32))


def draw_scalp(
    raster: Raster, points: Array, geometry: HeadGeometry, hair: Scalp, model: HeadModel
) -> Raster:
    """Draw, before a head's raster, the scalp of camera-space vertices (V, 3) from `raise_scalp`."""
    height, width = raster.triangle.shape
    camera = geometry.camera.scaled_to((width, height))
    drawn = rasterise(
        camera.project(points), 1 / points[:, 1], model.triangles, height, width, hair.triangles
    )
    before = drawn.depth < raster.depth
    return Raster(
        np.where(before, drawn.triangle, raster.triangle).astype(np.int32),
        np.where(before[..., None], drawn.barycentric, raster.barycentric),
        np.where(before, drawn.depth, raster.depth),
    )

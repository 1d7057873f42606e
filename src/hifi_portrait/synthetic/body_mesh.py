"""The full-resolution head-and-shoulders mesh that photographs are taken of, prepared for rendering."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, zoom

from hifi_portrait.head import HeadModel, Part
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.base_shape import base_shape
from hifi_portrait.head.texture import TextureMasks
from hifi_portrait.synthetic.depth_buffer import draw_nearest

TEXTURE_SIZE = 1024

SKIN, EYE, TEETH, MOUTH, LASH, CLOTH, HAIR, BODY, FRAME = range(9)
"""Materials, as the shading kernel numbers them."""

_PART_MATERIAL = {
    Part.SKIN: SKIN,
    Part.LEFT_EYE: EYE,
    Part.RIGHT_EYE: EYE,
    Part.UPPER_TEETH: TEETH,
    Part.LOWER_TEETH: TEETH,
    Part.TONGUE: MOUTH,
    Part.MOUTH_CAVITY: MOUTH,
    Part.LEFT_LASHES: LASH,
    Part.RIGHT_LASHES: LASH,
    Part.SHOULDERS: BODY,
}


@dataclass(frozen=True)
class BodyMesh:
    """Everything about the mesh that no person changes (metres, centred on the head joint)."""

    template: NDArray[np.float32]
    """(V + 6, 3) the average person; the last rows are joints."""
    num_vertices: int
    """V: vertices without the joints."""
    triangles: NDArray[np.int32]
    """(F, 3) vertex numbers of what is drawn."""
    part: NDArray[np.uint8]
    """(F,) part of each face."""
    corner_vertex: NDArray[np.int32]
    """(C,) the vertex behind each render vertex: vertices are split where the texture has a seam."""
    corner_triangles: NDArray[np.int32]
    """(F, 3) ``triangles`` in render vertices."""
    corner_attribute: NDArray[np.float32]
    """(C, 3) skin: texture u, v; eyes: direction from the eye's centre; teeth: arc (mm), height."""
    inner: NDArray[np.bool_]
    """(C,) of the mouth's inside only: kept off the cheeks, which it would poke through on some people."""
    material: NDArray[np.int32]
    """(F,)"""
    texel: NDArray[np.float32]
    """(T, T, 3) template position under each texel of the head's texture."""
    masks: dict[str, NDArray[np.float32]]
    """(T, T) regions in [0, 1]: lips, eyelids, ears."""


def _split_corners(triangles: Array, uv_faces: Array) -> tuple[Array, Array, Array]:
    pairs = np.stack([triangles.ravel(), uv_faces.ravel()], 1)
    unique, index = np.unique(pairs, axis=0, return_inverse=True)
    return unique[:, 0].astype(np.int32), unique[:, 1], index.reshape(triangles.shape).astype(np.int32)


def _texel_positions(template: Array, triangles: Array, uv: Array, uv_faces: Array) -> NDArray[np.float32]:
    """Template position under each texel, carried outwards past the edge of the head's island."""
    size = TEXTURE_SIZE
    depth = np.zeros((size, size), np.float32)
    triangle_id = np.full((size, size), -1, np.int32)
    weights = np.zeros((size, size, 2), np.float32)
    ones = np.ones(len(uv), np.float32)
    draw_nearest(
        np.ascontiguousarray(uv * size, np.float32),
        ones,
        ones,
        uv_faces.astype(np.int32),
        depth,
        triangle_id,
        weights,
    )
    covered = triangle_id >= 0
    corners = template[triangles[triangle_id]]
    w = np.concatenate([1 - weights.sum(-1, keepdims=True), weights], -1)
    position = np.einsum("yxk,yxkd->yxd", w, corners)
    nearest = distance_transform_edt(~covered, return_distances=False, return_indices=True)
    return np.asarray(position[nearest[0], nearest[1]], np.float32)


def _tooth_coordinates(points: Array, upper: bool) -> NDArray[np.float32]:
    """(N, 2): arc length from the middle and height above the biting edge, both in millimetres."""
    angle = np.arctan2(points[:, 0], -(points[:, 1] + 0.085))
    radius = np.hypot(points[:, 0], points[:, 1] + 0.085)
    arc = angle * np.median(radius[np.abs(angle) < 0.8])
    slope, edge = (0.19, -0.0375) if upper else (0.10, -0.0365)
    height = points[:, 2] - (edge + slope * (points[:, 1] + 0.135))
    return 1000 * np.stack([arc, height if upper else -height], 1).astype(np.float32)


@cache
def body_mesh() -> BodyMesh:
    """Load and prepare the mesh, once a process."""
    model = HeadModel.load()
    template = base_shape(model)
    drawn = ~_lower_lashes(template, model)
    triangles, uv_faces, part = model.triangles[drawn], model.uv_triangles[drawn], model.parts[drawn]
    texture = TextureMasks.load()
    uv = texture.atlas(model.uv)
    on_head = part == Part.SKIN

    corner_vertex, corner_uv_index, corner_triangles = _split_corners(triangles, uv_faces)
    attribute = np.zeros((len(corner_vertex), 3), np.float32)
    attribute[:, :2] = uv[corner_uv_index]
    _set_part_attributes(attribute, template, part, corner_triangles, corner_vertex)
    return BodyMesh(
        template=template,
        num_vertices=model.num_vertices,
        triangles=triangles,
        part=part,
        corner_vertex=corner_vertex,
        corner_triangles=corner_triangles,
        corner_attribute=attribute,
        inner=_inner_corners(corner_vertex, triangles, part),
        material=np.array([_PART_MATERIAL[Part(p)] for p in part], np.int32),
        texel=_texel_positions(template, triangles[on_head], uv, uv_faces[on_head]),
        masks={name: _smooth_mask(texture.masks[name]) for name in ("lips", "eyelids", "ears")},
    )


def _lower_lashes(template: Array, model: HeadModel) -> NDArray[np.bool_]:
    """Triangles of the lower lashes: as solid strips they look like make-up, so they are painted instead."""
    lashes = np.isin(model.parts, (Part.LEFT_LASHES, Part.RIGHT_LASHES))
    corners = template[model.triangles]
    eye = (template[-2, 2] + template[-1, 2]) / 2
    return np.asarray(lashes & (corners[..., 2].max(1) < eye + 0.0002))


def _inner_corners(corner_vertex: Array, triangles: Array, part: Array) -> NDArray[np.bool_]:
    cavity = part == Part.MOUTH_CAVITY
    inner = np.setdiff1d(triangles[cavity], triangles[~cavity])
    return np.isin(corner_vertex, inner)


def _smooth_mask(mask: Array) -> NDArray[np.float32]:
    larger = zoom(mask.astype(np.float32), TEXTURE_SIZE / len(mask), order=1)
    return np.asarray(gaussian_filter(larger, 1.2), np.float32)


def _set_part_attributes(
    attribute: Array, template: Array, part: Array, corner_triangles: Array, corner_vertex: Array
) -> None:
    for number in (Part.LEFT_EYE, Part.RIGHT_EYE):
        corners = np.unique(corner_triangles[part == number])
        points = template[corner_vertex[corners]]
        direction = points - (points.min(0) + points.max(0)) / 2
        attribute[corners] = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    for number in (Part.UPPER_TEETH, Part.LOWER_TEETH):
        corners = np.unique(corner_triangles[part == number])
        points = template[corner_vertex[corners]]
        attribute[corners, :2] = _tooth_coordinates(points, number == Part.UPPER_TEETH)

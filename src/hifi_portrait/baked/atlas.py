"""The atlas: where each part of the head mesh lies in a texture.

The head model's own texture coordinates leave most of a texture empty, and give an eye a dozen texels. Here
each part has a place of its own, the skin as large as it will go.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray, IntArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster, rasterise

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as fractions of the texture's side."""

_SKIN: Box = (0.004, 0.004, 0.525, 0.996)
_BODY: Box = (0.535, 0.004, 0.996, 0.755)
_EYES: tuple[Box, Box] = ((0.535, 0.77, 0.645, 0.88), (0.655, 0.77, 0.765, 0.88))
_TONGUE: Box = (0.775, 0.77, 0.835, 0.88)
_CAVITY: Box = (0.845, 0.77, 0.996, 0.88)
_TEETH: tuple[Box, Box] = ((0.535, 0.895, 0.695, 0.96), (0.705, 0.895, 0.865, 0.96))
_HIDDEN: Box = (0.88, 0.9, 0.996, 0.99)
"""Where the backs of the eyeballs and their sockets lie, which nobody sees."""

_LEFT_OUT = (Part.LEFT_LASHES, Part.RIGHT_LASHES)
"""Parts that are not drawn: lashes are the photos'."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """Where the mesh lies in a texture.

    Attributes
    ----------
    uv
        (U, 2) in [0, 1], from left to right and from top to bottom.
    triangles
        (F, 3) of these, of the mesh's triangles in their order.
    vertices
        (U,) the mesh's vertex of each.
    shown
        (F,), which triangles are drawn.
    """

    uv: FloatArray
    triangles: Array
    vertices: IntArray
    shown: BoolArray

    def raster(self, side: int) -> Raster:
        """Find what each texel (side, side) shows of the mesh."""
        return _draw_atlas(self, side)


@lru_cache(maxsize=4)
def _draw_atlas(atlas: Atlas, side: int) -> Raster:
    flat = np.ones(len(atlas.uv))
    return rasterise(atlas.uv * side, flat, atlas.triangles, side, side, np.flatnonzero(atlas.shown))


@lru_cache(maxsize=4)
def make_atlas(model: HeadModel) -> Atlas:
    """Lay a model's parts out on a texture."""
    triangles, parts = model.uv_triangles, model.parts
    vertices = np.zeros(len(model.uv), np.int64)
    vertices[triangles.ravel()] = model.triangles.ravel()
    uv = np.stack([model.uv[:, 0], 1 - model.uv[:, 1]], axis=1).astype(np.float64)
    laid = np.zeros_like(uv)
    islands = _find_islands(triangles, len(uv))
    depth = model.mean[vertices, 1]

    def points(*of: Part) -> IntArray:
        return np.unique(triangles[np.isin(parts, of)])

    laid[points(Part.SKIN)] = _fit(uv[points(Part.SKIN)], _SKIN)
    laid[points(Part.SHOULDERS)] = _fit(uv[points(Part.SHOULDERS)][:, ::-1], _BODY)
    laid[points(Part.TONGUE)] = _fit(uv[points(Part.TONGUE)], _TONGUE)
    for part, box in zip((Part.UPPER_TEETH, Part.LOWER_TEETH), _TEETH, strict=True):
        laid[points(part)] = _fit(uv[points(part)], box)
    hidden = list[int]()
    for part, box in zip((Part.LEFT_EYE, Part.RIGHT_EYE), _EYES, strict=True):
        of_eye = points(part)
        front = min(np.unique(islands[of_eye]), key=lambda island: depth[islands == island].mean())
        laid[islands == front] = _fit(uv[islands == front], box)
        hidden += of_eye[islands[of_eye] != front].tolist()
    inside = points(Part.MOUTH_CAVITY)
    largest = np.bincount(islands[inside]).argmax()
    laid[islands == largest] = _fit(uv[islands == largest], _CAVITY)
    hidden += inside[islands[inside] != largest].tolist()
    laid[hidden] = _fit(uv[hidden], _HIDDEN)
    return Atlas(laid.astype(np.float32), triangles, vertices, ~np.isin(parts, _LEFT_OUT))


def _find_islands(triangles: Array, count: int) -> IntArray:
    """Find the number (U,) of the connected piece of the layout that each of its points is in."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    joined = sparse.coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    return np.asarray(connected_components(joined, directed=False)[1], np.int64)


def _fit(points: Array, box: Box) -> Array:
    """Scale and move points (P, 2) into a box as they are, from its upper left corner on."""
    low, high = points.min(axis=0), points.max(axis=0)
    left, top, right, bottom = box
    scale = float((np.array([right - left, bottom - top]) / (high - low)).min())
    return np.asarray((points - low) * scale + (left, top))

"""Where a head's surface lies in a picture, and how well the picture sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import rasterise

OCCLUSION_SIZE = 320
"""Height in pixels of the depth buffer that occlusion is tested in."""

OCCLUSION_TOLERANCE = (0.002, 0.006)
"""Metres behind the nearest surface where a vertex begins to hide, and where it is hidden."""


@dataclass(frozen=True, eq=False)
class SurfaceView:
    """How one picture sees the surface of a head: what surface alignment reads of a reference."""

    xy: FloatArray
    """(V, 2) float32, place in the picture, in [0, 1] from left to right and from top to bottom."""
    visibility: FloatArray
    """(V,) float32 in [0, 1]: facing cosine, times not occluded, times inside the picture."""

    @classmethod
    def from_geometry(cls, model: HeadModel, geometry: HeadGeometry) -> Self:
        """View a fitted or true head."""
        return cls.from_vertices(model, model.posed(geometry), geometry)

    @classmethod
    def from_vertices(cls, model: HeadModel, vertices: Array, geometry: HeadGeometry) -> Self:
        """View camera-space vertices (V, 3) by the geometry's camera."""
        camera = geometry.camera.scaled_to(OCCLUSION_SIZE)
        pixels = camera.project(vertices)
        xy = (pixels / [camera.width, camera.height]).astype(np.float32)
        inside = ((xy >= 0) & (xy < 1)).all(axis=1)
        towards_camera = -vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
        facing = np.einsum("vi,vi->v", model.normals(vertices), towards_camera).clip(0, 1)
        raster = rasterise(pixels, 1 / vertices[:, 1], model.triangles, camera.height, camera.width)
        behind = vertices[:, 1] - _nearest_depth(raster.depth, pixels)
        near, far = OCCLUSION_TOLERANCE
        seen = np.clip((far - behind) / (far - near), 0, 1)
        return cls(xy, (facing * seen * inside).astype(np.float32))


def _nearest_depth(depth: Array, pixels: Array) -> Array:
    """Take the farthest of the 2 x 2 depths around each place: lenient at silhouettes, infinite outside."""
    height, width = depth.shape
    corner = np.floor(pixels - 0.5).astype(np.int64)
    depths = [
        depth[np.clip(corner[:, 1] + dy, 0, height - 1), np.clip(corner[:, 0] + dx, 0, width - 1)]
        for dy in (0, 1)
        for dx in (0, 1)
    ]
    stacked = np.stack(depths)
    finite = np.where(np.isfinite(stacked), stacked, -np.inf).max(axis=0)
    return np.where(np.isfinite(finite), finite, np.inf)

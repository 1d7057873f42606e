"""Z-buffer rasteriser for triangle meshes, with perspective-correct barycentric coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation, binary_opening, binary_propagation, distance_transform_edt

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.compiled import compiled
from hifi_portrait.head.windows import Window


@dataclass(frozen=True, eq=False)
class Raster:
    """What each pixel of a picture shows of a mesh."""

    triangle: npt.NDArray[np.int32]
    """(H, W) int32 index of the nearest triangle, -1 where there is none."""
    barycentric: FloatArray
    """(H, W, 3) float32 weights of its corners, perspective-correct; 0 where there is none."""
    depth: FloatArray
    """(H, W) float32 distance along the view axis; infinite where there is none."""

    @property
    def mask(self) -> BoolArray:
        """(H, W) where there is a triangle."""
        return self.triangle >= 0

    def crop(self, window: Window) -> Raster:
        """Give what a window of the picture shows."""
        return Raster(
            np.ascontiguousarray(self.triangle[window]),
            np.ascontiguousarray(self.barycentric[window]),
            np.ascontiguousarray(self.depth[window]),
        )

    def interpolate(self, attributes: Array, triangles: Array) -> FloatArray:
        """Interpolate vertex attributes (V, C) at each pixel, (H, W, C); 0 where there is no triangle."""
        values = np.ascontiguousarray(attributes, np.float32)
        out = np.zeros((*self.triangle.shape, values.shape[1]), np.float32)
        _interpolate(self.triangle, self.barycentric, values, np.asarray(triangles, np.int32), out)
        return out


@compiled()
def _draw_nearest(xy: Array, inverse_depth: Array, triangles: Array, nearest: Array, triangle: Array) -> None:
    height, width = nearest.shape
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        za, zb, zc = inverse_depth[a], inverse_depth[b], inverse_depth[c]
        if not (za > 0 and zb > 0 and zc > 0):
            continue
        x0, y0 = xy[a, 0], xy[a, 1]
        e1x, e1y = xy[b, 0] - x0, xy[b, 1] - y0
        e2x, e2y = xy[c, 0] - x0, xy[c, 1] - y0
        area = e1x * e2y - e2x * e1y
        if not abs(area) > 1e-12:
            continue
        left = max(0.0, np.ceil(x0 + min(0.0, e1x, e2x) - 0.5))
        right = min(width - 1.0, np.floor(x0 + max(0.0, e1x, e2x) - 0.5))
        top = max(0.0, np.ceil(y0 + min(0.0, e1y, e2y) - 0.5))
        bottom = min(height - 1.0, np.floor(y0 + max(0.0, e1y, e2y) - 0.5))
        scale = 1 / area
        for j in range(int(top), int(bottom) + 1):
            py = j + 0.5 - y0
            for i in range(int(left), int(right) + 1):
                px = i + 0.5 - x0
                w1 = (px * e2y - e2x * py) * scale
                w2 = (e1x * py - px * e1y) * scale
                w0 = 1 - w1 - w2
                if w0 < 0 or w1 < 0 or w2 < 0:
                    continue
                z = w0 * za + w1 * zb + w2 * zc
                if z > nearest[j, i]:
                    nearest[j, i] = z
                    triangle[j, i] = f


@compiled()
def _resolve(
    xy: Array,
    inverse_depth: Array,
    triangles: Array,
    triangle: Array,
    nearest: Array,
    barycentric: Array,
    depth: Array,
) -> None:
    height, width = triangle.shape
    for j in range(height):
        for i in range(width):
            f = triangle[j, i]
            if f < 0:
                continue
            a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
            x0, y0 = xy[a, 0], xy[a, 1]
            e1x, e1y = xy[b, 0] - x0, xy[b, 1] - y0
            e2x, e2y = xy[c, 0] - x0, xy[c, 1] - y0
            scale = 1 / (e1x * e2y - e2x * e1y)
            px, py = i + 0.5 - x0, j + 0.5 - y0
            w1 = (px * e2y - e2x * py) * scale
            w2 = (e1x * py - px * e1y) * scale
            z = 1 / nearest[j, i]
            barycentric[j, i, 0] = (1 - w1 - w2) * inverse_depth[a] * z
            barycentric[j, i, 1] = w1 * inverse_depth[b] * z
            barycentric[j, i, 2] = w2 * inverse_depth[c] * z
            depth[j, i] = z


@compiled()
def _interpolate(triangle: Array, barycentric: Array, values: Array, triangles: Array, out: Array) -> None:
    height, width, channels = out.shape
    for j in range(height):
        for i in range(width):
            f = triangle[j, i]
            if f < 0:
                continue
            for k in range(3):
                weight, v = barycentric[j, i, k], triangles[f, k]
                for ch in range(channels):
                    out[j, i, ch] += weight * values[v, ch]


def rasterise(
    points_px: Array,
    inverse_depth: Array,
    triangles: Array,
    height: int,
    width: int,
    shown: Array | None = None,
) -> Raster:
    """Draw a mesh into a z-buffer.

    Triangles with a corner behind the camera, or with a coordinate that is not a number, are left out. Both
    sides of a triangle are drawn. Of two triangles at the same depth the first wins.

    Parameters
    ----------
    points_px
        (V, 2) pixel coordinates, pixel centres at +0.5.
    inverse_depth
        (V,) one over the distance along the view axis.
    triangles
        (F, 3) vertex indices.
    height, width
        Size of the picture in pixels.
    shown
        (G,) indices of the triangles that are drawn; all if not given.

    Raises
    ------
    ValueError
        A triangle has a vertex that is not there.
    """
    xy = np.ascontiguousarray(points_px, np.float64)
    inverse = np.ascontiguousarray(inverse_depth, np.float64)
    drawn = triangles if shown is None else triangles[shown]
    triangles = np.ascontiguousarray(drawn, np.int32)
    if len(triangles) and (triangles.min() < 0 or triangles.max() >= len(xy)):
        raise ValueError(
            f"triangles index vertices {triangles.min()}..{triangles.max()}, but there are {len(xy)}"
        )
    nearest = np.zeros((height, width))
    triangle = np.full((height, width), -1, np.int32)
    barycentric = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    _draw_nearest(xy, inverse, triangles, nearest, triangle)
    _resolve(xy, inverse, triangles, triangle, nearest, barycentric, depth)
    if shown is not None:
        triangle = np.append(shown, -1).astype(np.int32)[triangle]
    return Raster(triangle, barycentric, depth)


def fill_slits(raster: Raster, kinds: Array, width: float) -> None:
    """Close openings that are thinner than ``width`` pixels, in place.

    Parameters
    ----------
    raster
        The raster, which is changed.
    kinds
        (F,) uint8 kind of each triangle: 0 for what closes over (skin), other numbers for what is seen
        through an opening, each kind by itself.
    width
        In pixels; openings of one pixel are closed in any case.
    """
    side = int(width) + 1
    for kind, (top, bottom, left, right) in enumerate(_kind_boxes(raster.triangle, kinds, int(kinds.max()))):
        if kind == 0 or bottom < top:
            continue
        window = (
            slice(max(top - side, 0), bottom + side + 1),
            slice(max(left - side, 0), right + side + 1),
        )
        local = np.append(kinds, 0)[raster.triangle[window]]
        opening = local == kind
        thick = binary_opening(opening, np.ones((side, side), bool))
        thick = binary_propagation(thick, mask=binary_dilation(thick, iterations=side) & opening)
        if thick.sum() < 2 * side**2:  # a speck, not an opening
            thick[:] = False
        slit = opening & ~thick
        closing = local == 0
        if not slit.any() or not closing.any():
            continue
        nearest = distance_transform_edt(~closing, return_distances=False, return_indices=True)[:, slit]
        for layer in (raster.triangle, raster.barycentric, raster.depth):
            layer[window][slit] = layer[window][tuple(nearest)]


@compiled()
def _kind_boxes(triangle: Array, kinds: Array, most: int) -> Array:
    """Find first and last row, first and last column (K, 4) of each kind of pixel."""
    height, width = triangle.shape
    boxes = np.empty((most + 1, 4), np.int64)
    boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3] = height, -1, width, -1
    for j in range(height):
        for i in range(width):
            f = triangle[j, i]
            if f >= 0 and kinds[f] > 0:
                box = boxes[kinds[f]]
                box[0], box[1] = min(box[0], j), max(box[1], j)
                box[2], box[3] = min(box[2], i), max(box[3], i)
    return boxes

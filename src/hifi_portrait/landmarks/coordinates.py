"""The canonical-coordinate map: where on the head each pixel lies."""

from __future__ import annotations

from hifi_portrait.head.arrays import Array
from hifi_portrait.head.compiled import compiled

# Labels of what is not skin: corners of the cube of coordinates.
EYE_LABEL = (1.0, 1.0, 1.0)
IRIS_LABEL = (-1.0, 1.0, 1.0)
TEETH_LABEL = (1.0, 1.0, -1.0)
MOUTH_LABEL = (-1.0, 1.0, -1.0)


@compiled()
def paint_coordinates(
    triangle: Array,
    barycentric: Array,
    attributes: Array,
    triangles: Array,
    labels: Array,
    eye: Array,
    out: tuple[Array, Array, Array],
) -> None:  # pragma: no cover - compiled
    """Fill coordinates (H, W, 3), mask (H, W) and place on the eyeball (H, W) of a raster.

    Parameters
    ----------
    triangle
        (H, W) triangle that each pixel shows.
    barycentric
        (H, W, 3) weights of its corners.
    attributes
        (V, 6) coordinates, height above the cut, place on the eyeball across and up.
    triangles
        (F, 3) vertices of the triangles.
    labels
        (F, 4) 1 for skin, -1 for what is left out, 0 for what has a label; then the label.
    eye
        (F,) whether a triangle is of an eyeball.
    out
        The three arrays; the last keeps its value where there is no eye.
    """
    coordinates, mask, radius = out
    height, width = triangle.shape
    for j in range(height):
        for i in range(width):
            f = triangle[j, i]
            if f < 0 or labels[f, 0] < 0:
                continue
            a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
            w0, w1, w2 = barycentric[j, i, 0], barycentric[j, i, 1], barycentric[j, i, 2]
            if labels[f, 0] > 0:
                if w0 * attributes[a, 3] + w1 * attributes[b, 3] + w2 * attributes[c, 3] <= 0:
                    continue
                for k in range(3):
                    coordinates[j, i, k] = (
                        w0 * attributes[a, k] + w1 * attributes[b, k] + w2 * attributes[c, k]
                    )
            else:
                for k in range(3):
                    coordinates[j, i, k] = labels[f, 1 + k]
            if eye[f]:
                x = w0 * attributes[a, 4] + w1 * attributes[b, 4] + w2 * attributes[c, 4]
                y = w0 * attributes[a, 5] + w1 * attributes[b, 5] + w2 * attributes[c, 5]
                radius[j, i] = (x * x + y * y) ** 0.5
            mask[j, i] = True

"""The face's contours: chains of landmarks on the surface, and anti-aliased lines between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hifi_portrait.head.arrays import Array
from hifi_portrait.head.compiled import compiled
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import rasterise

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Contour:
    """A chain of MediaPipe landmarks, drawn in one colour; ``closed`` joins its ends."""

    landmarks: tuple[int, ...]
    colour: Colour
    closed: bool = False


# fmt: off
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
CONTOURS = {
    "left brow": Contour((336, 296, 334, 293, 300, 276, 283, 282, 295, 285), (255, 220, 60), closed=True),
    "right brow": Contour((107, 66, 105, 63, 70, 46, 53, 52, 65, 55), (255, 140, 40), closed=True),
    "left lids": Contour(
        (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382),
        (60, 255, 60), closed=True,
    ),
    "right lids": Contour(
        (133, 173, 157, 158, 159, 160, 161, 246, 33, 7, 163, 144, 145, 153, 154, 155),
        (60, 200, 255), closed=True,
    ),
    "nose ridge": Contour((168, 6, 197, 195, 5, 4, 1), (200, 80, 255)),
    "nose base": Contour((129, 64, 98, 97, 2, 326, 327, 294, 358), (200, 80, 255)),
    "outer lips": Contour(
        (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
        (255, 60, 60), closed=True,
    ),
    "inner lips": Contour(
        (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95),
        (255, 120, 170), closed=True,
    ),
}
# fmt: on
OVAL_COLOUR: Colour = (200, 200, 200)

SUBDIVISIONS = 4
"""Straight pieces that each step between two landmarks is drawn with."""

PANORAMA_CENTRE = np.array([0.0, -0.03, 0.0], np.float32)
"""Point inside the mean head, in metres, from which the outline's paths are laid out in all directions."""

PANORAMA_SIZE = 512
"""Side in pixels of the picture of all directions."""


class FaceOval:
    """The outline of the face, which slides over the surface to where a turned head ends in the picture.

    Each landmark of the oval has a path on the surface from its place towards the middle of the face; the
    place on the path that lies furthest out is drawn.
    """

    steps = np.linspace(0, 0.75, 16, dtype=np.float32)

    def __init__(self, model: HeadModel, oval: Array) -> None:
        """Prepare the paths of the landmarks ``oval`` (36, 3) on the mean head, in head space."""
        self._triangles = model.triangles
        mean = model.mean[: model.num_vertices]
        places = self._panorama(mean)
        apart = np.ptp(places[model.triangles, 0], axis=1) > PANORAMA_SIZE / 2  # across the seam, at the back
        skin = np.flatnonzero((model.parts == Part.SKIN) & ~apart)
        raster = rasterise(
            places,
            np.linalg.norm(mean - PANORAMA_CENTRE, axis=1),  # the outermost surface wins
            model.triangles[skin],
            PANORAMA_SIZE,
            PANORAMA_SIZE,
        )
        start = self._panorama(oval)
        middle = PANORAMA_SIZE / 2 + (start - PANORAMA_SIZE / 2) * np.array([0.0, 0.6], np.float32)
        path = start[:, None] + self.steps[:, None] * (middle - start)[:, None]
        column, row = np.clip(path, 0, PANORAMA_SIZE - 1).astype(np.int64).transpose(2, 0, 1)
        found = raster.triangle[row, column] >= 0
        # Where a path crosses an eye or the mouth it waits at its last place on the skin.
        step = np.maximum.accumulate(np.where(found, np.arange(len(self.steps)), 0), axis=1)
        row, column = (np.take_along_axis(index, step, axis=1) for index in (row, column))
        self._numbers = skin[raster.triangle[row, column]]
        self._weights = raster.barycentric[row, column]

    @staticmethod
    def _panorama(points: Array) -> Array:
        """Place points (P, 2) in a picture of all directions around the middle of the head."""
        x, y, z = (points - PANORAMA_CENTRE).T
        azimuth, elevation = np.arctan2(x, -y), np.arctan2(z, np.hypot(x, y))
        return np.stack([azimuth / (2 * np.pi) + 0.5, 0.5 - elevation / np.pi], axis=1) * PANORAMA_SIZE

    def points(self, vertices: Array, right: Array, down: Array, centre: Array) -> Array:
        """Find the outline (36, 3) on camera-space vertices (V, 3).

        Parameters
        ----------
        vertices
            Vertices of the posed head.
        right
            (V,) horizontal pixel coordinate of the vertices.
        down
            (V,) vertical pixel coordinate.
        centre
            (2,) pixel in the middle of the face, away from which outward points.
        """
        corners = self._triangles[self._numbers]
        pixels = np.stack([right[corners], down[corners]], axis=-1)
        path = (pixels * self._weights[..., None]).sum(2)
        outward = path[:, 0] - centre
        outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)
        chosen = np.einsum("psd,pd->ps", path - centre, outward).argmax(1)
        row = np.arange(len(chosen))
        places = vertices[corners[row, chosen]] * self._weights[row, chosen][..., None]
        return np.asarray(places.sum(1))


def smooth_chain(points: Array, closed: bool) -> Array:
    """Draw a Catmull-Rom spline through points (P, C), ``SUBDIVISIONS`` steps between two, with both ends."""
    if closed:
        padded = np.concatenate([points[-1:], points, points[:2]])
    else:
        padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = (np.arange(SUBDIVISIONS) / SUBDIVISIONS)[None, :, None]
    a, b, c, d = (value[:, None] for value in (before, start, end, after))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.concatenate([curve.reshape(-1, points.shape[1]), padded[-2:-1]])


@compiled()
def draw_lines(image: Array, start: Array, end: Array, colour: Array, width: float) -> None:
    """Draw anti-aliased segments (S, 2) to (S, 2) of colours (S, 3) over a float image (H, W, 3)."""
    height, columns, _ = image.shape
    reach = width / 2 + 0.5
    for s in range(start.shape[0]):
        x0, y0, x1, y1 = start[s, 0], start[s, 1], end[s, 0], end[s, 1]
        if not (abs(x0) < 1e6 and abs(y0) < 1e6 and abs(x1) < 1e6 and abs(y1) < 1e6):
            continue
        dx, dy = x1 - x0, y1 - y0
        squared = max(dx * dx + dy * dy, 1e-12)
        for j in range(max(0, int(min(y0, y1) - reach)), min(height - 1, int(max(y0, y1) + reach)) + 1):
            for i in range(max(0, int(min(x0, x1) - reach)), min(columns - 1, int(max(x0, x1) + reach)) + 1):
                px, py = i + 0.5 - x0, j + 0.5 - y0
                t = min(1.0, max(0.0, (px * dx + py * dy) / squared))
                distance = np.sqrt((px - t * dx) ** 2 + (py - t * dy) ** 2)
                cover = min(1.0, reach - distance)
                if cover <= 0:
                    continue
                for c in range(3):
                    image[j, i, c] = image[j, i, c] * (1 - cover) + cover * colour[s, c]

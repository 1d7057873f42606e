"""The landmark generator: an identity with a target's attributes, as contours and canonical coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.contours import CONTOURS, FACE_OVAL, OVAL_COLOUR, draw_lines, smooth_chain
from hifi_portrait.head.framing import place_head
from hifi_portrait.head.geometry import Camera, HeadGeometry, HeadPose
from hifi_portrait.head.landmark_model import LandmarkModel
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import Raster, rasterise

Array = npt.NDArray[Any]

INNER_DEPTH = 0.004
"""Metres that teeth and tongue are pushed back in the depth test, so that none pierce closed lips."""

HIDDEN_BEHIND = 0.005
"""Metres behind the surface from which on a contour counts as hidden."""

DIMMED = 0.35
"""Brightness of hidden contours."""

LINE_WIDTH = 1.5
"""Pixels at 256 px; grows with the picture."""

IRIS_RADIUS, PUPIL_RADIUS = 0.5, 0.2
"""Of the eyeball's."""

SCLERA_COLOUR = (70, 70, 70)
IRIS_COLOURS = {Part.LEFT_EYE: (60, 255, 60), Part.RIGHT_EYE: (60, 200, 255)}
PUPIL_COLOUR = (255, 255, 255)

# Labels in the coordinate map, outside what skin takes: corners of the cube.
COORDINATE_LABELS = {
    Part.LEFT_EYE: (1.0, 1.0, 1.0),
    Part.RIGHT_EYE: (1.0, 1.0, 1.0),
    Part.MOUTH_CAVITY: (-1.0, 1.0, -1.0),
    Part.TONGUE: (-1.0, 1.0, -1.0),
    Part.UPPER_TEETH: (1.0, 1.0, -1.0),
    Part.LOWER_TEETH: (1.0, 1.0, -1.0),
}
IRIS_LABEL = (-1.0, 1.0, 1.0)


class FramingLike(Protocol):
    """Scale, and place x and y, of a head in the picture: see ``place_head``."""

    @property
    def scale(self) -> float: ...  # noqa: D102

    @property
    def x(self) -> float: ...  # noqa: D102

    @property
    def y(self) -> float: ...  # noqa: D102


class TargetLike(Protocol):
    """What the landmark generator needs of a target."""

    def expression_vector(self) -> Array:
        """(52,) coefficients in [0, 1]."""

    @property
    def pose(self) -> HeadPose: ...  # noqa: D102

    @property
    def gaze(self) -> tuple[float, float]: ...  # noqa: D102

    @property
    def framing(self) -> FramingLike: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class LandmarkImage:
    """A head drawn for HiFi-Net.

    Attributes:
        image: (H, W, 3) uint8, coloured contours on black, hidden ones dimmed.
        coordinates: (H, W, 3) float32 canonical coordinates in [-1, 1], 0 outside ``mask``; eyes and the
            inside of the mouth are labelled by corners of the cube.
        mask: (H, W) bool, the head down to the jaw.
        raster: which triangle of the model, shoulders included, each pixel shows.
        geometry: of the head.
        vertices: (V, 3) in camera space.
    """

    image: npt.NDArray[np.uint8]
    coordinates: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]
    raster: Raster
    geometry: HeadGeometry
    vertices: npt.NDArray[np.float32]


class LandmarkGenerator:
    """Draws landmark images of identities with the attributes of targets."""

    def __init__(self, model: HeadModel | None = None) -> None:
        self.model = model or HeadModel.load()
        self._seen = LandmarkModel.load(self.model)

    def __call__(self, identity: Array, target: TargetLike, size: int | tuple[int, int]) -> LandmarkImage:
        """Draw an identity (80,) as a target asks; ``size`` is the picture's side, or width and height."""
        return self.from_geometry(self.geometry(identity, target, size), size)

    def geometry(self, identity: Array, target: TargetLike, size: int | tuple[int, int]) -> HeadGeometry:
        """The head that fulfils a target."""
        camera = Camera.from_fov(size)
        rotation = target.pose.matrix()
        framing = target.framing
        translation = place_head(rotation, framing.scale, framing.x, framing.y, camera)
        expression, gaze = target.expression_vector(), np.asarray(target.gaze, np.float32)
        return HeadGeometry(np.asarray(identity), expression, rotation, translation, gaze, camera)

    def from_geometry(self, geometry: HeadGeometry, size: int | tuple[int, int]) -> LandmarkImage:
        """Draw a head as a geometry places it, in a picture of ``size``: its side, or width and height."""
        geometry = geometry.scaled_to((size, size) if isinstance(size, int) else size)
        vertices = self.model.posed(geometry)
        raster = self.draw(vertices, geometry.camera)
        coordinates, mask, iris = self._coordinates(raster)
        image = self._image(vertices, geometry.camera, raster, iris)
        return LandmarkImage(image, coordinates, mask, raster, geometry, vertices)

    def draw(self, vertices: Array, camera: Camera) -> Raster:
        """Raster of camera-space vertices (V, 3), without lashes and without teeth that pierce the lips."""
        inverse_depth = 1 / (vertices[:, 1] + self._depth_shift)
        shown = self._shown
        pixels = camera.project(vertices)
        raster = rasterise(pixels, inverse_depth, self.model.faces[shown], camera.height, camera.width)
        triangle = np.where(raster.mask, shown[raster.triangle], -1).astype(np.int32)
        return Raster(triangle, raster.barycentric, raster.depth)

    @cached_property
    def _shown(self) -> npt.NDArray[np.int64]:
        return np.flatnonzero(~np.isin(self.model.parts, (Part.LEFT_LASHES, Part.RIGHT_LASHES)))

    @cached_property
    def _depth_shift(self) -> npt.NDArray[np.float32]:
        inner = np.isin(self.model.parts, (Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE))
        shift = np.zeros(self.model.num_vertices, np.float32)
        shift[np.unique(self.model.faces[inner])] = INNER_DEPTH
        return shift

    @cached_property
    def _attributes(self) -> npt.NDArray[np.float32]:
        """Per vertex: canonical coordinates, height above the jaw's cut, and place on the eyeball (V, 6)."""
        mean = self.model.mean[: self.model.num_vertices]
        # From under the chin at the front, rising to the nape.
        above = mean[:, 2] - np.interp(mean[:, 1], [-0.10, -0.05, 0.06], [-0.088, -0.082, -0.06])
        place = np.full((len(mean), 2), 9.0, np.float32)
        for eye, name in zip(self.model.eye_vertices, ("eye.L", "eye.R"), strict=True):
            direction = mean[eye] - self.model.mean[self.model.joint(name)]
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            behind = np.where(direction[:, 1:2] > 0, 3.0, 1.0)
            place[eye] = direction[:, [0, 2]] * behind
        return np.concatenate([self.model.canonical, above[:, None], place], axis=1).astype(np.float32)

    def _coordinates(
        self, raster: Raster
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
        values = raster.interpolate(self._attributes, self.model.faces)
        parts = np.where(raster.mask, self.model.parts[raster.triangle], 255)
        mask = raster.mask & (values[..., 3] > 0) & (parts != Part.SHOULDERS)
        mask |= np.isin(parts, list(COORDINATE_LABELS))
        coordinates = np.where(mask[..., None], values[..., :3], 0).astype(np.float32)
        for part, label in COORDINATE_LABELS.items():
            coordinates[parts == part] = label
        radius = np.full(parts.shape, np.inf, np.float32)
        eye = (parts == Part.LEFT_EYE) | (parts == Part.RIGHT_EYE)
        radius[eye] = np.hypot(values[eye][:, 4], values[eye][:, 5])
        coordinates[radius < IRIS_RADIUS] = IRIS_LABEL
        return coordinates, mask, radius

    def _image(
        self, vertices: Array, camera: Camera, raster: Raster, iris: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.uint8]:
        canvas = np.zeros((camera.height, camera.width, 3), np.float32)
        self._draw_eyes(canvas, raster, iris, camera, vertices)
        points = self._seen.correspondence.points(vertices, self.model.faces)
        starts, ends, colours, hidden = [], [], [], []
        chains = [(points[list(c.landmarks)], c.colour, c.closed) for c in CONTOURS.values()]
        chains.append((points[list(FACE_OVAL)], OVAL_COLOUR, True))
        for chain, colour, closed in chains:
            curve = smooth_chain(chain, closed)
            pixels = camera.project(curve)
            behind = self._behind(curve, pixels, raster)
            starts.append(pixels[:-1])
            ends.append(pixels[1:])
            hidden.append(behind[:-1] | behind[1:])
            colours.append(np.tile(np.asarray(colour, np.float32), (len(curve) - 1, 1)))
        start, end, colour_rows = (np.concatenate(rows) for rows in (starts, ends, colours))
        dim = np.concatenate(hidden)
        width = max(LINE_WIDTH * camera.height / 256, 1.0)
        draw_lines(canvas, start[dim], end[dim], colour_rows[dim] * DIMMED, width)
        draw_lines(canvas, start[~dim], end[~dim], colour_rows[~dim], width)
        return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)

    def _draw_eyes(
        self, canvas: Array, raster: Raster, radius: Array, camera: Camera, vertices: Array
    ) -> None:
        """Sclera, iris and pupil where the raster shows the eyeballs, with soft edges."""
        for part, vertex in zip(IRIS_COLOURS, self.model.eye_vertices, strict=True):
            shown = raster.mask & (self.model.parts[raster.triangle] == part)
            if not shown.any():
                continue
            eye = vertices[vertex]
            pixels = 0.5 * np.ptp(camera.project(eye)[:, 1])  # of the eyeball's radius
            r = radius[shown]
            iris = np.clip((IRIS_RADIUS - r) * pixels + 0.5, 0, 1)[:, None]
            pupil = np.clip((PUPIL_RADIUS - r) * pixels + 0.5, 0, 1)[:, None]
            colour = np.array(SCLERA_COLOUR) * (1 - iris) + np.array(IRIS_COLOURS[part]) * iris
            canvas[shown] = colour * (1 - pupil) + np.array(PUPIL_COLOUR) * pupil

    @staticmethod
    def _behind(points: Array, pixels: Array, raster: Raster) -> npt.NDArray[np.bool_]:
        """Which camera-space points (P, 3) lie behind the surface at their pixels (P, 2)."""
        height, width = raster.depth.shape
        column = np.clip(np.floor(pixels[:, 0]), 0, width - 1).astype(np.int64)
        row = np.clip(np.floor(pixels[:, 1]), 0, height - 1).astype(np.int64)
        return points[:, 1] > raster.depth[row, column] + HIDDEN_BEHIND

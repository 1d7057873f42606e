"""The landmark generator: a person's head as a target asks, drawn as contours and canonical coordinates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Self

import numpy as np

from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.arrays import Array, BoolArray, ByteArray, FloatArray
from hifi_portrait.head.eyeballs import EYES, eyeball_places
from hifi_portrait.head.framing import HEAD_CENTRE, place_head
from hifi_portrait.head.geometry import Camera, HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, without_lashes
from hifi_portrait.head.raster import Raster, fill_slits, rasterise
from hifi_portrait.landmarks.contours import (
    CONTOURS,
    FACE_OVAL,
    OVAL_COLOUR,
    FaceOval,
    draw_lines,
    smooth_chain,
)
from hifi_portrait.landmarks.coordinates import (
    EYE_LABEL,
    IRIS_LABEL,
    MOUTH_LABEL,
    TEETH_LABEL,
    paint_coordinates,
)
from hifi_portrait.person.target import Target

INNER_DEPTH = 0.004
"""Metres that teeth and tongue are pushed back in the depth test, so that none pierce closed lips."""

HIDDEN_BEHIND = 0.005
"""Metres behind the surface from which on a contour counts as hidden."""

DIMMED = 0.35
"""Factor on the brightness of hidden contours."""

LINE_WIDTH = 1.5
"""Width of contours in pixels of a picture 256 pixels high; it grows with the picture."""

IRIS_RADIUS, PUPIL_RADIUS = 0.5, 0.2
"""Radii of iris and pupil, as fractions of the eyeball's."""

TEETH = (Part.UPPER_TEETH, Part.LOWER_TEETH)
INNER_MOUTH = (Part.MOUTH_CAVITY, Part.TONGUE)

SCLERA_COLOUR = (70, 70, 70)
IRIS_COLOURS = {Part.LEFT_EYE: (60, 255, 60), Part.RIGHT_EYE: (60, 200, 255)}
PUPIL_COLOUR = (255, 255, 255)

SLIT_MM = 1.3
"""Openings between lips or lids that are thinner than this are closed."""

JAW_CUT = ([-0.10, -0.05, 0.0], [-0.088, -0.078, -0.03])
"""Depth and height, on the mean head, of the cut from under the chin to the nape."""


@dataclass(frozen=True, eq=False)
class LandmarkImage:
    """A head drawn for HiFi-Net: the control image, and the geometry behind it."""

    image: ByteArray
    """(H, W, 3) uint8, coloured contours on black, hidden ones dimmed."""
    coordinates: FloatArray
    """(H, W, 3) canonical coordinates in [-1, 1], 0 outside ``mask``; eyes and the inside of the mouth are
    labelled by corners of the cube."""
    mask: BoolArray
    """(H, W) True on the head down to the jaw."""
    raster: Raster
    """Which triangle of the model, shoulders included, each pixel shows."""
    geometry: HeadGeometry
    """The head."""
    vertices: FloatArray
    """(V, 3) vertices of the head in camera space, in metres."""
    glasses: str | None = None
    """The target's `Target.glasses`: the contours do not show them, the warp does."""
    hair: str | None = None
    """The target's `Target.hair`, which the warp shows."""
    clothes: str | None = None
    """The target's `Target.clothes`, which the warp shows."""
    look: int | None = None
    """The target's `Target.look`, which the warp takes."""


class LandmarkGenerator:
    """Draws landmark images of identities with the attributes of targets."""

    def __init__(self, model: HeadModel | None = None) -> None:
        self.model = model or HeadModel.load()
        self._points = LandmarkModel.load(self.model).correspondence
        mean = self.model.mean[: self.model.num_vertices]
        self._oval = FaceOval(self.model, self._points.points(mean, self.model.triangles)[list(FACE_OVAL)])

    @classmethod
    def load(cls, model: HeadModel | None = None) -> Self:
        """Give the generator for a head model, which is made once; the default model if none is given."""
        return cls._load(model or HeadModel.load())

    @classmethod
    @cache
    def _load(cls, model: HeadModel) -> Self:
        return cls(model)

    def __call__(
        self, identity: Array, target: Target, size: int | tuple[int, int], *, contours: bool = True
    ) -> LandmarkImage:
        """Draw a person's head as a target asks.

        Parameters
        ----------
        identity
            (80,) shape of the head.
        target
            Expression, pose, gaze and framing.
        size
            The picture's side, or its width and height, in pixels.
        contours
            Whether the image and the coordinates are drawn; the warp needs neither, and they stay 0 without.
        """
        drawn = self.from_geometry(self.geometry(identity, target, size), size, contours=contours)
        return replace(
            drawn, glasses=target.glasses, hair=target.hair, clothes=target.clothes, look=target.look
        )

    def geometry(self, identity: Array, target: Target, size: int | tuple[int, int]) -> HeadGeometry:
        """Make the head that fulfils a target, for a picture of ``size``: its side, or width and height."""
        camera = Camera.from_fov(size)
        rotation = target.pose.matrix()
        framing = target.framing
        translation = place_head(rotation, framing.scale, framing.x, framing.y, camera)
        expression, gaze = target.expression_vector(), target.eye_angles()
        return HeadGeometry(np.asarray(identity), expression, rotation, translation, gaze, camera)

    def from_geometry(
        self, geometry: HeadGeometry, size: int | tuple[int, int], *, contours: bool = True
    ) -> LandmarkImage:
        """Draw a head as a geometry places it, in a picture of ``size``: its side, or width and height."""
        geometry = geometry.scaled_to((size, size) if isinstance(size, int) else size)
        vertices = self.model.posed(geometry)
        raster = self.draw(vertices, geometry.camera)
        if not contours:
            shape = raster.triangle.shape
            nothing, black = np.zeros((*shape, 3), np.float32), np.zeros((*shape, 3), np.uint8)
            return LandmarkImage(black, nothing, np.zeros(shape, np.bool_), raster, geometry, vertices)
        coordinates, mask, eye_radius = self._coordinates(raster)
        image = self._image(vertices, geometry, raster, eye_radius)
        return LandmarkImage(image, coordinates, mask, raster, geometry, vertices)

    def draw(self, vertices: Array, camera: Camera) -> Raster:
        """Rasterise camera-space vertices (V, 3), without lashes and without teeth that pierce the lips."""
        inverse_depth = 1 / (vertices[:, 1] + self.depth_shift)
        pixels, size = camera.project(vertices), (camera.height, camera.width)
        raster = rasterise(pixels, inverse_depth, self.model.triangles, *size, without_lashes(self.model))
        millimetre = 1e-3 * camera.focal / float(np.median(vertices[:, 1]))
        fill_slits(raster, self.slit_parts, SLIT_MM * millimetre)
        return raster

    @cached_property
    def slit_parts(self) -> ByteArray:
        """Per triangle: 0 skin, 1 left eye, 2 right eye, 3 inside of the mouth."""
        kinds = np.zeros(len(self.model.triangles), np.uint8)
        for kind, parts in enumerate(((Part.LEFT_EYE,), (Part.RIGHT_EYE,), (*TEETH, *INNER_MOUTH)), start=1):
            kinds[np.isin(self.model.parts, parts)] = kind
        return kinds

    @cached_property
    def depth_shift(self) -> FloatArray:
        """Metres (V,) by which each vertex is pushed back in the depth test."""
        inner = np.isin(self.model.parts, (*TEETH, Part.TONGUE))
        shift = np.zeros(self.model.num_vertices, np.float32)
        shift[np.unique(self.model.triangles[inner])] = INNER_DEPTH
        return shift

    @cached_property
    def _attributes(self) -> FloatArray:
        """Per vertex: canonical coordinates, height above the jaw's cut, and place on the eyeball (V, 6)."""
        mean = self.model.mean[: self.model.num_vertices]
        above = mean[:, 2] - np.interp(mean[:, 1], *JAW_CUT)
        place = eyeball_places(self.model)
        return np.concatenate([self.model.canonical, above[:, None], place], axis=1).astype(np.float32)

    @cached_property
    def _labels(self) -> FloatArray:
        """Per triangle: whether it is skin (1), left out (-1) or labelled (0), and the label (F, 4)."""
        labels = np.zeros((len(self.model.triangles), 4), np.float32)
        labels[self.model.parts == Part.SKIN, 0] = 1
        labels[self.model.parts == Part.SHOULDERS, 0] = -1
        for parts, label in ((EYES, EYE_LABEL), (TEETH, TEETH_LABEL), (INNER_MOUTH, MOUTH_LABEL)):
            labels[np.isin(self.model.parts, parts), 1:] = label
        return labels

    def _coordinates(self, raster: Raster) -> tuple[FloatArray, BoolArray, FloatArray]:
        shape = raster.triangle.shape
        coordinates, mask = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.bool_)
        radius = np.full(shape, np.inf, np.float32)
        eye = np.isin(self.model.parts, EYES)
        paint_coordinates(
            raster.triangle,
            raster.barycentric,
            self._attributes,
            self.model.triangles,
            self._labels,
            eye,
            (coordinates, mask, radius),
        )
        coordinates.reshape(-1, 3)[np.flatnonzero(radius < IRIS_RADIUS)] = IRIS_LABEL
        return coordinates, mask, radius

    def _image(self, vertices: Array, geometry: HeadGeometry, raster: Raster, eye_radius: Array) -> ByteArray:
        camera = geometry.camera
        canvas = np.zeros((camera.height, camera.width, 3), np.float32)
        self._draw_eyes(canvas, raster, eye_radius, camera, vertices)
        starts, ends, colours, hidden = [], [], [], []
        palette = [OVAL_COLOUR, *(contour.colour for contour in CONTOURS.values())]
        for curve, colour in zip(self.chains(vertices, geometry), palette, strict=True):
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
        return (canvas + 0.5).astype(np.uint8)

    def chains(self, vertices: Array, geometry: HeadGeometry) -> list[Array]:
        """Find the curves (P, 3) in camera space: the outline of the face, then each of ``CONTOURS``."""
        points = self._points.points(vertices, self.model.triangles)
        right, down = geometry.camera.project(vertices).T
        centre = geometry.camera.project(geometry.translation + geometry.rotation @ HEAD_CENTRE)
        outline = smooth_chain(self._oval.points(vertices, right, down, centre), closed=True)
        contours = CONTOURS.values()
        return [outline, *(smooth_chain(points[list(c.landmarks)], c.closed) for c in contours)]

    def _draw_eyes(
        self, canvas: Array, raster: Raster, radius: Array, camera: Camera, vertices: Array
    ) -> None:
        """Draw sclera, iris and pupil where the raster shows the eyeballs, with soft edges."""
        row, column = np.divmod(np.flatnonzero(radius < np.inf), radius.shape[1])
        parts = self.model.parts[raster.triangle[row, column]]
        for part, vertex in zip(IRIS_COLOURS, self.model.eye_vertices, strict=True):
            shown = parts == part
            if not shown.any():
                continue
            pixels = 0.5 * np.ptp(camera.project(vertices[vertex])[:, 1])  # of the eyeball's radius
            r = radius[row[shown], column[shown]]
            iris = np.clip((IRIS_RADIUS - r) * pixels + 0.5, 0, 1)[:, None]
            pupil = np.clip((PUPIL_RADIUS - r) * pixels + 0.5, 0, 1)[:, None]
            colour = np.array(SCLERA_COLOUR) * (1 - iris) + np.array(IRIS_COLOURS[part]) * iris
            canvas[row[shown], column[shown]] = colour * (1 - pupil) + np.array(PUPIL_COLOUR) * pupil

    @staticmethod
    def _behind(points: Array, pixels: Array, raster: Raster) -> BoolArray:
        """Tell which camera-space points (P, 3) lie behind the surface around their pixels (P, 2).

        Compared with the farthest of 3 x 3 pixels, so that nothing on a silhouette counts as hidden.
        """
        height, width = raster.depth.shape
        column, row = np.floor(pixels).astype(np.int64).T
        farthest = np.zeros(len(points), np.float32)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                y, x = np.clip(row + dy, 0, height - 1), np.clip(column + dx, 0, width - 1)
                farthest = np.maximum(farthest, raster.depth[y, x])
        return points[:, 1] > farthest + HIDDEN_BEHIND

"""How a landmark detector sees the head: landmarks as a linear function of the head's coefficients.

Each of MediaPipe's 478 landmarks is tied to a point of the surface; learned corrections to the mean, identity
and expression bases take up what the detector does differently, and a low-rank noise model the rest.
``scripts/calibrate_head.py`` measures all three on rendered heads and stores them in the asset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from hifi_portrait.errors import ModelError
from hifi_portrait.head.arrays import Array, FloatArray, IntArray
from hifi_portrait.head.asset import pack_shapes, read_asset, unpack_shapes
from hifi_portrait.head.geometry import EXPRESSION_NAMES, IDENTITY_COMPONENTS, HeadGeometry, axis_rotation
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel

NUM_LANDMARKS = 478
"""MediaPipe's face landmarks, with irises."""

IRISES = np.arange(468, NUM_LANDMARKS)
"""Landmarks of the irises: five of the right one, then five of the left one, the middle first."""

# Beginnings of the names of shapes that landmarks do not show, or no better than others do.
_UNSEEN_SHAPES = ("eyeLook", "tongueOut", "mouthClose", "jawForward", "cheekPuff")
FITTED_EXPRESSIONS = np.array(
    [i for i, name in enumerate(EXPRESSION_NAMES) if not name.startswith(_UNSEEN_SHAPES)]
)
"""Indices of the 40 expression coefficients that a fit solves for; the others stay 0."""


@dataclass(frozen=True, eq=False)
class Correspondence:
    """The point of the head's surface that each landmark is tied to."""

    triangle: IntArray
    """(478,) triangle that the point lies in."""
    barycentric: FloatArray
    """(478, 3) weights of the triangle's corners."""

    def points(self, vertices: Array, triangles: Array) -> Array:
        """Find the landmarks (..., 478, 3) on vertices (..., V, 3)."""
        corners = vertices[..., triangles[self.triangle], :]
        return np.asarray((corners * self.barycentric[..., None].astype(corners.dtype)).sum(-2))

    def to_tensors(self) -> dict[str, Array]:
        """Give the tensors that the asset keeps."""
        return {
            "landmarks.triangle": self.triangle.astype(np.uint16),
            "landmarks.barycentric": self.barycentric.astype(np.float16),
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        """Invert `to_tensors`."""
        weights = tensors["landmarks.barycentric"].astype(np.float32)
        weights = weights / weights.sum(1, keepdims=True)
        return cls(tensors["landmarks.triangle"].astype(np.int64), weights)


@dataclass(frozen=True, eq=False)
class Correction:
    """Learned shifts of the landmarks, in metres in head space."""

    mean: Array
    """(478, 3) shift of every head."""
    identity: Array
    """(80, 478, 3) shift by a score of 1."""
    expression: Array
    """(40, 478, 3) shift by a raw coefficient of 1."""
    gaze: Array
    """(2, 478, 3) shift by a gaze of 1 radian."""

    def to_tensors(self) -> dict[str, Array]:
        """Give the tensors that the asset keeps, quantised."""
        shapes = np.concatenate([self.mean[None], self.identity, self.expression, self.gaze])
        block = np.zeros(NUM_LANDMARKS, np.uint8)
        return pack_shapes("landmarks.correction", shapes, block, coarsest=1.0, threshold=-1.0)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        """Invert `to_tensors`."""
        shapes = unpack_shapes(tensors, "landmarks.correction", np.zeros(NUM_LANDMARKS, np.int64))
        first = 1 + IDENTITY_COMPONENTS
        last = first + len(FITTED_EXPRESSIONS)
        return cls(shapes[0], shapes[1:first], shapes[first:last], shapes[last:])

    @classmethod
    def none(cls) -> Self:
        """Make a correction that changes nothing."""
        sizes = (IDENTITY_COMPONENTS, len(FITTED_EXPRESSIONS), 2)
        return cls(np.zeros((NUM_LANDMARKS, 3)), *(np.zeros((n, NUM_LANDMARKS, 3)) for n in sizes))


@dataclass(frozen=True, eq=False)
class LandmarkNoise:
    """Gaussian noise of the 956 landmark coordinates, in mm at the face's depth: diagonal plus low rank."""

    bias: Array
    """(956,) mean."""
    precision: Array
    """(956,) one over the diagonal variance."""
    factor: Array
    """(956, r); the covariance is ``diag(1 / precision) + factor @ factor.T``."""

    def to_tensors(self) -> dict[str, Array]:
        """Give the tensors that the asset keeps, quantised."""
        scale = np.abs(self.factor).max(axis=0) / 127
        return {
            "noise.bias": self.bias.astype(np.float16),
            "noise.precision": self.precision.astype(np.float32),
            "noise.factor": np.rint(self.factor / scale).astype(np.int8),
            "noise.scale": scale.astype(np.float32),
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        """Invert `to_tensors`."""
        factor = tensors["noise.factor"].astype(np.float64) * tensors["noise.scale"]
        return cls(
            tensors["noise.bias"].astype(np.float64), tensors["noise.precision"].astype(np.float64), factor
        )

    @cached_property
    def deviation(self) -> Array:
        """(956,) square root of the diagonal's precision, ``D``."""
        return np.sqrt(self.precision)

    @cached_property
    def whitened(self) -> Array:
        """``C`` (r, 956), by which the precision is ``D (I - C.T @ C) D`` (Woodbury)."""
        scaled = self.factor * self.deviation[:, None]
        inner = np.linalg.inv(np.eye(self.factor.shape[1]) + scaled.T @ scaled)
        return np.ascontiguousarray(np.linalg.cholesky(inner).T @ scaled.T)


class LandmarkModel:
    """The 478 landmarks in head space as a function of identity, raw expression and gaze.

    Attributes
    ----------
    mean, identity, expression
        (478, 3), (80, 478, 3) and (40, 478, 3): the linear bases, in metres.
    shapes
        (478, 3, 120): expression and identity once more, by landmark, for derivatives.
    gaze
        (2, 478, 3) linear shift per radian of gaze.
    eye_mean, eye_identity
        (10, 3) and (80, 10, 3): the centre that each iris landmark turns about.
    noise
        The detector's noise.
    """

    def __init__(
        self, model: HeadModel, correspondence: Correspondence, correction: Correction, noise: LandmarkNoise
    ) -> None:
        self.model = model
        self.correspondence = correspondence
        self.noise = noise
        vertices = model.num_vertices

        def landmarks(shapes: Array) -> Array:
            return correspondence.points(shapes[..., :vertices, :].astype(np.float64), model.triangles)

        self.mean = landmarks(model.mean)
        self.identity = landmarks(model.identity_basis)
        self.expression = landmarks(model.expression_basis[FITTED_EXPRESSIONS])
        self.expression[:, IRISES] = 0
        joints = {Part.LEFT_EYE: model.joint("eye.L"), Part.RIGHT_EYE: model.joint("eye.R")}
        rows = [joints[Part(int(part))] for part in model.parts[correspondence.triangle[IRISES]]]
        self.eye_mean = model.mean[rows].astype(np.float64)
        self.eye_identity = model.identity_basis[:, rows].astype(np.float64)
        self.mean = self.mean + correction.mean
        self.identity = self.identity + correction.identity
        self.expression = self.expression + correction.expression
        self.gaze = np.asarray(correction.gaze, np.float64)
        both = np.concatenate([self.expression, self.identity])
        self.shapes = np.ascontiguousarray(both.transpose(1, 2, 0))

    @classmethod
    def load(cls, model: HeadModel | None = None) -> Self:
        """Load the landmark model of a head model's asset (the package's own by default), kept from then on.

        Raises
        ------
        ModelError
            The asset has no calibration.
        """
        return cls._load(model or HeadModel.load())

    @classmethod
    @cache
    def _load(cls, model: HeadModel) -> Self:
        tensors, _ = read_asset(model.path)
        if "noise.bias" not in tensors:
            raise ModelError("the head asset has no landmark calibration; run scripts/calibrate_head.py")
        correspondence = Correspondence.from_tensors(tensors)
        correction, noise = Correction.from_tensors(tensors), LandmarkNoise.from_tensors(tensors)
        return cls(model, correspondence, correction, noise)

    def points(self, identity: Array, raw_expression: Array, gaze: Array) -> tuple[Array, Array]:
        """Find landmarks (478, 3) in head space, and the irises' offsets (10, 3) from their eyes' centres.

        Parameters
        ----------
        identity
            (80,) scores.
        raw_expression
            (40,) weights of the expression basis.
        gaze
            (2,) in radians.
        """
        flat = identity @ self.identity.reshape(len(identity), -1)
        flat = flat + raw_expression @ self.expression.reshape(len(raw_expression), -1)
        points = self.mean + flat.reshape(NUM_LANDMARKS, 3)
        centre = self.eye_mean + np.tensordot(identity, self.eye_identity, 1)
        offset = (points[IRISES] - centre) @ gaze_matrix(gaze).T
        points[IRISES] = centre + offset
        return points + np.tensordot(gaze, self.gaze, 1), offset

    def locate_in_head(self, geometry: HeadGeometry) -> Array:
        """Find the landmarks (478, 3) of a head, in head space."""
        closing = self.model.blink_scale(self.model.rest(geometry.identity))
        raw = self.model.raw_expression(geometry.expression, geometry.gaze, closing)[FITTED_EXPRESSIONS]
        return self.points(geometry.identity, raw, np.radians(geometry.gaze))[0]

    def predict_pixels(self, geometry: HeadGeometry) -> npt.NDArray[np.float64]:
        """Predict where the detector finds a head's landmarks: (478, 2), in the camera's pixels."""
        placed = self.locate_in_head(geometry) @ geometry.rotation.T + geometry.translation
        camera = geometry.camera
        pixels_per_mm = camera.focal / (1e3 * float(np.median(placed[:, 1])))
        return np.asarray(camera.project(placed) + self.noise.bias.reshape(-1, 2) * pixels_per_mm)


def gaze_matrix(gaze: Array) -> Array:
    """Make the rotation (3, 3) of an eye that looks along (2,) radians of yaw and pitch."""
    yaw, pitch = np.degrees(gaze)
    return axis_rotation(2, yaw) @ axis_rotation(0, -pitch)

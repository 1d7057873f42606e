"""The head model: identity, expression, gaze and head pose to vertices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.arrays import Array, BoolArray, ByteArray, FloatArray, IntArray
from hifi_portrait.head.asset import read_asset, unpack_shapes
from hifi_portrait.head.geometry import EXPRESSION_NAMES, Camera, HeadGeometry, axis_rotation
from hifi_portrait.head.identity_basis import face_weights, similarity_generators, unpack_identity_basis
from hifi_portrait.head.mesh import Part, vertex_normals
from hifi_portrait.head.shape import ShapeModel

NECK_CHAIN = ("neck01", "neck02", "neck03", "head")
"""Joints that turn with the head, from the shoulders up."""

NECK_FRACTIONS = (0.15, 0.15, 0.15, 0.55)
"""Fraction of the head's rotation that each joint of `NECK_CHAIN` adds."""

EYE_LOOK_DEGREES = (30.0, 25.0)
"""Yaw and pitch by which an eyeLook coefficient of 1 turns its eye."""

LID_DROP = 0.018
"""Fraction of a blink that the upper lid drops for each degree that its eye looks down."""

LID_LIFT = 0.012
"""Fraction of the eyeWide shape that the lid rises for each degree that its eye looks up."""

LID_OVERLAP = 0.0005
"""Metres that closed lids overlap in the middle, so that they meet along their whole length."""

BLINK_SCALE_RANGE = (0.3, 1.2)
"""Least and greatest raw blink that may close a person's eyes."""

SQUINT_UNDER_BLINK = 0.75
"""Fraction of a squint that a full blink takes away: lids that meet cannot close further."""

_INDEX = {name: i for i, name in enumerate(EXPRESSION_NAMES)}


def side_indices(stem: str) -> IntArray:
    """Find the indices of the Left and the Right coefficient of an expression."""
    return np.array([_INDEX[stem + "Left"], _INDEX[stem + "Right"]])


BLINK, WIDE, SQUINT = side_indices("eyeBlink"), side_indices("eyeWide"), side_indices("eyeSquint")
LOOK = {where: side_indices(f"eyeLook{where}") for where in ("Out", "In", "Up", "Down")}
ALL_LOOK = np.concatenate(list(LOOK.values()))
OUTWARD = np.array([1.0, -1.0], np.float32)  # the left eye looks outward with yaw > 0


def rotation_vector(rotation: Array) -> npt.NDArray[np.float64]:
    """Turn a rotation (3, 3) by less than a half turn into its axis times its angle in radians, (3,)."""
    rotation = np.asarray(rotation, np.float64)
    skew = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine = np.linalg.norm(skew) / 2
    angle = np.arctan2(sine, (np.trace(rotation) - 1) / 2)
    return skew * (angle / (2 * sine)) if sine > 1e-9 else skew / 2


def rotation_matrix(vector: Array) -> npt.NDArray[np.float64]:
    """Turn an axis times an angle in radians, (3,), into a rotation (3, 3) by Rodrigues' formula."""
    vector = np.asarray(vector, np.float64)
    angle = np.linalg.norm(vector)
    x, y, z = vector / angle if angle > 1e-12 else vector
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    if angle <= 1e-12:
        return np.asarray(np.eye(3) + k)
    return np.asarray(np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k)


@dataclass(frozen=True, eq=False)
class ShapeAlignment:
    """A rest mesh as an identity and a similarity.

    ``scale * mesh @ turn.T + shift`` is near the identity's mesh.
    """

    identity: Array
    """(80,) scores."""
    turn: Array
    """(3, 3) rotation."""
    scale: float
    """Factor on the size."""
    shift: Array
    """(3,) metres."""

    def geometry(
        self,
        rotation: Array,
        translation: Array,
        expression: Array,
        gaze: Array,
        camera: Camera,
    ) -> HeadGeometry:
        """Make the geometry that shows the same picture as the mesh, turned and placed by its head bone."""
        face_rotation = np.asarray(rotation, np.float64) @ self.turn.T
        place = self.scale * np.asarray(translation, np.float64) - face_rotation @ self.shift
        return HeadGeometry(self.identity, expression, face_rotation, place, gaze, camera)


class HeadModel:
    """Head with 80 identity and 52 expression coefficients, gaze, and a neck that bends with the head.

    Points are metres in head space: x to the image's right (the person's left), y away from the camera, z
    up, the head joint at the origin, the face looking along -y. Rest meshes carry the joints as last rows.

    Attributes
    ----------
    triangles
        (F, 3) int32, vertices of each triangle.
    parts
        (F,) uint8, ``Part`` of each triangle.
    uv, uv_triangles
        (U, 2) texture coordinates, and (F, 3) the triangles between them.
    mean
        (V + J, 3) mean head with joints.
    identity_basis
        (80, V + J, 3), of unit-variance scores.
    expression_basis
        (52, V + J, 3).
    skinning
        (V, J) weights of the joints; what is missing to 1 stays with the shoulders.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        tensors, metadata = read_asset(path)
        self.path = path
        self.joint_names = tuple(metadata["joint_names"].split(","))
        self.triangles: npt.NDArray[np.int32] = tensors["mesh.faces"].astype(np.int32)
        self.parts: ByteArray = tensors["mesh.parts"]
        self.uv = tensors["mesh.uv"].astype(np.float32)
        self.uv_triangles = tensors["mesh.uv_faces"].astype(np.int32)
        self.skinning = tensors["mesh.skinning"].astype(np.float32) / 65535
        shapes = ShapeModel.load(None if path is None else str(path))
        self.mean, self.identity_basis = unpack_identity_basis(tensors, shapes)
        self.expression_basis = unpack_shapes(tensors, "expression", tensors["block"])
        self.lids = tensors["lids"].astype(np.int64)  # (2 eyes, P, upper and lower)

    @classmethod
    @cache
    def _load(cls, path: str | None) -> Self:
        return cls(path)

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """Load the model of an asset (the package's own by default), kept after the first call."""
        return cls._load(None if path is None else str(path))

    @property
    def num_vertices(self) -> int:
        """Vertices without the joints."""
        return len(self.skinning)

    def joint(self, name: str) -> int:
        """Find the row of a joint in rest meshes."""
        return self.num_vertices + self.joint_names.index(name)

    @cached_property
    def eye_vertices(self) -> tuple[IntArray, IntArray]:
        """Vertices of the left and of the right eyeball."""
        left, right = (
            np.unique(self.triangles[self.parts == part]) for part in (Part.LEFT_EYE, Part.RIGHT_EYE)
        )
        return left.astype(np.int64), right.astype(np.int64)

    @cached_property
    def _eye_joints(self) -> tuple[int, int]:
        return self.joint("eye.L"), self.joint("eye.R")

    @cached_property
    def _flat_identity(self) -> Array:
        return self.identity_basis.reshape(len(self.identity_basis), -1)

    @cached_property
    def _flat_expression(self) -> Array:
        return self.expression_basis.reshape(len(self.expression_basis), -1)

    @cached_property
    def canonical(self) -> FloatArray:
        """(V, 3) canonical coordinates in [-1, 1]: the mean head's place in the box of its skin."""
        mean = self.mean[: self.num_vertices]
        skin = mean[np.unique(self.triangles[self.parts == Part.SKIN])]
        low, high = skin.min(0), skin.max(0)
        return np.asarray(np.clip((mean - low) / (high - low) * 2 - 1, -1, 1), np.float32)

    @cached_property
    def lid_closing(self) -> FloatArray:
        """How far, in metres, a raw blink of 1 brings the lids of each eye together, (2,)."""
        eyes = np.arange(2)[:, None]
        shape = self.expression_basis[BLINK][:, :, 2]
        closing = shape[eyes, self.lids[..., 1]] - shape[eyes, self.lids[..., 0]]
        return np.asarray(closing.mean(axis=-1), np.float32)

    def blink_scale(self, rest: Array) -> Array:
        """Find the raw blink (..., 2) at which the lids of rest meshes (..., V + J, 3) just meet."""
        gap = rest[..., self.lids[..., 0], 2] - rest[..., self.lids[..., 1], 2]
        scale = (gap.mean(axis=-1) + LID_OVERLAP) / self.lid_closing
        return np.asarray(np.clip(scale, *BLINK_SCALE_RANGE), np.float32)

    def raw_expression(self, expression: Array, eye_gaze: Array, blink_scale: Array) -> Array:
        """Compute the weights (..., 52) of the expression basis.

        Lids follow the eyes, a blink of 1 just closes them; the eyeLook shapes are left to the eye joints.

        Parameters
        ----------
        expression
            (..., 52) coefficients.
        eye_gaze
            (..., 2 eyes, 2) yaw and pitch in degrees.
        blink_scale
            (..., 2) from ``blink_scale``.
        """
        raw = np.array(expression, np.float32)
        pitch = eye_gaze[..., 1]
        blink = np.clip(raw[..., BLINK], 0, 1)
        blink = blink + (1 - blink) * np.clip(-LID_DROP * pitch, 0, 0.7)
        raw[..., SQUINT] *= 1 - SQUINT_UNDER_BLINK * blink
        raw[..., WIDE] = (raw[..., WIDE] + np.clip(LID_LIFT * pitch, 0, 0.4)) * (1 - blink)
        raw[..., BLINK] = blink * blink_scale
        raw[..., ALL_LOOK] = 0
        return raw

    @staticmethod
    def expression_from_raw(raw: Array, gaze: Array, blink_scale: Array) -> FloatArray:
        """Invert `raw_expression` for a common gaze (2,): coefficients (52,) within [0, 1]."""
        expression = np.array(raw, np.float32)
        drop = np.clip(-LID_DROP * gaze[1], 0, 0.7)
        closed = np.clip(raw[BLINK] / blink_scale, 0, 1)
        expression[BLINK] = (closed - drop) / (1 - drop)
        expression[SQUINT] = raw[SQUINT] / (1 - SQUINT_UNDER_BLINK * closed)
        expression[WIDE] = raw[WIDE] / np.maximum(1 - closed, 0.1) - np.clip(LID_LIFT * gaze[1], 0, 0.4)
        return np.asarray(np.clip(expression, 0, 1), np.float32)

    @staticmethod
    def eye_gaze(expression: Array, gaze: Array) -> FloatArray:
        """Add common gaze and eyeLook coefficients to the gaze (..., 2 eyes, 2) of each eye, in degrees."""
        outward = expression[..., LOOK["Out"]] - expression[..., LOOK["In"]]
        upward = expression[..., LOOK["Up"]] - expression[..., LOOK["Down"]]
        yaw = gaze[..., :1] + EYE_LOOK_DEGREES[0] * OUTWARD * outward
        pitch = gaze[..., 1:] + EYE_LOOK_DEGREES[1] * upward
        return np.stack([yaw, pitch], axis=-1).astype(np.float32)

    def rest(self, identity: Array) -> FloatArray:
        """Make the rest meshes (..., V + J, 3) of identities (..., 80)."""
        identity = np.asarray(identity, np.float32)
        offset = (identity @ self._flat_identity).reshape(*identity.shape[:-1], *self.mean.shape)
        return np.asarray(self.mean + offset, np.float32)

    def express(self, rest: Array, expression: Array, gaze: Array) -> FloatArray:
        """Give rest meshes (..., V + J, 3) expressions (..., 52) and gazes (..., 2) in degrees."""
        expression, gaze = np.asarray(expression, np.float32), np.asarray(gaze, np.float32)
        eye_gaze = self.eye_gaze(expression, gaze)
        raw = self.raw_expression(expression, eye_gaze, self.blink_scale(rest))
        points = rest + (raw @ self._flat_expression).reshape(*raw.shape[:-1], *self.mean.shape)
        for eye, (vertices, joint) in enumerate(zip(self.eye_vertices, self._eye_joints, strict=True)):
            centre = points[..., joint, None, :]
            turn = _gaze_rotations(eye_gaze[..., eye, :])
            points[..., vertices, :] = centre + (points[..., vertices, :] - centre) @ np.swapaxes(
                turn, -1, -2
            )
        return np.asarray(points, np.float32)

    def bend(self, points: Array, rotation: Array, translation: Array) -> FloatArray:
        """Turn and place a mesh (V + J, 3) by its head joint: camera-space vertices (V, 3).

        The neck shares the rotation, so that the shoulders stay upright.
        """
        vector = rotation_vector(rotation)
        fractions = np.cumsum(NECK_FRACTIONS)
        linear, offset = np.zeros((len(self.joint_names), 3, 3)), np.zeros((len(self.joint_names), 3))
        origin, below, parent = np.zeros(3), np.eye(3), np.zeros(3)
        for name, fraction in zip(NECK_CHAIN, fractions, strict=True):
            k = self.joint_names.index(name)
            joint = points[self.num_vertices + k].astype(np.float64)
            origin = origin + below @ (joint - parent)
            below, parent = rotation_matrix(vector * fraction), joint
            linear[k], offset[k] = below, origin - below @ joint
        for name in ("eye.L", "eye.R"):
            k, head = self.joint_names.index(name), self.joint_names.index("head")
            linear[k], offset[k] = linear[head], offset[head]
        shift = np.asarray(translation, np.float64) - origin
        # Move by what differs from the upright shoulders, which hold the weight that no joint has.
        matrix = (self.skinning @ (linear - np.eye(3)).reshape(-1, 9).astype(np.float32)).reshape(-1, 3, 3)
        move = self.skinning @ offset.astype(np.float32) + shift.astype(np.float32)
        vertices = points[: self.num_vertices]
        return np.asarray(vertices + np.einsum("vij,vj->vi", matrix, vertices) + move, np.float32)

    def vertices(
        self, identity: Array, expression: Array | None = None, gaze: Array | None = None
    ) -> FloatArray:
        """Make head-space vertices (..., V, 3) of identities, expressions and gazes (..., 80), 52 and 2."""
        lead = np.shape(identity)[:-1]
        expression = np.zeros((*lead, len(EXPRESSION_NAMES))) if expression is None else expression
        gaze = np.zeros((*lead, 2)) if gaze is None else gaze
        return self.express(self.rest(identity), expression, gaze)[..., : self.num_vertices, :]

    def posed(self, geometry: HeadGeometry) -> FloatArray:
        """Make the camera-space vertices (V, 3) of a geometry."""
        points = self.express(self.rest(geometry.identity), geometry.expression, geometry.gaze)
        return self.bend(points, geometry.rotation, geometry.translation)

    def normals(self, vertices: Array) -> FloatArray:
        """Compute outward unit normals (V, 3) of vertices."""
        return vertex_normals(vertices, self.triangles)

    @cached_property
    def _projection(self) -> tuple[IntArray, Array, Array]:
        """Points that identity is measured on, their weights, and the weighted basis (80, 3 P)."""
        weights, _ = face_weights(self.mean, self.triangles, self.parts, joints=len(self.joint_names))
        counted = np.flatnonzero(weights)
        emphasis = weights[counted].repeat(3)
        basis = self.identity_basis[:, counted].reshape(len(self.identity_basis), -1) * emphasis
        return counted, emphasis, basis.astype(np.float64)

    def align(self, rest: Array) -> ShapeAlignment:
        """Find the identity nearest to a rest mesh (V + J, 3), and the similarity from the mesh to it.

        The identity basis has neither size nor orientation, so these are solved for along with it.
        """
        counted, emphasis, basis = self._projection
        target = np.asarray(rest, np.float64)[counted]
        turn, scale, shift = np.eye(3), 1.0, np.zeros(3)
        identity = np.zeros(len(basis))
        for _ in range(4):
            aligned = scale * target @ turn.T + shift
            residual = aligned - self.mean[counted]
            generators = similarity_generators(aligned).reshape(7, -1) * emphasis
            design = np.concatenate([basis, -generators])
            gram = design @ design.T
            gram[: len(basis), : len(basis)] += 1e-7 * np.trace(gram) / len(gram) * np.eye(len(basis))
            solution = np.linalg.solve(gram, design @ (residual.reshape(-1) * emphasis))
            identity, step = solution[: len(basis)], solution[len(basis) :]
            spin, growth = rotation_matrix(step[3:6]), 1 + step[6]
            turn, scale, shift = spin @ turn, growth * scale, growth * spin @ shift + step[:3]
        return ShapeAlignment(identity, turn, float(scale), shift)


def _gaze_rotations(gaze: Array) -> FloatArray:
    """Make rotations (..., 3, 3) of eyes that look along (..., 2) degrees of yaw and pitch."""
    flat = [axis_rotation(2, yaw) @ axis_rotation(0, -pitch) for yaw, pitch in gaze.reshape(-1, 2)]
    return np.stack(flat).reshape(*gaze.shape[:-1], 3, 3).astype(np.float32)


@lru_cache(maxsize=32)
def part_vertices(model: HeadModel, *parts: Part) -> IntArray:
    """Find the vertices of a model's parts: their indices, ascending."""
    return np.unique(model.triangles[np.isin(model.parts, parts)])


@lru_cache(maxsize=4)
def without_lashes(model: HeadModel) -> IntArray:
    """Find the triangles of a model that are no lashes: their indices, ascending.

    Lashes stand out of the head, and where their triangles are a photo shows skin for the most part.
    """
    return np.flatnonzero(~np.isin(model.parts, (Part.LEFT_LASHES, Part.RIGHT_LASHES)))


def triangles_around_eyes(model: HeadModel, margin: float = 0.012) -> BoolArray:
    """Tell which triangles (F,) of a model lie about the eyes, where glasses sit.

    On the mean head, in front and ``margin`` metres above, below and outside of the eyeballs, and all that
    lies between them.
    """
    eyes = model.mean[np.concatenate(model.eye_vertices)]
    low, high = eyes.min(axis=0) - margin, eyes.max(axis=0) + margin
    low[1] = -np.inf  # y points backwards
    centres = model.mean[model.triangles].mean(axis=1)
    around: BoolArray = ((centres > low) & (centres < high)).all(axis=1)
    return around

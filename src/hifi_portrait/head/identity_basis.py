"""The identity basis: principal components of sampled heads with similarity transforms taken out.

A photo cannot tell a small head that is near from a large one that is far, so size, place and orientation of
the face do not belong in the identity. They are projected out linearly; the basis then is a linear mixture of
the asset's shapes and of seven similarity generators, and only the mixture is stored.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.shape import ShapeModel

HEAD_JOINT = 3
"""Place of the head among the six joints that follow the vertices."""

EYE_JOINTS = (4, 5)
"""Places of the left and the right eye among them."""


def face_weights(
    points: Array, triangles: Array, parts: Array, joints: int
) -> tuple[npt.NDArray[np.float64], BoolArray]:
    """Weight each point (P,) for identity, and tell which points heads are aligned by: the face's."""
    x, y, z = points.T
    skin = np.zeros(len(points), bool)
    skin[np.unique(triangles[parts == Part.SKIN])] = True
    face = skin & (y < -0.03) & (z > -0.11) & (z < 0.10) & (np.abs(x) < 0.078)
    weights = np.where(skin & (z > -0.12), 0.35, 0.0)
    weights[face] = 1.0
    weights[len(points) - joints + np.array(EYE_JOINTS)] = 3.0
    return weights, face


def similarity_generators(points: Array) -> npt.NDArray[np.float64]:
    """Displace points by unit translations, rotations and growth about the origin: (7, P, 3)."""
    generators = np.zeros((7, *points.shape))
    for axis in range(3):
        unit = np.eye(3)[axis]
        generators[axis] = unit
        generators[3 + axis] = np.cross(unit, points)
    generators[6] = points
    return generators


def mix_shapes(shapes: ShapeModel, centre: Array, mixture: Array) -> FloatArray:
    """Make displacements (K, V + J, 3) of mixtures (K, C + 2 L + 7), with the head joint kept in place."""
    local = shapes.local.reshape(-1, *centre.shape)
    count = len(shapes.components)
    mixture = mixture.astype(np.float32)
    mixed = np.tensordot(mixture[:, :count], shapes.components, 1)
    mixed += np.tensordot(mixture[:, count : count + len(local)], local, 1)
    mixed += np.tensordot(mixture[:, count + len(local) :], similarity_generators(centre), 1).astype(
        np.float32
    )
    joint = len(centre) - 6 + HEAD_JOINT
    return np.asarray(mixed - mixed[:, joint, None], np.float32)


def unpack_identity_basis(tensors: Mapping[str, Array], shapes: ShapeModel) -> tuple[FloatArray, FloatArray]:
    """Unpack the mean head (V + J, 3) and the identity components (80, V + J, 3) of an asset."""
    centre = tensors["identity.mean"].astype(np.float32)
    return centre, mix_shapes(shapes, centre, tensors["identity.mixture"])

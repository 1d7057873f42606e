"""The identity basis: principal components of sampled heads with similarity transforms taken out.

A photo cannot tell a small head that is near from a large one that is far, so size, place and orientation of
the face do not belong in the identity. They are projected out linearly; the basis then is a linear mixture of
the asset's shapes and of seven similarity generators, and only the mixture is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.shape import ShapeModel, sample_shape

HEAD_JOINT = 3
EYE_JOINTS = (4, 5)


def face_weights(
    points: npt.NDArray[Any], triangles: npt.NDArray[Any], parts: npt.NDArray[Any], joints: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """How much each point counts for identity, and which points are the face that heads are aligned by."""
    x, y, z = points.T
    skin = np.zeros(len(points), bool)
    skin[np.unique(triangles[parts == Part.SKIN])] = True
    face = skin & (y < -0.03) & (z > -0.11) & (z < 0.10) & (np.abs(x) < 0.078)
    weights = np.where(skin & (z > -0.12), 0.35, 0.0)
    weights[face] = 1.0
    weights[len(points) - joints + np.array(EYE_JOINTS)] = 3.0
    return weights, face


def similarity_generators(points: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Displacements (7, P, 3) of points under unit translations, rotations and growth about the origin."""
    generators = np.zeros((7, *points.shape))
    for axis in range(3):
        unit = np.eye(3)[axis]
        generators[axis] = unit
        generators[3 + axis] = np.cross(unit, points)
    generators[6] = points
    return generators


def mix(shapes: ShapeModel, centre: npt.NDArray[Any], mixture: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Displacements (K, V + J, 3) of mixtures (K, C + 2 L + 7), with the head joint kept in place."""
    local = shapes.local.reshape(-1, *centre.shape)
    count = len(shapes.components)
    mixture = mixture.astype(np.float32)
    mixed = np.tensordot(mixture[:, :count], shapes.components, 1)
    mixed += np.tensordot(mixture[:, count : count + len(local)], local, 1)
    mixed += np.tensordot(mixture[:, count + len(local) :], similarity_generators(centre), 1).astype(
        np.float32
    )
    joint = len(centre) - 6 + HEAD_JOINT
    return (mixed - mixed[:, joint, None]).astype(np.float32)


def unpack_identity_basis(
    tensors: Mapping[str, npt.NDArray[Any]], shapes: ShapeModel
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean head (V + J, 3) and identity components (80, V + J, 3) of an asset."""
    centre = tensors["identity.mean"].astype(np.float32)
    return centre, mix(shapes, centre, tensors["identity.mixture"])


def build_identity_basis(
    shapes: ShapeModel,
    triangles: npt.NDArray[Any],
    parts: npt.NDArray[Any],
    rng: np.random.Generator,
    people: int,
    count: int,
) -> dict[str, npt.NDArray[np.float32]]:
    """Tensors ``identity.mean``, ``identity.mixture`` and ``identity.variance`` from sampled people."""
    samples = [sample_shape(rng, shapes) for _ in range(people)]
    scores = np.stack([shapes.component_scores(sample.phenotype) for sample in samples])
    local = np.stack([sample.local for sample in samples])
    local_parts = np.stack([np.maximum(local, 0), np.maximum(-local, 0)], axis=2).reshape(people, -1)
    coefficients = np.concatenate([scores, local_parts], axis=1)
    mean_coefficients = coefficients.mean(0)
    coefficients -= mean_coefficients

    basis = np.concatenate([shapes.components, shapes.local.reshape(-1, *shapes.template.shape)])
    centre = shapes.template + np.tensordot(mean_coefficients.astype(np.float32), basis, 1)
    weights, face = face_weights(centre, triangles, parts, joints=6)
    generators = similarity_generators(centre)
    # aligned shape = shape - generators @ (least squares fit of the generators to it on the face)
    on_face = generators[:, face].reshape(7, -1)
    aligner = -np.linalg.lstsq(on_face.T, basis[:, face].reshape(len(basis), -1).T, rcond=None)[0]

    counted = weights > 0
    emphasis = weights[counted].repeat(3)
    aligned = basis[:, counted] + np.tensordot(aligner.T, generators[:, counted], 1)
    features = coefficients @ (aligned.reshape(len(basis), -1) * emphasis)
    variances, vectors = np.linalg.eigh(features @ features.T / people)
    order = np.argsort(-variances)[:count]
    unit_scores = vectors[:, order] * np.sqrt(people)
    mixture = unit_scores.T @ coefficients / people
    mixture = np.concatenate([mixture, mixture @ aligner.T], axis=1)
    return {
        "identity.mean": centre.astype(np.float32),
        "identity.mixture": mixture.astype(np.float16),
        "identity.variance": variances[order].astype(np.float32),
    }

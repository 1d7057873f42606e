"""Where a photo shows each place of a face, by the fitted head and by the landmarks that were detected.

A head fits landmarks up to what it cannot express. Of the lower face, which expressions move most, half of
what is left is taken for an error of the expression, and what the photo shows is looked up that much nearer
to the landmarks; the other half is taken for the person's own shape, which is to be kept. The edges of the
lips and the irises are looked up where they were detected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu

from hifi_portrait.fitting.landmark_model import IRISES, LandmarkModel
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.landmarks.contours import CONTOURS, FACE_OVAL

_FOLLOWED = 0.5  # share of a residual by which the lower face is moved
_OFF_LIPS = 0.01  # metres from the lips' inner edges, which are moved in full, to where no more than that is
_BENDING = 1.0  # weight of the squared Laplacian of the shift, against a squared residual of 1
_SHIFT = 1e-3  # weight of its square: far from landmarks it is 0
_FARTHEST = 0.012  # metres
_NOSE_TIP, _UPPER_LIP = 1, 0  # landmarks between which the lower face begins

Array = npt.NDArray[Any]


def registered(
    xy: Array, landmarks: Array, geometries: Sequence[HeadGeometry], model: HeadModel
) -> npt.NDArray[np.float32]:
    """Places (N, V, 2) of the vertices in N photos, moved towards the landmarks (N, 478, 2) of these.

    All as shares of the photos' sides.
    """
    return np.asarray(xy + _Shifts.of(model)(residuals(landmarks, geometries, model)), np.float32)


def landmark_places(
    landmarks: Array, side: int, geometries: Sequence[HeadGeometry], model: HeadModel
) -> Array:
    """Landmarks (N, 478, 2 or 3) in pixels of photos as shares of the side (N, 478, 2).

    Those that are not known, NaN, are where the heads have them.
    """
    detected = landmarks[..., :2] / side
    return np.where(np.isfinite(detected), detected, _expected(geometries, model))


def residuals(landmarks: Array, geometries: Sequence[HeadGeometry], model: HeadModel) -> Array:
    """How far landmarks (N, 478, 2) lie from where the heads have them, as shares of the photos' sides.

    None is longer than an error of the fit may be: one that is, is the detector's.
    """
    apart = landmarks - _expected(geometries, model)
    metre = [head.camera.focal / head.camera.height / head.translation[1] for head in geometries]
    most = _FARTHEST * np.array(metre)[:, None]
    far = np.maximum(np.linalg.norm(apart, axis=2), 1e-9)
    return np.asarray(apart * np.minimum(1, most / far)[..., None])


def _expected(geometries: Sequence[HeadGeometry], model: HeadModel) -> Array:
    seen = LandmarkModel.load(model)
    return np.stack([seen.seen_at(head) / (head.camera.width, head.camera.height) for head in geometries])


@dataclass(frozen=True, eq=False)
class _Shifts:
    """Spreads residuals over the mesh, as smoothly as it bends, never across the slit of the mouth."""

    landmarks: Array
    at_landmarks: sparse.csr_matrix
    system: SuperLU
    share: Array
    eyes: tuple[tuple[Array, Array], ...]

    @classmethod
    @lru_cache(maxsize=4)
    def of(cls, model: HeadModel) -> _Shifts:
        seen = LandmarkModel.load(model)
        place, count = seen.correspondence, model.num_vertices
        is_skin = model.parts == Part.SKIN
        inner = np.setdiff1d(np.arange(IRISES[0]), FACE_OVAL)  # those of the oval slide along the silhouette
        landmarks = inner[is_skin[place.triangle[inner]]]
        rows = np.repeat(np.arange(len(landmarks)), 3)
        columns = model.triangles[place.triangle[landmarks]].ravel()
        at_landmarks = sparse.csr_matrix(
            (place.barycentric[landmarks].ravel().astype(np.float64), (rows, columns)),
            (len(landmarks), count),
        )
        bending = _laplacian(model.triangles[is_skin], count)
        system = at_landmarks.T @ at_landmarks + _BENDING * bending.T @ bending + _SHIFT * sparse.eye(count)
        mean = model.mean[:count]
        top, low = seen.mean[_NOSE_TIP, 2], seen.mean[_UPPER_LIP, 2]
        edges = seen.mean[list(CONTOURS["inner lips"].landmarks)]
        away = np.linalg.norm(mean[:, None] - edges, axis=2).min(axis=1)
        lips = np.clip((_OFF_LIPS - away) / _OFF_LIPS, 0, 1)
        share = np.clip((top - mean[:, 2]) / (top - low), 0, 1) * (_FOLLOWED + (1 - _FOLLOWED) * lips)
        parts = model.parts[place.triangle[IRISES]]
        eyes = [
            (vertices, IRISES[parts == part])
            for vertices, part in zip(model.eye_vertices, (Part.LEFT_EYE, Part.RIGHT_EYE), strict=True)
        ]
        return cls(landmarks, at_landmarks, splu(system.tocsc()), share, tuple(eyes))

    def __call__(self, residuals: Array) -> Array:
        """Shifts (N, V, 2) by residuals (N, 478, 2)."""
        photos = len(residuals)
        known = residuals[:, self.landmarks].transpose(1, 0, 2).reshape(len(self.landmarks), 2 * photos)
        spread = self.system.solve(self.at_landmarks.T @ known).reshape(-1, photos, 2).transpose(1, 0, 2)
        shifts = np.asarray(spread * self.share[:, None])
        for vertices, irises in self.eyes:
            shifts[:, vertices] = residuals[:, irises].mean(axis=1)[:, None]
        return shifts


def _laplacian(triangles: Array, count: int) -> sparse.csr_matrix:
    """Each vertex minus the mean of its neighbours, (V, V); 0 where there are none."""
    edges = np.concatenate([triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0], [1, 0], [2, 1], [0, 2])])
    joined = sparse.csr_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (count, count))
    joined.data[:] = 1
    degree = np.asarray(joined.sum(axis=1)).ravel()
    own = sparse.diags((degree > 0).astype(np.float64))
    return sparse.csr_matrix(own - sparse.diags(1 / np.maximum(degree, 1)) @ joined)

"""Where photos show each place of a face, by the fitted heads and by the landmarks that were detected.

A head fits landmarks up to what it cannot express. Of the lower face, which expressions move most, half of
what is left is taken for an error of the expression, and what the photo shows is looked up that much nearer
to the landmarks; the other half is taken for the person's own shape, which is to be kept. The edges of the
lips and the irises are looked up where they were detected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu
from scipy.spatial import cKDTree

from hifi_portrait.fitting.landmark_model import IRISES, LandmarkModel
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray, IntArray
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.landmarks.contours import CONTOURS, FACE_OVAL
from hifi_portrait.person.references import References
from hifi_portrait.warp.hair.shell import PosedHeads
from hifi_portrait.warp.photos import CleanPhotos
from hifi_portrait.warp.settings import RegistrationSettings

_NOSE_TIP, _UPPER_LIP = 1, 0  # landmarks between which the lower face begins


@dataclass(frozen=True, eq=False)
class RegisteredPhotos:
    """N photos of a person, and where they show the head's surface.

    Attributes
    ----------
    crops, mattes
        (N, S, S, 3) uint8 and (N, S, S) in [0, 1].
    shown
        (N, S, S) in [0, 1], where crops show their photos, from `in_photo`.
    solid
        (N, S, S) in [0, 1], the mattes without the person's edge.
    xy, visibility
        (N, V, 2) places of the vertices as fractions of the side, and (N, V) how well each is seen.
    tables
        (2N, V, 3): both together, and then the same of the mirror image of each vertex.
    landmarks
        (N, 478, 2), as fractions of the side.
    heads, posed
        N fitted heads, and their vertices, bald and with hair.
    quality
        (N,) in [0, 1].
    uncovered
        (N, V) or (N, 1) in [0, 1], how far nothing is before each vertex.
    """

    crops: ByteArray
    mattes: FloatArray
    shown: FloatArray
    solid: FloatArray
    xy: FloatArray
    visibility: FloatArray
    tables: FloatArray
    landmarks: Array
    heads: tuple[HeadGeometry, ...]
    posed: PosedHeads
    quality: Array
    uncovered: FloatArray


def register_photos(
    cleaned: CleanPhotos,
    posed: PosedHeads,
    references: References,
    model: HeadModel,
    settings: RegistrationSettings,
) -> RegisteredPhotos:
    """Find the surface of the head in the cleaned photos of references."""
    heads = tuple(references.geometries)
    views = [
        SurfaceView.from_vertices(model, points, head)
        for points, head in zip(posed.haired, heads, strict=True)
    ]
    landmarks = landmark_places(references.landmarks, references.crops.shape[1], heads, model)
    fitted = np.stack([view.xy for view in views])
    xy = move_to_landmarks(fitted, landmarks, heads, model, settings)
    uncovered = references.uncovered
    visibility = np.stack([view.visibility for view in views]).astype(np.float32) * uncovered
    return RegisteredPhotos(
        crops=cleaned.crops,
        mattes=cleaned.mattes,
        shown=cleaned.shown,
        solid=cleaned.solid,
        xy=xy,
        visibility=visibility,
        tables=make_tables(xy, visibility, model),
        landmarks=landmarks,
        heads=heads,
        posed=posed,
        quality=np.asarray(references.quality),
        uncovered=uncovered,
    )


def make_tables(xy: Array, visibility: Array, model: HeadModel) -> FloatArray:
    """Join places (N, V, 2) and visibility (N, V): (2N, V, 3), the second half of mirror images."""
    tables = np.concatenate([xy, visibility[..., None]], axis=2)
    return np.concatenate([tables, tables[:, mirror_vertices(model)]])


@lru_cache(maxsize=4)
def mirror_vertices(model: HeadModel) -> IntArray:
    """For each vertex (V,) the one at its mirror image on the other side of the mean head."""
    mean = model.mean[: model.num_vertices]
    mirrored = cKDTree(mean).query(mean * np.array([-1, 1, 1]))[1]
    return np.asarray(mirrored, np.int64)


def move_to_landmarks(
    xy: Array,
    landmarks: Array,
    heads: Sequence[HeadGeometry],
    model: HeadModel,
    settings: RegistrationSettings,
) -> FloatArray:
    """Places (N, V, 2) of the vertices in N photos, moved towards the landmarks (N, 478, 2) of these.

    All are fractions of the photos' sides.
    """
    shifts = _Shifts.of(model, settings)(landmark_residuals(landmarks, heads, model, settings.max_residual))
    return np.asarray(xy + shifts, np.float32)


def landmark_places(landmarks: Array, side: int, heads: Sequence[HeadGeometry], model: HeadModel) -> Array:
    """Landmarks (N, 478, 2 or 3) in pixels of photos as fractions of the side (N, 478, 2).

    Those that are not known, NaN, are where the heads have them.
    """
    detected = landmarks[..., :2] / side
    return np.where(np.isfinite(detected), detected, _expected_landmarks(heads, model))


def landmark_residuals(
    landmarks: Array, heads: Sequence[HeadGeometry], model: HeadModel, max_residual: float
) -> Array:
    """How far landmarks (N, 478, 2) lie from where the heads have them, as fractions of the photos' sides.

    None is longer than ``max_residual``, in metres.
    """
    apart = landmarks - _expected_landmarks(heads, model)
    metre = [head.camera.focal / head.camera.height / head.translation[1] for head in heads]
    most = max_residual * np.array(metre)[:, None]
    far = np.maximum(np.linalg.norm(apart, axis=2), 1e-9)
    return np.asarray(apart * np.minimum(1, most / far)[..., None])


def _expected_landmarks(heads: Sequence[HeadGeometry], model: HeadModel) -> Array:
    """Landmarks (N, 478, 2) of N heads, as fractions of the photos' sides."""
    seen = LandmarkModel.load(model)
    return np.stack([seen.predict_pixels(head) / (head.camera.width, head.camera.height) for head in heads])


@dataclass(frozen=True, eq=False)
class _Shifts:
    """Carries residuals on over the mesh, as smoothly as it bends, never across the slit of the mouth.

    Attributes
    ----------
    landmarks
        (L,) those that move the skin: all but the oval's, which slide along the silhouette.
    at_landmarks
        (L, V) sparse weights of the vertices at each.
    system
        The factorised least-squares system.
    follow
        (V,) in [0, 1], how far each vertex follows.
    eyes
        Vertices of each eye, and the landmarks of its iris.
    """

    landmarks: Array
    at_landmarks: sparse.csr_matrix
    system: SuperLU
    follow: Array
    eyes: tuple[tuple[Array, Array], ...]

    @classmethod
    @lru_cache(maxsize=4)
    def of(cls, model: HeadModel, settings: RegistrationSettings) -> _Shifts:
        seen = LandmarkModel.load(model)
        place, count = seen.correspondence, model.num_vertices
        is_skin = model.parts == Part.SKIN
        inner = np.setdiff1d(np.arange(IRISES[0]), FACE_OVAL)
        landmarks = inner[is_skin[place.triangle[inner]]]
        rows = np.repeat(np.arange(len(landmarks)), 3)
        columns = model.triangles[place.triangle[landmarks]].ravel()
        at_landmarks = sparse.csr_matrix(
            (place.barycentric[landmarks].ravel().astype(np.float64), (rows, columns)),
            (len(landmarks), count),
        )
        bending = _laplacian(model.triangles[is_skin], count)
        system = (
            at_landmarks.T @ at_landmarks
            + settings.bending_weight * bending.T @ bending
            + settings.shift_weight * sparse.eye(count)
        )
        parts = model.parts[place.triangle[IRISES]]
        eyes = [
            (vertices, IRISES[parts == part])
            for vertices, part in zip(model.eye_vertices, (Part.LEFT_EYE, Part.RIGHT_EYE), strict=True)
        ]
        follow = _following(seen, model, settings)
        return cls(landmarks, at_landmarks, splu(system.tocsc()), follow, tuple(eyes))

    def __call__(self, residuals: Array) -> Array:
        """Shifts (N, V, 2) by residuals (N, 478, 2)."""
        photos = len(residuals)
        known = residuals[:, self.landmarks].transpose(1, 0, 2).reshape(len(self.landmarks), 2 * photos)
        smooth = self.system.solve(self.at_landmarks.T @ known).reshape(-1, photos, 2).transpose(1, 0, 2)
        shifts = np.asarray(smooth * self.follow[:, None])
        for vertices, irises in self.eyes:
            shifts[:, vertices] = residuals[:, irises].mean(axis=1)[:, None]
        return shifts


def _following(seen: LandmarkModel, model: HeadModel, settings: RegistrationSettings) -> Array:
    """How far each vertex (V,) follows landmarks, in [0, 1]: the lower face in part, the lips in full."""
    mean = model.mean[: model.num_vertices]
    top, low = seen.mean[_NOSE_TIP, 2], seen.mean[_UPPER_LIP, 2]
    edges = seen.mean[list(CONTOURS["inner lips"].landmarks)]
    away = np.linalg.norm(mean[:, None] - edges, axis=2).min(axis=1)
    lips = np.clip((settings.lip_reach - away) / settings.lip_reach, 0, 1)
    followed = settings.followed_fraction
    return np.asarray(np.clip((top - mean[:, 2]) / (top - low), 0, 1) * (followed + (1 - followed) * lips))


def _laplacian(triangles: Array, count: int) -> sparse.csr_matrix:
    """Each vertex minus the mean of its neighbours, (V, V); 0 where there are none."""
    pairs = ([0, 1], [1, 2], [2, 0], [1, 0], [2, 1], [0, 2])
    edges = np.concatenate([triangles[:, pair] for pair in pairs])
    joined = sparse.csr_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (count, count))
    joined.data[:] = 1
    degree = np.asarray(joined.sum(axis=1)).ravel()
    own = sparse.diags((degree > 0).astype(np.float64))
    return sparse.csr_matrix(own - sparse.diags(1 / np.maximum(degree, 1)) @ joined)

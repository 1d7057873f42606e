"""Fit one identity and N photos' expressions, poses and gazes to their landmarks, all at once.

Gauss-Newton on the reprojection error under the landmark model's noise, with Gaussian priors. Photos share
only the identity, so each photo's own unknowns are eliminated first (Schur complement): linear time in N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular
from threadpoolctl import ThreadpoolController

from hifi_portrait.fitting.landmark_model import FITTED_EXPRESSIONS, IRISES, NUM_LANDMARKS, LandmarkModel
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.geometry import EXPRESSION_NAMES, Camera, HeadGeometry, axis_rotation
from hifi_portrait.head.model import HeadModel, rotation_matrix

# A photo's own unknowns, in order: rotation about the head joint, translation, gaze, expression.
GAZE = slice(6, 8)
FACE = slice(8, 8 + len(FITTED_EXPRESSIONS))
UNKNOWNS = 8 + len(FITTED_EXPRESSIONS)


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """Priors and iterations of the fit."""

    pose_steps: int = 3
    """Number of first steps, which fit only pose and gaze, of the mean face."""
    full_steps: int = 6
    """Largest number of the steps after them, which fit everything."""
    tolerance: float = 2e-3
    """The steps end when one lowers the cost by less than this fraction."""
    identity_weight: float = 1.0
    """Weight of half the squared identity scores in the cost."""
    expression_weight: float = 0.5
    """Weight of half the squared raw expression coefficients."""
    expression_sparsity: float = 0.5
    """Weight of the sum of the raw expression coefficients."""
    gaze_weight: float = 2.0
    """Weight of half the squared gaze in radians."""
    noise_inflation: float = 1.2
    """Factor on the variance of the measured landmark noise."""


@dataclass(frozen=True, eq=False)
class HeadFit:
    """One person's head fitted to N photos."""

    identity: FloatArray
    """(80,) float32, shared by all geometries."""
    geometries: tuple[HeadGeometry, ...]
    """The head in each of the N photos."""
    residuals: FloatArray
    """(N,) float32, mean landmark error of each photo as a fraction of the distance between the eyes."""


@dataclass
class _Photo:
    """One photo's data and current unknowns."""

    pixels: Array
    camera: Camera
    weight: float
    rotation: Array
    translation: Array
    gaze: Array
    expression: Array


@dataclass(frozen=True, eq=False)
class _Eliminated:
    """One photo's normal equations with its own unknowns eliminated."""

    factor: Array
    solved: Array


def fit(
    landmarks: Sequence[npt.ArrayLike],
    sizes: Sequence[tuple[int, int]],
    *,
    weights: Sequence[float] | None = None,
    identity: npt.ArrayLike | None = None,
    model: HeadModel | None = None,
    settings: FitSettings | None = None,
) -> HeadFit:
    """Fit a head to the landmarks of N photos of one person.

    Parameters
    ----------
    landmarks
        N arrays (478, 3) of MediaPipe landmarks in pixels, z scaled as x.
    sizes
        N pairs (width, height) of the pictures; the camera is taken to have a 20 degree field of view.
    weights
        How much each photo counts, 1 by default.
    identity
        Scores (80,) of the person's identity, if they are known: they then stay as they are, and each photo
        is fitted by itself.
    model
        Head model, the package's own by default.
    settings
        Priors and iterations.

    Raises
    ------
    ValueError
        The numbers of landmarks, sizes and weights differ or are 0, a shape is wrong, a landmark
        or an identity score is not a number, or a weight is not positive.
    """
    arrays = _check(landmarks, sizes, weights)
    settings = settings or FitSettings()
    seen = LandmarkModel.load(model)
    photos = [
        _start(seen, points, Camera.from_fov((int(size[0]), int(size[1]))), weight)
        for points, size, weight in zip(
            arrays, sizes, [1.0] * len(arrays) if weights is None else weights, strict=True
        )
    ]
    # The systems are small: more threads than one cost more than they give (17 against 7 ms a photo on two).
    with _blas().limit(limits=1, user_api="blas"):
        if identity is None:
            found = _solve(seen, photos, settings, np.zeros(len(seen.identity)), is_free=True)
        else:
            found = _check_identity(identity, len(seen.identity))
            for photo in photos:
                _solve(seen, [photo], settings, found, is_free=False)
    geometries = tuple(_geometry(seen, found, photo) for photo in photos)
    residuals = [_residual(seen, found, photo) for photo in photos]
    return HeadFit(found.astype(np.float32), geometries, np.array(residuals, np.float32))


def _check_identity(identity: npt.ArrayLike, count: int) -> Array:
    scores = np.asarray(identity, np.float64)
    if scores.shape != (count,) or not np.isfinite(scores).all():
        raise ValueError(f"identity must be {count} finite numbers, got an array of shape {scores.shape}")
    return scores


def _check(
    landmarks: Sequence[npt.ArrayLike], sizes: Sequence[tuple[int, int]], weights: Sequence[float] | None
) -> list[npt.NDArray[np.float64]]:
    if len(landmarks) == 0:
        raise ValueError("fit needs the landmarks of at least one photo, got none")
    if len(sizes) != len(landmarks) or (weights is not None and len(weights) != len(landmarks)):
        given = "" if weights is None else f" and {len(weights)} weights"
        raise ValueError(f"{len(landmarks)} photos' landmarks came with {len(sizes)} sizes{given}")
    if weights is not None and not all(np.isfinite(weight) and weight > 0 for weight in weights):
        raise ValueError(f"weights must be positive, got {list(weights)}")
    arrays = [np.asarray(points, np.float64) for points in landmarks]
    for i, points in enumerate(arrays):
        if points.shape != (NUM_LANDMARKS, 3):
            raise ValueError(f"landmarks[{i}] must have shape ({NUM_LANDMARKS}, 3), got {points.shape}")
        if not np.isfinite(points).all():
            raise ValueError(f"landmarks[{i}] has values that are not finite numbers")
    return arrays


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    """Find the loaded BLAS libraries, whose threads can be limited then; this takes longer than a fit."""
    return ThreadpoolController()


def _start(seen: LandmarkModel, points: Array, camera: Camera, weight: float) -> _Photo:
    """Pose the mean face by a similarity (Umeyama 1991) to the detector's own depths."""
    face = slice(0, IRISES[0])
    target = np.stack([points[face, 0], points[face, 2], -points[face, 1]], axis=1)
    source = seen.mean[face]
    source_mean, target_mean = source.mean(0), target.mean(0)
    u, s, vt = np.linalg.svd((source - source_mean).T @ (target - target_mean))
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u @ np.diag(signs) @ vt).T
    scale = (s * signs).sum() / ((source - source_mean) ** 2).sum()
    depth = camera.focal / scale
    centre = [(target_mean[0] - camera.cx) / scale, depth, (target_mean[2] + camera.cy) / scale]
    translation = np.array(centre) - rotation @ source_mean
    start = np.full(len(FITTED_EXPRESSIONS), 0.02)
    return _Photo(points[:, :2], camera, weight, rotation, translation, np.zeros(2), start)


def _solve(
    seen: LandmarkModel, photos: list[_Photo], settings: FitSettings, identity: Array, *, is_free: bool
) -> Array:
    """Find the identity (80,) from a first guess, if it is free, and update the photos' own unknowns."""
    count = len(identity) if is_free else 0
    last = np.inf
    for step in range(settings.pose_steps + settings.full_steps):
        full = step >= settings.pose_steps
        curvature = settings.identity_weight * np.eye(count)
        gradient = settings.identity_weight * identity[:count]
        cost = 0.5 * settings.identity_weight * float(identity @ identity)
        eliminated = []
        for photo in photos:
            hessian, slope, photo_cost = _normal_equations(seen, identity, photo, settings, full, count)
            cost += photo_cost
            block = _eliminate(hessian, slope, photo, full)
            eliminated.append(block)
            if full and count:
                curvature += hessian[UNKNOWNS:, UNKNOWNS:] - block.solved[:, :-1].T @ block.solved[:, :-1]
                gradient = gradient + slope[UNKNOWNS:] - block.solved[:, :-1].T @ block.solved[:, -1]
        change = -np.linalg.solve(curvature, gradient) if full and count else np.zeros(0)
        if len(change):
            identity = identity + change
        for photo, block in zip(photos, eliminated, strict=True):
            _update(photo, block, change)
        if full and last - cost < settings.tolerance * cost and step > settings.pose_steps:
            break
        last = cost if full else np.inf
    return identity


def _normal_equations(
    seen: LandmarkModel, identity: Array, photo: _Photo, settings: FitSettings, full: bool, shared_count: int
) -> tuple[Array, Array, float]:
    """Compute Hessian, gradient and cost of one photo over its unknowns and, if ``full``, the shared ones."""
    jacobian, error = _linearise(seen, identity, photo, full, shared_count)
    noise = seen.noise
    strength = photo.weight / settings.noise_inflation
    # Products of a matrix with its own transpose take BLAS half as long as others.
    jacobian *= noise.deviation[:, None]
    error = error * noise.deviation
    low_rank = noise.whitened @ jacobian
    low_rank_error = noise.whitened @ error
    hessian = jacobian.T @ jacobian - low_rank.T @ low_rank
    gradient = low_rank.T @ low_rank_error - jacobian.T @ error
    cost = 0.5 * float(error @ error - low_rank_error @ low_rank_error)
    hessian, gradient, cost = hessian * strength, gradient * strength, cost * strength
    diagonal = np.arange(len(hessian))
    hessian[diagonal[GAZE], diagonal[GAZE]] += settings.gaze_weight
    gradient[GAZE] += settings.gaze_weight * photo.gaze
    cost += 0.5 * settings.gaze_weight * float(photo.gaze @ photo.gaze)
    if full:
        hessian[diagonal[FACE], diagonal[FACE]] += settings.expression_weight
        gradient[FACE] += settings.expression_weight * photo.expression + settings.expression_sparsity
    cost += 0.5 * settings.expression_weight * float(photo.expression @ photo.expression)
    return hessian, gradient, cost + settings.expression_sparsity * float(photo.expression.sum())


def _linearise(
    seen: LandmarkModel, identity: Array, photo: _Photo, full: bool, shared_count: int
) -> tuple[Array, Array]:
    """Compute the landmarks' Jacobian (956, unknowns) and error (956,), in mm at the face's depth."""
    points, iris_offset = seen.points(identity, photo.expression, photo.gaze)
    turned = points @ photo.rotation.T
    placed = turned + photo.translation
    camera = photo.camera
    millimetres = 1e3 * float(np.median(placed[:, 1])) / camera.focal  # of a pixel
    error = ((photo.pixels - camera.project(placed)) * millimetres).reshape(-1) - seen.noise.bias

    inverse = 1 / placed[:, 1]
    gain = camera.focal * inverse * millimetres
    slope = np.zeros((NUM_LANDMARKS, 2, 3))  # of (u, v) by the camera-space point
    slope[:, 0, 0] = gain
    slope[:, 0, 1] = -gain * placed[:, 0] * inverse
    slope[:, 1, 1] = gain * placed[:, 2] * inverse
    slope[:, 1, 2] = -gain
    local = slope @ photo.rotation  # by the head-space point

    count = UNKNOWNS + shared_count if full else GAZE.stop
    jacobian = np.empty((NUM_LANDMARKS, 2, count))
    x, y, z = turned.T[:, :, None]
    jacobian[:, :, 0] = y * slope[:, :, 2] - z * slope[:, :, 1]
    jacobian[:, :, 1] = z * slope[:, :, 0] - x * slope[:, :, 2]
    jacobian[:, :, 2] = x * slope[:, :, 1] - y * slope[:, :, 0]
    jacobian[:, :, 3:6] = slope
    jacobian[:, :, GAZE] = np.einsum("kid,gkd->kig", local, seen.gaze)
    about_pitch = axis_rotation(2, np.degrees(photo.gaze[0])) @ np.array([-1.0, 0.0, 0.0])
    jacobian[IRISES, :, 6] += np.einsum("kid,kd->ki", local[IRISES], np.cross([0, 0, 1.0], iris_offset))
    jacobian[IRISES, :, 7] += np.einsum("kid,kd->ki", local[IRISES], np.cross(about_pitch, iris_offset))
    if full:
        # Each landmark's own small product: added up over the three axes, it needs no call a landmark.
        shapes = seen.shapes if shared_count else seen.shapes[:, :, : FACE.stop - FACE.start]
        products = local[:, :, 0, None] * shapes[:, None, 0]
        for axis in (1, 2):
            products += local[:, :, axis, None] * shapes[:, None, axis]
        jacobian[:, :, FACE.start :] = products
    return jacobian.reshape(2 * NUM_LANDMARKS, count), error


def _eliminate(hessian: Array, gradient: Array, photo: _Photo, full: bool) -> _Eliminated:
    """Factor the photo's own block; coefficients that press against their bounds are held."""
    own = UNKNOWNS if full else GAZE.stop
    block, coupling, slope = hessian[:own, :own].copy(), hessian[:own, own:].copy(), gradient[:own].copy()
    if full:
        held = np.zeros(own, bool)
        at_low, at_high = photo.expression <= 1e-9, photo.expression >= 1 - 1e-9
        held[FACE] = (at_low & (slope[FACE] > 0)) | (at_high & (slope[FACE] < 0))
        block[held], block[:, held], coupling[held], slope[held] = 0, 0, 0, 0
        block[held, held] = 1
    diagonal = np.arange(own)
    block[diagonal, diagonal] *= 1.0001
    factor = cholesky(block, lower=True, check_finite=False)
    both = np.concatenate([coupling, slope[:, None]], axis=1)
    return _Eliminated(factor, solve_triangular(factor, both, lower=True, check_finite=False))


def _update(photo: _Photo, block: _Eliminated, change: Array) -> None:
    right = block.solved[:, -1] + block.solved[:, :-1] @ change
    step = -solve_triangular(block.factor, right, lower=True, trans=1, check_finite=False)
    photo.rotation = rotation_matrix(step[0:3]) @ photo.rotation
    photo.translation = photo.translation + step[3:6]
    photo.gaze = np.clip(photo.gaze + step[GAZE], -0.9, 0.9)
    if len(step) == UNKNOWNS:
        photo.expression = np.clip(photo.expression + step[FACE], 0, 1)


def _geometry(seen: LandmarkModel, identity: Array, photo: _Photo) -> HeadGeometry:
    raw = np.zeros(len(EXPRESSION_NAMES), np.float32)
    raw[FITTED_EXPRESSIONS] = photo.expression
    gaze = np.degrees(photo.gaze)
    closing = seen.model.blink_scale(seen.model.rest(identity))
    expression = HeadModel.expression_from_raw(raw, gaze, closing)
    return HeadGeometry(identity, expression, photo.rotation, photo.translation, gaze, photo.camera)


def _residual(seen: LandmarkModel, identity: Array, photo: _Photo) -> float:
    placed = seen.points(identity, photo.expression, photo.gaze)[0] @ photo.rotation.T + photo.translation
    error = np.linalg.norm(photo.camera.project(placed) - photo.pixels, axis=1).mean()
    left, right = placed[IRISES[0]], placed[IRISES[5]]
    eye_distance = photo.camera.focal * np.linalg.norm(left - right) / (left[1] + right[1]) * 2
    return float(error / eye_distance)

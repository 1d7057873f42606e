"""Single steps of the solver, on heads whose true unknowns are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import solve_triangular

from head_samples import geometry_of
from hifi_portrait.fitting.landmark_model import FITTED_EXPRESSIONS, IRISES, LandmarkModel
from hifi_portrait.fitting.solver import (
    FACE,
    UNKNOWNS,
    _eliminate,
    _linearise,
    _Photo,
    _residual,
)
from hifi_portrait.head import HeadPose

IDENTITY = np.zeros(80)


@pytest.fixture(scope="module")
def seen() -> LandmarkModel:
    return LandmarkModel.load()


def true_photo(seen: LandmarkModel, bias: float = 1.0) -> _Photo:
    """A photo at its true unknowns, whose landmarks have so much of the detector's bias."""
    geometry = geometry_of(pose=HeadPose(10, -5, 3))
    expression = np.full(len(FITTED_EXPRESSIONS), 0.3)
    points, _ = seen.points(IDENTITY, expression, np.zeros(2))
    rotation, translation = geometry.rotation.astype(np.float64), geometry.translation.astype(np.float64)
    placed = points @ rotation.T + translation
    pixels_of_mm = geometry.camera.focal / np.median(placed[:, 1]) * 1e-3
    pixels = geometry.camera.project(placed) + bias * seen.noise.bias.reshape(-1, 2) * pixels_of_mm
    return _Photo(pixels, geometry.camera, 1.0, rotation, translation, np.zeros(2), expression)


def test_landmarks_with_the_detectors_bias_are_no_error(seen: LandmarkModel) -> None:
    _, error = _linearise(seen, IDENTITY, true_photo(seen), full=True, shared_count=80)
    np.testing.assert_allclose(error, 0, atol=1e-6)
    _, without = _linearise(seen, IDENTITY, true_photo(seen, bias=0.0), full=True, shared_count=80)
    np.testing.assert_allclose(without, -seen.noise.bias, atol=1e-6)


@pytest.mark.parametrize("pixels", [1.0, 3.0])
def test_a_residual_is_a_fraction_of_the_distance_between_the_eyes(
    seen: LandmarkModel, pixels: float
) -> None:
    photo = true_photo(seen, bias=0.0)
    left, right = photo.pixels[IRISES[0]], photo.pixels[IRISES[5]]
    photo.pixels = np.add(photo.pixels, (pixels, 0.0))
    expected = pixels / np.linalg.norm(left - right)
    assert _residual(seen, IDENTITY, photo) == pytest.approx(expected, rel=0.05)


def step_of(photo: _Photo, slope: np.ndarray) -> np.ndarray:
    """The step (UNKNOWNS,) of a photo's own unknowns, where the identity stays."""
    size = UNKNOWNS + len(IDENTITY)
    block = _eliminate(np.eye(size) + 0.01, np.concatenate([slope, np.zeros(80)]), photo, full=True)
    return -solve_triangular(block.factor, block.solved[:, -1], lower=True, trans=1)


@pytest.mark.parametrize(("at", "slope"), [(0.0, 1.0), (1.0, -1.0)])
def test_coefficients_that_press_against_their_bounds_are_held(
    seen: LandmarkModel, at: float, slope: float
) -> None:
    photo = true_photo(seen)
    photo.expression = np.full(len(FITTED_EXPRESSIONS), at)
    pressing = step_of(photo, np.full(UNKNOWNS, slope))
    assert not pressing[FACE].any() and pressing[: FACE.start].all()
    leaving = step_of(photo, np.full(UNKNOWNS, -slope))
    assert (np.sign(leaving[FACE]) == slope).all()

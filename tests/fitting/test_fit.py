from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from head_samples import expression_of, geometry_of
from hifi_portrait.fitting import fit
from hifi_portrait.fitting.landmark_model import FITTED_EXPRESSIONS, IRISES, LandmarkModel
from hifi_portrait.fitting.solver import UNKNOWNS, FitSettings, _linearise, _Photo
from hifi_portrait.head import HeadGeometry, HeadModel, HeadPose

EXACT = FitSettings(full_steps=25, tolerance=1e-9, identity_weight=1e-3, expression_weight=1e-3,
                    expression_sparsity=1e-4, gaze_weight=1e-4, noise_inflation=1.0)  # fmt: skip


def detected(seen: LandmarkModel, geometry: HeadGeometry) -> np.ndarray:
    """Landmarks (478, 3) that a detector without noise, but with its bias, would report."""
    model = seen.model
    closing = model.blink_scale(model.rest(geometry.identity))
    raw = model.raw_expression(
        geometry.expression, model.eye_gaze(geometry.expression, geometry.gaze), closing
    )
    points, _ = seen.points(geometry.identity, raw[FITTED_EXPRESSIONS], np.radians(geometry.gaze))
    placed = points @ geometry.rotation.T + geometry.translation
    pixel = geometry.camera.focal / np.median(placed[:, 1])
    xy = geometry.camera.project(placed) + seen.noise.bias.reshape(-1, 2) * 1e-3 * pixel
    return np.concatenate([xy, (placed[:, 1:2] - geometry.translation[1]) * pixel], axis=1)


@pytest.fixture(scope="module")
def seen() -> LandmarkModel:
    return LandmarkModel.load()


def photos_of(identity: np.ndarray) -> list[HeadGeometry]:
    return [
        geometry_of(identity, expression_of(mouthSmile=0.6), HeadPose(20, -5, 3), (5.0, 0.0)),
        geometry_of(identity, expression_of(jawOpen=0.3, browInnerUp=0.5), HeadPose(-25, 10, -4)),
        geometry_of(identity, expression_of(eyeBlink=0.3), HeadPose(0, 5, 0)),
    ]


def test_noise_free_landmarks_give_the_head_back(seen: LandmarkModel, rng: np.random.Generator) -> None:
    identity = 0.7 * rng.normal(size=80).astype(np.float32)
    photos = photos_of(identity)
    result = fit([detected(seen, photo) for photo in photos], [(256, 256)] * 3, settings=EXACT)
    assert np.abs(result.residuals).max() < 0.05
    for fitted, true in zip(result.geometries, photos, strict=True):
        assert abs(fitted.pose.yaw - true.pose.yaw) < 0.5
        assert abs(fitted.pose.pitch - true.pose.pitch) < 1.0
        np.testing.assert_allclose(
            fitted.expression[FITTED_EXPRESSIONS], true.expression[FITTED_EXPRESSIONS], atol=0.15
        )
    assert np.corrcoef(result.identity, identity)[0, 1] > 0.95


@pytest.mark.parametrize(
    ("unknown", "index", "column"),
    [
        ("translation", 0, 3),
        ("translation", 1, 4),
        ("translation", 2, 5),
        ("gaze", 0, 6),
        ("gaze", 1, 7),
        ("expression", 0, 8),
        ("expression", 17, 25),
        ("expression", len(FITTED_EXPRESSIONS) - 1, UNKNOWNS - 1),
        ("identity", 0, UNKNOWNS),
        ("identity", 79, UNKNOWNS + 79),
    ],
)
def test_jacobian_is_that_of_the_projection(
    seen: LandmarkModel, unknown: str, index: int, column: int
) -> None:
    """Against central differences. The irises' turn with identity and expression is left out on purpose."""
    rng = np.random.default_rng(1)
    geometry = geometry_of(pose=HeadPose(15, -8, 4))
    values = {
        "identity": 0.3 * rng.normal(size=80),
        "expression": rng.uniform(0.2, 0.6, len(FITTED_EXPRESSIONS)),
        "gaze": np.array([0.1, -0.05]),
        "translation": geometry.translation.astype(np.float64),
    }

    def projected(step: float) -> np.ndarray:
        moved = {name: value.copy() for name, value in values.items()}
        moved[unknown][index] += step
        points, _ = seen.points(moved["identity"], moved["expression"], moved["gaze"])
        return geometry.camera.project(points @ geometry.rotation.T + moved["translation"])

    numeric = (projected(1e-5) - projected(-1e-5)) / 2e-5
    photo = _Photo(
        projected(0.0),
        geometry.camera,
        1.0,
        geometry.rotation.astype(np.float64),
        values["translation"],
        values["gaze"],
        values["expression"],
    )
    jacobian, _ = _linearise(seen, values["identity"], photo, full=True, shared_count=80)
    depth = seen.points(values["identity"], values["expression"], values["gaze"])[0] @ geometry.rotation.T
    millimetres = 1e3 * np.median(depth[:, 1] + values["translation"][1]) / geometry.camera.focal
    analytic = jacobian.reshape(478, 2, -1)[:, :, column] / millimetres
    still = slice(None) if unknown in ("gaze", "translation") else slice(0, IRISES[0])
    np.testing.assert_allclose(analytic[still], numeric[still], atol=1e-4 * np.abs(numeric).max())


def test_resolution_does_not_change_the_fit(seen: LandmarkModel) -> None:
    photo = photos_of(np.zeros(80))[0]
    points = detected(seen, photo)
    small, large = fit([points], [(256, 256)]), fit([4 * points], [(1024, 1024)])
    np.testing.assert_allclose(small.identity, large.identity, atol=1e-3)
    np.testing.assert_allclose(small.geometries[0].rotation, large.geometries[0].rotation, atol=1e-4)


def test_fit_is_deterministic(seen: LandmarkModel) -> None:
    points = [detected(seen, photo) for photo in photos_of(np.zeros(80))]
    first, second = (fit(points, [(256, 256)] * 3) for _ in range(2))
    np.testing.assert_array_equal(first.identity, second.identity)


def test_order_of_photos_does_not_matter(seen: LandmarkModel, rng: np.random.Generator) -> None:
    points = [detected(seen, photo) for photo in photos_of(rng.normal(size=80))]
    forward, backward = fit(points, [(256, 256)] * 3), fit(points[::-1], [(256, 256)] * 3)
    np.testing.assert_allclose(forward.identity, backward.identity, atol=1e-4)


def test_a_heavier_photo_pulls_the_identity(seen: LandmarkModel, rng: np.random.Generator) -> None:
    first, second = (detected(seen, geometry_of(rng.normal(size=80))) for _ in range(2))
    alone = [fit([points], [(256, 256)]).identity for points in (first, second)]

    def nearness(weight: float) -> float:
        both = fit([first, second], [(256, 256)] * 2, weights=[weight, 1.0]).identity
        to_first, to_second = (np.corrcoef(both, identity)[0, 1] for identity in alone)
        return float(to_first - to_second)

    assert nearness(0.1) < nearness(1.0) < nearness(10.0)


def test_priors_take_little_of_an_expression(seen: LandmarkModel, rng: np.random.Generator) -> None:
    identity = 0.7 * rng.normal(size=80).astype(np.float32)
    wished = ({"browInnerUp": 0.5, "browOuterUp": 0.5}, {"mouthFrown": 0.5}, {"mouthSmile": 0.5})
    photos = [
        geometry_of(identity, expression_of(**held), HeadPose(yaw, 0, 0))
        for held, yaw in zip(wished, (10, -15, 0), strict=True)
    ]
    result = fit([detected(seen, photo) for photo in photos], [(256, 256)] * 3)
    for fitted, true in zip(result.geometries, photos, strict=True):
        held = true.expression > 0.4
        assert 0.75 < fitted.expression[held].mean() / true.expression[held].mean() < 1.1


def test_expressions_stay_in_range(seen: LandmarkModel, rng: np.random.Generator) -> None:
    points = detected(seen, photos_of(np.zeros(80))[0]) + rng.normal(0, 6, (478, 3))
    expression = fit([points], [(256, 256)]).geometries[0].expression
    assert expression.min() >= 0
    assert expression.max() <= 1


def test_the_prior_pulls_the_identity_towards_the_mean(seen: LandmarkModel, rng: np.random.Generator) -> None:
    identity = rng.normal(size=80).astype(np.float32)
    points = [detected(seen, photo) for photo in photos_of(identity)]

    def length(weight: float) -> float:
        settings = replace(EXACT, full_steps=40, tolerance=-1.0, identity_weight=weight)  # takes all steps
        return float(np.linalg.norm(fit(points, [(256, 256)] * 3, settings=settings).identity))

    assert length(10.0) < 0.5 * length(1e-3)


def test_noise_shows_in_the_residual(seen: LandmarkModel, rng: np.random.Generator) -> None:
    points = detected(seen, photos_of(np.zeros(80))[0])
    clean = fit([points], [(256, 256)]).residuals[0]
    noisy = fit([points + rng.normal(0, 3, (478, 3))], [(256, 256)]).residuals[0]
    assert noisy > 2 * clean


def test_no_photos_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one photo"):
        fit([], [])


def test_mismatched_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="1 photos' landmarks came with 2 sizes"):
        fit([np.zeros((478, 3))], [(256, 256)] * 2)


def test_wrong_landmark_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"landmarks\[0\] must have shape \(478, 3\), got \(468, 3\)"):
        fit([np.zeros((468, 3))], [(256, 256)])


def test_landmarks_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"landmarks\[0\] has values that are not finite"):
        fit([np.full((478, 3), np.nan)], [(256, 256)])


def test_weights_must_be_positive(model: HeadModel) -> None:
    with pytest.raises(ValueError, match="weights must be positive"):
        fit([np.ones((478, 3))], [(256, 256)], weights=[0.0], model=model)


def test_a_known_identity_stays_and_each_photo_is_fitted_by_itself(
    seen: LandmarkModel, rng: np.random.Generator
) -> None:
    identity = 0.7 * rng.normal(size=80).astype(np.float32)
    landmarks, sizes = [detected(seen, photo) for photo in photos_of(identity)], [(256, 256)] * 3
    free = fit(landmarks, sizes)
    every = fit(landmarks, sizes, identity=free.identity)
    one = fit(landmarks[:1], sizes[:1], identity=free.identity)
    assert np.array_equal(every.identity, free.identity)
    assert np.array_equal(every.geometries[0].expression, one.geometries[0].expression)
    np.testing.assert_allclose(every.residuals, free.residuals, atol=2e-3)
    for wrong in (np.zeros(3), np.full(80, np.nan)):
        with pytest.raises(ValueError, match="identity must be 80"):
            fit(landmarks, sizes, identity=wrong)

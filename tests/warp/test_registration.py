"""Places of the surface brought to the landmarks that were detected in photos."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hifi_portrait.fitting.landmark_model import IRISES, LandmarkModel
from hifi_portrait.fitting.solver import fit
from hifi_portrait.head.geometry import HeadGeometry
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.landmarks.contours import FACE_OVAL
from hifi_portrait.warp.references import read_references
from hifi_portrait.warp.registration import landmark_places, landmark_residuals, move_to_landmarks
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, paint, person

SETTINGS = WarpSettings()

SIZE = 256
LOWER_LIP = (14, 87, 178, 88, 317, 402, 318, 324)
UPPER_LIP = (13, 82, 81, 80, 312, 311, 310)
FOREHEAD = (9, 108, 151, 337)


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return HeadModel.load()


def expected(model: HeadModel, head: HeadGeometry) -> np.ndarray:
    return LandmarkModel.load(model).predict_pixels(head) / SIZE


def at_landmarks(model: HeadModel, shift: np.ndarray) -> np.ndarray:
    """A shift (V, 2) of the vertices at the landmarks (478, 2)."""
    return LandmarkModel.load(model).correspondence.points(shift, model.triangles)


def moved(
    model: HeadModel, head: HeadGeometry, chosen: tuple[int, ...], by: tuple[float, float]
) -> np.ndarray:
    """Shifts (V, 2) where the detector found some landmarks elsewhere."""
    landmarks = expected(model, head)
    landmarks[list(chosen)] += by
    xy = SurfaceView.from_geometry(model, head).xy
    return move_to_landmarks(xy[None], landmarks[None], [head], model, SETTINGS.registration)[0] - xy


def test_landmarks_where_the_head_has_them_move_nothing(model: HeadModel) -> None:
    heads = [geometry(yaw, SIZE, jawOpen=0.3, eyeBlinkLeft=0.5) for yaw in (-20.0, 15.0)]
    found = np.stack([expected(model, head) for head in heads])
    assert np.abs(landmark_residuals(found, heads, model, SETTINGS.registration.max_residual)).max() < 1e-9
    xy = np.stack([SurfaceView.from_geometry(model, head).xy for head in heads])
    np.testing.assert_allclose(
        move_to_landmarks(xy, found, heads, model, SETTINGS.registration), xy, atol=1e-6
    )


def test_expected_landmarks_are_those_of_the_surface(model: HeadModel) -> None:
    """Up to what the detector is known to do otherwise, which is little beside a face's 100 pixels."""
    head = geometry(20.0, SIZE, mouthSmileLeft=0.6, mouthSmileRight=0.6)
    seen = LandmarkModel.load(model)
    surface = head.camera.project(seen.correspondence.points(model.posed(head), model.triangles))
    inner = np.setdiff1d(np.arange(IRISES[0]), FACE_OVAL)
    apart = np.linalg.norm(seen.predict_pixels(head) - surface, axis=1)[inner]
    assert np.median(apart) < 2 and apart.max() < 10


def test_the_edge_of_a_lip_follows_in_full_and_the_slit_is_not_crossed(model: HeadModel) -> None:
    shift = at_landmarks(model, moved(model, geometry(0.0, SIZE), LOWER_LIP, (0, 0.02)))
    assert shift[list(LOWER_LIP), 1].mean() == pytest.approx(0.02, abs=0.004)
    assert abs(shift[list(UPPER_LIP), 1].mean()) < 0.2 * shift[list(LOWER_LIP), 1].mean()


def test_the_upper_face_keeps_its_own_shape(model: HeadModel) -> None:
    shift = moved(model, geometry(0.0, SIZE), FOREHEAD, (0.02, 0))
    assert np.abs(shift).max() < 1e-3 * 0.02


def test_the_back_of_the_head_and_the_body_stay(model: HeadModel) -> None:
    shift = moved(model, geometry(0.0, SIZE), LOWER_LIP, (0, 0.02))
    assert np.abs(shift[part_vertices(model, Part.SHOULDERS)]).max() < 1e-6
    behind = model.mean[: model.num_vertices, 1] > 0.05
    assert np.abs(shift[behind]).max() < 1e-4


def test_each_eye_follows_its_own_iris_in_full(model: HeadModel) -> None:
    parts = model.parts[LandmarkModel.load(model).correspondence.triangle[IRISES]]
    for part, vertices in zip((Part.LEFT_EYE, Part.RIGHT_EYE), model.eye_vertices, strict=True):
        chosen = tuple(int(i) for i in IRISES[parts == part])
        shift = moved(model, geometry(0.0, SIZE), chosen, (0.01, -0.004))
        np.testing.assert_allclose(shift[vertices], np.tile([0.01, -0.004], (len(vertices), 1)), atol=1e-6)
        others = [other for other in model.eye_vertices if other is not vertices]
        assert np.abs(shift[others[0]]).max() < 1e-6


def test_places_of_the_chin_follow_where_it_was_detected(model: HeadModel) -> None:
    """Landmarks lower than the fit has them: the chin is looked up half as much lower."""
    photos = person((0.0,), SIZE)
    target = paint(model, photos.geometries[0])
    told = dataclasses.replace(photos, landmarks=photos.landmarks + np.float32([0, 4, 0]))
    xy, moved = (
        read_references(each, target.geometry, SIZE, model, WarpSettings()).xy[0] * SIZE
        for each in (photos, told)
    )
    place = LandmarkModel.load(model).correspondence
    chin, brow = (
        ((moved - xy)[model.triangles[place.triangle[n]]] * place.barycentric[n][:, None]).sum(axis=0)
        for n in (199, 9)
    )
    assert chin == pytest.approx([0, 2], abs=0.3)
    assert brow == pytest.approx([0, 0], abs=0.3)


def test_turned_heads_are_registered_in_their_own_picture(model: HeadModel) -> None:
    heads = [geometry(yaw, SIZE) for yaw in (0.0, 30.0)]
    found = np.stack([expected(model, head) for head in heads])
    found[1, list(LOWER_LIP)] += (0.02, 0)
    xy = np.stack([SurfaceView.from_geometry(model, head).xy for head in heads])
    shift = move_to_landmarks(xy, found, heads, model, SETTINGS.registration) - xy
    assert np.abs(shift[0]).max() < 1e-6 < 0.005 < shift[1, :, 0].max()


def test_expected_landmarks_turn_with_the_head(model: HeadModel) -> None:
    seen = LandmarkModel.load(model)
    nose = [seen.predict_pixels(geometry(yaw, SIZE))[1, 0] for yaw in (-20.0, 0.0, 20.0)]
    assert nose[0] < nose[1] - 5 < nose[2] - 10


def test_a_landmark_far_off_is_the_detector_s_error(model: HeadModel) -> None:
    """A hand before the mouth must not tear the lips away."""
    head = geometry(0.0, SIZE)
    off = moved(model, head, LOWER_LIP, (0, 0.3))
    at_most = moved(model, head, LOWER_LIP, (0, 0.1))
    np.testing.assert_allclose(off, at_most, atol=1e-6)
    assert np.abs(off).max() < 0.04


def test_landmarks_that_are_not_known_are_where_the_head_has_them(model: HeadModel) -> None:
    photos = person((0.0, 20.0), SIZE)
    landmarks = photos.landmarks.copy()
    landmarks[0] = np.nan
    places = landmark_places(landmarks, SIZE, photos.geometries, model)
    np.testing.assert_allclose(places, photos.landmarks[..., :2] / SIZE, atol=1e-5)


def test_a_fit_of_expected_landmarks_leaves_nothing(model: HeadModel) -> None:
    """The fit and what it is measured by agree, up to what priors hold it back: in pixels, of 256."""
    heads = [
        geometry(yaw, SIZE, seed=3, mouthSmileLeft=0.5, mouthSmileRight=0.5) for yaw in (-25.0, 0.0, 20.0)
    ]
    found = [LandmarkModel.load(model).predict_pixels(head) for head in heads]
    fitted = fit([np.c_[points, np.zeros(len(points))] for points in found], [(SIZE, SIZE)] * 3)
    left = (
        np.linalg.norm(
            landmark_residuals(
                np.stack(found) / SIZE, fitted.geometries, model, SETTINGS.registration.max_residual
            ),
            axis=2,
        )
        * SIZE
    )
    assert left.mean() < 0.2

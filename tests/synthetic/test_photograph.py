from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hifi_portrait.head import HeadModel, Part
from hifi_portrait.synthetic import Person, Photograph, PhotoSetup, photograph

PLAIN = {"style": "photo", "sunglasses": False, "wears_glasses": False, "gaze": (0.0, 0.0)}


@pytest.fixture(scope="module")
def frontal() -> Photograph:
    photo = PhotoSetup.sample(
        4, yaw=0, pitch=0, roll=0, expression="neutral", light="soft studio light", **PLAIN
    )
    return photograph(Person.sample(21), photo, 128)


@pytest.fixture(scope="module")
def turned() -> Photograph:
    return photograph(
        Person.sample(22), PhotoSetup.sample(9, yaw=35, pitch=8, roll=-5, expression="smile", **PLAIN), 128
    )


def test_picture_and_matte_have_the_size_asked_for(frontal: Photograph):
    assert frontal.image.shape == (128, 128, 3) and frontal.image.dtype == np.uint8
    assert frontal.truth.matte.shape == (128, 128)


def test_the_same_photo_twice_is_the_same_picture(turned: Photograph):
    photo = PhotoSetup.sample(9, yaw=35, pitch=8, roll=-5, expression="smile", **PLAIN)
    again = photograph(Person.sample(22), photo, 128)
    assert np.array_equal(again.image, turned.image)


def test_threads_do_not_disturb_each_other():
    person = Person.sample(30)

    def take(seed: int) -> np.ndarray:
        return photograph(person, PhotoSetup.sample(seed), 64).image

    alone = [take(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(take, range(4)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_visible_vertices_lie_on_the_matte(turned: Photograph):
    truth = turned.truth
    seen = truth.visibility > 0.3
    column, row = np.floor(truth.landmarks[seen]).astype(int).T
    assert seen.sum() > 500
    assert (truth.matte[row, column] > 0.5).mean() > 0.99


def test_vertices_behind_the_head_are_not_visible(frontal: Photograph):
    vertices = frontal.truth.vertices
    behind = vertices[:, 1] > np.percentile(vertices[:, 1], 90)
    assert frontal.truth.visibility[behind].max() < 0.1


def test_the_true_iris_is_darker_than_the_white_beside_it(frontal: Photograph):
    large = photograph(
        Person.sample(21),
        PhotoSetup.sample(
            4, yaw=0, pitch=0, roll=0, expression="neutral", light="soft studio light", **PLAIN
        ),
        384,
    )
    model, truth = HeadModel.load(), large.truth
    grey = large.image.mean(-1)
    for part in (Part.LEFT_EYE, Part.RIGHT_EYE):
        eye = np.unique(model.triangles[model.parts == part])
        x, y = truth.landmarks[eye][truth.vertices[eye, 1].argmin()].astype(int)
        width = np.ptp(truth.landmarks[eye, 0])
        beside = round(0.38 * width)
        iris = grey[y - 1 : y + 2, x - 2 : x + 3].min()
        assert iris + 40 < max(grey[y, x - beside], grey[y, x + beside])


def test_geometry_shows_the_same_head_as_the_truth(turned: Photograph):
    truth, model = turned.truth, HeadModel.load()
    fitted = truth.geometry.camera.project(model.posed(truth.geometry))
    face = np.unique(model.triangles[model.parts == Part.SKIN])
    seen = face[truth.visibility[face] > 0.3]
    error = np.linalg.norm(fitted[seen] - truth.landmarks[seen], axis=1)
    assert np.median(error) < 0.01 * 128


def test_geometry_keeps_the_commanded_pose(turned: Photograph):
    pose = turned.truth.geometry.pose
    assert abs(pose.yaw - 35) < 2 and abs(pose.pitch - 8) < 8 and abs(pose.roll + 5) < 3


def test_expression_and_gaze_are_those_of_the_photo(turned: Photograph):
    photo = PhotoSetup.sample(9, expression="smile")
    assert np.array_equal(turned.truth.expression, photo.expression)
    assert turned.truth.gaze.tolist() == [0.0, 0.0]


def test_style_leaves_the_truth_as_it_is(turned: Photograph):
    photo = PhotoSetup.sample(
        9, yaw=35, pitch=8, roll=-5, expression="smile", **{**PLAIN, "style": "pencil sketch"}
    )
    sketch = photograph(Person.sample(22), photo, 128)
    assert np.array_equal(sketch.truth.vertices, turned.truth.vertices)
    assert not np.array_equal(sketch.image, turned.image)


def test_sunglasses_hide_the_eyes():
    photo = PhotoSetup.sample(4, yaw=0, pitch=0, roll=0, expression="neutral", style="photo", sunglasses=True)
    taken = photograph(Person.sample(21), photo, 128)
    model = HeadModel.load()
    eyes = np.unique(model.triangles[np.isin(model.parts, (Part.LEFT_EYE, Part.RIGHT_EYE))])
    assert taken.truth.visibility[eyes].max() < 0.1


def test_a_tiny_size_is_refused():
    with pytest.raises(ValueError, match="size"):
        photograph(Person.sample(0), PhotoSetup.sample(0), 8)

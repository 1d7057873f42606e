from dataclasses import replace

import numpy as np
import pytest

from hifi_portrait.faces import FaceLabel
from hifi_portrait.head import HeadModel, Part
from hifi_portrait.synthetic import Person, Photograph, PhotoSetup, photograph
from hifi_portrait.synthetic.labels import merge_labels
from hifi_portrait.synthetic.wide import Wide

FRONTAL = {"yaw": 0, "pitch": 0, "roll": 0, "style": "photo", "gaze": (0.0, 0.0)}


def styled(style: str) -> Person:
    return next(p for p in map(Person.sample, range(300)) if p.hair.style == style and p.beard == "none")


def take(person: Person, **changes) -> Photograph:
    plain = FRONTAL | {"expression": "neutral", "sunglasses": False, "wears_glasses": False}
    return photograph(person, PhotoSetup.sample(4, **(plain | changes)), 128)


@pytest.fixture(scope="module")
def short() -> Photograph:
    return take(styled("short"))


def under(photo: Photograph, part: Part) -> np.ndarray:
    """Labels where the visible vertices of a part are."""
    model, truth = HeadModel.load(), photo.truth
    vertices = np.unique(model.triangles[model.parts == part])
    column, row = np.floor(truth.landmarks[vertices[truth.visibility[vertices] > 0.4]]).astype(int).T
    return truth.labels[row, column]


def test_what_is_labelled_is_the_matte(short: Photograph):
    labelled = short.truth.labels != FaceLabel.BACKGROUND
    assert (labelled == (short.truth.matte >= 0.5)).mean() > 0.99


def test_parts_of_the_face_lie_where_its_vertices_are(short: Photograph):
    assert (under(short, Part.LEFT_EYE) == FaceLabel.EYES).mean() > 0.4  # lashes lie before the others
    head = under(short, Part.SKIN)
    assert (head == FaceLabel.SKIN).mean() > 0.5
    assert {FaceLabel.EARS, FaceLabel.MOUTH} <= set(head.tolist())


def test_the_neck_is_below_the_face_and_above_the_clothes(short: Photograph):
    rows = [np.nonzero(short.truth.labels == label)[0].mean() for label in (
        FaceLabel.HAIR, FaceLabel.SKIN, FaceLabel.NECK, FaceLabel.CLOTHES,
    )]  # fmt: skip
    assert rows == sorted(rows)


def test_a_bald_head_is_skin():
    bald = take(styled("bald"))
    assert FaceLabel.HAIR not in bald.truth.labels


def test_a_scarf_on_the_head_is_headwear_and_hides_hair(short: Photograph):
    covered = take(styled("short"), wide=Wide(headwear="headscarf"), clothing="t-shirt")
    assert (covered.truth.labels == FaceLabel.HEADWEAR).mean() > 0.05
    assert (
        (covered.truth.labels == FaceLabel.HAIR).mean() < 0.01 < (short.truth.labels == FaceLabel.HAIR).mean()
    )


def test_dark_lenses_are_glasses_and_clear_ones_what_is_behind():
    person = replace(styled("short"), glasses="square")
    clear, dark = take(person, wears_glasses=True), take(person, sunglasses=True)
    assert FaceLabel.GLASSES in clear.truth.labels and FaceLabel.EYES in clear.truth.labels
    assert FaceLabel.EYES not in dark.truth.labels


def test_blocks_take_the_label_that_most_of_them_have():
    fine = np.array([[1, 1, 4, 4], [1, 8, 0, 4]], np.uint8)
    assert merge_labels(fine, 2).tolist() == [[1, 4]]
    assert np.array_equal(merge_labels(fine, 1), fine)

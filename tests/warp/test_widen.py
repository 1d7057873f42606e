"""What photos show about their portrait crops is kept, and drawn where a body moves into the picture."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hifi_portrait import Framing, Identity, Target
from hifi_portrait.errors import IdentityError
from hifi_portrait.faces import FaceLabel, default_analyser, load_image
from hifi_portrait.faces.geometry import wide_margin
from hifi_portrait.warp.widen import widen

A1, A2, B1 = (Path(__file__).parents[1] / "pictures" / f"person_{name}.jpg" for name in ("a_1", "a_2", "b_1"))
GREEN = np.array((20, 200, 60))


@pytest.fixture(scope="module")
def photo():
    """A photo that goes on below: there the person's clothes are green."""
    whole, face = load_image(A1), default_analyser().analyse(A1)
    to_photo = np.linalg.inv(face.crop_transform)
    person = np.flatnonzero(face.matte[-1] > 0.5)[[0, -1]]
    ends = [to_photo @ (column, len(face.crop), 1) for column in person]
    upper = whole[: round(ends[0][1])]
    below = np.repeat(upper[-1:], 70, axis=0)
    below[4:, max(round(ends[0][0]), 0) : round(ends[1][0])] = GREEN
    return np.concatenate([upper, below])


@pytest.fixture(scope="module")
def wide_person(photo):
    return Identity.from_photos([photo])


def test_a_wide_crop_is_the_crop_with_more_of_the_photo_about_it(photo):
    analyser = replace(default_analyser(), wide=True)
    face = analyser.analyse(photo)
    assert face.wide_matte is None
    face = analyser.matte_wide(face)
    assert analyser.matte_wide(face) is face
    size, margin = len(face.crop), wide_margin(len(face.crop))
    middle = np.s_[margin : margin + size, margin : margin + size]
    assert face.wide_crop.shape == (size + 2 * margin,) * 2 + (3,)
    assert np.abs(face.wide_crop[middle].astype(int) - face.crop).mean() < 1
    fade = size // 16
    inside = np.s_[fade:-fade, fade:-fade]
    assert np.abs(face.wide_matte[middle][inside] - face.matte[inside]).max() < 1e-5
    lowest = face.wide_crop[-margin // 2, (size + 2 * margin) // 2]
    assert np.abs(lowest.astype(int) - GREEN).max() < 12


def test_without_being_asked_and_where_there_is_no_more_nothing_is_kept(photo):
    assert default_analyser().analyse(photo).wide_crop is None
    crop = default_analyser().analyse(photo).crop
    analyser = replace(default_analyser(), wide=True)
    face = analyser.matte_wide(analyser.analyse(crop))
    assert face.wide_crop is None and face.wide_matte is None


def test_of_a_group_only_the_one_who_is_chosen_gets_a_wide_matte():
    matted = []

    def matting(crop):
        matted.append(crop.shape)
        return default_analyser().matting(crop)

    pair = np.concatenate([np.pad(load_image(path), ((0, 0), (0, 300), (0, 0))) for path in (A2, B1)], 1)
    analyser = replace(default_analyser(), matting=matting)
    person = Identity.from_photos([pair], face=0, analyser=analyser)
    side = person.wide_crops.shape[1]
    assert len(matted) == 3 and matted[-1] == (side, side, 3)


def test_what_lies_below_the_crop_is_drawn(wide_person):
    target = Target(pose=wide_person.geometries[0].pose, framing=Framing(y=0.42))
    narrow = replace(wide_person, wide_crops=None, wide_mattes=None)

    def is_green(picture):
        return (np.abs(picture[-6:].astype(int) - GREEN).max(axis=2) < 40).mean()

    assert is_green(wide_person.warp(target, 256)) > 0.3
    assert is_green(narrow.warp(target, 256)) < 0.05


def test_a_portrait_is_as_it_was_where_nothing_moves_into_it(wide_person):
    target = Target(pose=wide_person.geometries[0].pose)
    narrow = replace(wide_person, wide_crops=None, wide_mattes=None)
    pictures = [person.warp(target, 256).astype(int) for person in (wide_person, narrow)]
    assert np.abs(pictures[0] - pictures[1])[:210].mean() < 2


def test_heads_stay_in_their_places(wide_person):
    wide, margin = widen(wide_person), wide_margin(wide_person.crops.shape[1])
    point = np.array((0.03, 2.0, -0.05))
    for own, widened in zip(wide_person.geometries, wide.geometries, strict=True):
        assert widened.camera.project(point) == pytest.approx(own.camera.project(point) + margin)
        assert (widened.camera.width, widened.camera.height) == wide.crops.shape[1:3]
    assert np.allclose(wide.landmarks[..., :2], wide_person.landmarks[..., :2] + margin)
    assert widen(wide_person) is wide  # prepared once


def test_labels_go_on_over_the_person_alone(wide_person):
    [inner], [wide] = wide_person.label_maps, widen(wide_person).label_maps
    pad = (len(wide) - len(inner)) // 2
    assert np.array_equal(wide[pad:-pad, pad:-pad], inner)
    ring = np.ones(wide.shape, bool)
    ring[pad:-pad, pad:-pad] = False
    assert set(np.unique(wide[ring])) <= {
        FaceLabel.BACKGROUND,
        FaceLabel.CLOTHES,
        FaceLabel.HAIR,
        FaceLabel.NECK,
    }
    assert (wide[-pad // 2] == FaceLabel.CLOTHES).mean() > 0.3
    assert (wide[pad // 2] == FaceLabel.BACKGROUND).all()


def test_a_photo_that_shows_more_and_one_that_does_not_go_together(photo, tmp_path):
    crop = default_analyser().analyse(A2).crop
    person = Identity.from_photos([photo, crop])
    assert len(person.wide_crops) == len(person.wide_mattes) == 2
    person.save(tmp_path / "person.safetensors")
    again = Identity.load(tmp_path / "person.safetensors")
    assert np.array_equal(again.wide_crops, person.wide_crops)
    assert np.array_equal(again.wide_mattes, person.wide_mattes)
    once_more = Identity.from_photos([again])
    assert np.array_equal(once_more.wide_crops, person.wide_crops)
    target = Target(expression="smile")
    assert np.array_equal(again.warp(target, 128), person.warp(target, 128))


def test_a_file_whose_wide_crops_do_not_fit_is_damaged(wide_person, tmp_path):
    torn = replace(wide_person, wide_crops=wide_person.wide_crops[:, 2:])
    torn.save(tmp_path / "torn.safetensors")
    with pytest.raises(IdentityError, match="wide_crops"):
        Identity.load(tmp_path / "torn.safetensors")

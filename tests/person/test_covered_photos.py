"""A mask before the face in one of a person's photos: left out, said, and kept with the identity."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hifi_portrait.errors import IdentityError
from hifi_portrait.faces import Face, analyse, load_image
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.person.choose_person import choose_person
from hifi_portrait.person.covered_faces import describe_odd_places
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.scene import Scene

PICTURES = Path(__file__).parents[1] / "pictures"
_MASK = (227, 132, 150, 152, 379, 361, 447, 6)
"""Landmarks along the upper edge of the cheeks, the jaw, and the bridge of the nose."""


def put_on_mask(photo: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    masked = photo.copy()
    outline = np.rint(landmarks[list(_MASK), :2]).astype(np.int32)
    cv2.fillPoly(masked, [outline], (150, 190, 225), cv2.LINE_AA)
    return masked


@pytest.fixture(scope="module")
def faces() -> tuple[Face, Face, Face]:
    """Two photos of a person, and the second with a mask."""
    first, second = (analyse(PICTURES / f"person_a_{number}.jpg") for number in (1, 2))
    masked = put_on_mask(load_image(PICTURES / "person_a_2.jpg"), second.landmarks)
    return first, second, replace(analyse(masked), source="masked.jpg", embedding=second.embedding)


@pytest.fixture(scope="module")
def covered(faces: tuple[Face, Face, Face]) -> Identity:
    first, _, masked = faces
    return Identity.from_faces([first, masked])


def test_clean_photos_of_a_person_are_not_covered(faces: tuple[Face, Face, Face]):
    both = Identity.from_faces(faces[:2])
    assert both.covered is None and both.notices == ()


def test_a_mask_is_said_and_left_out(covered: Identity, model: HeadModel):
    assert len(covered.notices) == 1
    assert covered.notices[0].startswith("masked.jpg: something covers the ")
    assert "the mouth" in covered.notices[0] and "from the other photos" in covered.notices[0]
    teeth, eyes = part_vertices(model, Part.UPPER_TEETH), np.concatenate(model.eye_vertices)
    assert covered.covered is not None
    assert covered.covered[1, teeth].mean() > 0.9 and covered.covered[1, eyes].mean() < 0.5
    assert covered.covered[0].max() == 0


def test_a_masked_photo_counts_less(covered: Identity, faces: tuple[Face, Face, Face]):
    assert covered.quality[0] == pytest.approx(faces[0].quality)
    assert covered.quality[1] < 0.5 * faces[1].quality


def test_a_single_masked_photo_is_a_warning(faces: tuple[Face, Face, Face]):
    alone = Identity.from_faces(faces[2:])
    assert "masked.jpg: something may cover the " in alone.notices[0]
    assert alone.covered is None
    assert Identity.from_faces(faces[1:2]).notices == ()


def test_a_masked_face_that_is_not_recognised_is_said_to_be_covered(faces: tuple[Face, Face, Face]):
    found = [[face] for face in (*faces[:2], replace(faces[2], embedding=-faces[2].embedding))]
    _, dropped, _ = choose_person(found, 0.915, None)
    assert [photo.source for photo in dropped] == ["masked.jpg"]
    assert "somebody else, or something covers the " in dropped[0].reason
    assert describe_odd_places(faces[1]) is None


def test_two_photos_that_are_told_apart_by_what_covers_one_say_so(faces: tuple[Face, Face, Face]):
    found = [[faces[0]], [replace(faces[2], embedding=-faces[2].embedding)]]
    with pytest.raises(IdentityError, match=r"Something may cover the .* in masked\.jpg: another photo"):
        choose_person(found, 0.915, None)
    strangers = [[faces[0]], [replace(faces[1], embedding=-faces[1].embedding)]]
    with pytest.raises(IdentityError, match=r"--face 0$"):
        choose_person(strangers, 0.915, None)


def test_what_is_covered_is_saved(covered: Identity, tmp_path: Path):
    covered.save(tmp_path / "a.safetensors")
    loaded = Identity.load(tmp_path / "a.safetensors")
    assert loaded.notices == covered.notices
    assert loaded.covered is not None and covered.covered is not None
    np.testing.assert_allclose(loaded.covered, covered.covered, atol=1 / 255)


def test_a_cover_in_a_photo_that_is_followed_or_redrawn_is_said(caplog: pytest.LogCaptureFixture):
    photo = load_image(PICTURES / "person_a_2.jpg")
    masked = put_on_mask(photo, analyse(photo).landmarks)
    for read, told in ((Target, "the expression there is a guess"), (Scene, "it is drawn over")):
        caplog.clear()
        read.from_photo(masked)
        assert re.search(f"something may cover .*the mouth.*: {told}", caplog.text)
        caplog.clear()
        read.from_photo(photo)
        assert caplog.text == ""

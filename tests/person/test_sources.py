"""What an identity is made of: photos, folders, saved identities, and groups of people."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from hifi_portrait.errors import IdentityError, ImageError, NoFaceError
from hifi_portrait.faces import analyse, load_image
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.scene import Scene

PICTURES = Path(__file__).parents[1] / "pictures"
A1, A2, B1, B2 = (PICTURES / f"person_{name}.jpg" for name in ("a_1", "a_2", "b_1", "b_2"))


@pytest.fixture(scope="module")
def identity() -> Identity:
    return Identity.from_photos([A1, A2])


@pytest.fixture(scope="module")
def couple(tmp_path_factory) -> list[Path]:
    """Two photos of the same two people; B stands nearer to the camera."""
    folder = tmp_path_factory.mktemp("couple")
    paths = []
    for number, (a, b) in enumerate([(A1, B1), (A2, B2)]):
        group = np.full((320, 560, 3), 120, np.uint8)
        group[60:260, 20:220] = cv2.resize(load_image(a), (200, 200), interpolation=cv2.INTER_AREA)
        group[10:310, 240:540] = cv2.resize(load_image(b), (300, 300), interpolation=cv2.INTER_CUBIC)
        paths.append(folder / f"couple_{number}.png")
        Image.fromarray(group).save(paths[-1])
    return paths


def is_person(identity: Identity, photo: Path) -> bool:
    return bool((identity.embeddings @ analyse(photo).direction > 0.93).all())


def test_photos_that_cannot_be_read_are_dropped_and_named(tmp_path, caplog):
    shutil.copy(A1, tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(A2.read_bytes()[:3000])
    (tmp_path / "c.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400))
    (tmp_path / "d.png").write_text("no picture")
    with caplog.at_level(logging.WARNING):
        found = Identity.from_photos(tmp_path)
    assert found.sources == (str(tmp_path / "a.jpg"),)
    assert [Path(photo.source).name for photo in found.dropped] == ["b.jpg", "c.heic", "d.png"]
    for name in ("b.jpg", "c.heic", "d.png"):
        assert f"{name} is not used: it cannot be read" in caplog.text


def test_what_else_a_folder_holds_is_named(tmp_path):
    shutil.copy(A1, tmp_path / "a.jpg")
    (tmp_path / "._a.jpg").write_bytes(b"x")
    (tmp_path / "trip").mkdir()
    dropped = Identity.from_photos(tmp_path).dropped
    assert [Path(photo.source).name for photo in dropped] == ["._a.jpg", "trip"]


def test_photos_none_of_which_can_be_read(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_text("no picture")
    with pytest.raises(ImageError, match=r"a\.jpg is not a picture"):
        Identity.from_photos(tmp_path)


def test_a_saved_identity_and_more_photos_are_one_person(identity, tmp_path):
    identity.save(tmp_path / "a.safetensors")
    more = tmp_path / "more.png"
    Image.open(A1).transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((600, 600)).save(more)
    both = Identity.from_photos([tmp_path / "a.safetensors", more])
    assert [Path(source).name for source in both.sources] == ["person_a_1.jpg", "person_a_2.jpg", "more.png"]
    assert both.crops.shape == (3, 512, 512, 3)
    assert len({geometry.identity.tobytes() for geometry in both.geometries}) == 1


def test_an_identity_in_memory_and_a_folder(identity, tmp_path):
    shutil.copy(A1, tmp_path / "a.jpg")
    assert len(Identity.from_photos([identity, tmp_path])) == 3
    np.testing.assert_allclose(Identity.from_photos(identity).identity, identity.identity, atol=1e-3)


def test_a_saved_identity_of_somebody_else_is_noticed(identity, tmp_path):
    identity.save(tmp_path / "a.safetensors")
    assert len(Identity.from_photos([tmp_path / "a.safetensors", B1]).dropped) == 1
    with pytest.raises(IdentityError, match="different people"):
        Identity.from_photos([identity, B1, B2])


def test_an_identity_prints_as_three_lines(identity):
    first, second, third = str(identity).splitlines()
    assert first == "Identity of 2 photos: person_a_1.jpg, person_a_2.jpg"
    assert "quality 0." in second and "256 pixels" in second
    assert third == "not used: none"
    assert len(repr(identity)) < 80


def test_two_people_in_every_photo_the_larger_is_taken_and_said(couple, caplog):
    with caplog.at_level(logging.WARNING):
        found = Identity.from_photos(couple)
    assert is_person(found, B1)
    assert "2 people are in as many photos each" in caplog.text
    assert found.notices == (caplog.messages[-1],)


@pytest.mark.parametrize(("face", "who"), [(0, B1), (1, A1)])
def test_a_face_is_chosen_in_group_photos(couple, face, who):
    found = Identity.from_photos(couple, face=face)
    assert is_person(found, who)
    assert found.notices == ()


@pytest.mark.parametrize("photos", [[0, A1], [A1, 0, 1], [0, A1, A2]])
def test_who_is_in_most_photos_is_taken_though_smaller(couple, photos):
    found = Identity.from_photos([couple[photo] if isinstance(photo, int) else photo for photo in photos])
    assert is_person(found, A1)
    assert len(found) == len(photos)
    assert "in most photos" in found.notices[0]


@pytest.mark.parametrize("face", [2, -1])
def test_a_face_that_is_not_there(couple, face):
    with pytest.raises(NoFaceError, match=f"face {face}"):
        Identity.from_photos(couple, face=face)


def test_notices_are_saved(couple, tmp_path):
    found = Identity.from_photos(couple)
    found.save(tmp_path / "a.safetensors")
    assert Identity.load(tmp_path / "a.safetensors").notices == found.notices


@pytest.mark.parametrize("read", [Target.from_photo, Scene.from_photo, analyse])
def test_that_a_picture_shows_several_people_is_said_unless_one_is_chosen(couple, caplog, read):
    read(couple[0])
    assert "shows 2 faces: the largest is taken" in caplog.text
    caplog.clear()
    read(couple[0], **{"index" if read is analyse else "face": 1})
    assert caplog.text == ""


def test_no_folder_is_saved_with_an_identity(couple, tmp_path):
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "half.jpg").write_bytes(A1.read_bytes()[:3000])
    (folder / "none.png").write_text("no picture")
    for number, photo in enumerate(couple):
        shutil.copy(photo, folder / f"c{number}.png")
    Identity.from_photos(folder).save(tmp_path / "who.safetensors")
    saved = (tmp_path / "who.safetensors").read_bytes()
    assert b"half.jpg" in saved and b"c0.png" in saved
    assert b"private" not in saved and str(tmp_path).encode() not in saved


@pytest.mark.parametrize("name", ["only.jpg", "only.png", "a.heic", "."])
def test_an_identity_is_not_saved_as_a_picture(identity, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    shutil.copy(A1, "only.jpg")
    with pytest.raises(IdentityError, match=r"saved as a \.safetensors file"):
        identity.save(name)
    assert Path("only.jpg").read_bytes() == A1.read_bytes()
    assert list(tmp_path.iterdir()) == [tmp_path / "only.jpg"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (A1.read_bytes(), "bytes are no photo"),
        (bytearray(b"x"), "bytes are no photo"),
        ("https://example.org/a.jpg", "is an address: download the photo"),
        (["http://example.org/a.jpg", A1], "is an address: download the photo"),
        ({A1}, "is not a photo"),
        ([None], "is not a photo"),
    ],
    ids=["bytes", "bytearray", "address", "addresses", "set", "none"],
)
def test_what_is_no_photo_is_refused_by_its_kind(given, message):
    with pytest.raises(ImageError, match=message):
        Identity.from_photos(given)

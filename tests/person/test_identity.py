from __future__ import annotations

import logging
import multiprocessing
import shutil
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

from hifi_portrait.errors import IdentityError, ImageError, NoFaceError
from hifi_portrait.faces import FaceLabel, analyse, default_analyser, load_image
from hifi_portrait.fitting import fit
from hifi_portrait.head import HeadPose
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.identity_file import FORMAT_VERSION
from hifi_portrait.person.target import Target

PICTURES = Path(__file__).parents[1] / "pictures"
A1, A2, B1, B2 = (PICTURES / f"person_{name}.jpg" for name in ("a_1", "a_2", "b_1", "b_2"))


@pytest.fixture(scope="module")
def identity() -> Identity:
    return Identity.from_photos([A1, A2])


@pytest.fixture
def saved(identity: Identity, tmp_path: Path) -> Path:
    path = tmp_path / "anna.safetensors"
    identity.save(path)
    return path


def _rewrite(
    path: Path, metadata: dict[str, str], drop: str | None = None, add: dict[str, np.ndarray] | None = None
) -> None:
    """The same file with some metadata changed, and perhaps one tensor less, or some more."""
    with safe_open(str(path), framework="numpy") as file:
        kept = {**file.metadata(), **metadata}
        tensors = {name: file.get_tensor(name) for name in file.keys() if name != drop}  # noqa: SIM118
    save_file(tensors | (add or {}), path, kept)


def test_shapes(identity: Identity) -> None:
    assert len(identity) == 2
    assert identity.sources == (str(A1), str(A2))
    assert identity.crops.shape == (2, 256, 256, 3)
    assert identity.mattes.shape == (2, 256, 256)
    assert identity.landmarks.shape == (2, 478, 3)
    assert identity.embeddings.shape == (2, 128)
    assert identity.quality.shape == (2,)
    assert identity.identity.shape == (80,)
    assert identity.dropped == identity.notices == ()


def test_one_shape_is_shared_by_all_photos(identity: Identity) -> None:
    for geometry in identity.geometries:
        np.testing.assert_array_equal(geometry.identity, identity.identity)


def test_the_fit_follows_the_landmarks(identity: Identity) -> None:
    assert fit(list(identity.landmarks), [(256, 256)] * 2).residuals.max() < 0.06
    assert identity.geometries[1].pose.yaw == pytest.approx(25, abs=5)


@pytest.fixture(scope="module")
def trusted() -> tuple[Identity, Identity]:
    """A person of two photos, of which the first or the second is far better than the other."""
    faces = analyse(A1), analyse(A2)
    first, second = (
        Identity.from_faces([replace(face, quality=q) for face, q in zip(faces, qualities, strict=True)])
        for qualities in ((1.0, 0.05), (0.05, 1.0))
    )
    return first, second


def test_the_better_photo_decides_more_of_the_heads_shape(trusted: tuple[Identity, Identity]) -> None:
    for photo, better, worse in ((A1, *trusted), (A2, *trusted[::-1])):
        alone = Identity.from_photos(photo).identity
        assert np.linalg.norm(better.identity - alone) < 0.8 * np.linalg.norm(worse.identity - alone)


def test_identities_cannot_be_written_to(identity: Identity) -> None:
    with pytest.raises(ValueError, match="read-only"):
        identity.crops[0] = 0


def test_one_photo_is_enough() -> None:
    assert len(Identity.from_photos(A1)) == 1


def test_a_folder_of_photos(tmp_path: Path) -> None:
    shutil.copy(A1, tmp_path)
    shutil.copy(A2, tmp_path)
    (tmp_path / "notes.txt").write_text("not a photo")
    assert len(Identity.from_photos(tmp_path)) == 2


def test_photos_in_memory() -> None:
    identity = Identity.from_photos([load_image(A1), Image.open(A2)])
    assert identity.sources[0] == "<array 256x256x3>"


def test_photos_of_different_sizes_get_one_crop_size(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.open(A1).resize((1000, 1000)).save(path)
    identity = Identity.from_photos([path, A2])
    assert identity.crops.shape == (2, 1024, 1024, 3)
    np.testing.assert_allclose(identity.geometries[1].camera.width, 1024)
    residuals = fit(list(identity.landmarks), [(1024, 1024)] * 2).residuals
    for landmarks, residual in zip(identity.landmarks, residuals, strict=True):
        assert 400 < np.ptp(landmarks[:, 1]) < 800 and residual < 0.06


def test_a_photo_of_somebody_else_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        identity = Identity.from_photos([A1, B1, A2])
    assert identity.sources == (str(A1), str(A2))
    (dropped,) = identity.dropped
    assert dropped.source == str(B1)
    assert "somebody else" in dropped.reason
    assert dropped.similarity is not None
    assert dropped.similarity < 0.9
    assert "person_b_1.jpg is not used" in caplog.text


def test_a_photo_without_a_face_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    Image.new("RGB", (200, 200), (90, 90, 90)).save(path)
    identity = Identity.from_photos([A1, path])
    assert [(photo.source, photo.similarity) for photo in identity.dropped] == [(str(path), None)]


def test_the_person_is_found_in_a_group_photo() -> None:
    group = np.full((300, 520, 3), 120, np.uint8)
    group[:, :300] = np.array(Image.open(B1).resize((300, 300)))
    group[40:260, 300:] = np.array(Image.open(A2).resize((220, 220)))
    identity = Identity.from_photos([A1, group, A2])
    assert len(identity) == 3
    assert (identity.embeddings @ analyse(A2).embedding > 0.93).all()


def test_two_people_in_one_photo_each_names_both_files() -> None:
    with pytest.raises(IdentityError, match=r"different people: .*person_a_1\.jpg and .*person_b_1\.jpg"):
        Identity.from_photos([A1, B1])


def test_all_photos_are_kept_where_that_is_asked_for() -> None:
    assert len(Identity.from_photos([A1, B1], keep_all=True)) == 2


def test_two_people_in_two_photos_each_is_a_tie() -> None:
    with pytest.raises(IdentityError, match="different people"):
        Identity.from_photos([A1, B1, A2, B2])


def test_no_usable_face_at_all(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    Image.new("RGB", (200, 200), (90, 90, 90)).save(path)
    with pytest.raises(NoFaceError, match=r"wall\.png"):
        Identity.from_photos([path])


def test_an_unreadable_photo_alone_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "half.jpg"
    path.write_bytes(A1.read_bytes()[:4000])
    with pytest.raises(ImageError, match=r"half\.jpg"):
        Identity.from_photos([path])


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="holds no photo"):
        Identity.from_photos(tmp_path)


def test_no_photos() -> None:
    with pytest.raises(IdentityError, match="at least one photo"):
        Identity.from_photos([])


def test_from_faces_gives_the_same_identity(identity: Identity) -> None:
    again = Identity.from_faces([analyse(A1), analyse(A2)])
    np.testing.assert_allclose(again.identity, identity.identity, atol=1e-3)


def test_saved_and_loaded_is_the_same(identity: Identity, saved: Path) -> None:
    loaded = Identity.load(saved)
    assert loaded.sources == (A1.name, A2.name)
    for field in fields(Identity):
        if field.name not in ("geometries", "sources"):
            np.testing.assert_array_equal(getattr(loaded, field.name), getattr(identity, field.name))
    for ours, theirs in zip(identity.geometries, loaded.geometries, strict=True):
        for name, value in ours.to_dict().items():
            np.testing.assert_array_equal(theirs.to_dict()[name], value)


def test_what_was_dropped_is_saved(tmp_path: Path) -> None:
    identity = Identity.from_photos([A1, A2, B1])
    identity.save(tmp_path / "a.safetensors")
    (dropped,) = Identity.load(tmp_path / "a.safetensors").dropped
    assert dropped == replace(identity.dropped[0], source=B1.name)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match=r"nobody\.safetensors does not exist"):
        Identity.load(tmp_path / "nobody.safetensors")


@pytest.mark.parametrize("kept", [0, 4, 100, 20000])
def test_a_truncated_file(saved: Path, kept: int) -> None:
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(IdentityError, match=r"anna\.safetensors is damaged"):
        Identity.load(saved)


def test_another_kind_of_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"weight": np.zeros(3, np.float32)}, path)
    with pytest.raises(IdentityError, match="not a saved identity"):
        Identity.load(path)


def test_a_file_of_the_first_format(identity: Identity, saved: Path) -> None:
    more = {"residuals": np.zeros(2, np.float32), "embedding": np.zeros(128, np.float32)}
    _rewrite(saved, {"version": "1"}, add=more)
    np.testing.assert_array_equal(Identity.load(saved).crops, identity.crops)


def test_label_maps_are_kept_and_a_file_without_them_is_read(identity: Identity, saved: Path) -> None:
    assert identity.label_maps is not None
    assert np.array_equal(Identity.load(saved).label_maps, identity.label_maps)
    _rewrite(saved, {}, drop="label_maps")
    assert Identity.load(saved).label_maps is None


def test_an_own_parsing_takes_the_place_of_the_networks() -> None:
    def all_hair(crop: np.ndarray, matte: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        assert crop.shape == (*matte.shape, 3) and landmarks.shape == (478, 3)
        return np.full((64, 64), FaceLabel.HAIR, np.uint8)

    own = Identity.from_photos(A1, analyser=replace(default_analyser(), parsing=all_hair))
    assert own.label_maps is not None and own.label_maps.shape == (1, 64, 64)
    assert (own.label_maps == FaceLabel.HAIR).all()


def test_label_maps_of_another_number_of_photos(identity: Identity, saved: Path) -> None:
    _rewrite(saved, {}, add={"label_maps": identity.label_maps[:1]})
    with pytest.raises(IdentityError, match="damaged identity"):
        Identity.load(saved)


def test_a_newer_format(saved: Path) -> None:
    _rewrite(saved, {"version": str(FORMAT_VERSION + 1)})
    with pytest.raises(IdentityError, match=r"newer release \(format 3; this one reads 2\)"):
        Identity.load(saved)


@pytest.mark.parametrize("missing", ["crops", "embeddings", "geometries.rotation", "geometries.camera"])
def test_a_missing_tensor(saved: Path, missing: str) -> None:
    _rewrite(saved, {}, drop=missing)
    with pytest.raises(IdentityError, match="damaged identity"):
        Identity.load(saved)


def test_a_wrong_number_of_sources(saved: Path) -> None:
    _rewrite(saved, {"sources": '["one.jpg"]'})
    with pytest.raises(IdentityError, match="damaged identity"):
        Identity.load(saved)


def test_of_80_saves_at_a_time_none_fails_and_the_file_is_whole(identity: Identity, tmp_path: Path) -> None:
    path = tmp_path / "person.safetensors"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: identity.save(path), range(80)))
    assert list(tmp_path.iterdir()) == [path]
    assert np.array_equal(Identity.load(path).crops, identity.crops)


def test_a_best_look_is_for_targets(identity: Identity) -> None:
    with pytest.raises(TypeError, match="`targets` must be a list of Target, but has 'a'"):
        identity.best_look("ab")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["quality", "embeddings", "landmarks", "identity", "geometries.gaze"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_a_tensor_with_numbers_that_are_none(saved: Path, name: str, value: float) -> None:
    _put_number(saved, name, value)
    with pytest.raises(IdentityError, match=rf"damaged identity.*{name}"):
        Identity.load(saved)


@pytest.mark.parametrize(("name", "value"), [("geometries.rotation", 0.5), ("geometries.translation", -1.0)])
def test_a_head_that_cannot_be(saved: Path, name: str, value: float) -> None:
    _put_number(saved, name, value)
    with pytest.raises(IdentityError, match=rf"damaged identity.*{name}"):
        Identity.load(saved)


def _put_number(saved: Path, name: str, value: float) -> None:
    """Put another number into the first entries of a tensor of a saved identity."""
    with safe_open(str(saved), framework="numpy") as file:
        changed = file.get_tensor(name).copy()
    changed.reshape(-1)[:2] = value
    _rewrite(saved, {}, add={name: changed})


def test_processes_save_and_load_one_file_at_a_time(identity: Identity, tmp_path: Path) -> None:
    path = tmp_path / "person.safetensors"
    identity.save(path)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        saves = [pool.submit(identity.save, path) for _ in range(10)]
        loaded = [Identity.load(path) for _ in range(10)]
        assert [save.result() for save in saves] == [None] * 10
    assert all(np.array_equal(person.crops, identity.crops) for person in loaded)
    assert list(tmp_path.iterdir()) == [path]


def test_saving_where_there_is_no_folder(identity: Identity, tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="cannot be written"):
        identity.save(tmp_path / "nowhere" / "a.safetensors")


def test_the_warp_shows_the_person_in_the_wished_pose(identity: Identity) -> None:
    picture = identity.warp(Target("smile", HeadPose(yaw=12)), 320)
    assert (picture.shape, picture.dtype) == ((320, 320, 3), np.uint8)
    shown = Identity.from_photos(picture)
    assert shown.geometries[0].pose.yaw == pytest.approx(12, abs=6)
    mean = identity.embeddings.mean(0)
    assert shown.embeddings[0] @ mean > 0.92 * np.linalg.norm(mean)

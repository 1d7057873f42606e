import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from hifi_portrait.dataset.format import IDDataset, IDDatasetWriter, PhotoAnalysis
from hifi_portrait.errors import DatasetError
from hifi_portrait.faces.geometry import transform_points
from hifi_portrait.models.latents import encode_picture
from hifi_portrait.training.data.prepare import crop_geometry, prepare, square_transform
from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.data.text import CaptionedPhotos
from hifi_portrait.training.data.tokenizer import save_tokenizers, train_tokenizer
from hifi_portrait.training.objectives.sheets import to_tensor
from painted_heads import geometry


def test_every_usable_photo_is_there_in_order(prepared, id_data):
    records = list(IDDataset(id_data))
    assert prepared.captions == [record.caption for record in records]
    for index, record in enumerate(records):
        np.testing.assert_array_equal(prepared.arrays["crops"][index], record.pixels())


def test_geometry_of_fit_and_truth_comes_back(prepared, id_data):
    record = IDDataset(id_data)[4]
    for kind, wanted in (("fit", record.analysis.fit), ("truth", record.truth)):
        found = prepared.geometry(4, kind)
        np.testing.assert_allclose(found.expression, wanted.expression)
        np.testing.assert_allclose(found.rotation, wanted.rotation)
        assert found.camera.focal == pytest.approx(wanted.camera.focal, rel=1e-6)


def test_landmarks_come_with_the_heads_that_were_fitted_to_them(prepared, id_data):
    record = IDDataset(id_data)[4]
    wanted = transform_points(record.analysis.landmarks, square_transform(record, prepared.size))[:, :2]
    np.testing.assert_allclose(prepared.references([4], ["fit"]).landmarks[0], wanted, rtol=1e-5)
    mixed = prepared.references([4, 5], ["truth", "fit"]).landmarks
    assert np.isnan(mixed[0]).all() and np.isfinite(mixed[1]).all()


def test_latents_are_the_scaled_latents_of_the_crops(prepared, vae_folder):
    vae = AutoencoderKL.from_pretrained(vae_folder)
    wanted = encode_picture(vae, to_tensor(np.array(prepared.arrays["crops"][2]))[None])[0]
    torch.testing.assert_close(prepared.latents(2), wanted, atol=0.03, rtol=0.03)


def test_mirror_images_have_latents_of_their_own(id_data, vae_folder, tmp_path):
    folder = tmp_path / "prepared"
    prepared = prepare(id_data, folder, model_size="tiny", vae=vae_folder, mirrored=True, workers=1)
    flipped = np.array(prepared.arrays["crops"][2])[:, ::-1].copy()
    wanted = encode_picture(AutoencoderKL.from_pretrained(vae_folder), to_tensor(flipped)[None])[0]
    torch.testing.assert_close(prepared.latents(2, mirrored=True), wanted, atol=0.03, rtol=0.03)
    photos = CaptionedPhotos(folder, 0.0, seed=0, stream=0, mirrored_share=0.5)
    kinds = []
    for index in range(40):
        sample = photos.sample(index)
        same = [
            torch.equal(sample["latents"], prepared.latents(int(sample["photo"]), mirrored=mirrored))
            for mirrored in (False, True)
        ]
        assert sum(same) == 1
        kinds.append(same[1])
    assert 10 < sum(kinds) < 30


def test_captions_that_tell_sides_keep_their_photos_as_they_are(id_data, vae_folder, tmp_path):
    told = [replace(photo, caption=f"a man, {photo.photo_id} Left") for photo in IDDataset(id_data)[:3]]
    with IDDatasetWriter(tmp_path / "data") as dataset:
        dataset.add("person-0", told)
    folder = tmp_path / "prepared"
    prepared = prepare(tmp_path / "data", folder, model_size="tiny", vae=vae_folder, mirrored=True, workers=1)
    photos = CaptionedPhotos(folder, 0.0, seed=0, stream=0, mirrored_share=1.0)
    for index in range(3):
        sample = photos.sample(index)
        assert torch.equal(sample["latents"], prepared.latents(int(sample["photo"])))


def test_mirror_images_that_are_not_there_are_asked_for(id_data, prepared, tmp_path):
    with pytest.raises(DatasetError, match="has no mirrored: prepare it again"):
        CaptionedPhotos(prepared.folder, 0.0, seed=0, stream=0, mirrored_share=1.0).sample(0)
    with pytest.raises(DatasetError, match="give an autoencoder"):
        prepare(id_data, tmp_path / "prepared", model_size="tiny", mirrored=True)


def test_identities_group_their_own_photos(prepared):
    groups = prepared.identities("train")
    assert [list(group) for group in groups] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


@pytest.mark.parametrize("misread", ["upside down", "beside it"])
def test_photos_whose_face_is_not_the_true_one_are_left_out(id_data, tmp_path, misread, monkeypatch):
    held_out = {"person-1": "test"}
    monkeypatch.setattr("hifi_portrait.training.data.prepare.split_of", lambda name: held_out.get(name, name))
    monkeypatch.setattr("hifi_portrait.training.data.prepare.SPLITS", ("person-0", "test"))
    photos = list(IDDataset(id_data)[:3])
    transform = np.diag([-1.0, -1, 1]) if misread == "upside down" else np.eye(3)
    transform[:2, 2] = photos[1].analysis.crop_size if misread == "upside down" else (12, 0)
    found = replace(photos[1].analysis, crop_transform=transform)
    with IDDatasetWriter(tmp_path / "data") as dataset:
        dataset.add("person-0", [photos[0], replace(photos[1], analysis=found), photos[2]])
        dataset.add("person-1", [replace(photos[1], identity_id="person-1", analysis=found, truth=None)])
    folder = prepare(tmp_path / "data", tmp_path / "prepared", model_size="tiny", workers=1)
    assert folder.captions == [photo.caption for photo in (photos[0], photos[2], photos[1])]
    assert folder.arrays["split"].tolist() == [0, 0, 1]


def test_crops_and_heads_can_be_smaller_than_the_model(id_data, prepared, vae_folder, tmp_path):
    half = prepared.size // 2
    small = prepare(
        id_data, tmp_path / "small", model_size="tiny", image_size=half, vae=vae_folder, workers=1
    )
    assert small.size == half and small.arrays["crops"].shape[1:] == (half, half, 3)
    assert small.latents(0).shape[-1] == prepared.latents(0).shape[-1] // 2
    assert small.geometry(0, "fit").camera.focal == pytest.approx(
        prepared.geometry(0, "fit").camera.focal / 2, rel=1e-5
    )
    shrunk = cv2.resize(np.array(prepared.arrays["crops"][0]), (half, half), interpolation=cv2.INTER_AREA)
    assert np.abs(np.array(small.arrays["crops"][0], float) - shrunk).mean() < 3


def test_a_folder_keeps_to_the_side_it_was_begun_with(id_data, prepared, tmp_path):
    with pytest.raises(
        DatasetError, match=rf"holds crops of {prepared.size} pixels, not {prepared.size * 2}"
    ):
        prepare(id_data, prepared.folder, model_size="tiny", image_size=prepared.size * 2)
    with pytest.raises(DatasetError, match="crops of 100x100 do not do"):
        prepare(id_data, tmp_path / "odd", model_size="tiny", image_size=100)


def test_photos_without_a_face_are_left_out(id_data, tmp_path):
    photos = [replace(photo) for photo in IDDataset(id_data)[:3]]
    photos[1] = replace(photos[1], analysis=PhotoAnalysis(found=False, reason="no face was found"))
    with IDDatasetWriter(tmp_path / "data") as dataset:
        dataset.add("person-0", photos)
    folder = prepare(tmp_path / "data", tmp_path / "prepared", model_size="tiny", workers=1)
    assert folder.captions == [photos[0].caption, photos[2].caption]


def test_an_interrupted_preparation_goes_on(prepared, id_data):
    header = json.loads((prepared.folder / "prepared.json").read_text())
    (prepared.folder / "prepared.json").write_text(json.dumps(header | {"complete": False}))
    with pytest.raises(DatasetError, match="not completely prepared"):
        Prepared(prepared.folder)
    assert len(prepare(id_data, prepared.folder, model_size="tiny", workers=1)) == 9


def test_a_folder_that_is_not_prepared_is_named(tmp_path):
    with pytest.raises(DatasetError, match=str(tmp_path)):
        Prepared(tmp_path)


def test_crop_geometry_projects_where_the_crop_shows_it():
    head = geometry(10, size=200)
    transform = np.array([[0.5, 0, -7], [0, 0.5, 4], [0, 0, 1]])
    point = np.array([[0.05, 1.5, -0.03]])
    in_photo = head.camera.project(point)[0]
    in_crop = crop_geometry(head, transform, 64).camera.project(point)[0]
    np.testing.assert_allclose(in_crop, transform[:2, :2] @ in_photo + transform[:2, 2])


def test_a_given_tokenizer_is_taken(prepared, id_data, tmp_path):
    larger = train_tokenizer(prepared.captions, 540)
    save_tokenizers(larger, tmp_path / "pipeline")
    given = prepare(
        id_data, tmp_path / "given", model_size="tiny", tokenizer=tmp_path / "pipeline", workers=1
    )
    assert given.tokenizer().get_vocab() == larger.get_vocab() != prepared.tokenizer().get_vocab()
    with pytest.raises(DatasetError, match="no tokenizer in"):
        prepare(id_data, tmp_path / "none", model_size="tiny", tokenizer=tmp_path, workers=1)

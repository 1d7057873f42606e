"""Targets of other shapes: how photos are sorted, what is encoded, and batches of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hifi_objectives import batch_of, gradients, hifi
from hifi_portrait.dataset.format import IDDataset, IDDatasetWriter, PhotoRecord
from hifi_portrait.errors import DatasetError
from hifi_portrait.head import HeadModel
from hifi_portrait.training.data.buckets import Buckets, choose_shape
from hifi_portrait.training.data.encode import LatentEncoder
from hifi_portrait.training.data.prepare import prepare
from hifi_portrait.training.objectives.hifi.config import HiFiDataConfig

SHAPES = [(64, 64), (96, 64), (64, 96)]
MARGINS = ((0, 0), (16, 0), (0, 16))  # above and below, left and right, of each person's photos


def widened(photo, above, aside):
    """The photo with more about it: noise, so that where it was cut can be told."""
    rng = np.random.default_rng(int(photo.photo_id))
    pixels = photo.pixels()
    height, width = pixels.shape[:2]
    wide = rng.integers(0, 256, (height + 2 * above, width + 2 * aside, 3), dtype=np.uint8)
    wide[above : above + height, aside : aside + width] = pixels
    transform = np.array([[1, 0, -aside], [0, 1, -above], [0, 0, 1]], float)
    landmarks = photo.analysis.landmarks + np.array([aside, above, 0], np.float32)
    analysis = replace(photo.analysis, crop_transform=transform, landmarks=landmarks)
    camera = photo.truth.camera
    truth = photo.truth.replace(
        camera=replace(
            camera,
            cx=camera.cx + aside,
            cy=camera.cy + above,
            width=wide.shape[1],
            height=wide.shape[0],
        )
    )
    known = {"photo_id": photo.photo_id, "identity_id": photo.identity_id, "caption": photo.caption}
    return PhotoRecord.from_pixels(wide, **known, analysis=analysis, truth=truth)


@pytest.fixture(scope="module")
def shaped_data(id_data, tmp_path_factory):
    """Three people: one in square photos, one in tall and one in wide ones."""
    photos, folder = IDDataset(id_data), tmp_path_factory.mktemp("shaped")
    with IDDatasetWriter(folder) as dataset:
        for (name, group), margins in zip(photos.identities.items(), MARGINS, strict=True):
            dataset.add(name, [widened(photos[index], *margins) for index in group])
    return folder


@pytest.fixture(scope="module")
def shaped(shaped_data, vae_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("buckets")
    options = {"model_size": "tiny", "vae": vae_folder, "workers": 1}
    return prepare(shaped_data, out, buckets=SHAPES[1:], **options)


def test_photos_are_sorted_by_what_they_show(shaped):
    buckets = Buckets(shaped)
    assert buckets.shapes == SHAPES
    assert buckets.of_photo.tolist() == [0] * 3 + [1] * 3 + [2] * 3


@pytest.mark.parametrize(
    ("extent", "left", "top", "expected"),
    [
        ((64, 64), 0, 0, 0),
        ((64, 96), 0, 16, 1),
        ((64, 96), 0, 32, 0),  # nothing below: a tall target would show what is not there
        ((96, 64), 16, 0, 2),
        ((96, 96), 16, 16, 0),  # all three fit; the square is the most alike
        ((96, 120), 16, 28, 1),
    ],
)
def test_the_shape_nearest_to_the_photo_that_it_fills_is_taken(extent, left, top, expected):
    transform = np.array([[1.0, 0, -left], [0, 1, -top], [0, 0, 1]])
    assert choose_shape(extent, transform, SHAPES) == expected


@pytest.mark.parametrize("person", [1, 2])
def test_targets_are_latents_of_the_photo_beyond_the_crop(shaped, shaped_data, person):
    """Photos here are as large as their shape, so that nothing is cut off and nothing made up."""
    buckets, photo = Buckets(shaped), 3 * person + 1
    pixels = IDDataset(shaped_data)[photo].pixels()
    encoded = LatentEncoder(shaped.folder)(pixels[None])[0]
    torch.testing.assert_close(buckets.latents(photo), torch.from_numpy(encoded).float(), atol=1e-2, rtol=0)
    assert torch.equal(buckets.latents(0), shaped.latents(0))


@pytest.mark.parametrize("photo", [1, 4, 7])
def test_heads_stand_where_the_target_shows_them(shaped, shaped_data, photo):
    truth, buckets = IDDataset(shaped_data)[photo].truth, Buckets(shaped)
    found = buckets.geometry(photo, shaped.geometry(photo, "truth"))
    height, width = buckets.shapes[buckets.of_photo[photo]]
    assert (found.camera.width, found.camera.height) == (width, height)
    model = HeadModel.load()
    places = [each.camera.project(model.posed(each)) for each in (truth, found)]
    np.testing.assert_allclose(places[1], places[0], atol=0.01)


def objective(shaped, base_folder, **changes):
    data = HiFiDataConfig(buckets=True, equal_counts=2, face_dropout=0.0, **changes)
    return hifi(shaped, base_folder, data=data)


def test_a_batch_is_of_one_shape_and_all_shapes_come(shaped, base_folder):
    learning, shapes = objective(shaped, base_folder), set()
    for start in range(0, 16, 2):
        batch = batch_of(learning, (start, start + 1))
        height, width = batch["faces"].landmark.shape[-2:]
        assert batch["latents"].shape[-2:] == (height // 8, width // 8)
        assert batch["faces"].warp.shape[-2:] == (height, width)
        shapes.add((height, width))
    assert shapes == set(SHAPES)


def test_every_shape_teaches(shaped, base_folder):
    learning, taught = objective(shaped, base_folder), set()
    for start in range(0, 16, 2):
        batch = batch_of(learning, (start, start + 1))
        shape = tuple(batch["faces"].landmark.shape[-2:])
        if shape not in taught:
            learning.zero_grad()
            assert gradients(learning, batch)["hifi_net"]
            taught.add(shape)
    assert taught == set(SHAPES)
    assert learning.sheet().shape[2] == 3


def test_sdxl_is_told_the_shape(shaped, base_folder, monkeypatch):
    learning, told = objective(shaped, base_folder), []
    unet = learning.part("unet")
    draw = unet.forward

    def heard(*arguments, added_cond_kwargs, **others):
        told.append(added_cond_kwargs["time_ids"][0].tolist())
        return draw(*arguments, added_cond_kwargs=added_cond_kwargs, **others)

    monkeypatch.setattr(unet, "forward", heard)
    batch = batch_of(learning, (0, 1))
    learning(batch)
    height, width = batch["faces"].landmark.shape[-2:]
    assert told == [[height, width, 0, 0, height, width]]


def test_batches_across_runs_of_a_shape_are_refused(shaped, base_folder):
    with pytest.raises(DatasetError, match=r"equal_counts to a multiple of trainer\.batch_size"):
        batch_of(objective(shaped, base_folder), range(16))


def test_losses_on_pictures_have_no_buckets(shaped, base_folder):
    with pytest.raises(DatasetError, match="regraded_share"):
        objective(shaped, base_folder, regraded_share=0.5)


def test_missing_buckets_are_asked_for(prepared, base_folder):
    with pytest.raises(DatasetError, match="--buckets"):
        objective(prepared, base_folder)


def test_sides_that_networks_cannot_halve_are_refused(id_data, tmp_path):
    with pytest.raises(DatasetError, match="72x64 do not do: sides must be multiples of 32"):
        prepare(id_data, tmp_path, model_size="tiny", buckets=[(72, 64)], workers=1)
    assert not list(tmp_path.iterdir())

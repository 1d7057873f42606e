import numpy as np
import pytest
import torch

from hifi_portrait.errors import DatasetError, ModelError
from hifi_portrait.faces import FaceLabel
from hifi_portrait.faces.parsing_inputs import CHANNELS, PARSING_SIZE
from hifi_portrait.training.data.labelled_photos import LabelledPhotos, write_labelled_photos
from hifi_portrait.training.data.occluders import occlude
from hifi_portrait.training.data.parsing_augment import ParsingAugmentation, augment, frame
from hifi_portrait.training.objectives.face_parsing import (
    FaceParsingConfig,
    FaceParsingObjective,
    overlap_loss,
)


@pytest.fixture(scope="module")
def photos(labelled_folder) -> LabelledPhotos:
    return LabelledPhotos(labelled_folder)


def test_photos_are_read_as_they_were_rendered(photos):
    assert len(photos) == 4
    photo = photos[3]
    assert photo.image.shape == (64, 64, 3) and photo.labels.shape == photo.matte.shape == (64, 64)
    nose = photo.landmarks[1, :2].astype(int)
    assert photo.labels[nose[1], nose[0]] in (FaceLabel.SKIN, FaceLabel.BEARD)
    assert photo.matte[nose[1], nose[0]] > 0.9


def test_finished_shards_are_kept(labelled_folder):
    before = {file: file.stat().st_mtime_ns for file in labelled_folder.iterdir()}
    write_labelled_photos(labelled_folder, 2, 2, 64, seed=50, per_shard=1)
    assert {file: file.stat().st_mtime_ns for file in labelled_folder.iterdir()} == before


def test_a_folder_without_shards_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="render_labelled_people"):
        LabelledPhotos(tmp_path)


def test_a_framed_photo_has_its_face_where_crops_have_it(photos):
    framed = frame(photos[0])
    assert framed.image.shape == (PARSING_SIZE, PARSING_SIZE, 3)
    assert np.abs(framed.landmarks[1, :2] / PARSING_SIZE - 0.5).max() < 0.12


def test_a_changed_photo_is_the_same_each_time_and_stays_aligned(photos):
    settings = ParsingAugmentation(occluded=0, locks=0)
    first, again = (augment(photos[1], settings, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first.image, again.image) and np.array_equal(first.matte, again.matte)
    for seed in range(6):
        photo = augment(photos[1], settings, np.random.default_rng(seed))
        column, row = photo.landmarks[[13, 14], :2].mean(axis=0).astype(int)  # between the lips
        assert FaceLabel.MOUTH in photo.labels[row - 2 : row + 3, column - 2 : column + 3]


def test_occluders_are_labelled_where_they_change_the_picture(photos):
    framed = frame(photos[0])
    for seed in range(12):
        image = framed.image.astype(np.float32)
        changed, labels, _ = occlude(
            image, framed.labels, framed.matte, framed.landmarks[:, :2], np.random.default_rng(seed)
        )
        new = labels != framed.labels
        assert set(np.unique(labels[new])) <= {FaceLabel.OCCLUDER, FaceLabel.GLASSES}
        assert new.any()
        untouched = np.abs(changed - image).max(axis=2) == 0
        assert not (new & untouched).all() and untouched.any()


def test_the_overlap_loss_is_nought_for_the_truth_and_near_one_for_its_contrary():
    target = torch.tensor([[[0, 1], [1, 1]]])
    right = torch.nn.functional.one_hot(target, 2).permute(0, 3, 1, 2).float() * 200 - 100
    assert float(overlap_loss(right, target)) == pytest.approx(0, abs=1e-3)
    assert float(overlap_loss(-right, target)) > 0.6


def test_samples_are_inputs_and_labels(labelled_folder):
    objective = FaceParsingObjective(FaceParsingConfig(held_out=2), labelled_folder)
    sample = objective.sample(7)
    assert sample["inputs"].shape == (CHANNELS, PARSING_SIZE, PARSING_SIZE)
    assert sample["labels"].shape == (PARSING_SIZE, PARSING_SIZE)
    assert torch.equal(sample["inputs"], objective.sample(7)["inputs"])


def test_weights_of_a_run_are_the_first_of_another(labelled_folder, tmp_path):
    first = FaceParsingObjective(FaceParsingConfig(held_out=2), labelled_folder, seed=5)
    first.save_parts(tmp_path)
    second = FaceParsingObjective(FaceParsingConfig(held_out=2, init_from=str(tmp_path)), labelled_folder)
    for name, value in first.part("parsing").state_dict().items():
        assert torch.allclose(value.float(), second.part("parsing").state_dict()[name].float(), atol=1e-3)
    with pytest.raises(ModelError, match=r"parsing\.safetensors"):
        FaceParsingObjective(FaceParsingConfig(init_from=str(labelled_folder)), labelled_folder)

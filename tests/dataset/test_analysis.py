from pathlib import Path

import numpy as np
import pytest

from hifi_portrait.dataset.analysis import analyse_dataset, analyse_photos
from hifi_portrait.dataset.format import IDDataset, IDDatasetWriter, PhotoRecord

PICTURES = Path(__file__).parents[1] / "pictures"


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    """A data set of two people and a photo without a face, analysed."""
    folder = tmp_path_factory.mktemp("data")
    blank = np.full((256, 256, 3), 90, np.uint8)
    with IDDatasetWriter(folder, shard_photos=2) as dataset:
        for person in "ab":
            files = sorted(PICTURES.glob(f"person_{person}_*.jpg"))
            photos = [
                PhotoRecord(identity_id=person, photo_id=str(n), image=file.read_bytes())
                for n, file in enumerate(files)
            ]
            if person == "b":
                photos.append(PhotoRecord.from_pixels(blank, identity_id="b", photo_id="blank"))
            dataset.add(person, photos)
    assert analyse_dataset(folder) == 5
    return folder


def test_every_photo_is_analysed(analysed):
    found = {(r.identity_id, r.photo_id): r.analysis.found for r in IDDataset(analysed)}
    assert found == {
        ("a", "0"): True,
        ("a", "1"): True,
        ("b", "0"): True,
        ("b", "1"): True,
        ("b", "blank"): False,
    }


def test_photos_of_one_person_share_the_fitted_identity(analysed):
    first, second, other = (IDDataset(analysed)[i].analysis.fit.identity for i in (0, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_second_run_has_nothing_to_do(analysed):
    assert analyse_dataset(analysed) == 0


def test_only_missing_shards_are_analysed(analysed):
    table = sorted((analysed / "analysis").glob("*.parquet"))[0]
    table.unlink()
    assert analyse_dataset(analysed) == 2
    assert table.exists()


def test_person_without_a_usable_photo_has_reasons_only():
    results = analyse_photos([np.zeros((128, 128, 3), np.uint8)])
    assert [(r.found, r.reason) for r in results] == [(False, "no face was found")]

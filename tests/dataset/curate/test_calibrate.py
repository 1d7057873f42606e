"""Thresholds that are chosen on people made of numbers."""

from pathlib import Path

import numpy as np
import pytest

from hifi_portrait.dataset.calibrate import calibrate, read_people
from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.curate.grouping import GroupingOptions, group_faces
from hifi_portrait.errors import DatasetError

WIDTH = 16


def people(seed: int, count: int = 60, photos: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Vectors whose scatter is large in some directions, where it says nothing of who it is."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(count), photos)
    centres = rng.normal(size=(count, WIDTH))
    spread = np.where(np.arange(WIDTH) < 4, 0.8, 0.2)
    vectors = centres[truth] + spread * rng.normal(size=(count * photos, WIDTH))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return calibrate(*people(1), "numbers", "people of numbers")


def test_plain_thresholds_have_the_rates_that_they_stand_for(calibration: Calibration):
    vectors, truth = people(1)
    impostors = (vectors @ vectors.T)[truth[:, None] != truth]
    assert (impostors > calibration.plain_strict).mean() == pytest.approx(0.0014, rel=0.1)
    assert calibration.false_match_rate == 0.0014
    assert calibration.folder_plain < calibration.plain_guard < calibration.plain_strict
    assert calibration.ratio_balanced <= calibration.ratio_strict
    assert calibration.faces == 360 and calibration.doubling > 0


def test_other_people_are_grouped_as_purely_as_calibrated_ones(calibration: Calibration):
    vectors, truth = people(2)
    person = group_faces(
        vectors, np.arange(len(vectors)), [""] * len(vectors), calibration, GroupingOptions()
    ).person
    kept = person >= 0
    counts = np.zeros((person.max() + 1, truth.max() + 1), np.int64)
    np.add.at(counts, (person[kept], truth[kept]), 1)
    assert kept.mean() > 0.7
    assert 1 - counts.max(axis=1).sum() / kept.sum() < 0.02


def test_a_calibration_is_kept_in_a_file(calibration: Calibration, tmp_path: Path):
    calibration.save(tmp_path / "mine.json")
    assert Calibration.load(tmp_path / "mine.json") == calibration
    (tmp_path / "mine.json").write_text('{"recogniser": "numbers"}')
    with pytest.raises(DatasetError, match=r"mine\.json is no calibration.*plain_strict"):
        Calibration.load(tmp_path / "mine.json")
    with pytest.raises(DatasetError, match="no calibration of the recogniser 'nobody'"):
        Calibration.of("nobody")


@pytest.mark.slow
def test_a_set_of_named_folders_is_calibrated_on(built: Path, tmp_path: Path):
    vectors, truth, recogniser = read_people(built)
    assert (len(vectors), recogniser) == (5, "dlib")  # a copy is there too
    assert sorted(np.bincount(truth)) == [2, 3]
    with pytest.raises(DatasetError, match="no data set"):
        read_people(tmp_path)

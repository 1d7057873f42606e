"""Scorers are found by their files; what is missing is said."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.evaluation.scorers import ScorerSet


def test_without_a_folder_every_scorer_is_left_out_with_the_reason():
    scorers = ScorerSet.load(None)
    assert scorers.readers == []
    assert len(scorers.skipped) == 3
    assert all("no folder of scoring weights was given" in reason for reason in scorers.skipped)


def test_an_empty_folder_names_the_files_it_lacks(tmp_path):
    assert any("face_landmarker.task" in reason for reason in ScorerSet.load(tmp_path).skipped)


@pytest.mark.scoring
def test_a_grey_picture_has_no_face_but_features(scoring_dir):
    reading = ScorerSet.load(scoring_dir).read(np.full((256, 256, 3), 128, np.uint8))
    assert reading.embedding is None
    assert reading.pose is None
    assert reading.features.shape == (1280,)


@pytest.mark.scoring
def test_a_smiling_photo_is_read_as_smiling(scoring_dir, photos_dir):
    from hifi_portrait.faces import load_image

    scorers = ScorerSet.load(scoring_dir)
    person = sorted(path for path in photos_dir.iterdir() if path.is_dir())[0]
    smiles = {path.stem: scorers.read(load_image(path)).smile for path in person.glob("*.jpg")}
    assert smiles["smiling"] > smiles["neutral"] + 0.3

"""Scorers are found by their files; what is missing is said."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.evaluation.metrics import cosine_similarity
from hifi_portrait.evaluation.scorers.recognisers import FACERES, SFACE, align
from hifi_portrait.evaluation.scorers.scorers import ScorerSet
from hifi_portrait.faces import load_image


def test_without_a_folder_every_scorer_is_left_out_with_the_reason():
    scorers = ScorerSet.load(None)
    assert scorers.readers == []
    assert len(scorers.skipped) == 4
    assert all("no folder of scoring weights was given" in reason for reason in scorers.skipped)


def test_an_empty_folder_names_the_files_it_lacks_and_their_source(tmp_path):
    skipped = ScorerSet.load(tmp_path).skipped
    assert any("face_landmarker.task" in reason for reason in skipped)
    assert any("faceres.bin" in reason and "@vladmandic/human" in reason for reason in skipped)


def test_align_puts_the_points_where_they_are_wanted():
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[10, 20], picture[30, 20] = (255, 0, 0), (0, 255, 0)  # above each other, to be side by side
    crop = align(picture, np.array([(20.0, 10), (20, 30)]), np.array([(5.0, 8), (15, 8)]), 20)
    assert crop[8, 5, 0] == crop[8, 15, 1] == 255


@pytest.mark.scoring
def test_a_grey_picture_has_no_face_but_features(scoring_dir):
    reading = ScorerSet.load(scoring_dir).read(np.full((256, 256, 3), 128, np.uint8))
    assert (reading.embeddings, reading.signs, reading.face_score) == ({}, {}, None)
    assert reading.features.shape == (1280,)


@pytest.mark.scoring
def test_a_smiling_photo_is_read_as_smiling_and_as_the_same_person(scoring_dir, photos_dir):
    scorers = ScorerSet.load(scoring_dir)
    anna, other = sorted(path for path in photos_dir.iterdir() if path.is_dir())[:2]
    neutral, smiling = (scorers.read(load_image(anna / f"{name}.jpg")) for name in ("neutral", "smiling"))
    stranger = scorers.read(load_image(other / "neutral.jpg"))
    assert smiling.signs["smile"][0] > neutral.signs["smile"][0] + 0.3
    assert set(neutral.embeddings) == {SFACE, FACERES}
    for name, embedding in neutral.embeddings.items():
        own, wrong = (cosine_similarity(embedding, r.embeddings[name]) for r in (smiling, stranger))
        assert own > wrong + 0.2

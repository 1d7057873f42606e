"""From readings to a row's figures, on readings small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.evaluation.ruler import PoseRuler
from hifi_portrait.evaluation.scorers import Reading
from hifi_portrait.evaluation.summary import (
    EMBEDDING_SIZE,
    Wished,
    embeddings,
    gallery_of,
    leave_one_out,
    own_and_all,
    summarise,
)


def unit(axis: int) -> np.ndarray:
    return np.eye(EMBEDDING_SIZE)[axis]


def seen(embedding, **values) -> Reading:
    return Reading(embedding=np.asarray(embedding, dtype=float), **values)


def test_a_person_is_the_mean_of_their_unit_embeddings():
    gallery = gallery_of([[seen(2 * unit(0)), seen(unit(1)), Reading()]])
    np.testing.assert_allclose(gallery, [(unit(0) + unit(1)) / 2])


def test_identity_figures_count_a_missing_face_as_similarity_zero_and_not_recognised():
    gallery = np.array([unit(0), unit(1)])
    readings = [[seen(unit(0)), Reading()], [seen(unit(1)), seen(unit(0))]]
    row = summarise("row", readings, own_and_all(embeddings(readings), gallery))
    assert row.face_found == 0.75
    assert row.similarity.value == pytest.approx(0.5)
    assert row.rank_one.value == pytest.approx(0.5)
    assert row.wrong_similarity == pytest.approx(0.25)


def test_share_of_true_is_a_ratio_of_means():
    gallery = np.array([unit(0), unit(1)])
    half = 0.5 * unit(0) + np.sqrt(0.75) * unit(2)
    drawn = own_and_all(embeddings([[seen(half)], [seen(unit(1))]]), gallery)
    true = own_and_all(embeddings([[seen(unit(0))], [seen(unit(1))]]), gallery)
    row = summarise("row", [[seen(half)], [seen(unit(1))]], drawn, true_similarity=true)
    assert row.share_of_true.value == pytest.approx(0.75)


def test_a_photo_is_not_compared_with_itself():
    readings = [[seen(unit(0)), seen(unit(1))], [seen(unit(2)), seen(unit(2))]]
    similarity = leave_one_out(readings, gallery_of(readings))
    np.testing.assert_allclose(similarity[0, :, 0], [0, 0])
    np.testing.assert_allclose(similarity[1, :, 1], [1, 1])


def test_control_figures_follow_what_was_wished():
    wished = Wished(np.zeros((2, 1, 3)), np.array([[0.0], [1.0]]), np.array([[1.0], [0.0]]))
    readings = [
        [Reading(pose=np.array([1.0, 0, 0]), smile=0.1, mouth_opening=0.2)],
        [Reading(pose=np.array([-3.0, 4, 0]), smile=0.6, mouth_opening=0.5)],
    ]
    ruler = PoseRuler((1, 1, 1), (0, 0, 0), (0, 0, 0))
    row = summarise("row", readings, None, wished=wished, ruler=ruler)
    assert row.pose_error == (2.0, 2.0, 0.0)
    assert row.smile_correlation == pytest.approx(1)
    assert row.jaw_correlation == pytest.approx(-1)


def test_without_a_scorer_there_are_no_figures():
    row = summarise("row", [[Reading()]], None)
    assert (row.similarity, row.pose_error, row.frechet) == (None, None, None)

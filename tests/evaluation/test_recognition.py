"""Identity and copy-paste, on embeddings small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.evaluation.scorers.recognition import (
    average_gallery,
    compare_with_gallery,
    compute_identity_figures,
    copy_paste,
    embeddings,
    leave_one_out,
)
from hifi_portrait.evaluation.scorers.scorers import Reading

NAME = "recogniser"


def unit(axis: int) -> np.ndarray:
    return np.eye(4)[axis]


def seen(embedding) -> Reading:
    return Reading(embeddings={NAME: np.asarray(embedding, dtype=float)})


def test_a_person_is_the_mean_of_their_unit_embeddings():
    gallery = average_gallery([[seen(2 * unit(0)), seen(unit(1)), Reading()]], NAME)
    np.testing.assert_allclose(gallery, [(unit(0) + unit(1)) / 2])


def test_a_missing_face_counts_as_similarity_zero_and_not_recognised():
    gallery = np.array([unit(0), unit(1)])
    readings = [[seen(unit(0)), Reading()], [seen(unit(1)), seen(unit(0))]]
    figures = compute_identity_figures(compare_with_gallery(embeddings(readings, NAME), gallery))
    assert figures.similarity.value == pytest.approx(0.5)
    assert figures.rank_one.value == pytest.approx(0.5)
    assert figures.wrong_similarity == pytest.approx(0.25)


def test_a_row_without_any_face_resembles_nobody():
    similarity = compare_with_gallery(embeddings([[Reading()], [Reading()]], NAME), np.eye(2, 4))
    assert compute_identity_figures(similarity).rank_one.value == 0


def test_share_of_true_is_a_ratio_of_means():
    gallery = np.array([unit(0), unit(1)])
    half = 0.5 * unit(0) + np.sqrt(0.75) * unit(2)
    drawn = compare_with_gallery(embeddings([[seen(half)], [seen(unit(1))]], NAME), gallery)
    true = compare_with_gallery(embeddings([[seen(unit(0))], [seen(unit(1))]], NAME), gallery)
    assert compute_identity_figures(drawn, true).share_of_true.value == pytest.approx(0.75)


def test_a_photo_is_not_compared_with_itself():
    readings = [[seen(unit(0)), seen(unit(1))], [seen(unit(2)), seen(unit(2))]]
    similarity = leave_one_out(readings, average_gallery(readings, NAME), NAME)
    np.testing.assert_allclose(similarity[0, :, 0], [0, 0])
    np.testing.assert_allclose(similarity[1, :, 1], [1, 1])


def copied(picture, distance=20.0) -> float:
    """Copy-paste of one picture; the reference is unit(0), the truth unit(1)."""
    one = [np.asarray(vector, float).reshape(1, 1, 4) for vector in (picture, unit(0), unit(1))]
    return copy_paste(*one, np.full((1, 1, 1), distance)).value


def test_a_copy_of_the_reference_is_above_zero_and_the_truth_below():
    assert copied(unit(0)) == pytest.approx(0.5)
    assert copied(unit(1)) == pytest.approx(-0.5)
    assert copied(unit(0) + unit(1)) == pytest.approx(0)


def test_copy_paste_shrinks_with_the_pose_distance():
    assert copied(unit(0), distance=40.0) == pytest.approx(0.25)


def test_copy_paste_leaves_out_what_has_no_face():
    assert np.isnan(copied(np.zeros(4)))
    assert np.isnan(copied(unit(0), distance=np.nan))

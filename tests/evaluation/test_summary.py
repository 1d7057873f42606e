"""From readings to a row's figures, on readings small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.evaluation.report.summary import ReferenceSet, summarise
from hifi_portrait.evaluation.scorers.scorers import Reading


def with_features(*values) -> Reading:
    return Reading(features=np.array(values, dtype=float))


def test_without_a_scorer_there_are_no_figures():
    row = summarise("row", [[Reading()]], ReferenceSet([[Reading()]], {}))
    assert (row.identity, row.face_found, row.control, row.frechet) == ({}, None, None, None)


def test_face_found_counts_the_detectors_finds():
    known = Reading(embeddings={"a": np.ones(2)}, face_score=0.9)
    row = summarise("row", [[known, Reading()]], ReferenceSet([[known]], {}, recognisers=("a",)))
    assert row.face_found == 0.5


def test_frechet_is_the_mean_over_seeds_and_its_ratio_to_true_photos():
    photographs = np.array([[-1.0], [1.0]])
    # The first seed is the photographs, the second is 4 away from them.
    readings = [[with_features(-1), with_features(3)], [with_features(1), with_features(5)]]
    reference_set = ReferenceSet([[Reading()]], {}, photographs=photographs, true_frechet=2.0)
    row = summarise("row", readings, reference_set, seeds=2)
    assert row.frechet == pytest.approx(8)
    assert row.frechet_ratio == pytest.approx(4)

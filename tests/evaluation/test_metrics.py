"""The measures, exactly, on inputs small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.evaluation import metrics
from hifi_portrait.head import HeadPose


def test_cosine_similarity_of_parallel_orthogonal_and_opposite_vectors():
    a = np.array([[2.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    b = np.array([[5.0, 0.0], [0.0, 3.0], [-2.0, -2.0]])
    np.testing.assert_allclose(metrics.cosine_similarity(a, b), [1, 0, -1], atol=1e-12)


def test_a_zero_vector_resembles_nothing():
    np.testing.assert_array_equal(metrics.similarity_matrix(np.zeros((1, 2)), np.eye(2)), [[0, 0]])


def test_rank_one_counts_the_best_own_entry():
    similarity = np.array([[0.9, 0.1, 0.2], [0.5, 0.4, 0.1], [0.0, 0.1, 0.2]])
    np.testing.assert_array_equal(metrics.rank_one(similarity, np.arange(3)), [True, False, True])


def test_rank_one_counts_a_tie_as_wrong():
    assert not metrics.rank_one(np.zeros((1, 4)), np.array([0]))[0]


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [([3, 4], [1, 2], 1.0), ([1, 2], [3, 4], 0.0), ([1, 3], [2, 4], 0.25), ([1], [1], 0.5)],
)
def test_area_under_curve(positive, negative, expected):
    assert metrics.area_under_curve(np.array(positive), np.array(negative)) == expected


def test_correlation_of_a_line_is_its_sign():
    x = np.array([0.0, 1.0, 2.0])
    assert metrics.correlation(x, 3 * x + 1) == pytest.approx(1)
    assert metrics.correlation(x, -x) == pytest.approx(-1)


def test_correlation_leaves_out_what_was_not_read():
    requested, measured = np.array([0.0, 1.0, 2.0, 9.0]), np.array([0.0, 1.0, 2.0, np.nan])
    assert metrics.correlation(requested, measured) == pytest.approx(1)


def test_correlation_with_a_constant_is_not_a_number():
    assert np.isnan(metrics.correlation(np.array([0.0, 1.0]), np.array([2.0, 2.0])))


def test_angle_between_rotations_about_one_axis_is_their_difference():
    angle = metrics.angle_between(HeadPose(30, 0, 0).matrix(), HeadPose(-15, 0, 0).matrix())
    assert angle == pytest.approx(45)


def test_peak_signal_to_noise():
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert metrics.peak_signal_to_noise(black, black) == float("inf")
    assert metrics.peak_signal_to_noise(black, white) == pytest.approx(0)
    assert metrics.peak_signal_to_noise(black, np.full((2, 2, 3), 51, np.uint8)) == pytest.approx(
        13.979, abs=1e-3
    )


def test_frechet_distance_of_equal_sets_is_zero():
    features = np.random.default_rng(0).normal(size=(50, 4))
    assert metrics.frechet_distance(features, features) == pytest.approx(0, abs=1e-6)


def test_frechet_distance_of_shifted_sets_is_the_squared_shift():
    features = np.random.default_rng(0).normal(size=(50, 3))
    assert metrics.frechet_distance(features, features + np.array([3, 0, 4])) == pytest.approx(25)


def test_frechet_distance_of_one_dimension_is_mean_and_spread():
    a, b = np.array([[-1.0], [1.0]]), np.array([[-2.0], [4.0]])  # variances 2 and 18
    assert metrics.frechet_distance(a, b) == pytest.approx(1 + (np.sqrt(18) - np.sqrt(2)) ** 2)


def test_bootstrap_interval_of_a_constant_is_a_point():
    assert metrics.bootstrap_over_people(lambda drawn: 0.5, 10, rounds=20) == metrics.Interval(0.5, 0.5, 0.5)


def test_bootstrap_interval_of_a_mean_is_about_two_standard_errors():
    values = np.random.default_rng(1).normal(size=400)
    interval = metrics.bootstrap_over_people(lambda drawn: float(values[drawn].mean()), 400)
    assert interval.value == values.mean()
    assert interval.high - interval.low == pytest.approx(4 * values.std() / 20, rel=0.1)

"""Control figures, on quantities small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.evaluation.scorers.control import (
    EXPRESSION,
    GAZE,
    POSE,
    compute_control_figures,
    read_requested_quantities,
)
from hifi_portrait.head import HeadPose
from hifi_portrait.person.target import Target

NAMES = (*POSE, *EXPRESSION, *GAZE)


def quantities(**values):
    """Two people with one request each; zero if not given."""
    return {name: np.array(values.get(name, [[0.0], [0.0]]), dtype=float) for name in NAMES}


def test_what_was_asked_for_is_read_off_the_target():
    target = Target({"jawOpen": 0.5, "mouthSmileLeft": 1.0}, HeadPose(10, -5, 2), gaze=(7, 0))
    requested = read_requested_quantities([[target]])
    read = {name: float(values[0, 0]) for name, values in requested.items()}
    assert read == pytest.approx(
        dict.fromkeys(NAMES, 0.0)
        | {"yaw": 10, "pitch": -5, "roll": 2, "jaw": 0.5, "smile": 0.5, "gaze_yaw": 7}
    )


def test_a_groups_error_is_the_mean_of_its_quantities():
    figures = compute_control_figures(quantities(yaw=[[3], [-9]], smile=[[0.4], [0]]), quantities())
    assert figures.errors["yaw"].value == pytest.approx(6)
    assert figures.errors["pose"].value == pytest.approx(2)
    assert figures.errors["expression"].value == pytest.approx(0.05)


def test_a_picture_without_a_face_is_left_out_of_the_errors():
    read = {name: np.array([[np.nan], [1.0]]) for name in NAMES}
    assert compute_control_figures(read, quantities()).errors["gaze"].value == pytest.approx(1)


def test_the_score_is_the_mean_of_the_groups_shares_of_the_other_rows_errors():
    requested = quantities()
    other = {name: np.full((2, 1), 2.0) for name in NAMES}
    read = other | {"gaze_yaw": np.full((2, 1), 1.0)}
    assert compute_control_figures(other, requested, against=other).score.value == pytest.approx(1)
    assert compute_control_figures(read, requested, against=other).score.value == pytest.approx(
        (1 + 1 + 0.5) / 3
    )


def test_each_seed_is_compared_with_the_same_requests():
    read = {name: np.array([[1.0, 3.0], [0.0, 0.0]]) for name in NAMES}
    figures = compute_control_figures(read, quantities(smile=[[1], [0]]))
    assert figures.errors["smile"].value == pytest.approx(0.5)


def test_correlation_with_the_request_and_with_the_true_photo_are_told_apart():
    read = quantities(smile=[[0.2], [0.6]])
    figures = compute_control_figures(
        read, quantities(smile=[[0], [1]]), photo=quantities(smile=[[0.9], [0.1]])
    )
    assert figures.requested_correlation["smile"].value == pytest.approx(1)
    assert figures.photo_correlation["smile"].value == pytest.approx(-1)

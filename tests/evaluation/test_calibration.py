"""Calibration: from signs to degrees and coefficients."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.evaluation.scorers.calibration import Calibration, LinearCalibration
from hifi_portrait.evaluation.scorers.scorers import Reading

SIGNS = np.array([[0.0, 1], [1, 0], [2, 5], [3, 1], [5, 2]])
TRUE = 2 * SIGNS[:, 0] - SIGNS[:, 1] + 3


def test_a_linear_reader_is_put_right():
    linear = LinearCalibration.fit(TRUE, SIGNS)
    np.testing.assert_allclose(linear(SIGNS), TRUE, atol=1e-9)
    assert linear.error == pytest.approx(0, abs=1e-9)
    assert linear.correlation == pytest.approx(1)


def test_pictures_without_a_face_do_not_count():
    linear = LinearCalibration.fit(np.append(TRUE, 90.0), np.vstack([SIGNS, [np.nan, np.nan]]))
    assert linear.weights == pytest.approx((2, -1))


def test_the_error_left_is_the_mean_absolute_one():
    linear = LinearCalibration.fit(np.array([0.0, 1, 0, 1]), np.zeros((4, 1)))
    assert linear.error == pytest.approx(0.5)


def test_a_calibration_is_read_back_as_it_was(tmp_path):
    calibration = Calibration(4, {"yaw": LinearCalibration((1.5,), 0.25, 0.5, 0.9)})
    calibration.save(tmp_path / "new" / "rulers.json")
    assert Calibration.load(tmp_path / "new" / "rulers.json") == calibration


def test_a_picture_without_a_face_is_not_a_number():
    calibration = Calibration(4, {"smile": LinearCalibration((1.0, 2.0), 0.5, 0, 1)})
    read = calibration([[Reading(), Reading(signs={"smile": np.array([1.0, 1.0])})]])
    np.testing.assert_array_equal(read["smile"], [[np.nan, 3.5]])
